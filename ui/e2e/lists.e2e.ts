/** The lists: what is shown, what survives reload and Back, what keys do. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import type { ArtifactPage } from "../src/api/generated";
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

test("runs appear within six requests, all of this host, without a shift", async () => {
  const { page, context, problems, requests } = await openPage(browser, root);
  await page.addInitScript(() => {
    const seen = globalThis as unknown as { shift: number; longest: number };
    seen.shift = 0;
    seen.longest = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) seen.shift += (entry as unknown as { value: number }).value;
    }).observe({ type: "layout-shift", buffered: true });
  });
  await page.goto(hash(root, "/runs"));
  await page.getByRole("link", { name: "training of tonight" }).waitFor();
  const before = requests.filter((url) => !/\/(stream|facets)\b|favicon/.test(url));
  expect(before.length, before.join("\n")).toBeLessThanOrEqual(6);
  expect(await page.evaluate(() => (globalThis as unknown as { shift: number }).shift)).toBeLessThan(0.02);
  expect(problems).toEqual([]);
  await context.close();
});

test("filter, order, columns and scroll position survive reload and Back", async () => {
  const { page, context } = await openPage(browser, root, { height: 420 });
  await page.goto(hash(root, "/runs?state=succeeded&sort=name asc&columns=param.day"));
  await page.getByRole("link", { name: "nightly 2026-11-21" }).waitFor();
  await page.getByRole("columnheader", { name: "day" }).waitFor();
  expect(await page.getByRole("link", { name: "training of tonight" }).count()).toBe(0);
  const viewport = page.locator("[role=table] > div").first();
  await viewport.evaluate((element) => element.scrollTo({ top: 160 }));
  await page.waitForFunction(() => sessionStorage.getItem("ferroflow.scroll")?.includes("160"));
  await page.getByRole("link", { name: "nightly 2026-11-21" }).click();
  await page.getByRole("heading", { name: "nightly 2026-11-21" }).waitFor();
  await page.goBack();
  await page.waitForFunction(() => document.querySelector("[role=table] > div")?.scrollTop === 160);
  await page.reload();
  await page.waitForFunction(() => document.querySelector("[role=table] > div")?.scrollTop === 160);
  expect(page.url()).toContain("state=succeeded");
  await page.getByRole("columnheader", { name: "day" }).waitFor();
  await context.close();
});

test("the text form of the filter becomes chips", async () => {
  const { page, context } = await openPage(browser, root);
  await page.goto(hash(root, "/runs"));
  await page.getByRole("link", { name: "training of tonight" }).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("tonight state:failed");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Remove filter State Failed" }).waitFor();
  await page.getByText("1 run", { exact: true }).waitFor();
  expect(page.url()).toContain("q=tonight");
  await page.getByRole("button", { name: "Remove filter State Failed" }).click();
  await page.waitForFunction(() => !location.hash.includes("state="));
  await context.close();
});

test("runs are chosen, compared and opened by keyboard alone", async () => {
  const { page, context } = await openPage(browser, root);
  await page.goto(hash(root, "/runs?q=scored"));
  await page.getByRole("link", { name: "scored, depth 7" }).waitFor();
  for (const key of ["j", "x", "j", "x"]) await page.keyboard.press(key);
  await page.getByRole("region", { name: "Selected runs" }).getByText("2 runs").waitFor();
  await page.keyboard.press("c");
  await page.getByRole("heading", { name: "Compare 2 runs" }).waitFor();
  await page.keyboard.press("g");
  await page.keyboard.press("r");
  await page.getByRole("heading", { name: "Runs", exact: true }).waitFor();
  await page.getByRole("link", { name: "training of tonight" }).waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.getByRole("navigation", { name: "Run", exact: true }).waitFor();
  await context.close();
});

test("archive and undo", async () => {
  const { page, context } = await openPage(browser, root);
  await page.goto(hash(root, "/runs?q=hello"));
  await page.getByRole("link", { name: "hello again" }).waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("x");
  await page.getByRole("region", { name: "Selected runs" }).getByRole("button", { name: "Archive" }).click();
  await page.getByText("No run matches").waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByRole("link", { name: "hello again" }).waitFor();
  await page.goto(hash(root, "/archive/runs"));
  await page.getByRole("link", { name: "an old greeting" }).waitFor();
  await context.close();
});

test("a schedule lists the runs that it made, and no others", async () => {
  const { page, context } = await openPage(browser, root);
  await page.goto(hash(root, `/recurringrun/details/${seeds.schedule}?tab=runs`));
  await page.getByText("4 runs", { exact: true }).waitFor();
  await page.getByRole("link", { name: "nightly 2026-11-24" }).waitFor();
  expect(await page.getByRole("link", { name: "training of tonight" }).count()).toBe(0);
  await page.keyboard.press("/");
  await page.keyboard.type("11-22");
  await page.keyboard.press("Enter");
  await page.getByText("1 run", { exact: true }).waitFor();
  await context.close();
});

test("schedules show what became of their last runs, asked for at once", async () => {
  const { page, context, requests } = await openPage(browser, root);
  await page.goto(hash(root, "/recurringruns"));
  const row = page.getByRole("row", { name: /nightly at half past two/ });
  const dots = row.getByRole("link", { name: /^nightly 2026-11-2\d: Succeeded$/ });
  await dots.nth(3).waitFor();
  expect(await dots.evaluateAll((links) => links.map((link) => link.ariaLabel))).toEqual(
    [21, 22, 23, 24].map((day) => `nightly 2026-11-${day}: Succeeded`),
  );
  expect(requests.filter((url) => url.includes("last_runs"))).toHaveLength(1);
  await dots.last().click();
  await page.getByRole("heading", { name: "nightly 2026-11-24" }).waitFor();
  await context.close();
});

test("two artifacts of an output are compared line by line; the address keeps it", async () => {
  const { page, context, problems } = await openPage(browser, root);
  const { runs } = seeds;
  const days = ["21", "22", "23"].map((day) => runs[`nightly-2026-11-${day}`]);
  await page.goto(hash(root, `/compare?runlist=${days}`));
  await page
    .getByRole("listitem", { name: "extract.raw" })
    .getByRole("button", { name: "Difference" })
    .click();
  const lines = page.getByRole("region", { name: "Difference of the texts" });
  await lines.getByText("120,2026-11-22").waitFor();
  await page.getByRole("combobox", { name: "The other run" }).selectOption("nightly 2026-11-23");
  await lines.getByText("120,2026-11-23").waitFor();
  await page.reload();
  await lines.getByText("120,2026-11-23").waitFor();
  await lines.getByText("120,2026-11-21").waitFor();
  expect(problems).toEqual([]);
  await context.close();
});

test("an artifact leads to the same output of other runs, and to what differs", async () => {
  const { page, context, problems } = await openPage(browser, root);
  const { artifacts } = await api.call<ArtifactPage>(
    "GET",
    `/apis/ferroflow/v1/runs/${seeds.runs["nightly-2026-11-22"]}/artifacts`,
  );
  const raw = artifacts.find((artifact) => artifact.name === "raw");
  await page.goto(hash(root, `/artifacts/${raw?.artifact_id}`));
  const other = page.getByRole("listitem").filter({ hasText: "nightly 2026-11-21" });
  await other.getByRole("link", { name: /^difference/ }).click();
  const lines = page.getByRole("region", { name: "Difference of the texts" });
  await lines.getByText("120,2026-11-21").waitFor();
  await lines.getByText("120,2026-11-22").waitFor();
  expect(problems).toEqual([]);
  await context.close();
});

test("metrics of a pipeline are drawn run by run, told as a table, and lead to their runs", async () => {
  const { page, context, problems } = await openPage(browser, root);
  await page.goto(hash(root, `/pipelines/details/${seeds.pipelines.scored?.pipeline_id}?tab=metrics`));
  const chart = page.getByRole("img", { name: /train · accuracy over \d+ runs/ });
  await chart.locator("canvas").waitFor();
  await page.getByRole("searchbox", { name: "Filter metrics" }).fill("accur");
  await page.getByText("1 chart", { exact: true }).waitFor();
  await page.getByText("As a table").click();
  const row = page.getByRole("row", { name: /scored, depth 7/ });
  await row.getByRole("cell", { name: "0.91", exact: true }).waitFor();
  // The newest run is at the right end of the chart.
  const box = await chart.locator(".u-over").boundingBox();
  if (!box) throw new Error("the chart has no place");
  await page.mouse.move(box.x + box.width - 30, box.y + 40);
  await page.mouse.down();
  await page.mouse.up();
  await page.getByRole("navigation", { name: "Run", exact: true }).waitFor();
  expect(problems).toEqual([]);
  await context.close();
});

test("the palette finds runs and obeys commands", async () => {
  const { page, context } = await openPage(browser, root);
  await page.goto(hash(root, "/pipelines"));
  await page.getByRole("heading", { name: "Pipelines" }).waitFor();
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Search and commands" }).waitFor();
  await page.keyboard.type("tonight");
  await page
    .getByRole("option", { name: /training of tonight/ })
    .first()
    .waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "training of tonight" }).waitFor();
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Search and commands" }).waitFor();
  await page.keyboard.type("dark");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.documentElement.dataset.theme === "dark");
  await context.close();
});

test("every address of KFP opens its page, bare and below /pipeline", async () => {
  const run = seeds.runs.broken;
  const pipeline = seeds.pipelines.broken;
  const rows: [string, string | RegExp][] = [
    ["/start", "Home"],
    ["/pipelines", "Pipelines"],
    ["/shared/pipelines", "Pipelines"],
    [`/pipelines/details/${pipeline?.pipeline_id}`, "broken-training"],
    [
      `/pipelines/details/${pipeline?.pipeline_id}/version/${pipeline?.pipeline_version_id}`,
      "broken-training",
    ],
    [`/pipelines/details/?fromRun=${run}`, "training of tonight"],
    ["/pipeline_versions/new", "Upload a pipeline"],
    ["/experiments", "Experiments"],
    ["/archive/experiments", "Experiments"],
    [`/experiments/details/${seeds.experiment}`, "flower study"],
    ["/runs", "Runs"],
    ["/archive/runs", "Runs"],
    ["/runs/new", "New run"],
    [`/runs/new?cloneFromRun=${run}`, "New run"],
    [`/runs/new?recurring=1&pipelineId=${pipeline?.pipeline_id}`, "New schedule"],
    [`/runs/details/${run}`, "training of tonight"],
    [`/runs/details/${run}/execution/1`, "training of tonight"],
    ["/recurringruns", "Schedules"],
    [`/compare?runlist=${seeds.runs.scored1},${seeds.runs.scored2}`, "Compare 2 runs"],
    ["/artifacts", "Artifacts"],
    ["/executions", "Executions"],
    ["/frontend_features", "Settings"],
    ["/nowhere", /./],
  ];
  const { page, context, problems } = await openPage(browser, root);
  for (const base of ["", "/pipeline"]) {
    for (const [address, title] of rows) {
      await page.goto("about:blank");
      await page.goto(`${root}${base}/#${address}`);
      if (typeof title === "string")
        await page.getByRole("heading", { level: 1, name: title, exact: true }).waitFor();
      else await page.getByText("There is no page at this address").waitFor();
    }
  }
  expect(problems.filter((text) => !text.includes("404"))).toEqual([]);
  await context.close();
});
