import { expect, test } from "vitest";
import { hunks, lineDiff } from "./line-diff";

function marks(before: string, after: string): string[] {
  const signs = { same: " ", added: "+", removed: "-" };
  return lineDiff(before, after).map((line) => signs[line.kind] + line.text);
}

test("lines that differ are named, others kept", () => {
  expect(marks("a\nb\nc\n", "a\nb\nc\n")).toEqual([" a", " b", " c"]);
  expect(marks("a\nb\nc", "a\nx\nc")).toEqual([" a", "-b", "+x", " c"]);
  expect(marks("a\nb\nc\nd", "b\nc\ne\nd")).toEqual(["-a", " b", " c", "+e", " d"]);
  expect(marks("", "a")).toEqual(["-", "+a"]);
});

test("numbers follow each side", () => {
  const lines = lineDiff("a\nb", "x\na\nb");
  expect(lines.map((line) => [line.before, line.after])).toEqual([
    [undefined, 1],
    [1, 2],
    [2, 3],
  ]);
});

test("long stretches without change become gaps", () => {
  const many = Array.from({ length: 20 }, (_, index) => `line ${index}`).join("\n");
  const parts = hunks(lineDiff(many, many.replace("line 10", "other")), 2);
  expect(parts.map((part) => (part.kind === "gap" ? part.count : part.lines.length))).toEqual([8, 6, 7]);
});
