/** One seeded server for all files. With FERROFLOW_E2E_SERVER a running one is used, with seeds made before. */
import { readFileSync, writeFileSync } from "node:fs";
import type { TestProject } from "vitest/node";
import { type Seeds, seed } from "./seed";
import { startServer } from "./server";

declare module "vitest" {
  export interface ProvidedContext {
    root: string;
    seeds: Seeds;
  }
}

export default async function setup(project: TestProject) {
  const kept = process.env.FERROFLOW_E2E_SERVER;
  if (kept) {
    const file = process.env.FERROFLOW_E2E_SEEDS ?? "/tmp/ferroflow-seeds.json";
    let seeds: Seeds;
    try {
      seeds = JSON.parse(readFileSync(file, "utf8")) as Seeds;
    } catch {
      seeds = await seed(kept);
      writeFileSync(file, JSON.stringify(seeds));
    }
    project.provide("root", kept);
    project.provide("seeds", seeds);
    return;
  }
  const server = await startServer();
  project.provide("root", server.root);
  project.provide("seeds", await seed(server.root));
  return server.stop;
}
