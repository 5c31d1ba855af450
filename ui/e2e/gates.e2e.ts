/** What does not depend on the clock: elements, requests, sizes of answers. */
import { gzipSync } from "node:zlib";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { hash, launch, openPage, tenThousandRuns } from "./server";

const root = inject("root");
const seeds = inject("seeds");
let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

test("ten thousand runs need at most 60 row elements, at the beginning and at the end", async () => {
  const { page, context } = await openPage(browser, root);
  const total = await tenThousandRuns(page, root);
  await page.goto(hash(root, "/runs"));
  await page.getByText("run number 0", { exact: true }).waitFor();
  const rows = () => page.locator("[role=row]").count();
  expect(await rows()).toBeLessThanOrEqual(60);
  const viewport = page.locator("[role=table] > div").first();
  for (let seen = 0; seen < total - 1; ) {
    await viewport.evaluate((element) => element.scrollTo({ top: element.scrollHeight }));
    const last = Math.min(total - 1, seen + 99);
    await page.locator(`[data-row="run-${last}"]`).waitFor();
    seen = Number((await page.locator("[data-row]").last().getAttribute("data-index")) ?? 0);
    expect(await rows()).toBeLessThanOrEqual(60);
    if (seen > 2000) break; // Twenty pages say what a hundred would.
  }
  await context.close();
});

test("a finished run that is open asks for nothing", async () => {
  const { page, context, requests } = await openPage(browser, root);
  await page.goto(hash(root, `/runs/details/${seeds.runs.nightly}?tab=graph`));
  await page.getByRole("button", { name: /extract/ }).waitFor();
  await page.waitForTimeout(4000); // Things that come after the first picture.
  const before = requests.length;
  await page.waitForTimeout(8000); // Longer than any poll of the page.
  expect(requests.slice(before).filter((url) => !url.includes("favicon"))).toEqual([]);
  await context.close();
});

test("a large graph is a small answer", async () => {
  const version = seeds.pipelines.wide1k?.pipeline_version_id;
  const body = Buffer.from(
    await (await fetch(`${root}/apis/ferroflow/v1/versions/${version}/graph`)).arrayBuffer(),
  );
  expect(gzipSync(body).length).toBeLessThanOrEqual(120_000);
});

test("tabs and pages change without asking for what is known", async () => {
  const { page, context, requests } = await openPage(browser, root);
  await page.goto(hash(root, `/runs/details/${seeds.runs.flowers1}`));
  await page.getByText("Slowest tasks").waitFor();
  await page.keyboard.press("2");
  await page.getByRole("button", { name: /evaluate/ }).waitFor();
  await page.keyboard.press("1");
  await page.getByText("Slowest tasks").waitFor();
  const before = requests.length;
  await page.keyboard.press("2");
  await page.getByRole("button", { name: /evaluate/ }).waitFor();
  expect(requests.slice(before).filter((url) => !url.includes("favicon"))).toEqual([]);
  await context.close();
});
