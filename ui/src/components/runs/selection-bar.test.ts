import { expect, test } from "vitest";
import type { RunRow } from "@/api/generated";
import { runsCsv } from "./selection-bar";

test("runs as CSV: columns for parameters and metrics, quotes where needed, no formulas", () => {
  const row = {
    run_id: "r1",
    display_name: '=HYPERLINK("x"), "quoted"',
    state: "SUCCEEDED",
    pipeline_name: "p",
    experiment: { id: "e", name: "Default" },
    created_at: 0,
    duration_ms: 12,
    parameters: { depth: -3 },
    metrics: { "t.acc": 0.5 },
  } as unknown as RunRow;
  const [head, line] = runsCsv([row]).split("\r\n");
  expect(head).toBe("run_id,name,state,pipeline,experiment,created_at,duration_ms,param.depth,metric.t.acc");
  expect(line).toBe(
    `r1,"'=HYPERLINK(""x""), ""quoted""",SUCCEEDED,p,Default,1970-01-01T00:00:00.000Z,12,-3,0.5`,
  );
});
