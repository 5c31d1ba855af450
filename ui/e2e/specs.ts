/** Pipeline files for the tests, written by hand: shell commands that need no image and no package. */

type Json = Record<string, unknown>;

export interface Task {
  script: string;
  /** Inputs of the task: a constant, a pipeline input (`in:name`), or another task's output (`task.output`). */
  inputs?: Record<string, string | number>;
  outputs?: Record<string, string>;
  artifacts?: Record<string, string>;
  after?: string[];
  retries?: number;
  caching?: boolean;
}

/**
 * The script sees inputs as shell variables, outputs as variables that hold the file to write, artifacts likewise, and
 * `executor_output` as the file where KFP expects metadata.
 */
function executor(task: Task): Json {
  const names = Object.keys(task.inputs ?? {});
  const outputs = Object.keys(task.outputs ?? {});
  const artifacts = Object.keys(task.artifacts ?? {});
  const all = [...names, ...outputs, ...artifacts];
  const head = all.map((name, index) => `${name}="$${index + 1}"`).join("; ");
  const folders = [...outputs, ...artifacts].map((name) => `mkdir -p "$(dirname "$${name}")"`).join("; ");
  const meta = `executor_output="$(printf %s "$0" | sed -n 's/.*"outputFile":"\\([^"]*\\)".*/\\1/p')"; [ -z "$executor_output" ] || mkdir -p "$(dirname "$executor_output")"`;
  const script = [head, folders, meta, task.script].filter(Boolean).join("\n");
  return {
    container: {
      image: "busybox",
      command: ["sh", "-c", script, "{{$}}"],
      args: [
        ...names.map((name) => `{{$.inputs.parameters['${name}']}}`),
        ...outputs.map((name) => `{{$.outputs.parameters['${name}'].output_file}}`),
        ...artifacts.map((name) => `{{$.outputs.artifacts['${name}'].path}}`),
      ],
    },
  };
}

function component(key: string, task: Task, kinds: Record<string, string>): Json {
  const parameters = Object.fromEntries(
    Object.entries(task.inputs ?? {}).map(([name, value]) => [
      name,
      {
        parameterType:
          kinds[String(value).slice(3)] ?? (typeof value === "number" ? "NUMBER_INTEGER" : "STRING"),
      },
    ]),
  );
  const outputs: Json = {};
  if (task.outputs)
    outputs.parameters = Object.fromEntries(
      Object.entries(task.outputs).map(([name, type]) => [name, { parameterType: type }]),
    );
  if (task.artifacts)
    outputs.artifacts = Object.fromEntries(
      Object.entries(task.artifacts).map(([name, type]) => [
        name,
        { artifactType: { schemaTitle: `system.${type}`, schemaVersion: "0.0.1" } },
      ]),
    );
  return {
    executorLabel: `exec-${key}`,
    ...(task.inputs && { inputDefinitions: { parameters } }),
    ...(Object.keys(outputs).length > 0 && { outputDefinitions: outputs }),
  };
}

function instance(name: string, key: string, task: Task): Json {
  const parameters = Object.fromEntries(
    Object.entries(task.inputs ?? {}).map(([input, value]) => {
      if (typeof value === "string" && value.startsWith("in:"))
        return [input, { componentInputParameter: value.slice(3) }];
      const [, producer, output] = typeof value === "string" ? (value.match(/^([\w-]+)\.(\w+)$/) ?? []) : [];
      if (producer)
        return [input, { taskOutputParameter: { producerTask: producer, outputParameterKey: output } }];
      return [input, { runtimeValue: { constant: value } }];
    }),
  );
  const producers = Object.values(task.inputs ?? {}).flatMap((value) => {
    const found = typeof value === "string" ? value.match(/^([\w-]+)\.\w+$/)?.[1] : undefined;
    return found ? [found] : [];
  });
  const after = [...new Set([...(task.after ?? []), ...producers])];
  return {
    componentRef: { name: `comp-${key}` },
    taskInfo: { name },
    ...(task.inputs && { inputs: { parameters } }),
    ...(after.length > 0 && { dependentTasks: after }),
    ...(task.retries && {
      retryPolicy: { maxRetryCount: task.retries, backoffDuration: "0s", backoffFactor: 1 },
    }),
    cachingOptions: task.caching ? { enableCache: true } : {},
  };
}

export interface PipelineInput {
  type: string;
  default?: unknown;
  optional?: boolean;
  literals?: unknown[];
  description?: string;
}

export interface Pipeline {
  name: string;
  description?: string;
  inputs?: Record<string, PipelineInput>;
  tasks: Record<string, Task>;
  /** Groups of tasks that stand in the pipeline as one; they take no inputs. */
  groups?: Record<string, { tasks: Record<string, Task>; after?: string[]; items?: unknown[] }>;
}

