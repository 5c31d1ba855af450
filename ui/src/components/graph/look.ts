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
