/** Graphs with places, of runs and of versions. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { request, V1 } from "./client";
import type { Direction, Graph } from "./generated";

export type GraphSource = { kind: "run"; id: string } | { kind: "version"; id: string };

export interface GraphView {
  open: readonly string[];
  direction: Direction;
  artifacts: boolean;
}

export const graphQueries = {
  graph: (source: GraphSource, view: GraphView) =>
    queryOptions({
      queryKey: ["graph", source, view],
      queryFn: ({ signal }) => {
        const query = new URLSearchParams(view.open.map((path) => ["open", path]));
        query.set("direction", view.direction);
        if (view.artifacts) query.set("artifacts", "true");
        const base = source.kind === "run" ? "runs" : "versions";
        return request<Graph>(`${V1}/${base}/${encodeURIComponent(source.id)}/graph`, {
          queryText: query.toString(),
          signal,
        });
      },
      placeholderData: keepPreviousData,
      // Structure never changes; a run's state comes by its stream.
      staleTime: Number.POSITIVE_INFINITY,
    }),
};
