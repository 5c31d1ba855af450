/** Forms: new runs, schedules, uploads. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { Api } from "./api";
import { hash, launch, openPage } from "./server";
import { spec } from "./specs";

const root = inject("root");
const seeds = inject("seeds");
const api = new Api(root);
let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

test("another version keeps what fits and names what does not; the draft survives a reload", async () => {
  const pipeline = seeds.pipelines.broken?.pipeline_id;
  const { page, context } = await openPage(browser, root);
  await page.goto(hash(root, `/runs/new?pipelineId=${pipeline}`));
  await page.getByRole("textbox", { name: "rows" }).fill("0");
  await page.getByRole("textbox", { name: "column" }).fill("weight");
  await page.getByRole("combobox", { name: "Version" }).selectOption({ index: 1 });
  await page.getByText("column (weight): not in this version").waitFor();
  expect(await page.getByRole("textbox", { name: "rows" }).inputValue()).toBe("0");
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("kept by a reload");
  await page.reload();
  await page.getByRole("textbox", { name: "rows" }).waitFor();
  expect(await page.getByRole("textbox", { name: "rows" }).inputValue()).toBe("0");
  expect(await page.getByRole("textbox", { name: "Name", exact: true }).inputValue()).toBe(
    "kept by a reload",
  );
  await page.getByRole("button", { name: "Start run" }).click();
  await page.getByRole("heading", { name: "kept by a reload" }).waitFor();
  const id = page.url().match(/details\/([^?]+)/)?.[1];
  const run = await api.call<{ runtime_config: { parameters: Record<string, unknown> } }>(
    "GET",
    `/apis/v2beta1/runs/${id}`,
  );
  expect(run.runtime_config.parameters.rows).toBe(0);
  await context.close();
});

test("fields are typed; errors stand at their field", async () => {
  const { page, context } = await openPage(browser, root);
  await page.goto(hash(root, `/runs/new?pipelineId=${seeds.pipelines.nightly?.pipeline_id}`));
  await page.getByRole("textbox", { name: "depth" }).fill("1.5");
  await page.getByText("This must be a whole number.").waitFor();
  await page.getByRole("textbox", { name: "depth" }).fill("4");
  await page.getByRole("textbox", { name: "options" }).fill("{");
  await page.getByText(/^Not JSON/).waitFor();
  await page.getByRole("textbox", { name: "options" }).fill("{}");
  expect(await page.getByRole("combobox", { name: "mode" }).locator("option").allTextContents()).toEqual([
    "fast",
    "thorough",
  ]);
  await page.getByRole("switch", { name: "dry_run" }).click();
  await page.getByText("dry_run").first().waitFor();
  await page.getByText("3 changed").waitFor();
  await context.close();
});

test("a clone repeats its run", async () => {
  const { page, context } = await openPage(browser, root);
  await page.goto(hash(root, `/runs/new?cloneFromRun=${seeds.runs.nightly}`));
  await page.getByRole("textbox", { name: "day" }).waitFor();
  await page.waitForFunction(() =>
    [...document.querySelectorAll("textarea")].some((field) => field.value === "2026-11-24"),
  );
  expect(await page.getByRole("combobox", { name: "mode" }).inputValue()).toBe("thorough");
  expect(await page.getByRole("textbox", { name: "Name", exact: true }).inputValue()).toBe(
    "Clone of nightly 2026-11-24",
  );
  await context.close();
});

test("a schedule is read in words, made, and switched off", async () => {
  const { page, context } = await openPage(browser, root);
  await page.goto(hash(root, `/runs/new?recurring=1&pipelineId=${seeds.pipelines.hello?.pipeline_id}`));
  await page.getByRole("combobox", { name: "Fires" }).selectOption("cron");
  await page.getByRole("textbox", { name: "Cron expression" }).fill("0 15 4 * * sun");
  await page.getByText("At 04:15 on Sunday (UTC)").first().waitFor();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("hello on Sundays");
  await page.getByRole("button", { name: "Create schedule" }).click();
  await page.getByRole("heading", { name: "hello on Sundays" }).waitFor();
  const fires = await page
    .getByRole("list", { name: "Next fires" })
    .locator("time")
    .evaluateAll((times) => times.map((time) => time.getAttribute("datetime")));
  expect(fires).toHaveLength(5);
  for (const at of fires) {
    const date = new Date(at ?? "");
    expect([date.getUTCDay(), date.getUTCHours(), date.getUTCMinutes()]).toEqual([0, 4, 15]);
  }
  await page.getByRole("switch", { name: "hello on Sundays is on" }).click();
  await page.getByText("It is off.").waitFor();
  await context.close();
});

test("a schedule is edited in place; what the server refuses stays in the form", async () => {
  const nightly = seeds.pipelines.nightly;
  const { recurring_run_id: id } = await api.call<{ recurring_run_id: string }>(
    "POST",
    "/apis/v2beta1/recurringruns",
    {
      display_name: "to be edited",
      pipeline_version_reference: { pipeline_id: nightly?.pipeline_id },
      runtime_config: { parameters: { day: "2026-11-24" } },
      trigger: { cron_schedule: { cron: "0 0 5 * * *" } },
      max_concurrency: "2",
      mode: "DISABLE",
    },
  );
  const { page, context } = await openPage(browser, root);
  await page.goto(hash(root, `/recurringrun/details/${id}`));
  await page.getByRole("button", { name: "Edit" }).click();
  const dialog = page.getByRole("dialog", { name: "Edit schedule" });
  await dialog.getByRole("textbox", { name: "Name", exact: true }).fill("edited");
  await dialog.getByRole("textbox", { name: "Cron expression" }).fill("0 15 4 * * sun");
  await dialog.getByText("At 04:15 on Sunday (UTC)").waitFor();
  await dialog.getByRole("textbox", { name: "At most at once" }).fill("99");
  await dialog.getByRole("textbox", { name: "day" }).fill("2026-11-25");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByText("The server refused it").waitFor();
  expect(await dialog.getByRole("textbox", { name: "Name", exact: true }).inputValue()).toBe("edited");
  await dialog.getByRole("textbox", { name: "At most at once" }).fill("3");
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "edited" }).waitFor();
  const edited = await api.call<Record<string, unknown>>("GET", `/apis/v2beta1/recurringruns/${id}`);
  expect(edited).toMatchObject({
    display_name: "edited",
    max_concurrency: "3",
    trigger: { cron_schedule: { cron: "0 15 4 * * sun" } },
    runtime_config: { parameters: { day: "2026-11-25" } },
    status: "DISABLED",
  });
  await api.call("DELETE", `/apis/v2beta1/recurringruns/${id}`);
  await context.close();
});

test("an edit keeps intervals and windows to the second", async () => {
  const trigger = {
    periodic_schedule: {
      interval_second: "31",
      start_time: "2030-01-02T03:04:05Z",
      end_time: "2031-01-02T03:04:06Z",
    },
  };
  const { recurring_run_id: id } = await api.call<{ recurring_run_id: string }>(
    "POST",
    "/apis/v2beta1/recurringruns",
    {
      display_name: "every 31 seconds",
      pipeline_version_reference: { pipeline_id: seeds.pipelines.hello?.pipeline_id },
      trigger,
      max_concurrency: "1",
      mode: "DISABLE",
    },
  );
  const { page, context } = await openPage(browser, root);
  await page.goto(hash(root, `/recurringrun/details/${id}`));
  await page.getByRole("button", { name: "Edit" }).click();
  const dialog = page.getByRole("dialog", { name: "Edit schedule" });
  const first = dialog.getByRole("textbox", { name: "Name", exact: true });
  expect(await first.evaluate((field) => field === document.activeElement)).toBe(true);
  expect(await page.getByRole("tooltip").count()).toBe(0);
  await first.fill("renamed");
  await dialog.getByRole("textbox", { name: "Every" }).fill("32");
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "renamed" }).waitFor();
  const edited = await api.call<Record<string, unknown>>("GET", `/apis/v2beta1/recurringruns/${id}`);
  expect(edited.trigger).toEqual({
    periodic_schedule: { ...trigger.periodic_schedule, interval_second: "32" },
  });
  await api.call("DELETE", `/apis/v2beta1/recurringruns/${id}`);
  await context.close();
});

test("an upload names what is wrong, or opens the new version", async () => {
  const { page, context } = await openPage(browser, root);
  await page.goto(hash(root, "/pipeline_versions/new"));
  await page.getByRole("radio", { name: "Paste" }).click();
  const bad = { ...spec({ name: "pasted", tasks: { one: { script: "true", after: ["nobody"] } } }) };
  await page.getByRole("textbox", { name: "YAML or JSON" }).fill(JSON.stringify(bad, null, 2));
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("pasted");
  await page.getByRole("button", { name: "Upload", exact: true }).click();
  await page.getByText("The server refused the file").waitFor();
  await page
    .getByRole("alert")
    .getByText(/nobody/)
    .first()
    .waitFor();
  const good = spec({ name: "pasted", tasks: { one: { script: "true" } } });
  await page.getByRole("textbox", { name: "YAML or JSON" }).fill(JSON.stringify(good, null, 2));
  await page.getByRole("button", { name: "Upload", exact: true }).click();
  await page.getByRole("heading", { name: "pasted" }).waitFor();
  await page.getByRole("button", { name: /one/ }).waitFor();
  await context.close();
});

test("the difference of two versions lists added, removed and changed tasks", async () => {
  const { page, context } = await openPage(browser, root);
  await page.goto(hash(root, `/pipelines/details/${seeds.pipelines.broken?.pipeline_id}?tab=versions`));
  for (const text of ["added", "removed", "changed"])
    await page.getByText(text, { exact: true }).first().waitFor();
  await page.getByText("evaluate").first().waitFor();
  await page.getByText("publish").first().waitFor();
  await context.close();
});
