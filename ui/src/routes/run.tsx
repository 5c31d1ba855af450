import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useEffect } from "react";
import { runQueries } from "@/api/runs";
import { RunPage } from "@/components/run/run-page";
import { useSetSearch } from "@/lib/search";

export function RunRoute() {
  const { runId = "" } = useParams({ strict: false });
  return <RunPage key={runId} runId={runId} />;
}

/** KFP's links to executions: the number leads to the task. */
export function RunExecutionRoute() {
  const { runId = "", executionId = "" } = useParams({ strict: false });
  const setSearch = useSetSearch();
  const run = useQuery(runQueries.public(runId));
  const task = run.data?.run_details?.task_details?.find(
    (each) => each.execution_id === executionId,
  )?.task_id;
  useEffect(() => {
    if (task) setSearch({ task });
  }, [task, setSearch]);
  return <RunPage key={runId} runId={runId} />;
}

export function EmbedRunRoute() {
  const { runId = "" } = useParams({ strict: false });
  return <RunPage key={runId} runId={runId} embedded />;
}
