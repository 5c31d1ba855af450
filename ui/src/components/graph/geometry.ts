/** Lines, boxes and what is in view. Pure. */
import type { Graph, GraphGroup, GraphNode, Point } from "@/api/generated";

export interface Camera {
  x: number;
  y: number;
  zoom: number;
}

const CORNER = 8;

/** A line through points with rounded corners. */
export function edgePath(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (!first) return "";
  let path = `M${first.x} ${first.y}`;
  if (points.length === 2 && rest[0]) {
    // Two ends on different heights: a calm S.
    const end = rest[0];
    const dx = Math.abs(end.x - first.x);
    const dy = Math.abs(end.y - first.y);
    if (dx < 1 || dy < 1) return `${path}L${end.x} ${end.y}`;
    return dx >= dy || end.x > first.x
      ? `${path}C${first.x + dx / 2} ${first.y} ${end.x - dx / 2} ${end.y} ${end.x} ${end.y}`
      : `${path}C${first.x} ${first.y + dy / 2} ${end.x} ${end.y - dy / 2} ${end.x} ${end.y}`;
  }
  for (let i = 0; i < rest.length; i += 1) {
    const before = points[i];
    const at = rest[i];
    const next = rest[i + 1];
    if (!before || !at) continue;
    if (!next) {
      path += `L${at.x} ${at.y}`;
      continue;
    }
    const cut = (a: Point, b: Point) => {
      const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
      const share = Math.min(CORNER, length / 2) / length;
      return { x: b.x + (a.x - b.x) * share, y: b.y + (a.y - b.y) * share };
    };
    const enter = cut(before, at);
    const leave = cut(next, at);
    path += `L${enter.x} ${enter.y}Q${at.x} ${at.y} ${leave.x} ${leave.y}`;
  }
  return path;
}

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The part of the graph that a view of a size shows, with a margin. */
export function visibleBox(camera: Camera, width: number, height: number, margin: number): Box {
  return {
    x: (-camera.x - margin) / camera.zoom,
    y: (-camera.y - margin) / camera.zoom,
    width: (width + 2 * margin) / camera.zoom,
    height: (height + 2 * margin) / camera.zoom,
  };
}

export function overlaps(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && a.x + a.width > b.x && a.y < b.y + b.height && a.y + a.height > b.y;
}

/** Room for the tools at the upper edge. */
const TOOLS = 48;
/** Below this names cannot be read. */
const LEGIBLE = 0.75;

/** The first look: the whole graph, or of a wide one its begin in a size that can be read. */
export function firstCamera(graph: { width: number; height: number }, width: number, height: number): Camera {
  const whole = fitCamera(graph, width, height - TOOLS);
  const fitted = { ...whole, y: whole.y + TOOLS };
  if (whole.zoom >= LEGIBLE || graph.height * LEGIBLE > height - TOOLS) return fitted;
  return { x: 40, y: TOOLS + (height - TOOLS - graph.height * LEGIBLE) / 2, zoom: LEGIBLE };
}

/** Shows the whole graph; never larger than life. */
export function fitCamera(
  graph: { width: number; height: number },
  width: number,
  height: number,
  padding = 40,
): Camera {
  const zoom = Math.min(
    1,
    (width - 2 * padding) / Math.max(graph.width, 1),
    (height - 2 * padding) / Math.max(graph.height, 1),
  );
  const safe = Math.max(zoom, 0.01);
  return { x: (width - graph.width * safe) / 2, y: (height - graph.height * safe) / 2, zoom: safe };
}

export type Boxed = GraphNode | GraphGroup;

export function boxes(graph: Graph): Boxed[] {
  return [...graph.groups, ...graph.nodes];
}
