/** The real binary on a data folder of its own, and a browser in front of it. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import type { RunPage } from "../src/api/generated";

const BINARY =
  process.env.FERROFLOW_BIN ?? fileURLToPath(new URL("../../target/debug/ferroflow", import.meta.url));

export interface Server {
  root: string;
  stop: () => Promise<void>;
}

/** Starts on a free port; ready when it says so. */
export async function startServer(): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), "ferroflow-ui-"));
  const child: ChildProcess = spawn(BINARY, ["up", "--listen", "127.0.0.1:0", "--data-dir", folder], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const root = await new Promise<string>((resolve, reject) => {
    let text = "";
    const look = (chunk: Buffer) => {
      text += chunk.toString();
      const found = text.match(/ready: (http:\/\/\S+)/)?.[1];
      if (found) resolve(found);
    };
    child.stdout?.on("data", look);
    child.stderr?.on("data", look);
    child.on("exit", (code) => reject(new Error(`the server ended with ${code}:\n${text}`)));
  });
  return {
    root,
    stop: async () => {
      const ended = new Promise((resolve) => child.on("exit", resolve));
      child.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

export interface Opened {
  context: BrowserContext;
  page: Page;
  /** Errors of the page and of its policy, as they come. */
  problems: string[];
  requests: string[];
}

export async function openPage(
  browser: Browser,
  root: string,
  options: { theme?: "light" | "dark"; width?: number; height?: number } = {},
): Promise<Opened> {
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1440, height: options.height ?? 900 },
    colorScheme: options.theme ?? "light",
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const problems: string[] = [];
  const requests: string[] = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(message.text());
  });
  page.on("request", (request) => requests.push(request.url()));
  // Nothing but the server may be asked for anything.
  await context.route(
    (url) => url.origin !== root && url.protocol.startsWith("http"),
    (route) => {
      problems.push(`asked another host: ${route.request().url()}`);
      return route.abort();
    },
  );
  return { context, page, problems, requests };
}

/**
 * Lets the page see ten thousand runs, copies of a real one: to make as many would take minutes and show the same.
 * Returns how many there are.
 */
export async function tenThousandRuns(page: Page, root: string): Promise<number> {
  const real = (await (await fetch(`${root}/apis/ferroflow/v1/runs?page_size=1`)).json()) as RunPage;
  const total = 10_000;
  await page.route("**/apis/ferroflow/v1/runs?**", async (route) => {
    const query = new URL(route.request().url()).searchParams;
    const from = Number(query.get("page_token") || 0);
    const size = Number(query.get("page_size"));
    const runs = Array.from({ length: Math.min(size, total - from) }, (_, index) => ({
      ...real.runs[0],
      run_id: `run-${from + index}`,
      display_name: `run number ${from + index}`,
    }));
    const next = from + size < total ? String(from + size) : "";
    await route.fulfill({ json: { ...real, runs, total_size: total, next_page_token: next } });
  });
  return total;
}

export const hash = (root: string, address: string) => `${root}/#${address}`;
