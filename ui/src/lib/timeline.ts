/** Arithmetic of the timeline: windows, ticks, orders. Pure. */
import type { TimelineRow } from "@/api/generated";

/** A stretch of time in milliseconds since the begin of the run. */
export interface Span {
  from: number;
  to: number;
}

const STEPS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000,
  600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000, 21_600_000, 43_200_000, 86_400_000,
];

/** Round times in a window, about `most` of them. */
export function ticks(span: Span, most: number): number[] {
  const length = span.to - span.from;
  if (length <= 0 || most < 1) return [];
  const step =
    STEPS.find((each) => length / each <= most) ?? Math.ceil(length / most / 86_400_000) * 86_400_000;
  const first = Math.ceil(span.from / step) * step;
  const all: number[] = [];
  for (let at = first; at <= span.to; at += step) all.push(at);
  return all;
}

/** A window around a point, larger or smaller, inside the whole. */
export function zoomed(span: Span, whole: Span, factor: number, center: number): Span {
  const length = Math.min(whole.to - whole.from, Math.max(2, (span.to - span.from) * factor));
  const share = (center - span.from) / Math.max(span.to - span.from, 1e-9);
  return moved({ from: center - share * length, to: center + (1 - share) * length }, whole, 0);
}

/** A window shifted, kept inside the whole. */
export function moved(span: Span, whole: Span, by: number): Span {
  const length = span.to - span.from;
  const from = Math.max(whole.from, Math.min(whole.to - length, span.from + by));
  return { from, to: from + length };
}

export type Order = "start" | "group" | "duration";

export function endOf(row: TimelineRow, now: number): number {
  return row.ended_at ?? (row.started_at === null ? row.created_at : now);
}

export function rowMs(row: TimelineRow, now: number): number {
  return row.started_at === null ? 0 : endOf(row, now) - row.started_at;
}

/** Rows in the order asked for; without groups unless they are what orders. */
export function ordered(rows: readonly TimelineRow[], order: Order, now: number): TimelineRow[] {
  const leaves = rows.filter((row) => row.kind === "CONTAINER" || row.kind === "IMPORTER");
  if (order === "duration") return leaves.toSorted((a, b) => rowMs(b, now) - rowMs(a, now));
  if (order === "start")
    return leaves.toSorted((a, b) => (a.started_at ?? a.created_at) - (b.started_at ?? b.created_at));
  const children = new Map<string, TimelineRow[]>();
  for (const row of rows) {
    const parent = row.parent ?? "";
    const list = children.get(parent);
    if (list) list.push(row);
    else children.set(parent, [row]);
  }
  const out: TimelineRow[] = [];
  const visit = (parent: string) => {
    for (const row of children.get(parent) ?? []) {
      out.push(row);
      if (row.path !== parent) visit(row.path);
    }
  };
  visit("");
  return out.length === rows.length ? out : [...rows];
}
