import { expect, test } from "vitest";
import { lastOf, trendsOf } from "./trends";

test("passes of a loop are lines of one chart, the oldest run first", () => {
  const series = [
    { name: "train.loss", values: [0.1, null, 0.3] },
    { name: "for-loop-1/10/evaluate.f1.macro", values: [null, 7, 8] },
    { name: "for-loop-1/2/evaluate.f1.macro", values: [1, 2, 3] },
  ];
  expect(trendsOf({ series })).toEqual([
    { path: "train", metric: "loss", lines: [{ name: "", values: [0.3, null, 0.1] }] },
    {
      path: "for-loop-1/*/evaluate",
      metric: "f1.macro",
      lines: [
        { name: "2", values: [3, 2, 1] },
        { name: "10", values: [8, 7, null] },
      ],
    },
  ]);
});

test("the last value and its change leave out runs without", () => {
  expect(lastOf([0.25, null, 1, null])).toEqual({ value: 1, change: 0.75 });
  expect(lastOf([null, 2])).toEqual({ value: 2, change: undefined });
  expect(lastOf([null])).toEqual({ value: undefined, change: undefined });
});
