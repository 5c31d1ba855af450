/** What became of a task: failure or result, phases, attempts, what stands around it. */
import type { TaskDetail, TaskState } from "@/api/generated";
import { TextLink } from "@/components/link";
import { Facts } from "@/components/run/facts";
import { causeText, TracebackText } from "@/components/run/failure-card";
import { Value } from "@/components/run/value";
import { Section } from "@/components/shell/page";
import { StateIcon } from "@/components/ui/state";
import { Ago, Elapsed } from "@/components/ui/time";
import { taskAddress } from "@/lib/addresses";
import { count } from "@/lib/format";
import { useSetSearch } from "@/lib/search";
import { color, stateOf, WORDS } from "@/lib/state";
import { countStates, isLeaf, taskState } from "@/lib/tasks";
import { PhaseBar } from "./phase-bar";

interface Props {
  runId: string;
  detail: TaskDetail;
  task: TaskState;
  tasks: readonly TaskState[];
  attempt: number;
}

export function SummaryPanel({ runId, detail, task, tasks, attempt }: Props) {
  const setSearch = useSetSearch();
  const chosen = detail.attempts.find((each) => each.attempt === attempt);
  const error = chosen?.error ?? task.error;
  const outputs = Object.entries(detail.outputs.parameters);
  return (
    <div className="flex flex-col gap-4 p-4">
      {error && (
        <section
          aria-label="Why"
          className={
            task.state === "FAILED"
              ? "overflow-hidden rounded-card border border-failed/40"
              : "overflow-hidden rounded-card border border-line"
          }
        >
          <div className={task.state === "FAILED" ? "bg-failed-tint px-4 py-3" : "bg-sunken px-4 py-3"}>
            <p className="font-mono text-label break-words">
              {attempt === task.attempt && detail.traceback ? detail.traceback.exception : error.message}
            </p>
            <p className="mt-1 text-label text-ink-2">
              {[causeText(error), attempt === task.attempt && detail.traceback ? error.message : ""]
                .filter(Boolean)
                .join(" · ")}
            </p>
          </div>
          {attempt === task.attempt && detail.traceback && <TracebackText text={detail.traceback.text} />}
        </section>
      )}
      {chosen && chosen.segments.length > 0 && (
        <Section title="Time" aside={<span className="text-label text-ink-3">attempt {chosen.attempt}</span>}>
          <PhaseBar segments={chosen.segments} color={color(stateOf(chosen.state))} />
        </Section>
      )}
      {outputs.length > 0 && (
        <Section title="Output values">
          <Facts rows={outputs.map(([name, value]) => [name, <Value key={name} value={value} />])} />
        </Section>
      )}
      {!isLeaf(task) && <Members runId={runId} task={task} tasks={tasks} />}
      <Section title="Facts">
        <Facts
          rows={[
            ["Started", task.started_at !== null && <Ago key="s" at={task.started_at} />],
            ["Ended", task.ended_at !== null && <Ago key="e" at={task.ended_at} />],
            [
              "Duration",
              task.started_at !== null && (
                <Elapsed key="d" from={task.started_at} until={task.ended_at ?? undefined} />
              ),
            ],
            ["Item", task.item],
            ["Passes", task.iteration_count],
            [
              "Condition",
              detail.program?.condition && (
                <code key="c" className="font-mono text-label">
                  {detail.program.condition}
                </code>
              ),
            ],
            [
              "Image",
              detail.program?.image && (
                <code key="i" className="font-mono text-label break-all">
                  {detail.program.image}
                </code>
              ),
            ],
            [
              "Retries allowed",
              detail.program && detail.program.max_retries > 0 ? detail.program.max_retries : undefined,
            ],
            ["Execution", detail.execution_id],
          ]}
        />
      </Section>
      {detail.attempts.length > 1 && (
        <Section title={count(detail.attempts.length, "attempt")}>
          <ul className="py-1">
            {detail.attempts.map((each) => (
              <li key={each.attempt}>
                <button
                  type="button"
                  className="flex w-full items-start gap-2.5 px-4 py-1.5 text-left hover:bg-hover"
                  aria-current={each.attempt === attempt ? "true" : undefined}
                  onClick={() => setSearch({ attempt: String(each.attempt) })}
                >
                  <span className="mt-0.5">
                    <StateIcon state={stateOf(each.state)} size={14} label />
                  </span>
                  <span className="num w-16 shrink-0">Attempt {each.attempt}</span>
                  <span className="min-w-0 flex-1 truncate text-ink-2">{each.error?.message}</span>
                  <Elapsed
                    from={
                      (each.segments.find((segment) => segment.phase !== "wait") ?? each.segments[0])?.from
                    }
                    until={each.segments.at(-1)?.to ?? undefined}
                  />
                </button>
              </li>
            ))}
          </ul>
        </Section>
      )}
    </div>
  );
}

/** Passes of a loop, or tasks of a group. */
function Members({ runId, task, tasks }: { runId: string; task: TaskState; tasks: readonly TaskState[] }) {
  const members = tasks.filter((other) => other.parent === task.path && other.task_id !== task.task_id);
  if (members.length === 0) return null;
  const states = [...countStates(members)]
    .map(([state, n]) => `${n} ${WORDS[state].toLowerCase()}`)
    .join(", ");
  return (
    <Section
      title={task.kind === "LOOP" ? "Passes" : "Inside"}
      aside={<span className="text-label text-ink-3">{states}</span>}
    >
      <ul className="max-h-80 overflow-auto py-1">
        {members.slice(0, 500).map((member) => (
          <li key={member.task_id} className="flex items-center gap-2.5 px-4 py-1">
            <StateIcon state={taskState(member)} size={14} label />
            <span className="min-w-0 flex-1 truncate">
              <TextLink to={taskAddress(runId, member.path)}>{member.display_name}</TextLink>
              {member.item !== null && <span className="text-ink-3"> {member.item}</span>}
            </span>
            <span className="text-ink-2">
              <Elapsed from={member.started_at ?? undefined} until={member.ended_at ?? undefined} />
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
