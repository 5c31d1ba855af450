/** The graph of a run: structure from the server once, states from the stream. */
import { useCallback, useMemo, useRef } from "react";
import type { TaskState } from "@/api/generated";
import { useNow } from "@/lib/clock";
import { duration } from "@/lib/format";
import {
  countsInside,
  loopPaths,
  type NodeState,
  type Pass,
  passesByLoop,
  starred,
  statesByNode,
} from "@/lib/graph-states";
import { useSearchAll, useSetSearch } from "@/lib/search";
import { BY_URGENCY, isActive, type State, stateOf, WORDS } from "@/lib/state";
import { countStates, isLeaf, taskDuration } from "@/lib/tasks";
import { GraphView } from "./graph-view";
import { type Look, NO_LOOK, sameLook } from "./look";

function inOrder(counts: ReadonlyMap<State, number>): [State, number][] {
  return BY_URGENCY.flatMap((state) =>
    counts.get(state) ? [[state, counts.get(state) ?? 0] as [State, number]] : [],
  );
}

const NO_COUNTS: ReadonlyMap<State, number> = new Map();

function lookAt(
  node: NodeState,
  inside: ReadonlyMap<State, number>,
  passes: readonly Pass[],
  now: number,
): Look {
  const leaf = isLeaf(node.task);
  const within = leaf ? (node.total > 1 ? node.counts : NO_COUNTS) : inside;
  return {
    state: node.state,
    detail: detailOf(node, leaf, now),
    counts: inOrder(within),
    passes,
    taskPath: node.task.path,
  };
}

function detailOf(node: NodeState, leaf: boolean, now: number): string {
  if (node.total > 1)
    return inOrder(node.counts)
      .map(([state, count]) => `${count} ${WORDS[state].toLowerCase()}`)
      .join(", ");
  const time = duration(taskDuration(node.task, now));
  if (!leaf) return time === "–" ? "" : time;
  if (node.task.error && node.state === "skipped") return node.task.error.message;
  if (time === "–") return WORDS[node.state];
  return node.task.attempt > 1 ? `${time}, attempt ${node.task.attempt}` : time;
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

  // Looks are made when they are asked for, and stay the same objects while they show the same.
  const kept = useRef(new Map<string, Look>());
  const lookOf = useMemo(() => {
    const fresh = new Map<string, Look>();
    return (id: string) => {
      const known = fresh.get(id);
      if (known) return known;
      const node = states.get(id);
      const made = node ? lookAt(node, inside.get(id) ?? NO_COUNTS, passes.get(id) ?? [], now) : NO_LOOK;
      const before = kept.current.get(id);
      const look = before && sameLook(before, made) ? before : made;
      kept.current.set(id, look);
      fresh.set(id, look);
      return look;
    };
  }, [states, inside, passes, now]);

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
