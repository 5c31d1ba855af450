/** Figures that depend on the clock, beside their budgets and floors: `make page-bench`. Nothing fails. */
import { gzipSync } from "node:zlib";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, inject, test } from "vitest";
import type { RunState, TaskState } from "../src/api/generated";
import { Api } from "./api";
import { drag, type Figure, frames, median, most, observe, observed, p95, table, timed } from "./measure";
import { hash, launch, openPage, tenThousandRuns } from "./server";
import { spec, type Task, wide } from "./specs";

const root = inject("root");
const seeds = inject("seeds");
const api = new Api(root);
const figures: Figure[] = [];
const LONG = 240_000;
let browser: Browser;
/** An answer of the server, a page of one line, and a frame of that page. */
const floors = { answer: 0, page: 0, frame: 0 };

beforeAll(async () => {
  browser = await launch();
  const health = `${root}/apis/v2beta1/healthz`;
  const answers: number[] = [];
  for (let i = 0; i < 50; i += 1) answers.push(await timed(async () => (await fetch(health)).text()));
  floors.answer = median(answers);
  const pages: number[] = [];
  for (let i = 0; i < 20; i += 1) {
    const { page, context } = await openPage(browser, root);
    pages.push(await timed(() => page.goto(health)));
    if (i === 19) floors.frame = p95(await frames(page, () => drag(page, 260)));
    await context.close();
  }
  floors.page = p95(pages);
}, LONG);

afterAll(async () => {
  await browser?.close();
  console.log(table(figures));
});

const add = (what: string, value: number, unit: string, budget: number, floor?: number) =>
  figures.push({ what, value, unit, budget, floor });

async function appears(page: Page, address: string, selector: string): Promise<number> {
  await page.goto("about:blank");
  return timed(async () => {
    await page.goto(hash(root, address));
    await page.locator(selector).first().waitFor();
  });
}

test("loading", { timeout: LONG }, async () => {
  const cold: number[] = [];
  const paints: number[] = [];
  const shifts: number[] = [];
  const tasks: number[] = [];
  for (let i = 0; i < 20; i += 1) {
    const { page, context } = await openPage(browser, root);
    await observe(page);
    cold.push(await appears(page, "/runs", "[data-row]"));
    await page.waitForTimeout(300);
    const seen = await observed(page);
    paints.push(seen.paint);
    shifts.push(seen.shift);
    tasks.push(most(seen.tasks));
    await context.close();
  }
  add("cold load until rows of Runs are seen, p95 of 20", p95(cold), "ms", 1000, floors.page);
  add("largest contentful paint, p95 of 20", p95(paints), "ms", 900, floors.page);
  add("layout shift in thousandths, most of 20", most(shifts) * 1000, "", 20);
  add("longest task at load, p95 of 20", p95(tasks), "ms", 120);
  const { page, context } = await openPage(browser, root);
  await appears(page, "/runs", "[data-row]");
  const warm: number[] = [];
  for (let i = 0; i < 20; i += 1) warm.push(await appears(page, "/runs", "[data-row]"));
  add("warm load, p95 of 20", p95(warm), "ms", 400, floors.page);
  await context.close();
});

test("changes of the page", async () => {
  const { page, context } = await openPage(browser, root);
  await page.goto(hash(root, "/runs"));
  const places = ["Pipelines", "Experiments", "Schedules", "Runs"];
  const go = (name: string) =>
    page.evaluate(async (wanted) => {
      const links = [...document.querySelectorAll<HTMLAnchorElement>("nav[aria-label=Main] a")];
      const begin = performance.now();
      links.find((link) => link.textContent?.trim() === wanted)?.click();
      const isThere = () =>
        document.querySelector("h1")?.textContent === wanted && document.querySelector("[data-row]");
      while (!isThere()) await new Promise(requestAnimationFrame);
      await new Promise(requestAnimationFrame);
      return performance.now() - begin;
    }, name);
  for (const place of places) await go(place);
  const changes: number[] = [];
  for (let i = 0; i < 6; i += 1) for (const place of places) changes.push(await go(place));
  add(`change of page, all known, p95 of ${changes.length}`, p95(changes), "ms", 150, floors.frame);
  await context.close();
});

