/** What two artifacts have that can be compared. Pure. */
import type { Preview, TablePreview } from "@/api/generated";

/** The content as lines of text; `undefined` for what is not made of text, or is not shown whole by it. */
export function textOf({ content }: Preview): string | undefined {
  switch (content.kind) {
    case "text":
    case "markdown":
      return content.text;
    case "json":
      return JSON.stringify(content.value, null, 2);
    case "metrics":
      return JSON.stringify(content.values, null, 2);
    case "classification":
      return JSON.stringify([content.confusion_matrix, content.confidence_metrics], null, 2);
    case "table":
      return [content.table.columns, ...content.table.rows].map((row) => row.join(", ")).join("\n");
    case "folder":
      return content.files.map((file) => `${file.path}  ${file.size_bytes} bytes`).join("\n");
    default:
      return undefined;
  }
}

export interface Difference {
  name: string;
  before: unknown;
  after: unknown;
}

/** Entries that are not the same, in the order of the first; those that only the second has come last. */
export function differences(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): Difference[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names]
    .map((name) => ({ name, before: before[name], after: after[name] }))
    .filter((row) => JSON.stringify(row.before) !== JSON.stringify(row.after));
}

const MARKS = ["kind", "missing", "distinct", "minimum", "maximum", "mean"] as const;

/** Columns of tables whose statistics are not the same, each mark as `<column>: <mark>`; the number of rows too. */
export function tableDifferences(before: TablePreview, after: TablePreview): Difference[] {
  const marks = (table: TablePreview) => {
    const found: Record<string, unknown> = { rows: table.counted_rows };
    table.columns.forEach((name, index) => {
      const column = table.statistics[index];
      if (!column) return;
      for (const mark of MARKS) if (column[mark] !== null) found[`${name}: ${mark}`] = column[mark];
    });
    return found;
  };
  return differences(marks(before), marks(after));
}
