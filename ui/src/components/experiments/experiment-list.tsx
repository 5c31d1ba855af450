/** All experiments, active or archived. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { Archive, ArchiveRestore, FlaskConical } from "lucide-react";
import { useMemo } from "react";
import { experimentQueries, useExperimentWrites } from "@/api/experiments";
import type { ExperimentRow } from "@/api/generated";
import { Link } from "@/components/link";
import { RunDots } from "@/components/runs/run-dots";
import { type Column, DataTable } from "@/components/table/data-table";
import { FilterBar, SearchBox } from "@/components/table/filter-bar";
import { IconButton } from "@/components/ui/button";
import { Empty, Failure, SkeletonRows } from "@/components/ui/feedback";
import { Ago } from "@/components/ui/time";
import { toast, toastError } from "@/components/ui/toast";
import { experimentAddress } from "@/lib/addresses";
import { count } from "@/lib/format";
import { useParam } from "@/lib/search";

export function ExperimentList({ archived }: { archived: boolean }) {
  const [q, setQ] = useParam("q");
  const [sort, setSort] = useParam("sort", "created_at desc");
  const list = useInfiniteQuery(experimentQueries.list(q, archived, sort));
  const { archive } = useExperimentWrites();
  const rows = useMemo(() => list.data?.pages.flatMap((page) => page.experiments) ?? [], [list.data]);
  const total = list.data?.pages[0]?.total_size ?? rows.length;
  const move = (row: ExperimentRow, restore: boolean) =>
    archive.mutate(
      { id: row.experiment_id, restore },
      {
        onError: toastError,
        onSuccess: () =>
          toast(`“${row.display_name}” is ${restore ? "restored" : "archived, with its runs"}`, {
            action: {
              label: "Undo",
              run: () => archive.mutate({ id: row.experiment_id, restore: !restore }),
            },
          }),
      },
    );
  const columns: Column<ExperimentRow>[] = [
    {
      id: "name",
      title: "Experiment",
      width: "minmax(200px, 2fr)",
      sort: "name",
      cell: (experiment) => (
        <Link
          to={experimentAddress(experiment.experiment_id)}
          className="truncate font-medium hover:text-accent"
        >
          {experiment.display_name}
        </Link>
      ),
    },
    {
      id: "description",
      title: "Description",
      width: "minmax(160px, 2fr)",
      cell: (experiment) => <span className="text-ink-2">{experiment.description}</span>,
    },
    {
      id: "runs",
      title: "Last runs",
      width: "140px",
      cell: (experiment) => <RunDots runs={experiment.last_runs} />,
    },
    {
      id: "last",
      title: "Last run",
      width: "110px",
      sort: "last_run_created_at",
      cell: (experiment) => <Ago at={experiment.last_run_created_at ?? undefined} className="text-ink-2" />,
    },
    {
      id: "created",
      title: "Created",
      width: "110px",
      sort: "created_at",
      cell: (experiment) => <Ago at={experiment.created_at} className="text-ink-2" />,
    },
    {
      id: "actions",
      title: "",
      width: "40px",
      cell: (experiment) => (
        <IconButton
          small
          label={archived ? `Restore ${experiment.display_name}` : `Archive ${experiment.display_name}`}
          onClick={() => move(experiment, archived)}
        >
          {archived ? <ArchiveRestore size={14} /> : <Archive size={14} />}
        </IconButton>
      ),
    },
  ];
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <FilterBar
        aside={
          <span className="num text-label text-ink-3">{list.data ? count(total, "experiment") : ""}</span>
        }
      >
        <SearchBox value={q} onChange={setQ} placeholder="Filter experiments" />
      </FilterBar>
      {list.isPending && <SkeletonRows />}
      {list.isError && <Failure error={list.error} retry={() => list.refetch()} />}
      {list.data && (
        <DataTable
          label="Experiments"
          columns={columns}
          rows={rows}
          total={total}
          idOf={(experiment) => experiment.experiment_id}
          addressOf={(experiment) => experimentAddress(experiment.experiment_id)}
          sort={sort}
          onSort={setSort}
          hasMore={list.hasNextPage}
          onMore={() => !list.isFetchingNextPage && list.fetchNextPage()}
          memory="experiments"
          empty={
            <Empty
              icon={<FlaskConical size={28} />}
              title={q ? "No experiment matches" : archived ? "The archive is empty" : "No experiments"}
            >
              {archived
                ? "Archived experiments are kept here."
                : "Runs without one go to the default experiment."}
            </Empty>
          }
        />
      )}
    </div>
  );
}
