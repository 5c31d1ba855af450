/** One run: graph, timeline, logs, failure, artifacts. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import type { Timeline } from "../src/api/generated";
import { Api } from "./api";
import { hash, launch, openPage } from "./server";

const root = inject("root");
const seeds = inject("seeds");
const api = new Api(root);
let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

test("a broken task shows its cause, is retried from there, and both runs are compared", async () => {
  const broken = seeds.pipelines.broken;
  if (!broken) throw new Error("not seeded");
  const run = await api.run("to be retried", broken, { rows: 3 });
  await api.ended(run);
  const { page, context } = await openPage(browser, root);
  await page.goto(hash(root, `/runs/details/${run}`));
  const card = page.getByRole("region", { name: "What failed" });
  await card.getByText("ValueError: column 'price' not found in data.csv").first().waitFor();
  await card.getByText('File "/app/train.py", line 42').waitFor();
  await card.getByRole("link", { name: "Log" }).click();
  await page.getByRole("log").getByText("Traceback (most recent call last):").waitFor();
  await page.keyboard.press("Escape");
  await card.getByRole("button", { name: "Retry" }).click();
  await page.getByText("is retried").waitFor();
  await api.ended(run);
  await page.getByText("Failed", { exact: true }).first().waitFor();
  await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("menuitem", { name: "Compare with the run before" }).click();
  await page.getByRole("heading", { name: "Compare 2 runs" }).waitFor();
  await page.getByRole("row", { name: /^rows/ }).waitFor();
  await context.close();
});

test("an ended run begins again at the task that is chosen", async () => {
  const flowers = seeds.pipelines.flowers;
  if (!flowers) throw new Error("not seeded");
  const run = await api.run("to be continued", flowers, { flowers: 50, epochs: 1 });
  await api.ended(run);
  const { page, context, problems } = await openPage(browser, root);
  await page.goto(hash(root, `/runs/details/${run}?task=choose-best`));
  const panel = page.getByRole("complementary", { name: "Task" });
  await panel.getByRole("button", { name: "Retry from here" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Retry" }).click();
  await page.getByText("The run goes on from").waitFor();
  await page.getByRole("option", { name: "Attempt 2 of 2" }).waitFor({ state: "attached" });
  expect(await api.ended(run)).toBe("SUCCEEDED");
  expect(problems).toEqual([]);
  await context.close();
});

test("the graph opens and closes groups in place; the clicked group stays under the pointer", async () => {
  const { page, context, problems } = await openPage(browser, root);
  await page.goto(hash(root, `/runs/details/${seeds.runs.nightly}?tab=graph&open=-`));
  const open = page.getByRole("button", { name: "Open quality" });
  await open.waitFor();
  const box = page.locator('[data-node="quality"]');
  const before = await box.boundingBox();
  await open.click();
  await page.getByRole("button", { name: /nulls/ }).waitFor();
  const after = await page.getByRole("button", { name: "Close quality" }).boundingBox();
  expect(Math.abs((after?.x ?? 0) - (before?.x ?? 0))).toBeLessThan(40);
  expect(Math.abs((after?.y ?? 0) - (before?.y ?? 0))).toBeLessThan(40);
  await page.getByRole("button", { name: "Close quality" }).click();
  await open.waitFor();
  expect(problems).toEqual([]);
  await context.close();
});

test("the tree holds what the graph holds, at one key", async () => {
  const { page, context } = await openPage(browser, root);
  await page.goto(hash(root, `/runs/details/${seeds.runs.nightly}?tab=graph`));
  await page.getByRole("button", { name: /extract/ }).waitFor();
  const inGraph = await page.locator("[data-node]").count();
  await page.keyboard.press("v");
  await page.getByRole("treeitem", { name: /extract/ }).waitFor();
  expect(await page.getByRole("treeitem").count()).toBe(inGraph);
  await page.getByRole("treeitem").first().focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByRole("complementary", { name: "Task" }).waitFor();
  await context.close();
});

test("5,000 nodes keep the page small", async () => {
  const { page, context, problems } = await openPage(browser, root);
  await page.goto(hash(root, `/pipelines/details/${seeds.pipelines.wide?.pipeline_id}`));
  await page.locator("canvas").first().waitFor();
  const elements = () => page.evaluate(() => document.querySelectorAll("*").length);
  expect(await elements()).toBeLessThanOrEqual(3000);
  await page.getByRole("textbox", { name: "Find tasks in the graph" }).fill("t2500");
  await page.keyboard.press("Enter");
  await page.locator('[data-node="t2500"]').waitFor();
  expect(await elements()).toBeLessThanOrEqual(3000);
  expect(problems).toEqual([]);
  await context.close();
});

test("segments of a task sum to its wall time, and a finished timeline stays as it is", async () => {
  const timeline = await api.call<Timeline>("GET", `/apis/ferroflow/v1/runs/${seeds.runs.nightly}/timeline`);
  const leaves = timeline.rows.filter((row) => row.kind === "CONTAINER" && row.attempts.length > 0);
  expect(leaves.length).toBeGreaterThan(80);
  for (const row of leaves) {
    const parts = row.attempts.flatMap((attempt) => attempt.segments);
    const sum = parts.reduce((total, segment) => total + ((segment.to ?? 0) - segment.from), 0);
    const wall = (parts.at(-1)?.to ?? 0) - (parts[0]?.from ?? 0);
    expect(Math.abs(sum - wall), row.path).toBeLessThanOrEqual(50);
  }
  const { page, context } = await openPage(browser, root);
  await page.goto(hash(root, `/runs/details/${seeds.runs.nightly}?tab=timeline`));
  const places = async () => {
    await page.locator("[data-phase]").first().waitFor();
    return page
      .locator("[data-phase]")
      .evaluateAll((bars) =>
        bars.map((bar) => [(bar as HTMLElement).style.left, (bar as HTMLElement).style.width].join()),
      );
  };
  const first = await places();
  await page.reload();
  expect(await places()).toEqual(first);
  await context.close();
});

test("the first line of a running task is seen within a second of its printing", async () => {
  const slow = seeds.pipelines.slow;
  if (!slow) throw new Error("not seeded");
  const run = await api.run("followed", slow);
  const { page, context } = await openPage(browser, root);
  await page.goto(hash(root, `/runs/details/${run}?tab=logs&task=count`));
  await page.getByRole("log").getByText("step 1 of 120").waitFor();
  // Lines come every half second: when one is there, the next must follow within its half second and a second more.
  const seen = await page.getByRole("log").evaluate(
    (log) =>
      new Promise<number[]>((resolve) => {
        const times: number[] = [];
        let count = log.textContent?.match(/of 120/g)?.length ?? 0;
        const observer = new MutationObserver(() => {
          const now = log.textContent?.match(/of 120/g)?.length ?? 0;
          if (now > count) times.push(performance.now());
          count = now;
          if (times.length === 4) {
            observer.disconnect();
            resolve(times);
          }
        });
        observer.observe(log, { childList: true, subtree: true, characterData: true });
      }),
  );
  for (let i = 1; i < seen.length; i += 1) expect((seen[i] ?? 0) - (seen[i - 1] ?? 0)).toBeLessThan(1500);
  await page.getByRole("button", { name: "Terminate" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Terminate" }).click();
  await page.getByText(/is being stopped/).waitFor();
  await context.close();
});

test("a million lines open at their end, jump and are searched", async () => {
  const { page, context } = await openPage(browser, root);
  await page.goto(hash(root, `/runs/details/${seeds.runs.long}?tab=logs`));
  const log = page.getByRole("log");
  await log.getByText("line 999999: the quick").waitFor();
  expect(await log.locator("[data-index]").count()).toBeLessThanOrEqual(120);
  await page.goto(hash(root, `/runs/details/${seeds.runs.long}?tab=logs&line=500000`));
  await log.getByText("line 500000: the quick").waitFor();
  await page.getByRole("textbox", { name: "Search in the log" }).fill("line 777777:");
  await page.getByText("1 of 1").waitFor();
  await log.getByText("777777").first().waitFor();
  await context.close();
});

test("the lines of all tasks stand in one log, found, linked and followed", async () => {
  const slow = seeds.pipelines.slow;
  if (!slow) throw new Error("not seeded");
  const { page, context, problems } = await openPage(browser, root);
  await page.goto(hash(root, `/runs/details/${seeds.runs.nightly}?tab=logs`));
  await page.getByRole("button", { name: "All tasks" }).click();
  const log = page.getByRole("log");
  await log.locator("[data-index] > a").first().waitFor();
  const tasks = new Set(await log.locator("[data-index] > a").allTextContents());
  expect(tasks.size).toBeGreaterThan(3);
  await page.getByRole("textbox", { name: "Search in the log" }).fill("ranges fine");
  await page.getByText("1 of 1").waitFor();
  const line = log.locator("[data-index]", { has: page.locator("mark") }).first();
  await line.getByRole("link").click();
  await page.waitForFunction(
    () => /task=.*line=\d/.test(location.hash) && !location.hash.includes("logs=all"),
  );
  await log.getByText("ranges fine").waitFor();

  const run = await api.run("followed whole", slow);
  await page.goto(hash(root, `/runs/details/${run}?tab=logs&logs=all`));
  await log.getByText("step 3 of 120").waitFor();
  await page.getByText("growing").waitFor();
  await api.call("POST", `/apis/v2beta1/runs/${run}:terminate`);
  await page.getByText("growing").waitFor({ state: "detached" });
  expect(problems).toEqual([]);
  await context.close();
});

test("one changed parameter is the reported cause of a missed cache", async () => {
  const scored = seeds.pipelines.scored;
  if (!scored) throw new Error("not seeded");
  const run = await api.run("scored, depth 8", scored, { depth: 8, accuracy: 0.94 });
  await api.ended(run);
  const { page, context } = await openPage(browser, root);
  await page.goto(hash(root, `/runs/details/${run}?task=train&panel=cache`));
  const panel = page.getByRole("tabpanel");
  await panel.getByRole("rowheader", { name: "input parameter depth" }).waitFor();
  expect(await panel.getByRole("rowheader").count()).toBe(1);
  await page.goto(hash(root, `/runs/details/${seeds.runs.scored3}?task=train&panel=cache`));
  await panel.getByText("Reused").waitFor();
  await panel.getByText(/scored, depth 9 · train/).waitFor();
  await context.close();
});

test("attempts are told apart, each with its log", async () => {
  const { page, context } = await openPage(browser, root);
  await page.goto(hash(root, `/runs/details/${seeds.runs.flaky}?task=fetch&panel=logs`));
  await page.getByRole("log").getByText("fetched").waitFor();
  await page.getByRole("combobox", { name: "Attempt" }).selectOption("1");
  await page.getByRole("log").getByText("try 0: connection refused").waitFor();
  await context.close();
});

test("hostile HTML reaches neither cookies nor the API", async () => {
  const { artifacts } = await api.call<{ artifacts: { artifact_id: number }[] }>(
    "GET",
    `/apis/ferroflow/v1/runs/${seeds.runs.hostile}/artifacts`,
  );
  const { page, context } = await openPage(browser, root);
  await context.addCookies([{ name: "secret", value: "1", url: root }]);
  await page.goto(hash(root, `/artifacts/${artifacts[0]?.artifact_id}`));
  const text = page.frameLocator("iframe").locator("#out");
  await text.getByText("no api").waitFor();
  expect(await text.textContent()).toBe("no cookies; no storage; no parent; no api");
  // Opened by itself it is in the same prison.
  await page.goto(`${root}/apis/ferroflow/v1/artifacts/${artifacts[0]?.artifact_id}/content`);
  await page
    .locator("#out")
    .getByText(/no cookies|cookie:$|begin/)
    .waitFor();
  expect(await page.locator("#out").textContent()).not.toMatch(/secret|api:/);
  await context.close();
});
