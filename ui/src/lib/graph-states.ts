/** States of tasks seen through a graph: nodes inside loops that are open without a chosen pass stand for many tasks. */
import type { TaskState } from "@/api/generated";
import { BY_URGENCY, type State } from "./state";
import { isLeaf, taskState } from "./tasks";

export interface NodeState {
  /** The most urgent one of the tasks it stands for. */
  state: State;
  counts: Map<State, number>;
  /** The only task, or the one to look at first. */
  task: TaskState;
  total: number;
}

/** Every way to write a path with `*` in the place of some of its loop indexes. */
export function starred(path: string, loops: ReadonlySet<string>): string[] {
  if (loops.size === 0) return [path];
  let forms = [""];
  let prefix = "";
  for (const name of path.split("/")) {
    const isIndex = loops.has(prefix);
    forms = forms.flatMap((form) => {
      const join = form ? `${form}/` : "";
      return isIndex ? [`${join}${name}`, `${join}*`] : [`${join}${name}`];
    });
    prefix = prefix ? `${prefix}/${name}` : name;
  }
  return forms;
}

function moreUrgent(a: State, b: State): boolean {
  return BY_URGENCY.indexOf(a) < BY_URGENCY.indexOf(b);
}

export function loopPaths(tasks: readonly TaskState[]): Set<string> {
  return new Set(tasks.filter((task) => task.kind === "LOOP").map((task) => task.path));
}

/** States by id of node, for all ids that a graph may have. */
export function statesByNode(tasks: readonly TaskState[]): Map<string, NodeState> {
  const loops = loopPaths(tasks);
  const states = new Map<string, NodeState>();
  for (const task of tasks) {
    if (task.kind === "ROOT") continue;
    const state = taskState(task);
    for (const id of starred(task.path, loops)) {
      const known = states.get(id);
      if (!known) {
        states.set(id, { state, counts: new Map([[state, 1]]), task, total: 1 });
        continue;
      }
      known.counts.set(state, (known.counts.get(state) ?? 0) + 1);
      known.total += 1;
      if (moreUrgent(state, known.state)) {
        known.state = state;
        known.task = task;
      }
    }
  }
  return states;
}

/** Leaves inside each group, loop or pass, by state. */
export function countsInside(tasks: readonly TaskState[]): Map<string, Map<State, number>> {
  const inside = new Map<string, Map<State, number>>();
  for (const task of tasks) {
    if (!isLeaf(task)) continue;
    const state = taskState(task);
    for (let at = task.path.lastIndexOf("/"); at > 0; at = task.path.lastIndexOf("/", at - 1)) {
      const group = task.path.slice(0, at);
      const counts = inside.get(group) ?? new Map<State, number>();
      counts.set(state, (counts.get(state) ?? 0) + 1);
      inside.set(group, counts);
    }
  }
  return inside;
}

export interface Pass {
  index: number;
  state: State;
  task: TaskState;
}

/** Passes of each loop in order of index. */
export function passesByLoop(tasks: readonly TaskState[]): Map<string, Pass[]> {
  const loops = new Map<string, Pass[]>();
  for (const task of tasks) {
    if (task.kind !== "ITERATION" || task.parent === null) continue;
    const passes = loops.get(task.parent) ?? [];
    passes.push({ index: task.iteration_index ?? passes.length, state: taskState(task), task });
    loops.set(task.parent, passes);
  }
  for (const passes of loops.values()) passes.sort((a, b) => a.index - b.index);
  return loops;
}

/** At most `most` cells; a cell that stands for several passes has the most urgent state of them. */
export function binPasses(passes: readonly { state: State }[], most: number): State[] {
  if (passes.length <= most) return passes.map((pass) => pass.state);
  return Array.from({ length: most }, (_, bin) => {
    const from = Math.floor((bin * passes.length) / most);
    const to = Math.max(from + 1, Math.floor(((bin + 1) * passes.length) / most));
    return passes
      .slice(from, to)
      .reduce<State>((worst, pass) => (moreUrgent(pass.state, worst) ? pass.state : worst), "succeeded");
  });
}
