import { useNavigate, useParams } from "@tanstack/react-router";
import { useEffect } from "react";
import { split } from "@/components/link";
import { PipelinePage } from "@/components/pipelines/pipeline-page";
import { SkeletonRows } from "@/components/ui/feedback";
import { runAddress, scheduleAddress } from "@/lib/addresses";
import { useSearchAll } from "@/lib/search";

export function PipelineRoute() {
  const { pipelineId = "", versionId } = useParams({ strict: false });
  return <PipelinePage key={pipelineId} pipelineId={pipelineId} versionId={versionId} />;
}

/** KFP's links to the file of a run or schedule that belongs to no stored pipeline. */
export function PipelineFromRoute() {
  const search = useSearchAll();
  const navigate = useNavigate();
  useEffect(() => {
    const target = search.fromRun
      ? runAddress(search.fromRun, "tab=spec")
      : search.fromRecurringRun
        ? `${scheduleAddress(search.fromRecurringRun)}?tab=spec`
        : "/pipelines";
    navigate({ ...split(target), replace: true } as never);
  }, [search, navigate]);
  return <SkeletonRows />;
}
