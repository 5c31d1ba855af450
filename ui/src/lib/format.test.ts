import { expect, test } from "vitest";
import { bytes, duration, millis, number, relative } from "./format";

test("durations", () => {
  const rows: [number | undefined, string][] = [
    [undefined, "–"],
    [0, "0ms"],
    [0.4, "<1ms"],
    [340, "340ms"],
    [12_400, "12.4s"],
    [59_970, "1m 00s"],
    [185_000, "3m 05s"],
    [3_840_000, "1h 04m"],
    [183_600_000, "2d 3h"],
    [-5, "0ms"],
  ];
  for (const [ms, text] of rows) expect(duration(ms), String(ms)).toBe(text);
});

test("relative times", () => {
  const now = Date.UTC(2026, 0, 10, 12);
  const rows: [number, string][] = [
    [-3000, "just now"],
    [-42_000, "42 s ago"],
    [-4 * 60_000, "4 min ago"],
    [2 * 3_600_000, "in 2 h"],
    [-3 * 86_400_000, "3 d ago"],
    [-30 * 86_400_000, "11 Dec 2025"],
  ];
  for (const [offset, text] of rows) expect(relative(now + offset, now), text).toBe(text);
});

test("sizes, numbers and KFP's time that means never", () => {
  expect([bytes(0), bytes(999), bytes(1000), bytes(1_840_000), bytes(123_456_789)]).toEqual([
    "0 B",
    "999 B",
    "1.0 kB",
    "1.8 MB",
    "123 MB",
  ]);
  expect([number(3), number(0.123456789), number(1234567), number(0.00001234)]).toEqual([
    "3",
    "0.123457",
    "1,234,567",
    "1.234e-5",
  ]);
  expect(millis("1970-01-01T00:00:00Z")).toBeUndefined();
  expect(millis("2026-01-01T00:00:00Z")).toBe(Date.UTC(2026, 0, 1));
});
