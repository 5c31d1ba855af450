/** The pipeline file that a run was made from. */
import { useQuery } from "@tanstack/react-query";
import { pipelineQueries } from "@/api/pipelines";
import { runQueries } from "@/api/runs";
import { SpecView } from "@/components/pipelines/spec-view";
import { Failure, SkeletonRows } from "@/components/ui/feedback";

export default function SpecTab({ runId }: { runId: string }) {
  const run = useQuery(runQueries.public(runId));
  const reference = run.data?.pipeline_version_reference;
  const version = useQuery({
    ...pipelineQueries.version(reference?.pipeline_id ?? "", reference?.pipeline_version_id ?? ""),
    enabled: Boolean(reference?.pipeline_version_id) && !run.data?.pipeline_spec,
  });
  const spec = run.data?.pipeline_spec ?? version.data?.pipeline_spec;
  const error = run.error ?? (spec ? null : version.error);
  if (error) return <Failure error={error} />;
  if (!spec) return <SkeletonRows rows={14} />;
  return <SpecView spec={spec} name={run.data?.display_name ?? "pipeline"} />;
}
