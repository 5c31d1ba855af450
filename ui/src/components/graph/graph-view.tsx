/** A graph with its tools; the same for runs and for versions of pipelines. */
import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Graph } from "@/api/generated";
import { type GraphSource, graphQueries } from "@/api/graphs";
import { Empty, Failure, SkeletonRows } from "@/components/ui/feedback";
import { downloadBlob, downloadText } from "@/lib/clipboard";
import { useShortcuts } from "@/lib/keys";
import { useParam } from "@/lib/search";
import type { State } from "@/lib/state";
import { boxes } from "./geometry";
import type { LookOf } from "./look";
import { Surface, type SurfaceHandle } from "./surface";
import { GraphToolbar } from "./toolbar";
import { GraphTree } from "./tree";
import { related, SMALL_GRAPH, toggled, useGraphView } from "./view";

interface Props {
  source: GraphSource;
  lookOf: LookOf;
  states?: [State, number][];
  /** What is chosen, by the names that it may have in this view; the first that is there counts. */
  selected: readonly string[];
  onSelect: (id: string | undefined) => void;
}

export function GraphView(props: Props) {
  const closed = useQuery(
    graphQueries.graph(props.source, { open: [], direction: "right", artifacts: false }),
  );
  const shown = useRef(false);
  const autoOpen = closed.data
    ? closed.data.task_count <= SMALL_GRAPH && closed.data.openable.length > 0
    : false;
  const state = useGraphView(autoOpen);
  const graph = useQuery({
    ...graphQueries.graph(props.source, state.view),
    enabled: closed.isSuccess || state.explicit,
  });
  if (graph.isError) return <Failure error={graph.error} retry={() => graph.refetch()} />;
  if (closed.isError) return <Failure error={closed.error} retry={() => closed.refetch()} />;
  // The closed graph only says how large it is; one that opens by itself is shown once, open.
  if (!graph.data || (!shown.current && graph.isPlaceholderData)) return <SkeletonRows />;
  shown.current = true;
  if (graph.data.nodes.length === 0 && graph.data.groups.length === 0)
    return <Empty title="The pipeline has no tasks" />;
  return <Loaded {...props} graph={graph.data} state={state} />;
}

interface LoadedProps extends Props {
  graph: Graph;
  state: ReturnType<typeof useGraphView>;
}

