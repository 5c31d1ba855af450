/** Paints a whole graph on a canvas: for views from far away and for the small map. */
import type { Graph } from "@/api/generated";
import { colorName, type State } from "@/lib/state";
import type { Camera } from "./geometry";
import type { LookOf } from "./look";

export type Palette = (token: string) => string;

/** Colours of tokens as a canvas understands them, for the theme of now. */
export function readPalette(): Palette {
  const probe = document.createElement("span");
  document.body.append(probe);
  const known = new Map<string, string>();
  const palette: Palette = (token) => {
    const found = known.get(token);
    if (found) return found;
    if (!probe.isConnected) document.body.append(probe);
    probe.style.color = `var(--color-${token})`;
    const color = getComputedStyle(probe).color;
    known.set(token, color);
    probe.remove();
    return color;
  };
  probe.remove();
  return palette;
}

function fill(palette: Palette, state: State | undefined): string {
  return state ? palette(colorName(state)) : palette("line-strong");
}

interface Job {
  canvas: HTMLCanvasElement;
  graph: Graph;
  lookOf: LookOf;
  camera: Camera;
  width: number;
  height: number;
  palette: Palette;
  dimmed?: (id: string) => boolean;
}

export function paint({ canvas, graph, lookOf, camera, width, height, palette, dimmed }: Job): void {
  const ratio = Math.min(devicePixelRatio || 1, 2);
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d");
  if (!context) return;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  const zoom = camera.zoom * ratio;
  context.setTransform(zoom, 0, 0, zoom, camera.x * ratio, camera.y * ratio);
  const pixel = 1 / zoom;

  context.lineWidth = pixel * ratio;
  context.strokeStyle = palette("line-strong");
  context.fillStyle = palette("sunken");
  for (const group of graph.groups) {
    context.fillRect(group.x, group.y, group.width, group.height);
    context.strokeRect(group.x, group.y, group.width, group.height);
  }
  context.globalAlpha = 0.55;
  context.beginPath();
  for (const edge of graph.edges) {
    const [first, ...rest] = edge.points;
    if (!first) continue;
    context.moveTo(first.x, first.y);
    for (const point of rest) context.lineTo(point.x, point.y);
  }
  context.stroke();
  context.globalAlpha = 1;
  for (const node of graph.nodes) {
    context.globalAlpha = dimmed?.(node.id) ? 0.2 : 1;
    context.fillStyle = node.kind === "artifact" ? palette("ink-3") : fill(palette, lookOf(node.id).state);
    // From far away a box must stay visible.
    context.fillRect(node.x, node.y, Math.max(node.width, 2 * pixel), Math.max(node.height, 2 * pixel));
  }
  context.globalAlpha = 1;
}
