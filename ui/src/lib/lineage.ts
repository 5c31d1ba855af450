/** Places for a lineage: columns by distance from the artifact in the middle, rows in order of first meeting. Small graphs only. */
import type { Lineage, LineageNode } from "@/api/generated";

export const COLUMN = 260;
export const ROW = 60;
export const WIDTH = 200;
export const HEIGHT = 44;

export interface PlacedNode {
  node: LineageNode;
  x: number;
  y: number;
  column: number;
}

export interface PlacedLineage {
  nodes: Map<string, PlacedNode>;
  width: number;
  height: number;
}

export function placeLineage(lineage: Lineage): PlacedLineage {
  const columns = new Map<string, number>([[lineage.center, 0]]);
  const spread = (direction: 1 | -1) => {
    const queue = [lineage.center];
    for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
      for (const edge of lineage.edges) {
        const [here, there] = direction === 1 ? [edge.from, edge.to] : [edge.to, edge.from];
        if (here === id && !columns.has(there)) {
          columns.set(there, (columns.get(id) ?? 0) + direction);
          queue.push(there);
        }
      }
    }
  };
  spread(-1);
  spread(1);
  // What hangs on neither side only (other outputs of a producer) stands one step from what it hangs on.
  for (let changed = true; changed; ) {
    changed = false;
    for (const { from, to } of lineage.edges) {
      if (columns.has(from) && !columns.has(to)) {
        columns.set(to, (columns.get(from) ?? 0) + 1);
        changed = true;
      } else if (columns.has(to) && !columns.has(from)) {
        columns.set(from, (columns.get(to) ?? 0) - 1);
        changed = true;
      }
    }
  }
  const first = Math.min(...columns.values());
  const rows = new Map<number, number>();
  const nodes = new Map<string, PlacedNode>();
  for (const node of lineage.nodes) {
    const column = (columns.get(node.id) ?? 0) - first;
    const row = rows.get(column) ?? 0;
    rows.set(column, row + 1);
    nodes.set(node.id, { node, column, x: column * COLUMN, y: row * ROW });
  }
  const tallest = Math.max(...rows.values(), 1);
  // Columns are centred on each other.
  for (const placed of nodes.values()) placed.y += ((tallest - (rows.get(placed.column) ?? 0)) * ROW) / 2;
  return { nodes, width: (Math.max(...rows.keys(), 0) + 1) * COLUMN, height: tallest * ROW };
}
