/** A short look into an artifact, by what it is. */
import { useQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { lazy, Suspense } from "react";
import { archiveUrl, artifactQueries, contentUrl } from "@/api/artifacts";
import type { ColumnStatistics, Preview, TablePreview } from "@/api/generated";
import { Value } from "@/components/run/value";
import { Empty, Failure, SkeletonRows } from "@/components/ui/feedback";
import { cx } from "@/lib/class";
import { bytes, number } from "@/lib/format";

const Classification = lazy(() => import("./classification"));
const Markdown = lazy(() => import("./markdown"));

interface Props {
  id: number | string;
  path?: string;
  /** A few lines inside another page. */
  compact?: boolean;
}

export function ArtifactPreview({ id, path = "", compact }: Props) {
  const preview = useQuery(artifactQueries.preview(id, path));
  if (preview.isError) return <Failure error={preview.error} retry={() => preview.refetch()} />;
  if (!preview.data) return <SkeletonRows rows={4} />;
  return (
    <>
      <Content preview={preview.data} compact={Boolean(compact)} />
      {preview.data.is_cut && (
        <p className="flex items-center gap-3 border-t border-line px-4 py-2 text-label text-ink-2">
          The beginning of {bytes(preview.data.size_bytes)}.
          <a className="link inline-flex items-center gap-1" href={contentUrl(id, path, true)}>
            <Download size={12} /> Download it
          </a>
        </p>
      )}
    </>
  );
}

function Content({ preview, compact }: { preview: Preview; compact: boolean }) {
  const { content } = preview;
  const height = compact ? "max-h-72" : "max-h-[70vh]";
  switch (content.kind) {
    case "metrics":
      return <Numbers values={content.values} />;
    case "classification":
      return (
        <Suspense fallback={<SkeletonRows rows={4} />}>
          <Classification
            confusion={content.confusion_matrix}
            confidence={content.confidence_metrics}
            compact={compact}
          />
        </Suspense>
      );
    case "json":
      return <Text text={JSON.stringify(content.value, null, 2)} className={height} />;
    case "table":
      return <Table table={content.table} className={height} />;
    case "text":
      return <Text text={content.text} className={height} />;
    case "markdown":
      return (
        <Suspense fallback={<SkeletonRows rows={4} />}>
          <Markdown text={content.text} className={height} />
        </Suspense>
      );
    case "html":
      return (
        <iframe
          title="HTML made by the task, in a sandbox"
          src={contentUrl(preview.artifact_id, preview.path)}
          // Without allow-same-origin: what it does stays in an origin of its own.
          sandbox="allow-scripts"
          referrerPolicy="no-referrer"
          className={cx("block w-full bg-white", compact ? "h-72" : "h-[70vh]")}
        />
      );
    case "image":
      return (
        <div className="flex justify-center bg-sunken p-4">
          <img
            src={contentUrl(preview.artifact_id, preview.path)}
            alt="The artifact"
            className={cx("max-w-full object-contain", height)}
          />
        </div>
      );
    case "folder":
      return (
        <>
          <ul className={cx("overflow-auto px-4 py-2 font-mono text-label", height)}>
            {content.files.map((file) => (
              <li key={file.path} className="flex justify-between gap-4 py-0.5">
                <span className="truncate">{file.path}</span>
                <span className="num text-ink-3">{bytes(file.size_bytes)}</span>
              </li>
            ))}
          </ul>
          <p className="border-t border-line px-4 py-2 text-label">
            <a
              className="link inline-flex items-center gap-1"
              href={archiveUrl(preview.artifact_id, preview.path)}
            >
              <Download size={12} /> Download all as .tar.gz
            </a>
          </p>
        </>
      );
    case "binary":
      return (
        <Empty title="Not a text">
          {bytes(preview.size_bytes)} of binary data. Download it to look inside.
        </Empty>
      );
    case "missing":
      return <Empty title="The content is not at hand">{content.reason}</Empty>;
  }
}

function Numbers({ values }: { values: Record<string, unknown> }) {
  return (
    <dl className="grid grid-cols-[repeat(auto-fill,minmax(160px,1fr))] gap-px bg-line">
      {Object.entries(values).map(([name, value]) => (
        <div key={name} className="bg-surface px-4 py-2.5">
          <dt className="truncate text-label text-ink-3" title={name}>
            {name}
          </dt>
          <dd className="num text-section font-medium">
            {typeof value === "number" ? number(value) : <Value value={value} />}
          </dd>
        </div>
      ))}
    </dl>
  );
}

export function Text({ text, className }: { text: string; className?: string }) {
  return (
    <pre tabIndex={0} className={cx("overflow-auto px-4 py-3 font-mono text-label leading-5", className)}>
      {text}
    </pre>
  );
}

export function Table({ table, className }: { table: TablePreview; className?: string }) {
  const numeric = table.columns.map((_, column) =>
    table.rows.slice(0, 30).every((row) => isNumber(row[column] ?? "")),
  );
  return (
    <div tabIndex={0} role="region" aria-label="Table" className={cx("overflow-auto", className)}>
      <table className="text-left text-label">
        <thead className="sticky top-0 bg-sunken text-ink-2">
          <tr>
            <th className="px-3 py-1.5 font-normal text-ink-3">#</th>
            {table.columns.map((name, column) => (
              <th
                key={column}
                scope="col"
                className={cx("px-3 py-1.5 font-medium whitespace-nowrap", numeric[column] && "text-right")}
              >
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="num">
          <tr className="bg-sunken align-top text-ink-3">
            <th scope="row" className="px-3 py-1.5 font-normal">
              of {number(table.counted_rows)}
            </th>
            {table.statistics.map((column, index) => (
              <td key={index} className={cx("px-3 py-1.5", numeric[index] && "text-right")}>
                {summary(column).map((line) => (
                  <div key={line} className="max-w-60 truncate whitespace-nowrap" title={line}>
                    {line}
                  </div>
                ))}
              </td>
            ))}
          </tr>
          {table.rows.map((row, index) => (
            <tr key={index} className="border-t border-line hover:bg-hover">
              <td className="px-3 py-1 text-ink-3">{index + 1}</td>
              {table.columns.map((_, column) => (
                <td
                  key={column}
                  className={cx(
                    "max-w-80 truncate px-3 py-1 whitespace-nowrap",
                    numeric[column] && "text-right",
                  )}
                >
                  {row[column]}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What a column holds, in short lines. */
export function summary(column: ColumnStatistics): string[] {
  const value = (it: unknown) => (typeof it === "number" ? number(it) : String(it));
  const lines = column.kind === "empty" ? ["empty"] : [];
  if (column.minimum !== null)
    lines.push(
      column.minimum === column.maximum
        ? value(column.minimum)
        : `${value(column.minimum)} … ${value(column.maximum)}`,
    );
  if (column.mean !== null) lines.push(`mean ${number(column.mean)}`);
  if (column.distinct !== null && column.kind !== "empty") lines.push(`${number(column.distinct)} different`);
  if (column.missing) lines.push(`${number(column.missing)} missing`);
  return lines;
}

function isNumber(text: string): boolean {
  return text === "" || Number.isFinite(Number(text));
}
