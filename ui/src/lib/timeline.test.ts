import { expect, test } from "vitest";
import { moved, ticks, zoomed } from "./timeline";

test("ticks are round and few", () => {
  expect(ticks({ from: 0, to: 1000 }, 5)).toEqual([0, 200, 400, 600, 800, 1000]);
  expect(ticks({ from: 130, to: 480 }, 4)).toEqual([200, 300, 400]);
  expect(ticks({ from: 0, to: 0 }, 4)).toEqual([]);
  expect(ticks({ from: 0, to: 90_000 }, 6)).toEqual([0, 15_000, 30_000, 45_000, 60_000, 75_000, 90_000]);
});

test("windows stay inside the run and around the pointer", () => {
  const whole = { from: 0, to: 1000 };
  expect(zoomed(whole, whole, 0.5, 500)).toEqual({ from: 250, to: 750 });
  expect(zoomed(whole, whole, 0.5, 0)).toEqual({ from: 0, to: 500 });
  expect(zoomed({ from: 900, to: 1000 }, whole, 4, 950)).toEqual({ from: 600, to: 1000 });
  expect(zoomed({ from: 0, to: 100 }, whole, 100, 50)).toEqual(whole);
  expect(moved({ from: 100, to: 200 }, whole, -500)).toEqual({ from: 0, to: 100 });
  expect(moved({ from: 100, to: 200 }, whole, 5000)).toEqual({ from: 900, to: 1000 });
});
