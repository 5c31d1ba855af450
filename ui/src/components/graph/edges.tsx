/** Edges as one drawing: a line each, and a wide invisible one for those in view that can be pointed at. */
import { memo } from "react";
import type { Graph, GraphEdge } from "@/api/generated";
import { edgePath } from "./geometry";

interface Props {
  graph: Graph;
  edges: readonly GraphEdge[];
  /** Edges that touch it are drawn in the accent. */
  selected: string | undefined;
  dimmed: (id: string) => boolean;
}

export function flowText(edge: GraphEdge): string {
  return edge.flows
    .map((flow) =>
      flow.kind === "order"
        ? "runs after"
        : `${flow.output || "input"} → ${flow.input || "input"}${flow.kind === "artifact" ? " (artifact)" : ""}`,
    )
    .join("\n");
}

export const Edges = memo(function Edges({ graph, edges, selected, dimmed }: Props) {
  return (
    <svg
      className="pointer-events-none absolute top-0 left-0 overflow-visible"
      width={graph.width}
      height={graph.height}
      aria-hidden
    >
      <defs>
        <marker
          id="arrow"
          viewBox="0 0 8 8"
          refX="7"
          refY="4"
          markerWidth="7"
          markerHeight="7"
          orient="auto-start-reverse"
        >
          <path
            d="M1 1l6 3-6 3"
            fill="none"
            stroke="context-stroke"
            strokeWidth="1.2"
            strokeLinejoin="round"
          />
        </marker>
      </defs>
      {edges.map((edge) => {
        const touched = selected !== undefined && (edge.from === selected || edge.to === selected);
        const onlyOrder = edge.flows.every((flow) => flow.kind === "order");
        return (
          <path
            key={edge.id}
            d={edgePath(edge.points)}
            fill="none"
            stroke={touched ? "var(--color-accent)" : "var(--color-line-strong)"}
            strokeWidth={touched ? 1.8 : 1.2}
            strokeDasharray={onlyOrder ? "4 4" : undefined}
            opacity={dimmed(edge.from) || dimmed(edge.to) ? 0.15 : touched ? 1 : 0.7}
            markerEnd="url(#arrow)"
            className="[pointer-events:stroke]"
          >
            <title>{flowText(edge)}</title>
          </path>
        );
      })}
    </svg>
  );
});
