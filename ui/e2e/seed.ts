/** Fills a server with what the screens show: pipelines with versions, runs of every fate, experiments, schedules. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Api, type Made } from "./api";
import { BROKEN, HOSTILE, LONG_LOG, NIGHTLY, RETRIED, SCORED, SLOW, spec, wide } from "./specs";

export interface Seeds {
  pipelines: Record<string, Made>;
  runs: Record<string, string>;
  experiment: string;
  schedule: string;
}

const example = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../examples/pipelines/${name}.yaml`, import.meta.url)), "utf8");

export async function seed(root: string): Promise<Seeds> {
  const api = new Api(root);
  const json = (content: unknown) => JSON.stringify(content);
  const pipelines: Record<string, Made> = {
    flowers: await api.upload("train-flowers", "train_flowers.yaml", example("train_flowers")),
    hello: await api.upload("hello-world", "hello_world.yaml", example("hello_world")),
    broken: await api.upload("broken-training", "broken.json", json(BROKEN)),
    flaky: await api.upload("flaky-fetch", "flaky.json", json(RETRIED)),
    nightly: await api.upload("nightly-etl", "nightly.json", json(NIGHTLY)),
    slow: await api.upload("slow-count", "slow.json", json(SLOW)),
    hostile: await api.upload("hostile-report", "hostile.json", json(HOSTILE)),
    scored: await api.upload("scored-model", "scored.json", json(SCORED)),
    long: await api.upload("long-log", "long.json", json(LONG_LOG)),
    wide: await api.upload("wide-5000", "wide.json", json(wide(5000))),
    wide1k: await api.upload("wide-1000", "wide1k.json", json(wide(1000))),
  };
  const second = spec({
    name: "broken-training",
    description: "Its second task cannot find a column.",
    inputs: { rows: { type: "NUMBER_INTEGER", default: 200 }, column: { type: "STRING", default: "price" } },
    tasks: {
      load: { script: 'echo "reading $rows rows quickly"', inputs: { rows: "in:rows" } },
      train: { script: "echo training", after: ["load"] },
      evaluate: { script: "echo evaluated", after: ["train"] },
    },
  });
  pipelines.fixed = await api.upload("fixed", "fixed.json", json(second), pipelines.broken?.pipeline_id);

  const { experiment_id } = await api.call<{ experiment_id: string }>("POST", "/apis/v2beta1/experiments", {
    display_name: "flower study",
    description: "How the learning rate and the number of flowers change accuracy",
  });
  const runs: Record<string, string> = {};
  const start = async (
    key: string,
    pipeline: string,
    name: string,
    parameters: Record<string, unknown> = {},
    more = {},
  ) => {
    const made = pipelines[pipeline];
    if (!made) throw new Error(`no pipeline ${pipeline}`);
    runs[key] = await api.run(name, made, parameters, more);
    await api.ended(runs[key]);
  };
  await start("flowers1", "flowers", "flowers, few epochs", { epochs: 4 }, { experiment_id });
  await start("flowers2", "flowers", "flowers, many epochs", { epochs: 20 }, { experiment_id });
  await start("flowers3", "flowers", "flowers, more data", { flowers: 900 }, { experiment_id });
  await start("scored1", "scored", "scored, depth 7", { depth: 7, accuracy: 0.91 });
  await start("scored2", "scored", "scored, depth 9", { depth: 9, accuracy: 0.94 });
  await start("scored3", "scored", "scored, depth 9 again", { depth: 9, accuracy: 0.94 });
  await start("flaky", "flaky", "fetch with two refusals");
  await start("hostile", "hostile", "hostile report");
  await start("hello", "hello", "hello again");
  const schedule = await api
    .call<{ recurring_run_id: string }>("POST", "/apis/v2beta1/recurringruns", {
      display_name: "nightly at half past two",
      description: "Processes the day before",
      pipeline_version_reference: {
        pipeline_id: pipelines.nightly?.pipeline_id,
        pipeline_version_id: pipelines.nightly?.pipeline_version_id,
      },
      trigger: { cron_schedule: { cron: "0 30 2 * * 1-5" } },
      max_concurrency: "1",
      no_catchup: true,
      mode: "ENABLE",
      runtime_config: { parameters: { mode: "thorough" } },
    })
    .then((made) => made.recurring_run_id);
  const by = { recurring_run_id: schedule };
  for (const day of ["2026-11-21", "2026-11-22", "2026-11-23"])
    await start(`nightly-${day}`, "nightly", `nightly ${day}`, { day }, by);
  await start("nightly", "nightly", "nightly 2026-11-24", { day: "2026-11-24", mode: "thorough" }, by);
  await start("broken", "broken", "training of tonight", { rows: 250 });
  await start("long", "long", "a million lines");
  await start("archived", "hello", "an old greeting");
  await api.call("POST", `/apis/v2beta1/runs/${runs.archived}:archive`);
  // Still at work while the pictures are taken.
  runs.slow = await api.run("counting slowly", pipelines.slow as Made);
  return { pipelines, runs, experiment: experiment_id, schedule };
}