test("layout", { timeout: LONG }, async () => {
  for (const [count, budget] of [
    [200, 5],
    [1000, 30],
    [5000, 200],
  ] as const) {
    const first: number[] = [];
    const again: number[] = [];
    for (let i = 0; i < 5; i += 1) {
      // Never seen before: another pipeline each time.
      const file = JSON.stringify({ ...wide(count), pipelineInfo: { name: `layout-${count}-${i}` } });
      const made = await api.upload(`layout-${count}-${i}`, "p.json", file);
      const address = `${root}/apis/ferroflow/v1/versions/${made.pipeline_version_id}/graph`;
      let etag = "";
      first.push(
        await timed(async () => {
          const answer = await fetch(address);
          etag = answer.headers.get("etag") ?? "";
          await answer.arrayBuffer();
        }),
      );
      again.push(
        await timed(async () => (await fetch(address, { headers: { "if-none-match": etag } })).text()),
      );
    }
    const nodes = `${count.toLocaleString("en")} nodes`;
    add(
      `graph of ${nodes}: first answer, its file read and laid out`,
      median(first),
      "ms",
      budget,
      floors.answer,
    );
    add(`graph of ${nodes}: asked for again, as browsers do`, median(again), "ms", 2, floors.answer);
  }
});

test("graphs", { timeout: LONG }, async () => {
  for (const [name, key, first, frame] of [
    ["1,000", "wide1k", 300, 20],
    ["5,000", "wide", 1000, 33],
  ] as const) {
    const { page, context } = await openPage(browser, root);
    const address = `/pipelines/details/${seeds.pipelines[key]?.pipeline_id}`;
    await appears(page, "/runs", "[data-row]");
    const seen: number[] = [];
    for (let i = 0; i < 5; i += 1) {
      await appears(page, address, "canvas");
      seen.push(
        await page.evaluate(async () => {
          await new Promise(requestAnimationFrame);
          const now = performance.now();
          const answers = performance.getEntriesByType("resource") as PerformanceResourceTiming[];
          const graph = answers.findLast((entry) => /\/graph\b/.test(entry.name));
          return now - (graph?.responseEnd ?? 0);
        }),
      );
    }
    add(
      `graph of ${name} nodes: from the data to the picture, median of 5`,
      median(seen),
      "ms",
      first,
      floors.frame,
    );
    const between = await frames(page, () => drag(page, 260));
    const what = `graph of ${name} nodes: frame while dragged, p95 of ${between.length}`;
    add(what, p95(between), "ms", frame, floors.frame);
    await context.close();
  }
});

test("a list of ten thousand", { timeout: LONG }, async () => {
  const { page, context } = await openPage(browser, root);
  await tenThousandRuns(page, root);
  await page.goto(hash(root, "/runs"));
  await page.locator("[data-row]").first().waitFor();
  await page.mouse.move(800, 500);
  const between = await frames(page, async () => {
    for (let i = 0; i < 260; i += 1) await page.mouse.wheel(0, 400);
  });
  add(
    `list of 10,000 runs: frame while scrolled, p95 of ${between.length}`,
    p95(between),
    "ms",
    20,
    floors.frame,
  );
  const viewport = page.locator("[role=table] > div").first();
  for (let last = -1; last < 9_999; ) {
    await viewport.evaluate((element) => element.scrollTo({ top: element.scrollHeight }));
    const shown = page.locator("[data-row]").last();
    await page.waitForFunction(
      (before) =>
        Number([...document.querySelectorAll("[data-row]")].at(-1)?.getAttribute("data-index")) > before,
      last,
    );
    last = Number(await shown.getAttribute("data-index"));
  }
  const session = await context.newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  add("list of 10,000 runs: heap after all were seen", usedSize / 1e6, "MB", 150);
  await context.close();
});

