/** How a graph is looked at; everything of it stands in the address. */
import { useMemo } from "react";
import type { Graph, GraphGroup } from "@/api/generated";
import type { GraphView } from "@/api/graphs";
import { useSearchAll, useSetSearch } from "@/lib/search";

/** Up to this size a graph is shown with everything open. */
export const SMALL_GRAPH = 60;

/** The form in which an open group is asked for. */
export function openForm(group: GraphGroup): string {
  return group.iteration === null ? group.id : `${group.id}/${group.iteration}`;
}

export interface ViewState {
  view: GraphView;
  /** Whether the address says what is open. */
  explicit: boolean;
  setOpen: (open: readonly string[]) => void;
  setDirection: (direction: GraphView["direction"]) => void;
  setArtifacts: (artifacts: boolean) => void;
}

export function useGraphView(autoOpen: boolean): ViewState {
  const search = useSearchAll();
  const setSearch = useSetSearch();
  const explicit = search.open !== undefined;
  return useMemo(
    () => ({
      view: {
        open: explicit
          ? (search.open ?? "").split(",").filter((path) => path && path !== "-")
          : autoOpen
            ? ["*"]
            : [],
        direction: search.dir === "down" ? "down" : "right",
        artifacts: search.art === "1",
      },
      explicit,
      // Nothing open must be told apart from nothing said.
      setOpen: (open) => setSearch({ open: open.join(",") || "-" }),
      setDirection: (direction) => setSearch({ dir: direction === "down" ? "down" : undefined }),
      setArtifacts: (artifacts) => setSearch({ art: artifacts ? "1" : undefined }),
    }),
    [search.open, search.dir, search.art, explicit, autoOpen, setSearch],
  );
}

/** What is open after a click on a group: closing one closes what is inside. */
export function toggled(graph: Graph, id: string, pass?: number): string[] {
  const open = graph.groups;
  const isOpen = open.some((group) => group.id === id);
  if (isOpen && pass === undefined) {
    return open.filter((group) => group.id !== id && !group.id.startsWith(`${id}/`)).map(openForm);
  }
  const kept = open.filter(
    (group) => group.id !== id && !(pass !== undefined && group.id.startsWith(`${id}/`)),
  );
  return [...kept.map(openForm), pass === undefined ? id : `${id}/${pass}`];
}

/** Everything before and behind a node, inside its frame and through the frames around it. */
export function related(graph: Graph, id: string): Set<string> {
  const forward = new Map<string, string[]>();
  const backward = new Map<string, string[]>();
  const push = (map: Map<string, string[]>, key: string, value: string) =>
    map.set(key, [...(map.get(key) ?? []), value]);
  for (const edge of graph.edges) {
    push(forward, edge.from, edge.to);
    push(backward, edge.to, edge.from);
  }
  const parents = new Map([...graph.nodes, ...graph.groups].map((each) => [each.id, each.parent]));
  const found = new Set<string>();
  const walk = (start: string, map: Map<string, string[]>) => {
    const queue = [start];
    const seen = new Set(queue);
    for (let at = queue.shift(); at !== undefined; at = queue.shift()) {
      found.add(at);
      for (const next of map.get(at) ?? []) {
        if (!seen.has(next)) {
          seen.add(next);
          queue.push(next);
        }
      }
    }
  };
  for (let at: string | null | undefined = id; at; at = parents.get(at)) {
    walk(at, forward);
    walk(at, backward);
  }
  // What is inside a related group is related.
  for (const each of [...graph.groups, ...graph.nodes]) {
    if (
      each.parent &&
      found.has(each.parent) &&
      each.parent !== parents.get(id) &&
      !ancestors(parents, id).has(each.parent)
    )
      found.add(each.id);
  }
  return found;
}

function ancestors(parents: ReadonlyMap<string, string | null>, id: string): Set<string> {
  const all = new Set<string>();
  for (let at = parents.get(id); at; at = parents.get(at)) all.add(at);
  return all;
}
