import { expect, test } from "vitest";
import { type Look, NO_LOOK, sameLook } from "./look";

test("looks are the same when they show the same", () => {
  const look: Look = { ...NO_LOOK, state: "running", detail: "3s", counts: [["failed", 2]] };
  const pass = { index: 0, state: "failed", task: {} } as Look["passes"][number];
  expect(sameLook(look, { ...look, counts: [["failed", 2]] })).toBe(true);
  for (const change of [
    { state: "failed" },
    { detail: "4s" },
    { counts: [["failed", 3]] },
    { counts: [] },
    { passes: [pass] },
    { taskPath: "a" },
  ] as Partial<Look>[])
    expect(sameLook(look, { ...look, ...change }), JSON.stringify(change)).toBe(false);
});
