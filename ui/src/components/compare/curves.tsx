/** Confusion matrices with a common scale, and ROC curves in one picture, of artifacts that several runs have. */
import { useQueries } from "@tanstack/react-query";
import { lazy, Suspense, useMemo } from "react";
import { artifactQueries } from "@/api/artifacts";
import type { CompareArtifacts, Comparison } from "@/api/generated";
import { ConfusionTable } from "@/components/artifacts/confusion-table";
import { Section } from "@/components/shell/page";
import { SkeletonRows } from "@/components/ui/feedback";
import { Select } from "@/components/ui/field";
import { areaUnder, type ConfusionMatrix, readConfusionMatrix, readRoc } from "@/lib/classification";
import { useParam } from "@/lib/search";

const LineChart = lazy(() => import("@/components/charts/line-chart"));

export function Curves({ comparison }: { comparison: Comparison }) {
  const found = comparison.artifacts.filter((each) => each.artifact_type.endsWith("ClassificationMetrics"));
  const [name, setName] = useParam("curve");
  const chosen = found.find((each) => `${each.path}.${each.name}` === name) ?? found[0];
  if (!chosen) return null;
  return (
    <Section
      title="Classification"
      aside={
        <Select
          aria-label="Which output"
          value={`${chosen.path}.${chosen.name}`}
          onChange={(event) => setName(event.target.value)}
        >
          {found.map((each) => (
            <option key={`${each.path}.${each.name}`}>{`${each.path}.${each.name}`}</option>
          ))}
        </Select>
      }
    >
      <Pictures key={`${chosen.path}.${chosen.name}`} comparison={comparison} chosen={chosen} />
    </Section>
  );
}

function Pictures({ comparison, chosen }: { comparison: Comparison; chosen: CompareArtifacts }) {
  const firsts = comparison.runs.flatMap((run, index) => {
    const artifact = chosen.artifacts[index]?.[0];
    return artifact ? [{ run, artifact }] : [];
  });
  const previews = useQueries({
    queries: firsts.map(({ artifact }) => artifactQueries.preview(artifact.artifact_id)),
  });
  const ready = previews.every((preview) => !preview.isPending);
  const read = firsts.map(({ run }, index) => {
    const content = previews[index]?.data?.content;
    const isClassification = content?.kind === "classification";
    return {
      run,
      matrix: isClassification ? readConfusionMatrix(content.confusion_matrix) : undefined,
      roc: isClassification ? readRoc(content.confidence_metrics) : [],
    };
  });
  const rocs = read.filter((each) => each.roc.length > 0);
  const rocKey = rocs.map((each) => each.run.run_id).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: curves change with the runs that have one
  const series = useMemo(
    () =>
      rocs.map((each) => ({
        name: `${each.run.display_name} (${areaUnder(each.roc).toFixed(3)})`,
        points: each.roc.map((point) => [point.fpr, point.tpr] as const),
      })),
    [rocKey],
  );
  if (!ready) return <SkeletonRows rows={4} />;
  const matrices = read.flatMap((each) => (each.matrix ? [{ run: each.run, matrix: each.matrix }] : []));
  const max = Math.max(1, ...matrices.flatMap((each) => each.matrix.rows.flat()));
  const [first, second] = matrices;
  return (
    <div className="flex flex-col gap-6 p-4">
      {matrices.length > 0 && (
        <div className="flex flex-wrap gap-8">
          {matrices.slice(0, 10).map(({ run, matrix }) => (
            <ConfusionTable key={run.run_id} matrix={matrix} caption={run.display_name} max={max} />
          ))}
          {first && second && matrices.length === 2 && (
            <Difference first={first.matrix} second={second.matrix} />
          )}
        </div>
      )}
      {series.length > 0 && (
        <Suspense fallback={<SkeletonRows rows={6} />}>
          <LineChart
            series={series}
            unit
            height={340}
            xLabel="False positive rate"
            yLabel="True positive rate"
            label="ROC curves"
          />
        </Suspense>
      )}
      {matrices.length === 0 && series.length === 0 && (
        <p className="text-ink-3">These artifacts hold neither a matrix nor a curve.</p>
      )}
    </div>
  );
}

function Difference({ first, second }: { first: ConfusionMatrix; second: ConfusionMatrix }) {
  if (first.labels.join() !== second.labels.join()) return null;
  const rows = second.rows.map((row, i) => row.map((value, j) => value - (first.rows[i]?.[j] ?? 0)));
  return (
    <ConfusionTable
      matrix={{ labels: first.labels, rows }}
      caption="Second minus first"
      max={Math.max(1, ...rows.flat().map(Math.abs))}
    />
  );
}
