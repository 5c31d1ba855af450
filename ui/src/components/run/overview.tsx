/** The first tab: what happened, what went in, what came out. */
import type { RunOverview, RunParameter } from "@/api/generated";
import { ArtifactLine } from "@/components/artifacts/artifact-line";
import { Link, TextLink } from "@/components/link";
import { PipelineName } from "@/components/runs/columns";
import { useRunActions } from "@/components/runs/run-actions";
import { PageBody, Section } from "@/components/shell/page";
import { StateIcon } from "@/components/ui/state";
import { Ago, Elapsed, ShortId } from "@/components/ui/time";
import { experimentAddress, runAddress, scheduleAddress } from "@/lib/addresses";
import { useNow } from "@/lib/clock";
import { isEmbedded } from "@/lib/embed";
import { count, duration, number } from "@/lib/format";
import { isActive, stateOf } from "@/lib/state";
import { taskDuration, taskState } from "@/lib/tasks";
import { Facts } from "./facts";
import { FailureCard } from "./failure-card";
import { Value } from "./value";

export function OverviewTab({ overview }: { overview: RunOverview }) {
  const { run } = overview;
  const { act, questions } = useRunActions();
  const ended = stateOf(run.state) === "failed" && !isEmbedded();
  const onRetry = ended ? () => act("retry", { ids: [run.run_id], name: run.display_name }) : undefined;
  const failed = stateOf(run.state) === "failed" || overview.failures.length > 0;
  const hasOutputs = Object.keys(overview.outputs).length > 0 || overview.output_artifacts.length > 0;
  return (
    <PageBody>
      <div className="flex flex-col gap-4">
        {failed && (
          <FailureCard runId={run.run_id} failures={overview.failures} error={run.error} onRetry={onRetry} />
        )}
        <div className="grid items-start gap-4 lg:grid-cols-[3fr_2fr]">
          <div className="flex min-w-0 flex-col gap-4">
            {hasOutputs && <Outputs overview={overview} />}
            <Metrics metrics={run.metrics} />
            <Parameters parameters={overview.parameters} />
          </div>
          <div className="flex min-w-0 flex-col gap-4">
            <Summary overview={overview} />
            {overview.slowest.length > 0 && <Slowest overview={overview} />}
            <CacheCard overview={overview} />
          </div>
        </div>
      </div>
      {questions}
    </PageBody>
  );
}

function Summary({ overview }: { overview: RunOverview }) {
  const { run } = overview;
  return (
    <Section title="Summary">
      <Facts
        rows={[
          ["Run id", <ShortId key="id" id={run.run_id} what="run id" />],
          ["Pipeline", <PipelineName key="p" run={run} />],
          [
            "Experiment",
            run.experiment.name && (
              <TextLink key="e" to={experimentAddress(run.experiment.id)}>
                {run.experiment.name}
              </TextLink>
            ),
          ],
          [
            "Started by",
            run.recurring_run_id ? (
              <TextLink key="s" to={scheduleAddress(run.recurring_run_id)}>
                a schedule
              </TextLink>
            ) : (
              "a person or program"
            ),
          ],
          ["Created", <Ago key="c" at={run.created_at} />],
          ["Finished", run.finished_at ? <Ago key="f" at={run.finished_at} /> : undefined],
          ["Duration", <Elapsed key="d" from={run.created_at} until={run.finished_at ?? undefined} />],
          ["Description", run.description],
          ["Pipeline root", overview.pipeline_root],
          ["Service account", overview.service_account],
        ]}
      />
    </Section>
  );
}

function Outputs({ overview }: { overview: RunOverview }) {
  return (
    <Section title="Outputs">
      <Facts
        rows={Object.entries(overview.outputs).map(([name, value]) => [
          name,
          <Value key={name} value={value} />,
        ])}
      />
      {overview.output_artifacts.length > 0 && (
        <ul className="border-t border-line px-2 py-1.5">
          {overview.output_artifacts.map((artifact) => (
            <ArtifactLine key={artifact.artifact_id} artifact={artifact} />
          ))}
        </ul>
      )}
    </Section>
  );
}