export function spec(pipeline: Pipeline): Json {
  const executors: Json = {};
  const components: Json = {};
  const kinds = Object.fromEntries(
    Object.entries(pipeline.inputs ?? {}).map(([name, input]) => [name, input.type]),
  );
  const add = (prefix: string, tasks: Record<string, Task>) => {
    const made: Json = {};
    for (const [name, task] of Object.entries(tasks)) {
      const key = `${prefix}${name}`;
      executors[`exec-${key}`] = executor(task);
      components[`comp-${key}`] = component(key, task, kinds);
      made[name] = instance(name, key, task);
    }
    return made;
  };
  const tasks = add("", pipeline.tasks);
  for (const [name, group] of Object.entries(pipeline.groups ?? {})) {
    const loop = group.items !== undefined;
    components[`comp-${name}`] = {
      ...(loop && { inputDefinitions: { parameters: { item: { parameterType: "STRING" } } } }),
      dag: { tasks: add(`${name}-`, group.tasks) },
    };
    tasks[name] = {
      componentRef: { name: `comp-${name}` },
      taskInfo: { name },
      ...(group.after && { dependentTasks: group.after }),
      ...(loop && { parameterIterator: { itemInput: "item", items: { raw: JSON.stringify(group.items) } } }),
    };
  }
  const parameters = Object.fromEntries(
    Object.entries(pipeline.inputs ?? {}).map(([name, input]) => [
      name,
      {
        parameterType: input.type,
        ...(input.default !== undefined && { defaultValue: input.default }),
        ...(input.optional && { isOptional: true }),
        ...(input.literals && { literals: input.literals }),
        ...(input.description && { description: input.description }),
      },
    ]),
  );
  return {
    schemaVersion: "2.1.0",
    sdkVersion: "kfp-2.17.0",
    pipelineInfo: { name: pipeline.name, description: pipeline.description ?? "" },
    deploymentSpec: { executors },
    components,
    root: { ...(pipeline.inputs && { inputDefinitions: { parameters } }), dag: { tasks } },
  };
}

const TRACEBACK = `echo "loading rows"; echo "WARNING: column price has 3 empty cells"
cat >&2 <<'END'
Traceback (most recent call last):
  File "/app/train.py", line 42, in <module>
    main()
  File "/app/train.py", line 31, in main
    frame = load(path)
ValueError: column 'price' not found in data.csv
END
exit 1`;

export const BROKEN = spec({
  name: "broken-training",
  description: "Its second task cannot find a column.",
  inputs: { rows: { type: "NUMBER_INTEGER", default: 100 } },
  tasks: {
    load: { script: 'echo "reading $rows rows"', inputs: { rows: "in:rows" } },
    train: { script: TRACEBACK, after: ["load"] },
    publish: { script: "echo published", after: ["train"] },
  },
});

export const RETRIED = spec({
  name: "flaky-fetch",
  description: "Fails twice, then works.",
  tasks: {
    fetch: {
      script:
        'n=$(ls /tmp/ferroflow-flaky-* 2>/dev/null | wc -l); touch "/tmp/ferroflow-flaky-$n"; if [ "$n" -lt 2 ]; then echo "try $n: connection refused" >&2; exit 7; fi; rm -f /tmp/ferroflow-flaky-*; echo fetched',
      retries: 3,
    },
    count: { script: "echo 12 rows", after: ["fetch"] },
  },
});

const passes = Array.from({ length: 40 }, (_, index) => `shard-${index}`);

export const NIGHTLY = spec({
  name: "nightly-etl",
  description: "Extracts, transforms shard by shard, checks and loads.",
  inputs: {
    day: { type: "STRING", default: "2026-11-24", description: "Day to process" },
    depth: { type: "NUMBER_INTEGER", default: 3 },
    rate: { type: "NUMBER_DOUBLE", default: 0.5 },
    dry_run: { type: "BOOLEAN", default: false },
    mode: { type: "STRING", default: "fast", literals: ["fast", "thorough"] },
    columns: { type: "LIST", default: ["id", "price"] },
    options: { type: "STRUCT", default: { compress: true } },
    note: { type: "STRING", optional: true },
  },
  tasks: {
    extract: {
      script:
        'echo "extracting $day"; sleep 0.3; printf "rows,day\\n120,%s\\n98,%s\\n" "$day" "$day" > "$raw"',
      inputs: { day: "in:day" },
      artifacts: { raw: "Dataset" },
    },
    "load-schema": {
      script: 'printf "{\\"columns\\": [\\"id\\", \\"price\\"], \\"version\\": 3}" > "$schema"',
      artifacts: { schema: "Artifact" },
    },
    report: {
      script: `sleep 0.2; printf '# Nightly report\\n\\n**218 rows** in 40 shards.\\n\\n| shard | rows |\\n| --- | --- |\\n| 0 | 120 |\\n| 1 | 98 |\\n' > "$summary"; printf '<html><body style="font-family:sans-serif"><h1>Nightly</h1><p>218 rows</p></body></html>' > "$page"`,
      artifacts: { summary: "Markdown", page: "HTML" },
      after: ["quality"],
    },
  },
  groups: {
    shards: {
      items: passes,
      after: ["extract", "load-schema"],
      tasks: {
        transform: { script: 'echo "shard $item"; sleep 0.05', inputs: { item: "in:item" } },
        verify: { script: "echo verified", after: ["transform"] },
      },
    },
    quality: {
      after: ["shards"],
      tasks: {
        nulls: { script: "echo no nulls; sleep 0.2" },
        ranges: { script: "echo ranges fine; sleep 0.1" },
        duplicates: { script: "echo none", after: ["nulls"] },
      },
    },
  },
});

