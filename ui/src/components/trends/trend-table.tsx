/** The values of charts as a table: a row for each run, the newest first. */
import type { RunDot } from "@/api/generated";
import { TextLink } from "@/components/link";
import { StateIcon } from "@/components/ui/state";
import { Ago } from "@/components/ui/time";
import { runAddress } from "@/lib/addresses";
import { number } from "@/lib/format";
import { stateOf } from "@/lib/state";
import type { Trend } from "@/lib/trends";

export function TrendTable({ runs, trends }: { runs: readonly RunDot[]; trends: readonly Trend[] }) {
  const columns = trends.flatMap((trend) =>
    trend.lines.map((line) => ({
      key: `${trend.path}.${trend.metric}.${line.name}`,
      title: line.name ? `${trend.metric}, pass ${line.name}` : trend.metric,
      path: trend.path,
      values: line.values,
    })),
  );
  return (
    <details className="card mt-4 overflow-hidden">
      <summary className="cursor-pointer px-4 py-2.5 font-medium hover:bg-hover">As a table</summary>
      <div tabIndex={0} role="region" aria-label="Metrics of runs" className="overflow-x-auto">
        <table className="num w-full border-t border-line">
          <thead>
            <tr className="text-label text-ink-3">
              <th scope="col" className="sticky left-0 bg-surface px-4 py-2 text-left font-normal">
                Run
              </th>
              <th scope="col" className="px-4 py-2 text-left font-normal">
                Started
              </th>
              {columns.map((column) => (
                <th
                  key={column.key}
                  scope="col"
                  title={column.path}
                  className="px-4 py-2 text-right font-normal whitespace-nowrap"
                >
                  {column.title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody className="divide-y divide-line">
            {runs.map((run, index) => (
              <tr key={run.run_id}>
                <th scope="row" className="sticky left-0 bg-surface px-4 py-1.5 text-left font-normal">
                  <span className="flex max-w-72 items-center gap-2 truncate">
                    <StateIcon state={stateOf(run.state)} size={14} label />
                    <TextLink to={runAddress(run.run_id)}>{run.display_name}</TextLink>
                  </span>
                </th>
                <td className="px-4 py-1.5 whitespace-nowrap text-ink-2">
                  <Ago at={run.created_at} />
                </td>
                {columns.map((column) => {
                  const value = column.values[runs.length - 1 - index] ?? null;
                  return (
                    <td key={column.key} className="px-4 py-1.5 text-right">
                      {value === null ? <span className="text-ink-3">–</span> : number(value)}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
