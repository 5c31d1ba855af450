import { expect, test } from "vitest";
import { formatRunQuery, parseRunQuery, sinceMillis } from "./run-query";

test("texts and parameters stand for each other", () => {
  const rows: [string, Record<string, string>, string][] = [
    ["", {}, ""],
    ["nightly train", {}, "nightly train"],
    ["state:Failed", { state: "failed" }, ""],
    [
      "state:failed,running pipeline:train-flowers since:7d big",
      { state: "failed,running", pipeline: "train-flowers", since: "7d" },
      "big",
    ],
    ['pipeline:"two words" x', { pipeline: "two words" }, "x"],
    ["unknown:word", {}, "unknown:word"],
    ["state:", {}, "state:"],
  ];
  for (const [text, filters, rest] of rows) {
    expect(parseRunQuery(text), text).toEqual({ filters, rest });
    const again = parseRunQuery(formatRunQuery({ ...filters, q: rest }));
    expect(again, text).toEqual({ filters, rest });
  }
});

test("since", () => {
  const now = Date.UTC(2026, 0, 10);
  expect(sinceMillis("7d", now)).toBe(Date.UTC(2026, 0, 3));
  expect(sinceMillis("12h", now)).toBe(now - 12 * 3_600_000);
  expect(sinceMillis("2026-01-01", now)).toBe(Date.UTC(2026, 0, 1));
  expect(sinceMillis("soon", now)).toBeUndefined();
  expect(sinceMillis(undefined, now)).toBeUndefined();
});
