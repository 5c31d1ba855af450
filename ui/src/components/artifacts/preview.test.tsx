import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import type { ColumnStatistics } from "@/api/generated";
import { summary, Table } from "./preview";

afterEach(cleanup);

const column: ColumnStatistics = {
  kind: "number",
  missing: 0,
  distinct: 3,
  minimum: -1,
  maximum: 2.5,
  mean: 0.5,
};

test("a column says what it holds, and nothing that is unknown", () => {
  expect(summary(column)).toEqual(["-1 … 2.5", "mean 0.5", "3 different"]);
  expect(summary({ ...column, missing: 1200, minimum: 2.5, mean: null, distinct: null })).toEqual([
    "2.5",
    "1,200 missing",
  ]);
  expect(
    summary({ kind: "empty", missing: 2, distinct: 0, minimum: null, maximum: null, mean: null }),
  ).toEqual(["empty", "2 missing"]);
});

test("a table shows it above the rows", () => {
  render(
    <Table table={{ columns: ["n"], rows: [["1"], ["2"]], statistics: [column], counted_rows: 1000 }} />,
  );
  expect(screen.getByRole("rowheader", { name: "of 1,000" })).toBeTruthy();
  expect(screen.getByText("mean 0.5")).toBeTruthy();
  expect(screen.getAllByRole("row")).toHaveLength(4);
});
