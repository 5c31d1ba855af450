/** The progress of a run: one sliver per task, or shares by state where slivers would be too thin. */
import type { TaskState } from "@/api/generated";
import { BY_PROGRESS, BY_URGENCY, color, type State, WORDS } from "@/lib/state";
import { countStates, isLeaf, taskState } from "@/lib/tasks";

const MAX_SLIVERS = 240;

function fill(state: State): string {
  return state === "pending" || state === "queued" ? "var(--color-line)" : color(state);
}

export function Ribbon({ tasks }: { tasks: readonly TaskState[] }) {
  const leaves = tasks.filter(isLeaf);
  const counts = countStates(leaves);
  const label = BY_URGENCY.flatMap((state) =>
    counts.get(state) ? [`${counts.get(state)} ${WORDS[state].toLowerCase()}`] : [],
  ).join(", ");
  const slivers: [string, State, number][] =
    leaves.length <= MAX_SLIVERS
      ? leaves
          .map((task): [string, State, number] => [task.task_id, taskState(task), 1])
          .sort(([, a], [, b]) => BY_PROGRESS.indexOf(a) - BY_PROGRESS.indexOf(b))
      : [...BY_URGENCY]
          .reverse()
          .flatMap((state) =>
            counts.get(state) ? [[state, state, counts.get(state) ?? 0] as [string, State, number]] : [],
          );
  return (
    <div
      role="img"
      aria-label={`Tasks: ${label || "none yet"}`}
      title={label}
      className="flex h-1.5 w-full overflow-hidden rounded-full bg-sunken"
      style={{ gap: slivers.length <= 80 ? 2 : slivers.length <= MAX_SLIVERS ? 1 : 0 }}
    >
      {slivers.map(([key, state, count]) => (
        <span
          key={key}
          className={state === "running" || state === "retrying" ? "striped min-w-0" : "min-w-0"}
          style={{ flex: `${count} 1 0`, backgroundColor: fill(state) }}
        />
      ))}
    </div>
  );
}