function Loaded({ graph, state, lookOf, states = [], selected: candidates, onSelect }: LoadedProps) {
  const selected = useMemo(() => {
    const present = new Set(boxes(graph).map((box) => box.id));
    return candidates.find((id) => present.has(id));
  }, [graph, candidates]);
  const { view, setOpen, setDirection, setArtifacts } = state;
  const [query, setQuery] = useState("");
  const [filter, setFilter] = useState<State>();
  const [focused, setFocused] = useState(false);
  const [mode, setMode] = useParam("as");
  const handle = useRef<SurfaceHandle | undefined>(undefined);
  const searchBox = useRef<HTMLInputElement>(null);
  const cycle = useRef(-1);
  const tree = mode === "tree";

  const matches = useMemo(() => {
    const needle = query.trim().toLowerCase();
    if (!needle) return [];
    return boxes(graph).filter(
      (box) => box.label.toLowerCase().includes(needle) || box.id.toLowerCase().includes(needle),
    );
  }, [graph, query]);
  const matchIds = useMemo(() => new Set(matches.map((box) => box.id)), [matches]);
  const near = useMemo(
    () => (focused && selected ? related(graph, selected) : undefined),
    [focused, selected, graph],
  );
  const dimmed = useCallback(
    (id: string) => {
      if (query.trim() && !matchIds.has(id)) return true;
      if (near && !near.has(id)) return true;
      return (
        filter !== undefined &&
        !lookOf(id).counts.some(([state]) => state === filter) &&
        lookOf(id).state !== filter
      );
    },
    [query, matchIds, near, filter, lookOf],
  );
  const matched = useCallback((id: string) => matchIds.has(id), [matchIds]);
  const toggle = useCallback(
    (id: string, pass?: number) => setOpen(toggled(graph, id, pass)),
    [graph, setOpen],
  );
  const onReady = useCallback((next: SurfaceHandle) => {
    handle.current = next;
  }, []);
  const onCycle = (by: number) => {
    if (matches.length === 0) return;
    cycle.current = (cycle.current + by + matches.length) % matches.length;
    const box = matches[cycle.current];
    if (box) handle.current?.center(box.id);
  };
  useEffect(() => {
    cycle.current = -1;
    if (query.trim() && matches[0] && matches.length === 1) handle.current?.center(matches[0].id);
  }, [query, matches]);
  const openAll = () => setOpen(["*"]);
  const exportAs = async (kind: "svg" | "png") => {
    const { graphPng, graphSvg } = await import("./export");
    if (kind === "svg") downloadText("graph.svg", graphSvg(graph, lookOf), "image/svg+xml");
    else {
      const blob = await graphPng(graph, lookOf);
      if (blob) downloadBlob("graph.png", blob);
    }
  };
  const toggleSelected = () =>
    selected &&
    (graph.openable.includes(selected) || graph.groups.some((group) => group.id === selected)) &&
    toggle(selected);
  useShortcuts([
    { keys: "/", label: "Find in the graph", group: "Graph", run: () => searchBox.current?.focus() },
    { keys: "f", label: "Show everything", group: "Graph", run: () => handle.current?.fit() },
    { keys: "o", label: "Open or close the chosen group", group: "Graph", run: toggleSelected },
    { keys: "O", label: "Open all groups", group: "Graph", run: openAll },
    { keys: "C", label: "Close all groups", group: "Graph", run: () => setOpen([]) },
    { keys: "a", label: "Artifacts as nodes", group: "Graph", run: () => setArtifacts(!view.artifacts) },
    { keys: "b", label: "Only what is before and behind", group: "Graph", run: () => setFocused(!focused) },
    {
      keys: "d",
      label: "Change direction",
      group: "Graph",
      run: () => setDirection(view.direction === "down" ? "right" : "down"),
    },
    { keys: "v", label: "Graph or tree", group: "Graph", run: () => setMode(tree ? undefined : "tree") },
  ]);
  return (
    <section aria-label="Graph" className="relative min-h-0 flex-1 overflow-hidden">
      {tree ? (
        <GraphTree graph={graph} lookOf={lookOf} selected={selected} onSelect={onSelect} onToggle={toggle} />
      ) : (
        <Surface
          graph={graph}
          lookOf={lookOf}
          selected={selected}
          dimmed={dimmed}
          matched={matched}
          onSelect={onSelect}
          onToggle={toggle}
          onReady={onReady}
        />
      )}
      <GraphToolbar
        searchBox={searchBox}
        query={query}
        onQuery={setQuery}
        onCycle={onCycle}
        matches={matches.length}
        states={states}
        state={filter}
        onState={setFilter}
        canFocus={selected !== undefined}
        focused={focused}
        onFocus={() => setFocused(!focused)}
        artifacts={view.artifacts}
        onArtifacts={() => setArtifacts(!view.artifacts)}
        down={view.direction === "down"}
        onDirection={() => setDirection(view.direction === "down" ? "right" : "down")}
        canOpen={graph.openable.length > 0}
        onOpenAll={openAll}
        onCloseAll={() => setOpen([])}
        onFit={() => handle.current?.fit()}
        tree={tree}
        onTree={() => setMode(tree ? undefined : "tree")}
        onExport={exportAs}
      />
      {graph.kept_closed > 0 && (
        <p
          role="status"
          className="absolute bottom-3 left-3 rounded-card border border-line bg-surface px-3 py-1.5 text-label text-ink-2"
        >
          {graph.kept_closed} groups stay closed: all together would be too large. Open them one by one.
        </p>
      )}
    </section>
  );
}
