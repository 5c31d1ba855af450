/**
 * The graph itself. React Flow moves the camera; places come from the server. Only what is in view exists as elements,
 * and from far away everything is one painting, so the size of a graph does not matter.
 */
import { ReactFlow, ReactFlowProvider, useReactFlow, useViewport, ViewportPortal } from "@xyflow/react";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { Graph } from "@/api/generated";
import { usePreference } from "@/lib/preferences";
import { Edges } from "./edges";
import { boxes, type Camera, firstCamera, fitCamera, overlaps, visibleBox } from "./geometry";
import type { LookOf } from "./look";
import { MiniMap } from "./mini-map";
import { GroupBox, NodeBox } from "./nodes";
import { paint, readPalette } from "./paint";
import "@xyflow/react/dist/base.css";

/** Beyond this many nodes the view from far away is painted. */
const MANY_NODES = 150;
const FAR_ZOOM = 0.45;
const MOST_MOUNTED = 260;
const MINI_MAP_FROM = 150;
const NOTHING: never[] = [];

export interface SurfaceHandle {
  fit: () => void;
  center: (id: string) => void;
}

interface Props {
  graph: Graph;
  lookOf: LookOf;
  selected: string | undefined;
  dimmed: (id: string) => boolean;
  matched: (id: string) => boolean;
  onSelect: (id: string | undefined) => void;
  onToggle: (id: string, pass?: number) => void;
  onReady: (handle: SurfaceHandle) => void;
}

export function Surface(props: Props) {
  return (
    <ReactFlowProvider>
      <Inner {...props} />
    </ReactFlowProvider>
  );
}

function Inner({ graph, lookOf, selected, dimmed, matched, onSelect, onToggle, onReady }: Props) {
  const holder = useRef<HTMLDivElement>(null);
  const size = useSize(holder);
  const flow = useReactFlow();
  const camera = useViewport();
  const initial = useRef(selected);
  const anchor = useRef<{ id: string; x: number; y: number } | undefined>(undefined);
  const fitted = useRef<string | undefined>(undefined);
  /** Whether somebody has moved the camera: then it is theirs. */
  const touched = useRef(false);

  const setCamera = useCallback(
    (next: Camera, glide = false) => flow.setViewport(next, glide ? { duration: 180 } : undefined),
    [flow],
  );
  const center = useCallback(
    (id: string) => {
      const box = boxes(graph).find((each) => each.id === id);
      if (!box || !size) return;
      const zoom = Math.max(flow.getZoom(), 0.8);
      const x = size.width / 2 - (box.x + Math.min(box.width, 400) / 2) * zoom;
      const y = size.height / 2 - (box.y + Math.min(box.height, 200) / 2) * zoom;
      touched.current = true;
      setCamera({ x, y, zoom }, true);
    },
    [graph, size, flow, setCamera],
  );
  const fit = useCallback(() => {
    touched.current = false;
    if (size) setCamera(fitCamera(graph, size.width, size.height), true);
  }, [graph, size, setCamera]);
  useEffect(() => onReady({ fit, center }), [onReady, fit, center]);

  // A new graph is shown whole; a group that was opened stays under the pointer.
  useLayoutEffect(() => {
    if (!size) return;
    const kept = anchor.current;
    anchor.current = undefined;
    const box = kept && boxes(graph).find((each) => each.id === kept.id);
    if (kept && box) {
      const zoom = flow.getZoom();
      setCamera({ x: kept.x - box.x * zoom, y: kept.y - box.y * zoom, zoom });
    } else if (fitted.current !== graph.direction || !touched.current) {
      const first = firstCamera(graph, size.width, size.height);
      const box = first.zoom < 1 && boxes(graph).find((each) => each.id === initial.current);
      // What the address names must be in view.
      if (box) {
        const zoom = Math.max(first.zoom, 0.8);
        const x = size.width / 2 - (box.x + Math.min(box.width, 400) / 2) * zoom;
        setCamera({ x, y: size.height / 2 - (box.y + Math.min(box.height, 200) / 2) * zoom, zoom });
      } else {
        setCamera(first);
      }
    }
    fitted.current = graph.direction;
  }, [graph, size, flow, setCamera]);

  const toggle = useCallback(
    (id: string, pass?: number) => {
      const box = boxes(graph).find((each) => each.id === id);
      const view = flow.getViewport();
      touched.current = true;
      if (box) anchor.current = { id, x: box.x * view.zoom + view.x, y: box.y * view.zoom + view.y };
      onToggle(id, pass);
    },
    [graph, flow, onToggle],
  );

  const far = graph.nodes.length > MANY_NODES && camera.zoom < FAR_ZOOM;
  const shown = useVisible(graph, camera, size, far);
  return (
    <div ref={holder} className="absolute inset-0">
      {far && size && (
        <Painting
          graph={graph}
          lookOf={lookOf}
          camera={camera}
          size={size}
          dimmed={dimmed}
          onPick={(id) => center(id)}
        />
      )}
      <ReactFlow
        nodes={NOTHING}
        edges={NOTHING}
        minZoom={0.01}
        maxZoom={1.6}
        panOnScroll
        zoomOnDoubleClick={false}
        nodesDraggable={false}
        nodesConnectable={false}
        elementsSelectable={false}
        proOptions={{ hideAttribution: true }}
        onMoveStart={(event) => {
          if (event) touched.current = true;
        }}
        onPaneClick={(event) => {
          const hit =
            far && hitTest(graph, flow.screenToFlowPosition({ x: event.clientX, y: event.clientY }));
          if (hit) center(hit);
          else onSelect(undefined);
        }}
      >
        {!far && (
          <ViewportPortal>
            <div className="nopan nodrag contents" role="presentation">
              {shown.groups.map((group) => (
                <GroupBox
                  key={group.id}
                  group={group}
                  look={lookOf(group.id)}
                  selected={group.id === selected}
                  dimmed={dimmed(group.id)}
                  onSelect={onSelect}
                  onToggle={toggle}
                />
              ))}
              <Edges graph={graph} edges={shown.edges} selected={selected} dimmed={dimmed} />
              {shown.nodes.map((node) => (
                <NodeBox
                  key={node.id}
                  node={node}
                  look={lookOf(node.id)}
                  selected={node.id === selected}
                  dimmed={dimmed(node.id)}
                  matched={matched(node.id)}
                  onSelect={onSelect}
                  onToggle={toggle}
                />
              ))}
            </div>
          </ViewportPortal>
        )}
      </ReactFlow>
      {size && graph.nodes.length >= MINI_MAP_FROM && (
        <MiniMap
          graph={graph}
          lookOf={lookOf}
          camera={camera}
          size={size}
          onMove={(next) => setCamera(next)}
        />
      )}
    </div>
  );
}

