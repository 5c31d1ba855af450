/** The list of runs with its filters; whole page for Runs, part of others. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Activity, ArrowUp } from "lucide-react";
import { type ReactNode, useCallback, useMemo, useState } from "react";
import type { RunRow } from "@/api/generated";
import { useRunListStream } from "@/api/run-list-stream";
import { belongsTo, type RunFilter, runQueries } from "@/api/runs";
import { Link, split } from "@/components/link";
import { DataTable } from "@/components/table/data-table";
import { FilterBar, SearchBox } from "@/components/table/filter-bar";
import { buttonClass } from "@/components/ui/button";
import { Empty, Failure, SkeletonRows } from "@/components/ui/feedback";
import { compareAddress } from "@/lib/addresses";
import { count } from "@/lib/format";
import { parseRunQuery, sinceMillis } from "@/lib/run-query";
import { type Search, useSearchAll, useSetSearch } from "@/lib/search";
import { extraColumn, extraColumnNames, runColumns } from "./columns";
import { useRunActions } from "./run-actions";
import { ColumnMenu, RunFilterChips, RunFilterMenus, ViewMenu } from "./run-filters";
import { SelectionBar } from "./selection-bar";

const DEFAULT_SORT = "created_at desc";

interface Props {
  /** What the list is about; not to be changed by its filters. */
  fixed?: RunFilter;
  archived?: boolean;
  hideColumns?: readonly string[];
  empty?: ReactNode;
}

export function RunList({ fixed, archived = false, hideColumns = [], empty }: Props) {
  const search = useSearchAll();
  const setSearch = useSetSearch();
  const navigate = useNavigate();
  const [opened] = useState(() => Date.now());
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());

  const filter: RunFilter = useMemo(
    () => ({
      archived: archived ? "true" : "false",
      q: search.q,
      state: search.state,
      pipeline_name: search.pipeline,
      experiment_id: search.experimentId,
      since: sinceMillis(search.since, opened),
      ...fixed,
    }),
    [archived, search.q, search.state, search.pipeline, search.experimentId, search.since, opened, fixed],
  );
  const sort = search.sort ?? DEFAULT_SORT;
  const list = useInfiniteQuery(runQueries.list(filter, sort));
  const facets = useQuery(runQueries.facets(filter)).data;
  const isAbout = useCallback((run: RunRow) => belongsTo(run, fixed), [fixed]);
  const { fresh, show } = useRunListStream(isAbout);
  const { act, questions } = useRunActions(() => setSelected(new Set()));

  const rows = useMemo(() => list.data?.pages.flatMap((page) => page.runs) ?? [], [list.data]);
  const chosenColumns = useMemo(() => search.columns?.split(",").filter(Boolean) ?? [], [search.columns]);
  const columns = useMemo(() => {
    const typical = Object.assign({}, ...(list.data?.pages.map((page) => page.typical_ms) ?? []));
    const base = runColumns(typical).filter((column) => !hideColumns.includes(column.id));
    return [...base, ...chosenColumns.map(extraColumn)];
  }, [list.data, chosenColumns, hideColumns]);
  const total = list.data?.pages[0]?.total_size ?? rows.length;
  const onMore = useCallback(() => {
    if (!list.isFetchingNextPage) list.fetchNextPage();
  }, [list.isFetchingNextPage, list.fetchNextPage]);
  const onQuery = useCallback(
    (text: string, done = false) => {
      // A filter is complete with a blank behind it, or with Enter.
      if (!done && /(^|\s)\w+:("[^"]*|\S*)$/.test(text)) return;
      const { filters, rest } = parseRunQuery(text);
      setSearch({ ...filters, q: rest || undefined });
    },
    [setSearch],
  );

  const filtered = Boolean(
    search.q || search.state || search.pipeline || search.since || search.experimentId,
  );
  const selectedRows = rows.filter((run) => selected.has(run.run_id));
  return (
    <div className="relative flex min-h-0 flex-1 flex-col">
      <FilterBar
        aside={
          <>
            <span className="num text-label text-ink-3" aria-live="polite">
              {list.data ? count(total, "run") : ""}
            </span>
            <ColumnMenu
              names={extraColumnNames(rows)}
              chosen={chosenColumns}
              onChange={(chosen) => setSearch({ columns: chosen.join(",") || undefined })}
            />
            <ViewMenu
              search={search}
              onOpen={(view: Search) => navigate({ to: ".", search: view as never })}
            />
          </>
        }
      >
        <SearchBox value={search.q ?? ""} onChange={onQuery} placeholder="Name, or state:failed since:7d" />
        <RunFilterMenus search={search} onChange={setSearch} facets={facets} />
        <RunFilterChips search={search} onChange={setSearch} facets={facets} />
      </FilterBar>
      {fresh > 0 && (
        <button
          type="button"
          className="floating absolute top-24 left-1/2 z-20 inline-flex h-7 -translate-x-1/2 items-center gap-1.5 rounded-full bg-accent px-3 text-label font-medium text-on-accent shadow-float"
          onClick={show}
        >
          <ArrowUp size={13} />
          {fresh} new
        </button>
      )}
      {list.isPending && <SkeletonRows />}
      {list.isError && <Failure error={list.error} retry={() => list.refetch()} />}
      {list.data && (
        <DataTable
          label={archived ? "Archived runs" : "Runs"}
          columns={columns}
          rows={rows}
          total={total}
          idOf={(run) => run.run_id}
          addressOf={(run) => `/runs/details/${run.run_id}`}
          selection={{ ids: selected, set: setSelected }}
          sort={sort}
          onSort={(next) => setSearch({ sort: next === DEFAULT_SORT ? undefined : next })}
          hasMore={list.hasNextPage}
          onMore={onMore}
          memory="runs"
          empty={
            filtered ? (
              <NothingMatches
                onClear={() =>
                  setSearch({
                    q: undefined,
                    state: undefined,
                    pipeline: undefined,
                    since: undefined,
                    experimentId: undefined,
                  })
                }
              />
            ) : (
              (empty ?? <NoRuns archived={archived} />)
            )
          }
        />
      )}
      {selectedRows.length > 0 && (
        <SelectionBar
          rows={selectedRows}
          archived={archived}
          onClear={() => setSelected(new Set())}
          onCompare={(ids) => navigate(split(compareAddress(ids)) as never)}
          onAct={(verb, ids) =>
            act(verb, {
              ids,
              name: ids.length === 1 ? rows.find((run) => run.run_id === ids[0])?.display_name : undefined,
            })
          }
        />
      )}
      {questions}
    </div>
  );
}

function NothingMatches({ onClear }: { onClear: () => void }) {
  return (
    <Empty
      title="No run matches"
      action={
        <button type="button" className={buttonClass()} onClick={onClear}>
          Clear filters
        </button>
      }
    >
      Widen the filters, or look in the archive.
    </Empty>
  );
}

function NoRuns({ archived }: { archived: boolean }) {
  if (archived)
    return <Empty title="The archive is empty">Archived runs are kept here until they are deleted.</Empty>;
  return (
    <Empty
      icon={<Activity size={28} />}
      title="No runs yet"
      action={
        <Link to="/runs/new" className={buttonClass("primary")}>
          New run
        </Link>
      }
    >
      Start one here, or point the kfp client at this server.
    </Empty>
  );
}
