/** What a node or group shows beside its name; made from tasks for runs, empty for pipelines. */
import type { Pass } from "@/lib/graph-states";
import type { State } from "@/lib/state";

export interface Look {
  state: State | undefined;
  /** Duration, reason or counts. */
  detail: string;
  counts: [State, number][];
  passes: readonly Pass[];
  /** Path of the task to open. */
  taskPath: string | undefined;
}

export type LookOf = (id: string) => Look;

export const NO_LOOK: Look = { state: undefined, detail: "", counts: [], passes: [], taskPath: undefined };

/** Whether two looks show the same, so that nothing has to be painted anew. */
export function sameLook(one: Look, other: Look): boolean {
  return (
    one.state === other.state &&
    one.detail === other.detail &&
    one.taskPath === other.taskPath &&
    one.counts.length === other.counts.length &&
    one.counts.every(([state, count], index) => {
      const [otherState, otherCount] = other.counts[index] ?? [];
      return state === otherState && count === otherCount;
    }) &&
    one.passes.length === other.passes.length &&
    one.passes.every((pass, index) => pass.state === other.passes[index]?.state)
  );
}