function Metrics({ metrics }: { metrics: Record<string, unknown> }) {
  const rows = Object.entries(metrics);
  if (rows.length === 0) return null;
  return (
    <Section title="Metrics" aside={<span className="num text-label text-ink-3">{rows.length}</span>}>
      <ul className="grid grid-cols-[repeat(auto-fill,minmax(200px,1fr))] gap-px bg-line">
        {rows.map(([name, value]) => {
          const at = name.lastIndexOf(".");
          return (
            <li key={name} className="bg-surface px-4 py-2.5">
              <p className="truncate text-label text-ink-3" title={name}>
                {name.slice(0, at)}
              </p>
              <p className="flex items-baseline justify-between gap-3">
                <span className="truncate">{name.slice(at + 1)}</span>
                <span className="num text-section font-medium">
                  {typeof value === "number" ? number(value) : String(value)}
                </span>
              </p>
            </li>
          );
        })}
      </ul>
    </Section>
  );
}

function Parameters({ parameters }: { parameters: readonly RunParameter[] }) {
  const changed = parameters.filter((parameter) => parameter.is_changed).length;
  return (
    <Section
      title="Parameters"
      aside={changed > 0 && <span className="text-label text-ink-3">{changed} changed from default</span>}
    >
      {parameters.length === 0 ? (
        <p className="px-4 py-3 text-ink-3">The pipeline has none.</p>
      ) : (
        <dl className="divide-y divide-line">
          {parameters.map((parameter) => (
            <div key={parameter.name} className="grid grid-cols-[minmax(120px,2fr)_3fr] gap-4 px-4 py-2">
              <dt className="flex min-w-0 items-center gap-2">
                <span className="truncate">{parameter.name}</span>
                {parameter.is_changed && (
                  <span
                    className="shrink-0 rounded-full bg-accent-tint px-1.5 text-caption text-accent"
                    title={`Default: ${JSON.stringify(parameter.default_value)}`}
                  >
                    changed
                  </span>
                )}
              </dt>
              <dd className="min-w-0">
                <Value value={parameter.value} />
              </dd>
            </div>
          ))}
        </dl>
      )}
    </Section>
  );
}

function Slowest({ overview }: { overview: RunOverview }) {
  const now = useNow(isActive(stateOf(overview.run.state)));
  const longest = Math.max(...overview.slowest.map((task) => taskDuration(task, now) ?? 0), 1);
  return (
    <Section
      title="Slowest tasks"
      aside={
        <Link to={runAddress(overview.run.run_id, "tab=timeline")} className="link text-label">
          Timeline
        </Link>
      }
    >
      <ul className="py-1.5">
        {overview.slowest.map((task) => {
          const ms = taskDuration(task, now) ?? 0;
          return (
            <li key={task.task_id} className="px-4 py-1.5">
              <div className="flex items-center gap-2">
                <StateIcon state={taskState(task)} size={14} label />
                <Link
                  to={runAddress(overview.run.run_id, `task=${encodeURIComponent(task.path)}`)}
                  className="min-w-0 flex-1 truncate hover:text-accent"
                  title={task.path}
                >
                  {task.display_name}
                  {task.path.includes("/") && <span className="text-ink-3"> {task.path}</span>}
                </Link>
                <span className="num text-ink-2">{duration(ms)}</span>
              </div>
              <div className="mt-1 ml-5.5 h-1 rounded-full bg-sunken">
                <div
                  className="h-1 rounded-full bg-line-strong"
                  style={{ width: `${(ms / longest) * 100}%` }}
                />
              </div>
            </li>
          );
        })}
      </ul>
    </Section>
  );
}

function CacheCard({ overview }: { overview: RunOverview }) {
  const { reused, ended_well, saved_ms } = overview.cache;
  if (ended_well === 0) return null;
  return (
    <Section title="Cache">
      <p className="px-4 py-3 text-ink-2">
        {reused === 0
          ? "Every task ran; none was reused."
          : `${reused} of ${count(ended_well, "task")} reused, ${duration(saved_ms)} saved.`}
      </p>
    </Section>
  );
}
