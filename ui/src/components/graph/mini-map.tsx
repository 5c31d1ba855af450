/** A small picture of the whole graph with the part in view; a press moves there. */
import { type PointerEvent, useEffect, useMemo, useRef } from "react";
import type { Graph } from "@/api/generated";
import { usePreference } from "@/lib/preferences";
import { type Camera, fitCamera } from "./geometry";
import type { LookOf } from "./look";
import { paint, readPalette } from "./paint";
import type { Size } from "./surface";

const WIDTH = 200;
const HEIGHT = 130;

interface Props {
  graph: Graph;
  lookOf: LookOf;
  camera: Camera;
  size: Size;
  onMove: (camera: Camera) => void;
}

export function MiniMap({ graph, lookOf, camera, size, onMove }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [theme] = usePreference("theme", "system");
  // biome-ignore lint/correctness/useExhaustiveDependencies: colours are read anew for another theme
  const palette = useMemo(readPalette, [theme]);
  const map = useMemo(() => fitCamera(graph, WIDTH, HEIGHT, 6), [graph]);
  useEffect(() => {
    if (canvas.current)
      paint({ canvas: canvas.current, graph, lookOf, camera: map, width: WIDTH, height: HEIGHT, palette });
  }, [graph, lookOf, map, palette]);
  const view = {
    left: (-camera.x / camera.zoom) * map.zoom + map.x,
    top: (-camera.y / camera.zoom) * map.zoom + map.y,
    width: (size.width / camera.zoom) * map.zoom,
    height: (size.height / camera.zoom) * map.zoom,
  };
  const move = (event: PointerEvent<HTMLDivElement>) => {
    if (event.buttons !== 1) return;
    const box = event.currentTarget.getBoundingClientRect();
    const x = (event.clientX - box.left - map.x) / map.zoom;
    const y = (event.clientY - box.top - map.y) / map.zoom;
    onMove({ x: size.width / 2 - x * camera.zoom, y: size.height / 2 - y * camera.zoom, zoom: camera.zoom });
  };
  return (
    <div
      aria-hidden
      className="absolute right-3 bottom-3 cursor-crosshair overflow-hidden rounded-card border border-line bg-surface shadow-float"
      style={{ width: WIDTH, height: HEIGHT }}
      onPointerDown={move}
      onPointerMove={move}
    >
      <canvas ref={canvas} style={{ width: WIDTH, height: HEIGHT }} />
      <div className="pointer-events-none absolute rounded-sm border-2 border-accent" style={view} />
    </div>
  );
}
