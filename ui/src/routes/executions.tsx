import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useEffect } from "react";
import { runQueries } from "@/api/runs";
import { Link, split } from "@/components/link";
import { PageHeader } from "@/components/shell/page";
import { buttonClass } from "@/components/ui/button";
import { Empty, SkeletonRows } from "@/components/ui/feedback";
import { runAddress } from "@/lib/addresses";

/** Executions are tasks; they are found in their run. */
export function ExecutionsRoute() {
  return (
    <>
      <PageHeader title="Executions" />
      <Empty
        title="Executions are the tasks of runs"
        action={
          <Link to="/runs" className={buttonClass("primary")}>
            Runs
          </Link>
        }
      >
        Open a run, then its Tasks. The search finds tasks of all runs by name.
      </Empty>
    </>
  );
}

/** The number of an execution leads to its task; the newest runs are looked through for it. */
export function ExecutionRoute() {
  const { executionId = "" } = useParams({ strict: false });
  const navigate = useNavigate();
  const found = useQuery(runQueries.execution(executionId));
  useEffect(() => {
    if (found.data) {
      navigate({
        ...split(runAddress(found.data.run, `task=${encodeURIComponent(found.data.task)}`)),
        replace: true,
      } as never);
    }
  }, [found.data, navigate]);
  if (found.isPending || found.data) return <SkeletonRows />;
  return (
    <Empty title={`No task with the number ${executionId} was found`}>
      It may belong to a run that was deleted or is older than the last 100.
    </Empty>
  );
}
