/** All pipelines. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { Play, Trash2, Workflow, X } from "lucide-react";
import { useMemo, useState } from "react";
import type { PipelineRow } from "@/api/generated";
import { pipelineQueries, usePipelineWrites } from "@/api/pipelines";
import { Link } from "@/components/link";
import { RunDots } from "@/components/runs/run-dots";
import { type Column, DataTable } from "@/components/table/data-table";
import { FilterBar, SearchBox } from "@/components/table/filter-bar";
import { Button, buttonClass, IconButton } from "@/components/ui/button";
import { Confirm } from "@/components/ui/dialog";
import { Empty, Failure, SkeletonRows } from "@/components/ui/feedback";
import { Ago } from "@/components/ui/time";
import { toast, toastError } from "@/components/ui/toast";
import { pipelineAddress } from "@/lib/addresses";
import { count } from "@/lib/format";
import { useParam } from "@/lib/search";

const columns: Column<PipelineRow>[] = [
  {
    id: "name",
    title: "Pipeline",
    width: "minmax(200px, 2fr)",
    sort: "name",
    cell: (pipeline) => (
      <span className="flex min-w-0 items-baseline gap-2">
        <Link to={pipelineAddress(pipeline.pipeline_id)} className="truncate font-medium hover:text-accent">
          {pipeline.display_name || pipeline.name}
        </Link>
        {pipeline.display_name && pipeline.display_name !== pipeline.name && (
          <span className="truncate text-label text-ink-3">{pipeline.name}</span>
        )}
      </span>
    ),
  },
  {
    id: "description",
    title: "Description",
    width: "minmax(140px, 2fr)",
    cell: (pipeline) => (
      <span className="text-ink-2" title={pipeline.description}>
        {pipeline.description}
      </span>
    ),
  },
  {
    id: "version",
    title: "Newest version",
    width: "minmax(130px, 1.2fr)",
    cell: (pipeline) =>
      pipeline.latest_version ? (
        <span className="flex items-baseline gap-2">
          <span className="truncate">{pipeline.latest_version.name}</span>
          <span className="num shrink-0 text-label text-ink-3">of {pipeline.version_count}</span>
        </span>
      ) : (
        <span className="text-ink-3">none</span>
      ),
  },
  {
    id: "runs",
    title: "Last runs",
    width: "250px",
    cell: (pipeline) => <RunDots runs={pipeline.last_runs} />,
  },
  {
    id: "created",
    title: "Uploaded",
    width: "110px",
    sort: "created_at",
    cell: (pipeline) => <Ago at={pipeline.latest_version_at ?? pipeline.created_at} className="text-ink-2" />,
  },
  {
    id: "run",
    title: "",
    width: "72px",
    align: "right",
    cell: (pipeline) => (
      <Link
        to={`/runs/new?pipelineId=${pipeline.pipeline_id}`}
        className={buttonClass("plain", true)}
        aria-label={`Run ${pipeline.display_name || pipeline.name}`}
      >
        <Play size={12} />
        Run
      </Link>
    ),
  },
];

export function PipelineList() {
  const [q, setQ] = useParam("q");
  const [sort, setSort] = useParam("sort", "created_at desc");
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [asking, setAsking] = useState(false);
  const list = useInfiniteQuery(pipelineQueries.list(q, sort));
  const { deletePipelines } = usePipelineWrites();
  const rows = useMemo(() => list.data?.pages.flatMap((page) => page.pipelines) ?? [], [list.data]);
  const total = list.data?.pages[0]?.total_size ?? rows.length;
  const chosen = rows.filter((row) => selected.has(row.pipeline_id));
  return (
    <div className="relative flex min-h-0 flex-1 flex-col">
      <FilterBar
        aside={<span className="num text-label text-ink-3">{list.data ? count(total, "pipeline") : ""}</span>}
      >
        <SearchBox value={q} onChange={setQ} placeholder="Filter pipelines" />
      </FilterBar>
      {list.isPending && <SkeletonRows />}
      {list.isError && <Failure error={list.error} retry={() => list.refetch()} />}
      {list.data && (
        <DataTable
          label="Pipelines"
          columns={columns}
          rows={rows}
          total={total}
          idOf={(pipeline) => pipeline.pipeline_id}
          addressOf={(pipeline) => pipelineAddress(pipeline.pipeline_id)}
          selection={{ ids: selected, set: setSelected }}
          sort={sort}
          onSort={setSort}
          hasMore={list.hasNextPage}
          onMore={() => !list.isFetchingNextPage && list.fetchNextPage()}
          memory="pipelines"
          empty={
            q ? (
              <Empty title="No pipeline matches" />
            ) : (
              <Empty
                icon={<Workflow size={28} />}
                title="No pipelines yet"
                action={
                  <Link to="/pipeline_versions/new" className={buttonClass("primary")}>
                    Upload one
                  </Link>
                }
              >
                A file that kfp has compiled: YAML, JSON, zip or tar.gz.
              </Empty>
            )
          }
        />
      )}
      {chosen.length > 0 && (
        <section
          aria-label="Selected pipelines"
          className="floating absolute bottom-6 left-1/2 z-20 flex -translate-x-1/2 items-center gap-2 rounded-dialog bg-raised p-1.5 pl-4 shadow-float"
        >
          <span className="num font-medium">{count(chosen.length, "pipeline")}</span>
          <Button small icon={<Trash2 size={13} />} onClick={() => setAsking(true)}>
            Delete
          </Button>
          <IconButton label="Clear the selection" small onClick={() => setSelected(new Set())}>
            <X size={14} />
          </IconButton>
        </section>
      )}
      <Confirm
        open={asking}
        onClose={() => setAsking(false)}
        title={
          chosen.length === 1
            ? `Delete “${chosen[0]?.display_name || chosen[0]?.name}”?`
            : `Delete ${count(chosen.length, "pipeline")}?`
        }
        action="Delete"
        typed={chosen.length > 1 ? `delete ${chosen.length}` : undefined}
        onConfirm={() =>
          deletePipelines.mutate(
            chosen.map((pipeline) => pipeline.pipeline_id),
            {
              onError: toastError,
              onSuccess: () => {
                toast(`${count(chosen.length, "pipeline")} deleted`);
                setSelected(new Set());
              },
            },
          )
        }
      >
        With all versions. Their runs stay.
      </Confirm>
    </div>
  );
}
