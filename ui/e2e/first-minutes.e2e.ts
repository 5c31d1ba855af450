/** An empty store: the way to the first run, and a frame that shows a run. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Api } from "./api";
import { hash, launch, openPage, type Server, startServer } from "./server";

let server: Server;
let browser: Browser;

beforeAll(async () => {
  server = await startServer();
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

test("two presses lead to a succeeded sample run, whose graph and log are seen", async () => {
  const { page, context, problems } = await openPage(browser, server.root);
  await page.goto(hash(server.root, "/"));
  await page.getByRole("button", { name: "Run sample" }).click();
  // Its graph opens at once and its states arrive by themselves.
  await page.getByRole("button", { name: /Succeeded greet/ }).waitFor();
  await page.getByRole("heading", { name: "Sample run" }).waitFor();
  await page.getByText("Succeeded", { exact: true }).first().waitFor();
  await page.getByRole("button", { name: /Succeeded report/ }).click();
  await page.getByRole("tab", { name: "Logs" }).click();
  await page.getByText("report for: Hello, World!").waitFor();
  expect(problems).toEqual([]);
  await context.close();
});

test("a frame shows a run and does nothing", async () => {
  const api = new Api(server.root);
  const { runs } = await api.call<{ runs: { run_id: string }[] }>("GET", "/apis/v2beta1/runs");
  const { page, context } = await openPage(browser, server.root);
  await page.goto(hash(server.root, `/embed/runs/${runs[0]?.run_id}`));
  await page.getByRole("button", { name: /greet/ }).waitFor();
  for (const name of ["Retry", "Terminate", "Clone", "More"])
    expect(await page.getByRole("button", { name }).count(), name).toBe(0);
  expect(await page.getByRole("navigation", { name: "Main" }).count()).toBe(0);
  await context.close();
});
