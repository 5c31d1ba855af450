/** Confusion matrix and ROC curve of one artifact. */
import { lazy, Suspense, useMemo } from "react";
import { SkeletonRows } from "@/components/ui/feedback";
import { areaUnder, readConfusionMatrix, readRoc } from "@/lib/classification";
import { ConfusionTable } from "./confusion-table";

const LineChart = lazy(() => import("@/components/charts/line-chart"));

interface Props {
  confusion: unknown;
  confidence: unknown;
  compact?: boolean;
}

export default function Classification({ confusion, confidence, compact }: Props) {
  const matrix = useMemo(() => readConfusionMatrix(confusion), [confusion]);
  const roc = useMemo(() => readRoc(confidence), [confidence]);
  const series = useMemo(
    () => [
      { name: "ROC", points: roc.map((point) => [point.fpr, point.tpr] as const) },
      { name: "chance", points: [[0, 0] as const, [1, 1] as const] },
    ],
    [roc],
  );
  return (
    <div className="flex flex-col gap-4 p-4">
      {matrix && <ConfusionTable matrix={matrix} />}
      {roc.length > 0 && (
        <figure>
          <figcaption className="mb-2 text-label text-ink-2">
            ROC curve, area {areaUnder(roc).toFixed(4)}
          </figcaption>
          <Suspense fallback={<SkeletonRows rows={6} />}>
            <LineChart
              series={series}
              unit
              height={compact ? 220 : 340}
              xLabel="False positive rate"
              yLabel="True positive rate"
              label="ROC curve"
            />
          </Suspense>
        </figure>
      )}
      {!matrix && roc.length === 0 && <p className="text-ink-3">Neither a matrix nor a curve was logged.</p>}
    </div>
  );
}
