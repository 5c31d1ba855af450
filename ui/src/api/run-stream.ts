/** Keeps the state of one run as new as the server's: a snapshot, then changes. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import type { CopyState, RunChange, RunOverview, RunState, TaskState } from "./generated";
import { runQueries } from "./runs";
import { subscribe } from "./stream";

const KINDS = ["run", "task", "tasks", "artifacts", "artifact", "copies", "deleted", "reset"];
/** Changes are painted together: at most this often. */
const FLUSH_MS = 100;
/** What the server derives from tasks is read again this long after a change, and not more often. */
const REREAD_MS = 1000;

/** Puts changed tasks into a state; tasks keep their places, new ones come last. */
export function applyTasks(state: RunState, changed: readonly TaskState[]): RunState {
  if (changed.length === 0) return state;
  const byId = new Map(changed.map((task) => [task.task_id, task]));
  const tasks = state.tasks.map((task) => {
    const next = byId.get(task.task_id);
    if (next) byId.delete(task.task_id);
    return next ?? task;
  });
  return { ...state, tasks: [...tasks, ...byId.values()] };
}

const copiesKey = (id: string) => ["copies", id];

/** Artifacts of a run that are on their way, as its stream tells. */
export function useCopies(id: string): readonly CopyState[] {
  // Only the stream writes it.
  return useQuery<CopyState[]>({ queryKey: copiesKey(id), queryFn: () => [], enabled: false }).data ?? NONE;
}

const NONE: readonly CopyState[] = [];

export function useRunState(id: string) {
  const client = useQueryClient();
  const snapshot = useQuery(runQueries.state(id));
  const cursor = snapshot.data?.cursor;
  const ready = snapshot.isSuccess;

  // biome-ignore lint/correctness/useExhaustiveDependencies: the first cursor opens the stream, later ones belong to it
  useEffect(() => {
    if (!ready) return;
    const key = runQueries.state(id).queryKey;
    let waiting: RunChange[] = [];
    let flushTimer: ReturnType<typeof setTimeout> | undefined;
    let settleTimer: ReturnType<typeof setTimeout> | undefined;

    const settle = () => {
      settleTimer ??= setTimeout(() => {
        settleTimer = undefined;
        client.invalidateQueries({
          predicate: ({ queryKey }) => queryKey[0] === "run" && queryKey[1] === id && queryKey[2] !== "state",
        });
      }, REREAD_MS);
    };
    const flush = () => {
      flushTimer = undefined;
      const changes = waiting;
      waiting = [];
      client.setQueryData<RunState>(key, (before) => before && applyChanges(before, changes));
      client.setQueryData<RunOverview>(runQueries.overview(id).queryKey, (before) =>
        withHead(before, changes),
      );
    };
    const reread = () => client.invalidateQueries({ queryKey: ["run", id] });

    const stop = subscribe<RunChange>({
      path: `runs/${encodeURIComponent(id)}/stream`,
      query: { cursor },
      kinds: KINDS,
      onChange: (change) => {
        if (change.kind === "reset" || change.kind === "deleted") {
          reread();
          return;
        }
        if (change.kind === "copies") {
          client.setQueryData<CopyState[]>(copiesKey(id), change.copies);
          return;
        }
        waiting.push(change);
        flushTimer ??= setTimeout(flush, FLUSH_MS);
        settle();
      },
    });
    return () => {
      stop();
      clearTimeout(flushTimer);
      clearTimeout(settleTimer);
      // The snapshot is as old as the stream: whoever comes next begins anew.
      client.invalidateQueries({ queryKey: key });
    };
  }, [client, id, ready]);

  return snapshot;
}

/** All at once: a run of thousands of tasks is walked through once, however many changes there are. */
export function applyChanges(state: RunState, changes: readonly RunChange[]): RunState {
  const head = changes.findLast((change) => change.kind === "run");
  const tasks = changes.flatMap((change) => (change.kind === "tasks" ? change.tasks : []));
  const after = applyTasks(state, tasks);
  return head?.kind === "run" ? { ...after, run: head.run } : after;
}

function withHead(before: RunOverview | undefined, changes: readonly RunChange[]): RunOverview | undefined {
  const head = changes.findLast((change) => change.kind === "run");
  if (!before || head?.kind !== "run") return before;
  const { state, storage_state, finished_at, error } = head.run;
  return { ...before, run: { ...before.run, state, storage_state, finished_at, error } };
}
