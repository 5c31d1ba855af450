/** Tasks of a run as the UI looks at them. Pure. */
import type { TaskState } from "@/api/generated";
import { type State, stateOf } from "./state";

/** The state to show: waiting for a slot and working again after a failure are told apart. */
export function taskState(task: Pick<TaskState, "state" | "attempt">): State {
  const state = stateOf(task.state);
  if ((state === "running" || state === "pending") && task.attempt > 1) return "retrying";
  if (state === "pending" && task.attempt === 1) return "queued";
  return state;
}

/** Whether it has user code (or fetches an artifact), rather than holding others. */
export function isLeaf(task: Pick<TaskState, "kind">): boolean {
  return task.kind === "CONTAINER" || task.kind === "IMPORTER";
}

/** Milliseconds of work until `now`; `undefined` if it has not begun. */
export function taskDuration(task: TaskState, now: number): number | undefined {
  return task.started_at === null ? undefined : (task.ended_at ?? now) - task.started_at;
}

/** The path without its last name, for showing where a task stands. */
export function parentPath(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

export function countStates(tasks: readonly TaskState[]): Map<State, number> {
  const counts = new Map<State, number>();
  for (const task of tasks) {
    const state = taskState(task);
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  return counts;
}

/** The task that a look at logs begins with: the first failed one, a running one, else the last with a log. */
export function mostTelling(tasks: readonly TaskState[]): TaskState | undefined {
  const withLogs = tasks.filter((task) => task.kind === "CONTAINER" && task.attempt > 0);
  return (
    withLogs.find((task) => task.state === "FAILED") ??
    withLogs.find((task) => task.state === "RUNNING") ??
    withLogs.reduce<TaskState | undefined>(
      (last, task) => ((task.started_at ?? 0) >= (last?.started_at ?? 0) ? task : last),
      undefined,
    )
  );
}

/** One of the eight hues, 1 to 8: the same for a task wherever it is shown. */
export function hueOf(path: string): number {
  let sum = 0;
  for (let i = 0; i < path.length; i += 1) sum = (sum * 31 + path.charCodeAt(i)) >>> 0;
  return (sum % 8) + 1;
}
