/** Figures that depend on the clock, to be read beside the budgets: `FERROFLOW_FIGURES=1 e2e/run.sh`. Nothing fails. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, inject, test } from "vitest";
import { hash, launch, openPage } from "./server";

const root = inject("root");
const seeds = inject("seeds");
let browser: Browser;
const figures: [string, string, string][] = [];
beforeAll(async () => {
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  console.log(
    figures
      .map(([what, figure, budget]) => `${what.padEnd(58)} ${figure.padStart(12)}   budget ${budget}`)
      .join("\n"),
  );
});

const sorted = (values: number[]) => [...values].sort((a, b) => a - b);
const p95 = (values: number[]) =>
  sorted(values)[Math.min(values.length - 1, Math.floor(values.length * 0.95))] ?? 0;
const ms = (value: number) => `${value.toFixed(0)} ms`;

async function appears(page: Page, address: string, selector: string): Promise<number> {
  await page.goto("about:blank");
  const begin = performance.now();
  await page.goto(hash(root, address));
  await page.locator(selector).first().waitFor();
  return performance.now() - begin;
}

/** Times between frames while the graph is dragged. */
async function frames(page: Page, count: number): Promise<number[]> {
  await page.evaluate(() => {
    const kept = globalThis as unknown as { frames: number[]; last: number; on: boolean };
    kept.frames = [];
    kept.last = performance.now();
    kept.on = true;
    const tick = (now: number) => {
      kept.frames.push(now - kept.last);
      kept.last = now;
      if (kept.on) requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  });
  await page.mouse.move(900, 600);
  await page.mouse.down();
  for (let i = 0; i < count; i += 1)
    await page.mouse.move(900 + 200 * Math.sin(i / 20), 600 + 100 * Math.cos(i / 15));
  await page.mouse.up();
  return page.evaluate(() => {
    const kept = globalThis as unknown as { frames: number[]; on: boolean };
    kept.on = false;
    return kept.frames.slice(3);
  });
}

test("loading", async () => {
  const cold: number[] = [];
  for (let i = 0; i < 10; i += 1) {
    const { page, context } = await openPage(browser, root);
    cold.push(await appears(page, "/runs", "[data-row]"));
    await context.close();
  }
  figures.push(["cold load until rows of Runs are seen, p95 of 10", ms(p95(cold)), "1000 ms"]);
  const { page, context } = await openPage(browser, root);
  await appears(page, "/runs", "[data-row]");
  const warm: number[] = [];
  for (let i = 0; i < 10; i += 1) warm.push(await appears(page, "/runs", "[data-row]"));
  figures.push(["warm load, p95 of 10", ms(p95(warm)), "400 ms"]);
  await context.close();
});

test("graphs", async () => {
  for (const [name, key, first, frame] of [
    ["1,000", "wide1k", "300 ms", "20 ms"],
    ["5,000", "wide", "1000 ms", "33 ms"],
  ] as const) {
    const { page, context } = await openPage(browser, root);
    const address = `/pipelines/details/${seeds.pipelines[key]?.pipeline_id}`;
    await appears(page, "/runs", "[data-row]");
    const seen: number[] = [];
    for (let i = 0; i < 3; i += 1) seen.push(await appears(page, address, "canvas"));
    figures.push([
      `graph of ${name} nodes: address until painted, median`,
      ms(sorted(seen)[1] ?? 0),
      `${first} from the data on`,
    ]);
    const between = await frames(page, 260);
    figures.push([
      `graph of ${name} nodes: frame while dragging, p95 of ${between.length}`,
      ms(p95(between)),
      frame,
    ]);
    await context.close();
  }
});

test("logs", async () => {
  const { page, context } = await openPage(browser, root);
  await appears(page, `/runs/details/${seeds.runs.long}?tab=logs`, "[role=log] [data-index]");
  const open: number[] = [];
  for (let i = 0; i < 5; i += 1)
    open.push(await appears(page, `/runs/details/${seeds.runs.long}?tab=logs`, "[role=log] [data-index]"));
  figures.push([
    "a million lines: address until their end is seen, median",
    ms(sorted(open)[2] ?? 0),
    "500 ms from the tab on",
  ]);
  const begin = performance.now();
  await page.getByRole("textbox", { name: "Search in the log" }).fill("line 123456:");
  await page.getByText("1 of 1").waitFor();
  figures.push(["a million lines: search", ms(performance.now() - begin), "1000 ms"]);
  await context.close();
});
