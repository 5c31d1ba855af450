/** Figures that depend on the clock: how they are taken and printed. Nothing fails; a person judges. */
import type { Page } from "playwright-core";

export interface Figure {
  what: string;
  value: number;
  unit: string;
  /** What it may be at most. */
  budget: number;
  /** What the machine, the browser or the server needs for next to nothing at the same time. */
  floor?: number;
}

export function table(figures: readonly Figure[]): string {
  const shown = (value: number, unit: string) => `${value.toFixed(value < 10 ? 1 : 0)} ${unit}`.trim();
  const lines = figures.map(({ what, value, unit, budget, floor }) =>
    [
      what.padEnd(66),
      shown(value, unit).padStart(10),
      shown(budget, unit).padStart(10),
      (value / budget).toFixed(2).padStart(7),
      (floor === undefined ? "" : shown(floor, unit)).padStart(10),
      value > budget ? "  MISSED" : "",
    ].join(""),
  );
  const head = [
    "the page".padEnd(66),
    ...["figure", "budget"].map((word) => word.padStart(10)),
    "ratio".padStart(7),
    "floor".padStart(10),
  ].join("");
  const missed = figures.filter((figure) => figure.value > figure.budget).length;
  return [head, ...lines, `${missed} budgets missed`].join("\n");
}

const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b);
export const median = (values: readonly number[]) => sorted(values)[Math.floor(values.length / 2)] ?? 0;
export const p95 = (values: readonly number[]) =>
  sorted(values)[Math.min(values.length - 1, Math.floor(values.length * 0.95))] ?? 0;
export const most = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b), 0);

/** Milliseconds that something takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

interface Seen {
  paint: number;
  shift: number;
  tasks: number[];
}

/** Lets the page note its largest paint, its shifts and its long tasks; before it is opened. */
export async function observe(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const seen: Seen = { paint: 0, shift: 0, tasks: [] };
    (globalThis as unknown as { seen: Seen }).seen = seen;
    const watch = (type: string, note: (entry: PerformanceEntry) => void) =>
      new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type, buffered: true });
    watch("largest-contentful-paint", (entry) => {
      seen.paint = entry.startTime;
    });
    watch("layout-shift", (entry) => {
      seen.shift += (entry as unknown as { value: number }).value;
    });
    watch("longtask", (entry) => seen.tasks.push(entry.duration));
  });
}

export const observed = (page: Page) => page.evaluate(() => (globalThis as unknown as { seen: Seen }).seen);

/** Milliseconds between frames while something is done. */
export async function frames(page: Page, work: () => Promise<unknown>): Promise<number[]> {
  await page.evaluate(() => {
    const kept = globalThis as unknown as { frames: number[]; on: boolean };
    kept.frames = [];
    kept.on = true;
    let last = performance.now();
    const tick = (now: number) => {
      kept.frames.push(now - last);
      last = now;
      if (kept.on) requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  });
  await work();
  return page.evaluate(() => {
    const kept = globalThis as unknown as { frames: number[]; on: boolean };
    kept.on = false;
    return kept.frames.slice(3);
  });
}

/** Drags the middle of the page about. */
export async function drag(page: Page, moves: number): Promise<void> {
  await page.mouse.move(900, 600);
  await page.mouse.down();
  for (let i = 0; i < moves; i += 1)
    await page.mouse.move(900 + 200 * Math.sin(i / 20), 600 + 100 * Math.cos(i / 15));
  await page.mouse.up();
}
