import { expect, test } from "vitest";
import type { RunRow, RunState, TaskState } from "./generated";
import { patchPage } from "./run-list-stream";
import { applyChanges, applyTasks } from "./run-stream";
import { belongsTo } from "./runs";

const task = (task_id: string, state: TaskState["state"]) => ({ task_id, state }) as TaskState;

test("changed tasks keep their places, new ones come last", () => {
  const before = { tasks: [task("a", "PENDING"), task("b", "PENDING")] } as RunState;
  const after = applyTasks(before, [task("b", "RUNNING"), task("c", "PENDING")]);
  expect(after.tasks.map((each) => [each.task_id, each.state])).toEqual([
    ["a", "PENDING"],
    ["b", "RUNNING"],
    ["c", "PENDING"],
  ]);
  expect(after.tasks[0]).toBe(before.tasks[0]);
  expect(applyTasks(before, [])).toBe(before);
});

test("of several changes of a task the last one counts", () => {
  const before = { run: { state: "RUNNING" }, tasks: [task("a", "PENDING")] } as RunState;
  const after = applyChanges(before, [
    { kind: "tasks", tasks: [task("a", "RUNNING"), task("b", "RUNNING")] },
    { kind: "artifacts", count: 1 },
    { kind: "tasks", tasks: [task("a", "SUCCEEDED")] },
    { kind: "run", run: { state: "SUCCEEDED" } as RunState["run"] },
  ]);
  expect(after.run.state).toBe("SUCCEEDED");
  expect(after.tasks.map((each) => [each.task_id, each.state])).toEqual([
    ["a", "SUCCEEDED"],
    ["b", "RUNNING"],
  ]);
  expect(applyChanges(before, [{ kind: "artifacts", count: 1 }])).toBe(before);
});

test("a page without changed rows stays the same object", () => {
  const page = { runs: [{ run_id: "1" }] } as Parameters<typeof patchPage>[0];
  expect(patchPage(page, new Map([["2", {} as never]]))).toBe(page);
  expect(patchPage(page, new Map([["1", { run_id: "1", state: "FAILED" } as never]])).runs[0]?.state).toBe(
    "FAILED",
  );
});

test("a run belongs to what its list is about", () => {
  const run = { experiment: { id: "e", name: "E" }, version: null, recurring_run_id: "s" } as RunRow;
  expect(belongsTo(run)).toBe(true);
  expect(belongsTo(run, { recurring_run_id: "s", experiment_id: "e", archived: "any" })).toBe(true);
  expect(belongsTo(run, { recurring_run_id: "other" })).toBe(false);
  expect(belongsTo(run, { pipeline_id: "p" })).toBe(false);
});
