/** Reads the two pictures that KFP's ClassificationMetrics hold, in the forms that its SDKs write. */

export interface ConfusionMatrix {
  labels: string[];
  /** Rows are the truth, columns the prediction. */
  rows: number[][];
}

export interface RocPoint {
  threshold: number;
  fpr: number;
  tpr: number;
}

type Loose = Record<string, unknown>;

function unwrap(value: unknown): unknown {
  if (value && typeof value === "object" && "struct" in value) return (value as Loose).struct;
  if (value && typeof value === "object" && "list" in value && Array.isArray((value as Loose).list))
    return (value as Loose).list;
  return value;
}

export function readConfusionMatrix(value: unknown): ConfusionMatrix | undefined {
  const data = unwrap(value) as Loose | null;
  const specs = data?.annotationSpecs;
  const rows = data?.rows;
  if (!Array.isArray(specs) || !Array.isArray(rows)) return undefined;
  const matrix = rows.map((row: unknown) => {
    const numbers = Array.isArray(row) ? row : ((row as Loose | null)?.row ?? []);
    return (numbers as unknown[]).map(Number);
  });
  return { labels: specs.map((spec: unknown) => String((spec as Loose)?.displayName ?? spec)), rows: matrix };
}

export function readRoc(value: unknown): RocPoint[] {
  const list = unwrap(value);
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry: Loose) => {
    const point = {
      threshold: Number(entry.confidenceThreshold ?? 0),
      fpr: Number(entry.falsePositiveRate ?? 0),
      tpr: Number(entry.recall ?? entry.truePositiveRate ?? 0),
    };
    return Number.isFinite(point.fpr) && Number.isFinite(point.tpr) ? [point] : [];
  });
}

/** The area below the curve by trapezoids. */
export function areaUnder(points: readonly RocPoint[]): number {
  const sorted = [...points].sort((a, b) => a.fpr - b.fpr || a.tpr - b.tpr);
  let area = 0;
  for (let i = 1; i < sorted.length; i += 1) {
    const [a, b] = [sorted[i - 1], sorted[i]];
    if (a && b) area += ((b.fpr - a.fpr) * (a.tpr + b.tpr)) / 2;
  }
  return area;
}
