/** Tasks of a run by state as one thin bar. */
import type { TaskCounts } from "@/api/generated";
import { cx } from "@/lib/class";
import { BY_PROGRESS, BY_URGENCY, color, type State, WORDS } from "@/lib/state";

export function countsByState(counts: TaskCounts): [State, number][] {
  const known = counts as unknown as Record<string, number>;
  return BY_URGENCY.flatMap((state) => (known[state] ? [[state, known[state]] as [State, number]] : []));
}

export function totalTasks(counts: TaskCounts): number {
  return countsByState(counts).reduce((sum, [, count]) => sum + count, 0);
}

export function TaskBar({ counts, className }: { counts: TaskCounts; className?: string }) {
  const parts = countsByState(counts);
  const shown = parts.toSorted(([a], [b]) => BY_PROGRESS.indexOf(a) - BY_PROGRESS.indexOf(b));
  const label =
    parts.map(([state, count]) => `${count} ${WORDS[state].toLowerCase()}`).join(", ") || "no tasks yet";
  return (
    <span
      role="img"
      aria-label={label}
      title={label}
      className={cx("flex h-1.5 overflow-hidden rounded-full bg-sunken", className)}
    >
      {shown.map(([state, count]) => (
        <span
          key={state}
          className={state === "running" ? "striped" : undefined}
          style={{
            flexGrow: count,
            backgroundColor: state === "pending" || state === "queued" ? "var(--color-line)" : color(state),
          }}
        />
      ))}
    </span>
  );
}
