/** Metrics over runs as charts: passes of a loop are lines of one chart. Pure. */
import type { MetricTrends } from "@/api/generated";

export interface TrendLine {
  /** The pass of the loop, such as `0` or `2/1`; empty outside of loops. */
  name: string;
  /** In the order of the runs, the oldest first; `null` where a run has none. */
  values: (number | null)[];
}

export interface Trend {
  /** Path of the task with `*` in the place of passes. */
  path: string;
  metric: string;
  lines: TrendLine[];
}

/** Charts in the order in which the server names their metrics. */
export function trendsOf({ series }: Pick<MetricTrends, "series">): Trend[] {
  const trends = new Map<string, Trend>();
  for (const { name, values } of series) {
    const at = name.indexOf(".");
    const parts = name.slice(0, at).split("/");
    const isPass = (part: string) => /^\d+$/.test(part);
    const path = parts.map((part) => (isPass(part) ? "*" : part)).join("/");
    const metric = name.slice(at + 1);
    const trend = trends.get(`${path}.${metric}`) ?? { path, metric, lines: [] };
    trends.set(`${path}.${metric}`, trend);
    trend.lines.push({ name: parts.filter(isPass).join("/"), values: values.toReversed() });
  }
  for (const trend of trends.values())
    trend.lines.sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }));
  return [...trends.values()];
}

/** The newest value of a line and how it differs from the one before. */
export function lastOf(values: readonly (number | null)[]): { value?: number; change?: number } {
  const known = values.filter((value) => value !== null);
  const [before, value] = known.length > 1 ? known.slice(-2) : [undefined, known[0]];
  return { value, change: before === undefined || value === undefined ? undefined : value - before };
}
