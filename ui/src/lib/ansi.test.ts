import { expect, test } from "vitest";
import { ansiPieces, levelOf, plainText } from "./ansi";

test("colours become classes and other sequences vanish", () => {
  const rows: [string, [string, string][]][] = [
    ["plain", [["plain", ""]]],
    ["", []],
    [
      "\u001b[31mred\u001b[0m after",
      [
        ["red", "text-failed"],
        [" after", ""],
      ],
    ],
    [
      "\u001b[1;32mok\u001b[22m still green",
      [
        ["ok", "text-succeeded font-semibold"],
        [" still green", "text-succeeded"],
      ],
    ],
    ["\u001b[38;5;9mx\u001b[m", [["x", "text-failed"]]],
    ["\u001b[38;2;1;2;3mx", [["x", ""]]],
    ["\u001b[2K\u001b[1Gcleared", [["cleared", ""]]],
    ["10%\r50%\r100%", [["100%", ""]]],
    [
      "a\u001b]0;title\u0007b",
      [
        ["a", ""],
        ["b", ""],
      ],
    ],
  ];
  for (const [line, pieces] of rows) {
    expect(
      ansiPieces(line).map((piece) => [piece.text, piece.className]),
      JSON.stringify(line),
    ).toEqual(pieces);
  }
  expect(plainText("\u001b[31mred\u001b[0m after")).toBe("red after");
});

test("levels", () => {
  expect(levelOf("2026-01-01 ERROR broken")).toBe("error");
  expect(levelOf("Traceback (most recent call last):")).toBe("error");
  expect(levelOf("ValueError: no")).toBe("error");
  expect(levelOf("WARNING: careful")).toBe("warning");
  expect(levelOf("no errors found")).toBe("plain");
});
