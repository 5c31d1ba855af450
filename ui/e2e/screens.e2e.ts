/** Every screen in both themes: no serious finding of axe, no error on the console, and a picture to look at. */
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { hash, launch, openPage } from "./server";

const root = inject("root");
const { runs, pipelines, experiment, schedule } = inject("seeds");
const pictures = fileURLToPath(new URL("./screenshots", import.meta.url));
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
let browser: Browser;
beforeAll(async () => {
  mkdirSync(pictures, { recursive: true });
  browser = await launch();
});
afterAll(() => browser?.close());

const of = (name: string) => pipelines[name]?.pipeline_id;
const screens: [string, string, string][] = [
  ["home", "/", "Running now"],
  ["runs", "/runs", "training of tonight"],
  ["run-overview", `/runs/details/${runs.flowers1}`, "Slowest tasks"],
  ["run-failed", `/runs/details/${runs.broken}`, "Traceback"],
  ["run-graph", `/runs/details/${runs.nightly}?tab=graph`, "quality"],
  [
    "run-graph-task",
    `/runs/details/${runs.flowers1}?tab=graph&task=for-loop-1/1/evaluate&panel=io`,
    "Outputs",
  ],
  ["run-tree", `/runs/details/${runs.nightly}?tab=graph&as=tree`, "quality"],
  ["run-timeline", `/runs/details/${runs.nightly}?tab=timeline`, "Longest chain"],
  ["run-tasks", `/runs/details/${runs.nightly}?tab=tasks`, "transform"],
  ["run-logs", `/runs/details/${runs.broken}?tab=logs`, "loading rows"],
  ["run-logs-all", `/runs/details/${runs.flowers1}?tab=logs&logs=all`, "evaluate"],
  ["run-artifacts", `/runs/details/${runs.flowers1}?tab=artifacts`, "confusion"],
  ["run-spec", `/runs/details/${runs.nightly}?tab=spec`, "components:"],
  ["task-summary", `/runs/details/${runs.flaky}?tab=tasks&task=fetch`, "attempts"],
  ["task-cache", `/runs/details/${runs.scored2}?tab=tasks&task=train&panel=cache`, "What differs"],
  ["new-run", `/runs/new?pipelineId=${of("nightly")}`, "The same in Python"],
  ["new-schedule", `/runs/new?recurring=1&pipelineId=${of("hello")}`, "Catch up"],
  ["pipelines", "/pipelines", "nightly-etl"],
  ["pipeline-graph", `/pipelines/details/${of("nightly")}`, "shards"],
  ["pipeline-matrix", `/pipelines/details/${of("nightly")}?tab=matrix`, "Median"],
  ["pipeline-metrics", `/pipelines/details/${of("scored")}?tab=metrics`, "accuracy"],
  ["pipeline-versions", `/pipelines/details/${of("broken")}?tab=versions`, "removed"],
  ["pipeline-large", `/pipelines/details/${of("wide")}`, "wide-5000"],
  ["upload", "/pipeline_versions/new", "Drop a file here"],
  ["experiments", "/experiments", "flower study"],
  ["experiment", `/experiments/details/${experiment}`, "flowers, many epochs"],
  ["experiment-metrics", `/experiments/details/${experiment}?tab=metrics`, "accuracy"],
  ["schedules", "/recurringruns", "nightly at half past two"],
  ["schedule", `/recurringrun/details/${schedule}`, "At 02:30 on Monday to Friday"],
  ["compare", `/compare?runlist=${runs.scored1},${runs.scored2},${runs.scored3}`, "Classification"],
  [
    "compare-artifacts",
    `/compare?runlist=${runs["nightly-2026-11-21"]},${runs["nightly-2026-11-22"]},${runs.nightly}&artifact=extract.raw&show=diff`,
    "120,2026-11-21",
  ],
  ["artifacts", "/artifacts", "scores"],
  ["system", "/system", "Cached results"],
  ["settings", "/settings", "Theme"],
  ["embed", `/embed/runs/${runs.nightly}`, "quality"],
];

interface Finding {
  id: string;
  impact: string;
  nodes: { target: string[]; failureSummary: string }[];
}

for (const theme of ["light", "dark"] as const) {
  test.for(screens)(`${theme}: %s`, async ([name, address, text]) => {
    const { page, context, problems } = await openPage(browser, root, { theme });
    await page.goto(hash(root, address));
    await page.getByText(text).first().waitFor();
    await page.evaluate(() => document.fonts.ready);
    await page.waitForLoadState("networkidle", { timeout: 3000 }).catch(() => undefined); // Streams stay open.
    await page.screenshot({ path: `${pictures}/${name}-${theme}.png` });
    await page.evaluate(axe);
    const findings = await page.evaluate(async () => {
      const run = (
        globalThis as unknown as { axe: { run: (options: unknown) => Promise<{ violations: Finding[] }> } }
      ).axe.run;
      return (await run({ resultTypes: ["violations"], iframes: false })).violations;
    });
    const serious = findings
      .filter((finding) => finding.impact === "serious" || finding.impact === "critical")
      .map(
        (finding) =>
          `${finding.id}: ${finding.nodes
            .slice(0, 3)
            .map((node) => `${node.target.join(" ")} ${node.failureSummary.replaceAll("\n", " ")}`)
            .join(" | ")}`,
      );
    expect(serious).toEqual([]);
    expect(problems).toEqual([]);
    await context.close();
  });
}

test("lists and the summary of a run can be read on a telephone", async () => {
  for (const [name, address, text] of [
    ["runs", "/runs", "training of tonight"],
    ["run-failed", `/runs/details/${runs.broken}`, "ValueError"],
  ] as const) {
    const { page, context } = await openPage(browser, root, { width: 390, height: 844 });
    await page.goto(hash(root, address));
    await page.getByText(text).first().waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth), name).toBeLessThanOrEqual(390);
    await page.screenshot({ path: `${pictures}/${name}-phone.png` });
    await context.close();
  }
});
