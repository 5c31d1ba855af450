/** Scalar metrics: the best and the change against the base marked, one of them drawn over a parameter or the runs. */
import { useMemo } from "react";
import type { CompareRow, Comparison } from "@/api/generated";
import { Section } from "@/components/shell/page";
import { Select } from "@/components/ui/field";
import { cx } from "@/lib/class";
import { number } from "@/lib/format";
import { useParam } from "@/lib/search";
import { Dot, RunHeads } from "./run-heads";

/** Names of which less is better. */
const LESS = /loss|error|mae|mse|rmse|mape|latency|duration|seconds|perplexity/i;

function bestIndex(row: CompareRow): number | undefined {
  const numbers = row.values.map((value) => (typeof value === "number" ? value : Number.NaN));
  const known = numbers.filter((value) => !Number.isNaN(value));
  if (known.length < 2 || !row.differs) return undefined;
  const best = LESS.test(row.name) ? Math.min(...known) : Math.max(...known);
  return numbers.indexOf(best);
}

export function Metrics({ comparison, all, base }: { comparison: Comparison; all: boolean; base: number }) {
  const rows = comparison.metrics;
  const shown = all ? rows : rows.filter((row) => row.differs);
  if (rows.length === 0) return null;
  return (
    <Section
      title="Metrics"
      aside={
        <span className="text-label text-ink-3">the best is marked; of losses and errors the least</span>
      }
    >
      <div tabIndex={0} role="region" aria-label="Metrics" className="overflow-x-auto">
        <table className="w-full">
          <RunHeads comparison={comparison} base={base} first="Metric" />
          <tbody className="num divide-y divide-line">
            {shown.map((row) => {
              const best = bestIndex(row);
              return (
                <tr key={row.name}>
                  <th
                    scope="row"
                    className="sticky left-0 z-10 max-w-64 truncate bg-surface px-4 py-2 text-left font-normal"
                    title={row.name}
                  >
                    {row.name}
                  </th>
                  {row.values.map((value, index) => (
                    <td
                      key={comparison.runs[index]?.run_id ?? index}
                      className={cx("px-4 py-2", index === base && "bg-accent-tint")}
                    >
                      <span
                        className={cx(
                          index === best && "rounded-sm bg-succeeded-tint px-1 font-medium text-succeeded",
                        )}
                      >
                        {typeof value === "number" ? number(value) : value === null ? "–" : String(value)}
                      </span>
                      <Change value={value} base={row.values[base]} hidden={index === base} />
                    </td>
                  ))}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {shown.length === 0 && <p className="px-4 py-3 text-ink-3">All metrics are equal.</p>}
      {shown.length > 0 && <Scatter comparison={comparison} metrics={shown} />}
    </Section>
  );
}

function Change({ value, base, hidden }: { value: unknown; base: unknown; hidden: boolean }) {
  if (hidden || typeof value !== "number" || typeof base !== "number" || value === base) return null;
  const change = value - base;
  return (
    <span className="ml-2 text-label text-ink-3">
      {change > 0 ? "+" : "−"}
      {number(Math.abs(change))}
    </span>
  );
}

/** One metric over a numeric parameter, another metric, or simply the runs. */
function Scatter({ comparison, metrics }: { comparison: Comparison; metrics: readonly CompareRow[] }) {
  const [yName, setY] = useParam("y", metrics[0]?.name);
  const [xName, setX] = useParam("x", "");
  const y = metrics.find((row) => row.name === yName) ?? metrics[0];
  const axes = useMemo(
    () => [
      ...comparison.parameters.filter(
        (row) => row.values.every((value) => typeof value === "number") && row.differs,
      ),
      ...metrics,
    ],
    [comparison.parameters, metrics],
  );
  const x = axes.find((row) => row.name === xName);
  const points = comparison.runs.flatMap((run, index) => {
    const py = y?.values[index];
    const px = x ? x.values[index] : index + 1;
    return typeof py === "number" && typeof px === "number" ? [{ run, index, x: px, y: py }] : [];
  });
  if (!y || points.length < 2) return null;
  const range = (values: number[]): [number, number] => {
    const low = Math.min(...values);
    const high = Math.max(...values);
    const pad = (high - low || Math.abs(high) || 1) * 0.08;
    return [low - pad, high + pad];
  };
  const [x0, x1] = range(points.map((point) => point.x));
  const [y0, y1] = range(points.map((point) => point.y));
  const px = (value: number) => 56 + ((value - x0) / (x1 - x0)) * 528;
  const py = (value: number) => 176 - ((value - y0) / (y1 - y0)) * 160;
  return (
    <figure className="border-t border-line px-4 py-3">
      <figcaption className="mb-2 flex flex-wrap items-center gap-2 text-label text-ink-2">
        <Select aria-label="Upward axis" value={y.name} onChange={(event) => setY(event.target.value)}>
          {metrics.map((row) => (
            <option key={row.name}>{row.name}</option>
          ))}
        </Select>
        over
        <Select aria-label="Sideward axis" value={xName} onChange={(event) => setX(event.target.value)}>
          <option value="">the runs</option>
          {axes.map((row) => (
            <option key={row.name}>{row.name}</option>
          ))}
        </Select>
      </figcaption>
      <svg
        viewBox="0 0 600 210"
        className="num w-full max-w-150"
        role="img"
        aria-label={`${y.name} over ${x?.name ?? "the runs"}`}
      >
        {[0, 0.5, 1].map((part) => {
          const value = y0 + (y1 - y0) * part;
          return (
            <g key={part}>
              <line x1="56" x2="584" y1={py(value)} y2={py(value)} stroke="var(--color-line)" />
              <text x="50" y={py(value) + 3} textAnchor="end" fontSize="10" fill="var(--color-ink-3)">
                {number(Number(value.toPrecision(4)))}
              </text>
            </g>
          );
        })}
        {points.map((point) => (
          <g key={point.run.run_id}>
            <circle
              cx={px(point.x)}
              cy={py(point.y)}
              r="5"
              fill={`var(--color-series-${(point.index % 8) + 1})`}
              stroke="var(--color-surface)"
              strokeWidth="1.5"
            >
              <title>{`${point.run.display_name}: ${number(point.y)}`}</title>
            </circle>
            {points.length <= 12 && (
              <text x={px(point.x)} y={198} textAnchor="middle" fontSize="10" fill="var(--color-ink-3)">
                {x ? number(point.x) : point.index + 1}
              </text>
            )}
          </g>
        ))}
      </svg>
      <ul className="flex flex-wrap gap-x-4 text-label text-ink-2">
        {points.map((point) => (
          <li key={point.run.run_id} className="flex items-center gap-1.5">
            <Dot index={point.index} /> {point.index + 1}. {point.run.display_name}
          </li>
        ))}
      </ul>
    </figure>
  );
}
