/** The graph of a run: structure from the server once, states from the stream. */
import { useCallback, useMemo } from "react";
import type { TaskState } from "@/api/generated";
import { useNow } from "@/lib/clock";
import { duration } from "@/lib/format";
import { countsInside, loopPaths, passesByLoop, starred, statesByNode } from "@/lib/graph-states";
import { useSearchAll, useSetSearch } from "@/lib/search";
import { BY_URGENCY, isActive, type State, stateOf, WORDS } from "@/lib/state";
import { countStates, isLeaf, taskDuration } from "@/lib/tasks";
import { GraphView } from "./graph-view";
import { type Look, NO_LOOK } from "./look";

function inOrder(counts: ReadonlyMap<State, number>): [State, number][] {
  return BY_URGENCY.flatMap((state) =>
    counts.get(state) ? [[state, counts.get(state) ?? 0] as [State, number]] : [],
  );
}

export default function RunGraph({ runId, tasks }: { runId: string; tasks: readonly TaskState[] }) {
  const search = useSearchAll();
  const setSearch = useSetSearch();
  const active = tasks.some((task) => isActive(stateOf(task.state)));
  const now = useNow(active);
  const states = useMemo(() => statesByNode(tasks), [tasks]);
  const loops = useMemo(() => loopPaths(tasks), [tasks]);
  const inside = useMemo(() => countsInside(tasks), [tasks]);
  const passes = useMemo(() => passesByLoop(tasks), [tasks]);
  const counts = useMemo(() => inOrder(countStates(tasks.filter(isLeaf))), [tasks]);

  const looks = useMemo(() => {
    const made = new Map<string, Look>();
    for (const [id, node] of states) {
      const leaf = isLeaf(node.task);
      const within = leaf
        ? node.total > 1
          ? node.counts
          : new Map<State, number>()
        : (inside.get(id) ?? new Map<State, number>());
      const time = duration(taskDuration(node.task, now));
      const detail =
        node.total > 1
          ? inOrder(node.counts)
              .map(([state, count]) => `${count} ${WORDS[state].toLowerCase()}`)
              .join(", ")
          : leaf
            ? node.task.error && node.state === "skipped"
              ? node.task.error.message
              : time === "–"
                ? WORDS[node.state]
                : node.task.attempt > 1
                  ? `${time}, attempt ${node.task.attempt}`
                  : time
            : time === "–"
              ? ""
              : time;
      made.set(id, {
        state: node.state,
        detail,
        counts: inOrder(within),
        passes: passes.get(id) ?? [],
        taskPath: node.task.path,
      });
    }
    return made;
  }, [states, inside, passes, now]);
  const lookOf = useCallback((id: string) => looks.get(id) ?? NO_LOOK, [looks]);

  // The address names tasks; a node inside an open loop may stand for the task.
  const selected = useMemo(() => {
    if (search.task === undefined) return [];
    const path = tasks.find((task) => task.task_id === search.task)?.path ?? search.task;
    return [...(search.node ? [search.node] : []), ...starred(path, loops).toReversed(), path];
  }, [search.task, search.node, tasks, loops]);
  const onSelect = useCallback(
    (id: string | undefined) => {
      const path = id === undefined ? undefined : lookOf(id).taskPath;
      setSearch({
        task: path,
        node: id !== undefined && id !== path ? id : undefined,
        attempt: undefined,
        line: undefined,
      });
    },
    [lookOf, setSearch],
  );
  const source = useMemo(() => ({ kind: "run" as const, id: runId }), [runId]);
  return (
    <GraphView source={source} lookOf={lookOf} states={counts} selected={selected} onSelect={onSelect} />
  );
}
