/** Durations of tasks, and how much longer or shorter they are than in the base. */
import { useState } from "react";
import type { CompareTask, Comparison } from "@/api/generated";
import { Section } from "@/components/shell/page";
import { Button } from "@/components/ui/button";
import { StateIcon } from "@/components/ui/state";
import { cx } from "@/lib/class";
import { count, duration } from "@/lib/format";
import { stateOf } from "@/lib/state";
import { RunHeads } from "./run-heads";

const FIRST = 12;

/** The largest distance from the base. */
function spread(task: CompareTask, base: number): number {
  const reference = task.durations_ms[base] ?? 0;
  return Math.max(...task.durations_ms.map((ms) => (ms === null ? 0 : Math.abs(ms - reference))), 0);
}

export function Timing({ comparison, base }: { comparison: Comparison; base: number }) {
  const [all, setAll] = useState(false);
  if (comparison.tasks.length === 0) return null;
  const tasks = comparison.tasks.toSorted((a, b) => spread(b, base) - spread(a, base));
  const shown = all ? tasks.slice(0, 500) : tasks.slice(0, FIRST);
  const widest = Math.max(spread(tasks[0] as CompareTask, base), 1);
  return (
    <Section
      title="Timing"
      aside={
        <span className="text-label text-ink-3">
          {count(tasks.length, "task")}, the largest differences first
        </span>
      }
    >
      <div tabIndex={0} role="region" aria-label="Timing" className="overflow-x-auto">
        <table className="w-full">
          <RunHeads comparison={comparison} base={base} first="Task" />
          <tbody className="num divide-y divide-line">
            {shown.map((task) => (
              <tr key={task.path}>
                <th
                  scope="row"
                  className="sticky left-0 z-10 max-w-64 truncate bg-surface px-4 py-1.5 text-left font-normal"
                  title={task.path}
                >
                  {task.display_name}
                  {task.path.includes("/") && (
                    <span className="ml-1.5 text-label text-ink-3">{task.path}</span>
                  )}
                </th>
                {task.durations_ms.map((ms, index) => (
                  <td
                    key={comparison.runs[index]?.run_id ?? index}
                    className={cx("px-4 py-1.5", index === base && "bg-accent-tint")}
                  >
                    <Cell
                      ms={ms}
                      reference={task.durations_ms[base] ?? null}
                      isBase={index === base}
                      state={task.states[index] ?? null}
                      widest={widest}
                    />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {tasks.length > FIRST && (
        <div className="border-t border-line px-4 py-2">
          <Button small tone="ghost" onClick={() => setAll(!all)}>
            {all ? "Fewer" : `All ${tasks.length}`}
          </Button>
        </div>
      )}
    </Section>
  );
}

function Cell({
  ms,
  reference,
  isBase,
  state,
  widest,
}: {
  ms: number | null;
  reference: number | null;
  isBase: boolean;
  state: string | null;
  widest: number;
}) {
  if (state === null) return <span className="text-ink-3">not in this run</span>;
  const change = ms !== null && reference !== null ? ms - reference : 0;
  return (
    <span className="flex items-center gap-2">
      <StateIcon state={stateOf(state)} size={12} label />
      <span className="w-14">{duration(ms)}</span>
      {!isBase && change !== 0 && (
        <span className="flex min-w-0 flex-1 items-center gap-1.5 text-label text-ink-3">
          <span className="relative h-1.5 w-24 shrink-0">
            <span className="absolute inset-y-0 left-1/2 w-px bg-line-strong" />
            <span
              className={cx(
                "absolute inset-y-0",
                change > 0 ? "left-1/2 rounded-r-full bg-retrying" : "right-1/2 rounded-l-full bg-succeeded",
              )}
              style={{ width: `${Math.max(2, (Math.abs(change) / widest) * 50)}%` }}
            />
          </span>
          {change > 0 ? "+" : "−"}
          {duration(Math.abs(change))}
        </span>
      )}
    </span>
  );
}