function hitTest(graph: Graph, point: { x: number; y: number }): string | undefined {
  const inside = (box: { x: number; y: number; width: number; height: number }) =>
    point.x >= box.x && point.x <= box.x + box.width && point.y >= box.y && point.y <= box.y + box.height;
  return graph.nodes.find(inside)?.id;
}

export interface Size {
  width: number;
  height: number;
}

function useSize(holder: { current: HTMLDivElement | null }): Size | undefined {
  const [size, setSize] = useState<Size>();
  useLayoutEffect(() => {
    const element = holder.current;
    if (!element) return;
    const read = () => setSize({ width: element.clientWidth, height: element.clientHeight });
    read();
    const observer = new ResizeObserver(read);
    observer.observe(element);
    return () => observer.disconnect();
  }, [holder]);
  return size;
}

/** What is in view; found anew when the camera has moved by a part of the view, not at each of its steps. */
function useVisible(graph: Graph, camera: Camera, size: Size | undefined, far: boolean) {
  const step = 160;
  const x = Math.round(camera.x / step) * step;
  const y = Math.round(camera.y / step) * step;
  const zoom = camera.zoom;
  return useMemo(() => {
    if (!size || far) return { nodes: [], groups: [], edges: [] };
    const view = visibleBox({ x, y, zoom }, size.width, size.height, 320);
    const nodes = graph.nodes.filter((node) => overlaps(node, view)).slice(0, MOST_MOUNTED);
    const groups = graph.groups.filter((group) => overlaps(group, view)).slice(0, MOST_MOUNTED);
    const seen = new Set([...nodes, ...groups].map((each) => each.id));
    const edges = graph.edges
      .filter((edge) => seen.has(edge.from) || seen.has(edge.to))
      .slice(0, 2 * MOST_MOUNTED);
    return { nodes, groups, edges };
  }, [graph, x, y, zoom, size, far]);
}

interface PaintingProps {
  graph: Graph;
  lookOf: LookOf;
  camera: Camera;
  size: Size;
  dimmed: (id: string) => boolean;
  onPick: (id: string) => void;
}

function Painting({ graph, lookOf, camera, size, dimmed }: PaintingProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [theme] = usePreference("theme", "system");
  // biome-ignore lint/correctness/useExhaustiveDependencies: colours are read anew for another theme
  const palette = useMemo(readPalette, [theme]);
  useEffect(() => {
    const frame = requestAnimationFrame(() => {
      if (canvas.current) paint({ canvas: canvas.current, graph, lookOf, camera, ...size, palette, dimmed });
    });
    return () => cancelAnimationFrame(frame);
  }, [graph, lookOf, camera, size, palette, dimmed]);
  return (
    <canvas
      ref={canvas}
      aria-hidden
      className="absolute inset-0"
      style={{ width: size.width, height: size.height }}
    />
  );
}
