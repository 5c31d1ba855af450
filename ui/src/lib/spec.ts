/** The parts of a PipelineSpec that forms need. The server checks specifications; this only reads them. */

export type ParameterType =
  | "STRING"
  | "NUMBER_INTEGER"
  | "NUMBER_DOUBLE"
  | "BOOLEAN"
  | "LIST"
  | "STRUCT"
  | "TASK_FINAL_STATUS"
  | "PARAMETER_TYPE_ENUM_UNSPECIFIED";

export interface Parameter {
  name: string;
  type: ParameterType;
  description: string;
  hasDefault: boolean;
  defaultValue: unknown;
  isOptional: boolean;
  literals: unknown[];
}

type Loose = Record<string, unknown>;

const isObject = (value: unknown): value is Loose =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The PipelineSpec itself, whether or not a platform document stands beside it. */
export function coreSpec(spec: Loose | undefined): Loose {
  if (!spec) return {};
  return isObject(spec.pipeline_spec) ? spec.pipeline_spec : spec;
}

export function pipelineName(spec: Loose | undefined): string {
  const info = coreSpec(spec).pipelineInfo;
  return isObject(info) && typeof info.name === "string" ? info.name : "";
}

export function parametersOf(spec: Loose | undefined): Parameter[] {
  const root = coreSpec(spec).root;
  const inputs =
    isObject(root) && isObject(root.inputDefinitions) ? root.inputDefinitions.parameters : undefined;
  if (!isObject(inputs)) return [];
  return Object.entries(inputs).map(([name, raw]) => {
    const definition = isObject(raw) ? raw : {};
    return {
      name,
      type: (definition.parameterType ?? "STRING") as ParameterType,
      description: typeof definition.description === "string" ? definition.description : "",
      hasDefault: definition.defaultValue !== undefined,
      defaultValue: definition.defaultValue,
      isOptional: definition.isOptional === true,
      literals: Array.isArray(definition.literals) ? definition.literals : [],
    };
  });
}

/** The same specification with caching off for every task. */
export function withoutCaching(spec: Loose): Loose {
  const copy = structuredClone(spec);
  const core = coreSpec(copy);
  const holders = [core.root, ...(isObject(core.components) ? Object.values(core.components) : [])];
  for (const holder of holders) {
    const dag = isObject(holder) ? holder.dag : undefined;
    const tasks = isObject(dag) && isObject(dag.tasks) ? Object.values(dag.tasks) : [];
    for (const task of tasks) if (isObject(task)) task.cachingOptions = {};
  }
  return copy;
}

/** How many tasks stand in the whole file, groups included. */
export function taskTotal(spec: Loose | undefined): number {
  const core = coreSpec(spec);
  const holders = [core.root, ...(isObject(core.components) ? Object.values(core.components) : [])];
  return holders.reduce<number>((sum, holder) => {
    const dag = isObject(holder) ? holder.dag : undefined;
    return sum + (isObject(dag) && isObject(dag.tasks) ? Object.keys(dag.tasks).length : 0);
  }, 0);
}
