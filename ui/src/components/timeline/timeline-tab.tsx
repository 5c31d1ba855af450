/** A run over time: where it waited, what it did, which chain of tasks decided how long it took. */
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { CriticalStep, RunOverview, Timeline } from "@/api/generated";
import { runQueries } from "@/api/runs";
import { TextLink } from "@/components/link";
import { FilterBar } from "@/components/table/filter-bar";
import { Button } from "@/components/ui/button";
import { Empty, Failure, SkeletonRows } from "@/components/ui/feedback";
import { Select } from "@/components/ui/field";
import { useNow } from "@/lib/clock";
import { duration } from "@/lib/format";
import { PHASE_ORDER, PHASES } from "@/lib/phases";
import { useParam, useSearchAll, useSetSearch } from "@/lib/search";
import { type Order, ordered, type Span } from "@/lib/timeline";
import { TimelineChart } from "./timeline-chart";

interface Props {
  runId: string;
  overview: RunOverview;
  active: boolean;
}

export default function TimelineTab({ runId, overview, active }: Props) {
  const timeline = useQuery(runQueries.timeline(runId));
  if (timeline.isError) return <Failure error={timeline.error} retry={() => timeline.refetch()} />;
  if (!timeline.data) return <SkeletonRows rows={12} />;
  if (timeline.data.rows.length === 0) return <Empty title="Nothing has started yet" />;
  return <Loaded timeline={timeline.data} overview={overview} active={active} />;
}

function Loaded({
  timeline,
  overview,
  active,
}: {
  timeline: Timeline;
  overview: RunOverview;
  active: boolean;
}) {
  const search = useSearchAll();
  const setSearch = useSetSearch();
  const [orderText, setOrder] = useParam("order", "start");
  const order = (["start", "group", "duration"].includes(orderText) ? orderText : "start") as Order;
  const tick = useNow(active);
  // The server's clock may differ from ours: running phases grow from what it said.
  const now = timeline.to ?? timeline.now + Math.max(0, active ? tick - timeline.now : 0);
  const whole: Span = useMemo(
    () => ({ from: 0, to: Math.max(1, now - timeline.from) }),
    [now, timeline.from],
  );
  const span = readSpan(search.from, search.to, whole);
  const rows = useMemo(() => ordered(timeline.rows, order, now), [timeline.rows, order, now]);
  const others =
    useQuery(runQueries.few({ pipeline_name: overview.run.pipeline_name, archived: "any" }, 20)).data?.runs ??
    [];
  const ghost = useQuery({ ...runQueries.timeline(search.vs ?? ""), enabled: Boolean(search.vs) }).data;
  const setSpan = (next: Span | undefined) =>
    setSearch(
      next && (next.from > whole.from || next.to < whole.to)
        ? { from: String(Math.round(next.from)), to: String(Math.round(next.to)) }
        : { from: undefined, to: undefined },
    );
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <FilterBar
        aside={
          <>
            {search.from !== undefined && (
              <Button small tone="ghost" onClick={() => setSpan(undefined)}>
                Whole run
              </Button>
            )}
            <label className="flex items-center gap-2 text-label text-ink-2">
              Order
              <Select value={order} onChange={(event) => setOrder(event.target.value)}>
                <option value="start">by begin</option>
                <option value="group">by group</option>
                <option value="duration">by duration</option>
              </Select>
            </label>
            <label className="flex items-center gap-2 text-label text-ink-2">
              Beside
              <Select
                value={search.vs ?? ""}
                onChange={(event) => setSearch({ vs: event.target.value || undefined })}
                className="max-w-56"
              >
                <option value="">no other run</option>
                {others
                  .filter((run) => run.run_id !== timeline.run_id)
                  .map((run) => (
                    <option key={run.run_id} value={run.run_id}>
                      {run.display_name} ({duration(run.duration_ms)})
                    </option>
                  ))}
              </Select>
            </label>
          </>
        }
      >
        <Critical steps={timeline.critical_path} total={timeline.critical_ms} runId={timeline.run_id} />
      </FilterBar>
      <TimelineChart
        rows={rows}
        origin={timeline.from}
        now={now}
        whole={whole}
        span={span}
        onSpan={setSpan}
        ghost={ghost}
        indent={order === "group"}
        selected={search.task}
        onSelect={(path) => setSearch({ task: path, attempt: undefined, line: undefined })}
      />
      <Legend ghost={Boolean(ghost)} />
    </div>
  );
}

function readSpan(from: string | undefined, to: string | undefined, whole: Span): Span {
  const a = Number(from);
  const b = Number(to);
  if (from === undefined || to === undefined || !(a < b)) return whole;
  return { from: Math.max(whole.from, a), to: Math.min(Math.max(b, a + 1), whole.to) };
}

function Critical({ steps, total, runId }: { steps: readonly CriticalStep[]; total: number; runId: string }) {
  if (steps.length === 0) return null;
  const largest = steps.reduce((most, step) => (step.share > most.share ? step : most));
  return (
    <p className="truncate">
      <span className="mr-2 inline-block h-0.5 w-4 rounded-full bg-accent align-middle" aria-hidden />
      Longest chain <span className="num font-medium">{duration(total)}</span>
      <span className="text-ink-2">
        , most of it{" "}
        <TextLink to={`/runs/details/${runId}?tab=timeline&task=${encodeURIComponent(largest.path)}`}>
          {largest.display_name}
        </TextLink>{" "}
        <span className="num">({Math.round(largest.share * 100)} %)</span>
      </span>
    </p>
  );
}

function Legend({ ghost }: { ghost: boolean }) {
  return (
    <div
      className="flex shrink-0 flex-wrap items-center gap-x-4 gap-y-1 border-t border-line px-4 py-2 text-label text-ink-2 md:px-6"
      style={{ ["--phase" as string]: "var(--color-running)" }}
    >
      {PHASE_ORDER.map((phase) => (
        <span key={phase} className="inline-flex items-center gap-1.5" title={PHASES[phase].hint}>
          <span
            className={
              phase === "queue"
                ? "hatched size-3 rounded-[3px] border border-line"
                : "size-3 rounded-[3px] border border-line"
            }
            style={{ backgroundColor: PHASES[phase].color }}
          />
          {PHASES[phase].label}
        </span>
      ))}
      <span className="inline-flex items-center gap-1.5">
        <span className="h-0.5 w-4 bg-accent" /> longest chain
      </span>
      {ghost && (
        <span className="inline-flex items-center gap-1.5">
          <span className="h-2 w-4 rounded-[3px] border border-dashed border-line-strong" /> the other run
        </span>
      )}
      <span className="flex-1" />
      <span className="text-ink-3 max-md:hidden">
        Drag over the scale to zoom, wheel with ⌘ or Ctrl around the pointer, Shift and wheel to move
      </span>
    </div>
  );
}
