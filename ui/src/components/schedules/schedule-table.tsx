/** Recurring runs as a table: what they say in words, when they fire next, what became of the last ones. */
import { useQueries, useQuery } from "@tanstack/react-query";
import { CalendarClock } from "lucide-react";
import { useMemo } from "react";
import { ApiError } from "@/api/client";
import { pipelineQueries } from "@/api/pipelines";
import { scheduleQueries, useScheduleWrites } from "@/api/schedules";
import type { RecurringRun } from "@/api/v2beta1";
import { Link, TextLink } from "@/components/link";
import { RunDots } from "@/components/runs/run-dots";
import { type Column, DataTable } from "@/components/table/data-table";
import { FilterBar, SearchBox } from "@/components/table/filter-bar";
import { buttonClass } from "@/components/ui/button";
import { Empty, Failure, SkeletonRows } from "@/components/ui/feedback";
import { Switch } from "@/components/ui/field";
import { Ago } from "@/components/ui/time";
import { toastError } from "@/components/ui/toast";
import { pipelineAddress, scheduleAddress } from "@/lib/addresses";
import { useNow } from "@/lib/clock";
import { count, millis } from "@/lib/format";
import { isEnabled, triggerWords, upcoming } from "@/lib/schedule";
import { useParam } from "@/lib/search";
import { pipelineName } from "@/lib/spec";

interface Props {
  filter?: (schedule: RecurringRun) => boolean;
}

export function ScheduleTable({ filter }: Props) {
  const list = useQuery({ ...scheduleQueries.all(), refetchInterval: 30_000 });
  const [q, setQ] = useParam("q");
  const now = useNow();
  const { setEnabled } = useScheduleWrites();
  const schedules = useMemo(
    () => (list.data ?? []).filter((schedule) => !filter || filter(schedule)),
    [list.data, filter],
  );
  const rows = schedules.filter((schedule) =>
    (schedule.display_name ?? "").toLowerCase().includes(q.toLowerCase()),
  );
  const names = usePipelineNames(schedules);
  const ids = useMemo(() => schedules.map((schedule) => schedule.recurring_run_id), [schedules]);
  const lastRuns = useQuery({ ...scheduleQueries.lastRuns(ids), refetchInterval: 30_000 }).data;
  const columns: Column<RecurringRun>[] = [
    {
      id: "name",
      title: "Schedule",
      width: "minmax(170px, 1.3fr)",
      cell: (schedule) => (
        <Link
          to={scheduleAddress(schedule.recurring_run_id)}
          className="truncate font-medium hover:text-accent"
        >
          {schedule.display_name}
        </Link>
      ),
    },
    {
      id: "pipeline",
      title: "Pipeline",
      width: "minmax(120px, 1fr)",
      cell: (schedule) => <Pipeline schedule={schedule} names={names} />,
    },
    {
      id: "trigger",
      title: "Fires",
      width: "minmax(180px, 2fr)",
      cell: (schedule) => <span title={schedule.trigger?.cron_schedule?.cron}>{triggerWords(schedule)}</span>,
    },
    {
      id: "next",
      title: "Next",
      width: "100px",
      cell: (schedule) => {
        const [next] = upcoming(schedule, now, 1);
        return next === undefined ? <span className="text-ink-3">–</span> : <Ago at={next} />;
      },
    },
    {
      id: "runs",
      title: "Last runs",
      width: "250px",
      cell: ({ recurring_run_id: id }) => lastRuns && <RunDots runs={lastRuns[id] ?? []} />,
    },
    {
      id: "created",
      title: "Created",
      width: "110px",
      cell: (schedule) => <Ago at={millis(schedule.created_at)} className="text-ink-2" />,
    },
    {
      id: "enabled",
      title: "On",
      width: "56px",
      cell: (schedule) => (
        <Switch
          label={`${schedule.display_name} is on`}
          checked={isEnabled(schedule)}
          onChange={(enabled) =>
            setEnabled.mutate({ id: schedule.recurring_run_id, enabled }, { onError: toastError })
          }
        />
      ),
    },
  ];
  if (list.isError) {
    const missing = list.error instanceof ApiError && [404, 501].includes(list.error.status);
    if (missing)
      return (
        <Empty icon={<CalendarClock size={28} />} title="This server keeps no schedules">
          It was built without recurring runs.
        </Empty>
      );
    return <Failure error={list.error} retry={() => list.refetch()} />;
  }
  if (!list.data) return <SkeletonRows />;
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <FilterBar aside={<span className="num text-label text-ink-3">{count(rows.length, "schedule")}</span>}>
        <SearchBox value={q} onChange={setQ} placeholder="Filter schedules" />
      </FilterBar>
      <DataTable
        label="Schedules"
        columns={columns}
        rows={rows}
        idOf={(schedule) => schedule.recurring_run_id}
        addressOf={(schedule) => scheduleAddress(schedule.recurring_run_id)}
        memory="schedules"
        empty={
          <Empty
            icon={<CalendarClock size={28} />}
            title={q ? "No schedule matches" : "No schedules yet"}
            action={
              !q && (
                <Link to="/runs/new?recurring=1" className={buttonClass("primary")}>
                  New schedule
                </Link>
              )
            }
          >
            {q ? undefined : "A schedule starts runs by itself: at an interval, or by a cron expression."}
          </Empty>
        }
      />
    </div>
  );
}

export type Names = ReadonlyMap<string, string>;

/** Names of the pipelines of schedules; each is asked for once. */
export function usePipelineNames(schedules: readonly RecurringRun[]): Names {
  const ids = [
    ...new Set(schedules.flatMap((schedule) => schedule.pipeline_version_reference?.pipeline_id ?? [])),
  ];
  const pipelines = useQueries({
    queries: ids.map((id) => ({ ...pipelineQueries.pipeline(id), staleTime: 60_000 })),
  });
  return new Map(
    pipelines.flatMap(({ data }) =>
      data ? [[data.pipeline_id, data.display_name || data.name || data.pipeline_id] as const] : [],
    ),
  );
}

export function Pipeline({ schedule, names }: { schedule: RecurringRun; names: Names }) {
  const reference = schedule.pipeline_version_reference;
  if (!reference) return <span className="text-ink-2">{pipelineName(schedule.pipeline_spec)}</span>;
  return (
    <TextLink to={pipelineAddress(reference.pipeline_id, reference.pipeline_version_id)}>
      {names.get(reference.pipeline_id) ?? reference.pipeline_id.slice(0, 8)}
      {!reference.pipeline_version_id && <span className="text-ink-3"> @ newest</span>}
    </TextLink>
  );
}
