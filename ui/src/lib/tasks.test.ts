import { expect, test } from "vitest";
import { hueOf } from "./tasks";

test("a task has one of eight hues, and keeps it", () => {
  const paths = Array.from({ length: 200 }, (_, index) => `for-loop-1/${index}/train`);
  const hues = paths.map(hueOf);
  expect(new Set(hues)).toEqual(new Set([1, 2, 3, 4, 5, 6, 7, 8]));
  expect(paths.map(hueOf)).toEqual(hues);
});
