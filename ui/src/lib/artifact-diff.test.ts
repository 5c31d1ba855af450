import { expect, test } from "vitest";
import type { ColumnStatistics, Preview, TablePreview } from "@/api/generated";
import { differences, tableDifferences, textOf } from "./artifact-diff";

const preview = (content: Preview["content"]) => ({ content }) as Preview;
const column = (more: Partial<ColumnStatistics>): ColumnStatistics => ({
  kind: "number",
  missing: 0,
  distinct: 2,
  minimum: 1,
  maximum: 2,
  mean: 1.5,
  ...more,
});
const table = (counted_rows: number, statistics: ColumnStatistics[]): TablePreview => ({
  columns: ["a", "b"].slice(0, statistics.length),
  rows: [["1", "x"]],
  statistics,
  counted_rows,
});

test("what is made of text is compared as text", () => {
  expect(textOf(preview({ kind: "json", value: { a: 1 } }))).toBe('{\n  "a": 1\n}');
  expect(textOf(preview({ kind: "table", table: table(1, [column({}), column({})]) }))).toBe("a, b\n1, x");
  expect(textOf(preview({ kind: "folder", files: [{ path: "w", size_bytes: 3 }] }))).toBe("w  3 bytes");
  expect(textOf(preview({ kind: "image", content_type: "image/png" }))).toBeUndefined();
});

test("only entries that differ are told", () => {
  expect(differences({ a: 1, b: [1], c: 3 }, { b: [1], c: 4, d: 5 })).toEqual([
    { name: "a", before: 1, after: undefined },
    { name: "c", before: 3, after: 4 },
    { name: "d", before: undefined, after: 5 },
  ]);
});

test("tables differ by what is known of their columns", () => {
  const before = table(2, [column({})]);
  const after = table(3, [column({ maximum: 9, mean: null }), column({ kind: "empty", minimum: null })]);
  expect(tableDifferences(before, before)).toEqual([]);
  expect(tableDifferences(before, after).slice(0, 4)).toEqual([
    { name: "rows", before: 2, after: 3 },
    { name: "a: maximum", before: 2, after: 9 },
    { name: "a: mean", before: 1.5, after: undefined },
    { name: "b: kind", before: undefined, after: "empty" },
  ]);
});
