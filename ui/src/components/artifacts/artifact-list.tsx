/** All artifacts, the newest first. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { Box } from "lucide-react";
import { useMemo } from "react";
import { artifactQueries } from "@/api/artifacts";
import { DataTable } from "@/components/table/data-table";
import { FilterBar, SearchBox } from "@/components/table/filter-bar";
import { Empty, Failure, SkeletonRows } from "@/components/ui/feedback";
import { Select } from "@/components/ui/field";
import { artifactAddress } from "@/lib/addresses";
import { useParam } from "@/lib/search";
import { artifactColumns } from "./columns";

const TYPES = [
  "Artifact",
  "Dataset",
  "Model",
  "Metrics",
  "ClassificationMetrics",
  "SlicedClassificationMetrics",
  "HTML",
  "Markdown",
];
const columns = artifactColumns();

export function ArtifactList() {
  const [q, setQ] = useParam("q");
  const [type, setType] = useParam("type");
  const list = useInfiniteQuery(artifactQueries.list(q, type));
  const rows = useMemo(() => list.data?.pages.flatMap((page) => page.artifacts) ?? [], [list.data]);
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <FilterBar>
        <SearchBox value={q} onChange={setQ} placeholder="Filter artifacts" />
        <Select aria-label="Type" value={type} onChange={(event) => setType(event.target.value)}>
          <option value="">every type</option>
          {TYPES.map((each) => (
            <option key={each} value={`system.${each}`}>
              {each}
            </option>
          ))}
        </Select>
      </FilterBar>
      {list.isPending && <SkeletonRows />}
      {list.isError && <Failure error={list.error} retry={() => list.refetch()} />}
      {list.data && (
        <DataTable
          label="Artifacts"
          columns={columns}
          rows={rows}
          idOf={(artifact) => String(artifact.artifact_id)}
          addressOf={(artifact) => artifactAddress(String(artifact.artifact_id))}
          hasMore={list.hasNextPage}
          onMore={() => !list.isFetchingNextPage && list.fetchNextPage()}
          memory="artifacts"
          empty={
            <Empty icon={<Box size={28} />} title={q || type ? "No artifact matches" : "No artifacts yet"}>
              {q || type ? undefined : "Datasets, models and metrics that tasks write appear here."}
            </Empty>
          }
        />
      )}
    </div>
  );
}
