import { expect, test } from "vitest";
import type { TaskState } from "@/api/generated";
import { binPasses, passesByLoop, starred, statesByNode } from "./graph-states";
import type { State } from "./state";

function task(
  path: string,
  kind: TaskState["kind"],
  state: TaskState["state"],
  index: number | null = null,
): TaskState {
  const at = path.lastIndexOf("/");
  return {
    task_id: path,
    path,
    parent: path === "" ? null : path.slice(0, Math.max(0, at)),
    display_name: path.slice(at + 1),
    kind,
    state,
    attempt: 0,
    created_at: 0,
    started_at: null,
    ended_at: null,
    iteration_index: index,
    iteration_count: null,
    item: null,
    error: null,
  };
}

test("paths with stars for loop indexes", () => {
  const loops = new Set(["a", "a/0/b", "a/1/b"]);
  expect(starred("x/y", loops)).toEqual(["x/y"]);
  expect(starred("a/0/t", loops)).toEqual(["a/0/t", "a/*/t"]);
  expect(starred("a/0/b/2/t", loops)).toEqual(["a/0/b/2/t", "a/0/b/*/t", "a/*/b/2/t", "a/*/b/*/t"]);
});

test("a node inside an open loop has the most urgent state of its tasks", () => {
  const tasks = [
    task("", "ROOT", "RUNNING"),
    task("loop", "LOOP", "RUNNING"),
    task("loop/0", "ITERATION", "SUCCEEDED", 0),
    task("loop/0/t", "CONTAINER", "SUCCEEDED"),
    task("loop/1", "ITERATION", "FAILED", 1),
    task("loop/1/t", "CONTAINER", "FAILED"),
  ];
  const node = statesByNode(tasks).get("loop/*/t");
  expect(node?.state).toBe("failed");
  expect(node?.task.path).toBe("loop/1/t");
  expect(node?.total).toBe(2);
  expect(statesByNode(tasks).get("loop/0/t")?.state).toBe("succeeded");
  expect(
    passesByLoop(tasks)
      .get("loop")
      ?.map((pass) => pass.state),
  ).toEqual(["succeeded", "failed"]);
});

test("many passes share cells and failures stay visible", () => {
  const passes = Array.from({ length: 1000 }, (_, index) => ({
    state: (index === 777 ? "failed" : "succeeded") as State,
  }));
  const cells = binPasses(passes, 100);
  expect(cells).toHaveLength(100);
  expect(cells[77]).toBe("failed");
  expect(cells.filter((state) => state === "failed")).toHaveLength(1);
});