export const SLOW = spec({
  name: "slow-count",
  description: "Counts for a minute.",
  tasks: {
    prepare: { script: "echo ready" },
    count: {
      script: 'for i in $(seq 1 120); do printf "\\033[32mstep\\033[0m %s of 120\\n" "$i"; sleep 0.5; done',
      after: ["prepare"],
    },
    finish: { script: "echo done", after: ["count"] },
  },
});

/** Tries to reach cookies and the API; what it could reach it tells by its title. */
export const HOSTILE = spec({
  name: "hostile-report",
  description: "An HTML artifact that would like to do more than be shown.",
  tasks: {
    render: {
      script: `cat > "$page" <<'END'
<html><body><p id="out">begin</p><script>
const found = [];
try { found.push("cookie:" + document.cookie); } catch (e) { found.push("no cookies"); }
try { found.push("storage:" + localStorage.length); } catch (e) { found.push("no storage"); }
try { found.push("parent:" + parent.document.title); } catch (e) { found.push("no parent"); }
const say = () => { document.getElementById("out").textContent = found.join("; "); };
fetch("/apis/v2beta1/runs").then((r) => found.push("api:" + r.status)).catch(() => found.push("no api")).finally(say);
say();
</script></body></html>
END`,
      artifacts: { page: "HTML" },
    },
  },
});

const METRICS_SCRIPT = `printf 'model' > "$model"
cat > "$executor_output" <<END
{"artifacts": {
  "scores": {"artifacts": [{"metadata": {"accuracy": $accuracy, "loss": 0.$depth}}]},
  "curve": {"artifacts": [{"metadata": {
    "confidenceMetrics": [
      {"confidenceThreshold": 0.9, "falsePositiveRate": 0, "recall": 0.1},
      {"confidenceThreshold": 0.7, "falsePositiveRate": 0.05, "recall": 0.5},
      {"confidenceThreshold": 0.5, "falsePositiveRate": 0.2, "recall": 0.$depth},
      {"confidenceThreshold": 0.1, "falsePositiveRate": 1, "recall": 1}],
    "confusionMatrix": {"annotationSpecs": [{"displayName": "cat"}, {"displayName": "dog"}],
      "rows": [{"row": [4$depth, 3]}, {"row": [5, 3$depth]}]}}}]}
}}
END`;

export const SCORED = spec({
  name: "scored-model",
  description: "Metrics, a confusion matrix and a ROC curve.",
  inputs: {
    depth: { type: "NUMBER_INTEGER", default: 7 },
    accuracy: { type: "NUMBER_DOUBLE", default: 0.91 },
  },
  tasks: {
    train: {
      script: METRICS_SCRIPT,
      inputs: { depth: "in:depth", accuracy: "in:accuracy" },
      artifacts: { model: "Model", scores: "Metrics", curve: "ClassificationMetrics" },
      caching: true,
    },
  },
});

/** Writes a million lines. */
export const LONG_LOG = spec({
  name: "long-log",
  tasks: { write: { script: 'seq -f "line %.0f: the quick brown fox jumps over the lazy dog" 0 999999' } },
});

/** Many tasks in layers, for the graph; never run. */
export function wide(count: number): Json {
  const tasks: Record<string, Task> = {};
  const width = Math.ceil(Math.sqrt(count) * 1.6);
  for (let i = 0; i < count; i += 1) {
    const layer = Math.floor(i / width);
    const after =
      layer === 0
        ? []
        : [`t${i - width}`, ...(i % 3 === 0 ? [`t${(layer - 1) * width + ((i * 7) % width)}`] : [])];
    tasks[`t${i}`] = { script: "true", after: [...new Set(after)] };
  }
  const made = spec({ name: `wide-${count}`, tasks }) as {
    components: Json;
    deploymentSpec: { executors: Json };
    root: { dag: { tasks: Record<string, Json> } };
  };
  // One component for all: the file stays small.
  made.components = { "comp-t0": made.components["comp-t0"] };
  made.deploymentSpec.executors = { "exec-t0": made.deploymentSpec.executors["exec-t0"] };
  for (const task of Object.values(made.root.dag.tasks)) task.componentRef = { name: "comp-t0" };
  return made as unknown as Json;
}
