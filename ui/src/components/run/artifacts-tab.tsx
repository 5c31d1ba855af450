/** What the tasks of a run have made. */
import { useQuery } from "@tanstack/react-query";
import { artifactQueries } from "@/api/artifacts";
import { artifactColumns } from "@/components/artifacts/columns";
import { DataTable } from "@/components/table/data-table";
import { Empty, Failure, SkeletonRows } from "@/components/ui/feedback";
import { artifactAddress } from "@/lib/addresses";

const columns = artifactColumns().filter((column) => column.id !== "run");

export default function ArtifactsTab({ runId }: { runId: string }) {
  const list = useQuery(artifactQueries.ofRun(runId));
  if (list.isError) return <Failure error={list.error} retry={() => list.refetch()} />;
  if (!list.data) return <SkeletonRows />;
  return (
    <DataTable
      label="Artifacts of the run"
      columns={columns}
      rows={list.data.artifacts}
      idOf={(artifact) => String(artifact.artifact_id)}
      addressOf={(artifact) => artifactAddress(String(artifact.artifact_id))}
      empty={<Empty title="No artifacts yet">Tasks of this run have made none so far.</Empty>}
    />
  );
}