test("logs", { timeout: LONG }, async () => {
  const { page, context } = await openPage(browser, root);
  for (const [name, query] of [
    ["a million lines", "tab=logs"],
    ["a million lines, as the log of the run", "tab=logs&logs=all"],
  ] as const) {
    const address = `/runs/details/${seeds.runs.long}?${query}`;
    const line = "[role=log] [data-index] >> text=/line \\d+:/";
    add(`${name}: first opening`, await appears(page, address, line), "ms", 1000, floors.page);
    const open: number[] = [];
    for (let i = 0; i < 5; i += 1) open.push(await appears(page, address, line));
    add(`${name}: address until the end is seen, median of 5`, median(open), "ms", 500, floors.page);
    const jumps: number[] = [];
    for (let i = 1; i <= 5; i += 1) {
      jumps.push(
        await page.evaluate(async (wanted) => {
          const begin = performance.now();
          const [path = "", text = ""] = location.hash.slice(1).split("?");
          const parameters = new URLSearchParams(text);
          parameters.set("line", String(wanted));
          location.hash = `${path}?${parameters}`;
          const isThere = () =>
            document.querySelector("[role=log]")?.textContent?.includes(`line ${wanted}:`);
          while (!isThere()) await new Promise(requestAnimationFrame);
          return performance.now() - begin;
        }, i * 150_000),
      );
    }
    add(`${name}: jump to a line, median of 5`, median(jumps), "ms", 200, floors.answer);
    const found = await timed(async () => {
      await page.getByRole("textbox", { name: "Search in the log" }).fill("line 123456:");
      await page.getByText("1 of 1").waitFor();
    });
    add(`${name}: search`, found, "ms", 1000, floors.answer);
  }
  await context.close();
});

/** When each state of each row was first seen, in milliseconds of the clock on the wall. */
async function watchRows(page: Page): Promise<() => Promise<Record<string, number>>> {
  await page.evaluate(() => {
    const times: Record<string, number> = {};
    (globalThis as unknown as { times: typeof times }).times = times;
    const look = () => {
      const rows = [...document.querySelectorAll<HTMLElement>("[data-row]")];
      const states = rows.map((row) => {
        const icon = row.querySelector("[role=img]");
        return `${row.dataset.row} ${icon?.getAttribute("aria-label")}`;
      });
      requestAnimationFrame(() => {
        for (const state of states) times[state] ??= Date.now();
      });
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
    look();
  });
  return () => page.evaluate(() => (globalThis as unknown as { times: Record<string, number> }).times);
}

test("states as they change", { timeout: LONG }, async () => {
  const tasks: Record<string, Task> = {};
  for (let i = 0; i < 24; i += 1) tasks[`t${i}`] = { script: "sleep 0.2", after: i > 0 ? [`t${i - 1}`] : [] };
  const made = await api.upload("steps", "steps.json", JSON.stringify(spec({ name: "steps", tasks })));
  const { page, context } = await openPage(browser, root);
  const run = await api.run("steps", made);
  await page.goto(hash(root, `/runs/details/${run}?tab=tasks`));
  await page.locator("[data-row]").nth(20).waitFor();
  const seen = await watchRows(page);
  await api.ended(run);
  await page.waitForTimeout(500);
  const times = await seen();
  const { tasks: states } = await api.call<RunState>("GET", `/apis/ferroflow/v1/runs/${run}/state`);
  const late = states.flatMap((task: TaskState) => {
    const at = times[`${task.task_id} Succeeded`];
    return at === undefined || task.ended_at === null ? [] : [at - task.ended_at];
  });
  // The first ones end while the page is still opening.
  const after = late.slice(4);
  add(`end of a task until it is seen, p95 of ${after.length}`, p95(after), "ms", 250, floors.frame);
  await context.close();
});

test("many states at once, and what they weigh", { timeout: LONG }, async () => {
  const { page, context } = await openPage(browser, root);
  await observe(page);
  for (const [key, count, budget] of [
    ["wide1k", 1000, 120],
    ["wide", 5000, 600],
  ] as const) {
    const pipeline = seeds.pipelines[key];
    if (!pipeline) throw new Error("not seeded");
    const run = await api.run(`${count} tasks`, pipeline);
    await page.goto("about:blank");
    await page.goto(hash(root, `/runs/details/${run}?tab=graph`));
    await page.locator("canvas").first().waitFor();
    await page.waitForTimeout(500);
    const begin = performance.now();
    const opened = (await observed(page)).tasks.length;
    const before = await api.call<RunState>("GET", `/apis/ferroflow/v1/runs/${run}/state`);
    const open = before.tasks.filter((task) => task.ended_at === null).length + count - before.tasks.length;
    await api.ended(run);
    const rate = Math.round(open / ((performance.now() - begin) / 1000));
    await page.waitForTimeout(500);
    const tasks = (await observed(page)).tasks.slice(opened);
    add(`graph of ${count} tasks, ${rate} ending a second: longest task of the page`, most(tasks), "ms", 100);
    const body = await (await fetch(`${root}/apis/ferroflow/v1/runs/${run}/state`)).arrayBuffer();
    add(`state of a run of ${count} tasks, gzip`, gzipSync(Buffer.from(body)).length / 1000, "kB", budget);
  }
  await context.close();
});
