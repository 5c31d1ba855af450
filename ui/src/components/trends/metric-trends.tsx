/** What became of each metric from run to run, of a pipeline or an experiment: a line for each, and the same as a table. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { ChartSpline } from "lucide-react";
import { lazy, Suspense, useMemo } from "react";
import type { MetricTrends as Trends } from "@/api/generated";
import { type RunFilter, runQueries } from "@/api/runs";
import { split } from "@/components/link";
import { PageBody, Section } from "@/components/shell/page";
import { FilterBar, SearchBox } from "@/components/table/filter-bar";
import { Empty, Failure, SkeletonRows } from "@/components/ui/feedback";
import { Select } from "@/components/ui/field";
import { runAddress } from "@/lib/addresses";
import { count, number } from "@/lib/format";
import { useParam } from "@/lib/search";
import { lastOf, type Trend, trendsOf } from "@/lib/trends";
import { TrendTable } from "./trend-table";

const LineChart = lazy(() => import("@/components/charts/line-chart"));

/** Charts at once; the filter finds the others. */
const MOST_SHOWN = 24;
/** Lines that can be told apart in one chart. */
const MOST_LINES = 8;
const LIMITS = ["30", "100", "300", "1000"];

export default function MetricTrends({ filter }: { filter: RunFilter }) {
  const [q, setQ] = useParam("q");
  const [limit, setLimit] = useParam("runs", "100");
  const found = useQuery(runQueries.metrics(filter, LIMITS.includes(limit) ? Number(limit) : 100));
  const trends = useMemo(
    () => (found.data ? [timeOf(found.data), ...trendsOf(found.data)] : []),
    [found.data],
  );
  if (found.isError) return <Failure error={found.error} retry={() => found.refetch()} />;
  if (!found.data) return <SkeletonRows />;
  const { runs, series, is_cut } = found.data;
  if (runs.length === 0)
    return (
      <Empty icon={<ChartSpline size={28} />} title="No runs yet">
        Metrics of its runs are drawn here, run by run.
      </Empty>
    );
  const matching = trends.filter((trend) =>
    `${trend.path}.${trend.metric}`.toLowerCase().includes(q.toLowerCase()),
  );
  const shown = matching.slice(0, MOST_SHOWN);
  return (
    <>
      <FilterBar
        aside={
          <>
            <span className="num text-label text-ink-3">{count(matching.length, "chart")}</span>
            <Select aria-label="Runs" value={limit} onChange={(event) => setLimit(event.target.value)}>
              {LIMITS.map((each) => (
                <option key={each} value={each}>
                  Last {each} runs
                </option>
              ))}
            </Select>
          </>
        }
      >
        <SearchBox value={q} onChange={(text) => setQ(text || undefined)} placeholder="Filter metrics" />
      </FilterBar>
      <PageBody>
        {series.length === 0 && (
          <p className="mb-4 text-ink-2">
            These runs have no metrics. Numbers that a task logs to an output of type Metrics are drawn here.
          </p>
        )}
        <div className="grid items-start gap-4 xl:grid-cols-2">
          {shown.map((trend) => (
            <TrendCard key={`${trend.path}.${trend.metric}`} trend={trend} trends={found.data} />
          ))}
        </div>
        {matching.length > shown.length && (
          <p className="mt-4 text-ink-3">
            The first {MOST_SHOWN} of {matching.length} are drawn: filter for the others.
          </p>
        )}
        {is_cut && <p className="mt-4 text-ink-3">Only the first 500 metrics were read.</p>}
        {shown.length > 0 && <TrendTable runs={runs} trends={shown} />}
      </PageBody>
    </>
  );
}

/** How long runs took, as one more metric. */
function timeOf({ runs }: Trends): Trend {
  const values = runs.map((run) => (run.duration_ms === null ? null : run.duration_ms / 1000));
  return { path: "", metric: "duration in seconds", lines: [{ name: "", values: values.toReversed() }] };
}

/** Names stand in a line with values. */
const cut = (name: string) => (name.length > 32 ? `${name.slice(0, 31)}…` : name);

function TrendCard({ trend, trends }: { trend: Trend; trends: Trends }) {
  const navigate = useNavigate();
  const runs = useMemo(() => trends.runs.toReversed(), [trends.runs]);
  const names = useMemo(() => runs.map((run) => cut(run.display_name)), [runs]);
  const series = useMemo(
    () =>
      trend.lines.slice(0, MOST_LINES).map(({ name, values }) => ({
        name: name ? `pass ${name}` : trend.metric,
        points: values.flatMap((value, index) => (value === null ? [] : [[index + 1, value] as const])),
      })),
    [trend],
  );
  const [line] = trend.lines;
  const { value, change } = trend.lines.length === 1 && line ? lastOf(line.values) : {};
  const label = [trend.path, trend.metric].filter(Boolean).join(" · ");
  return (
    <Section
      title={trend.metric}
      aside={
        <span className="num flex min-w-0 items-baseline gap-3 text-label text-ink-3">
          <span className="truncate">{trend.path || "the whole run"}</span>
          {change !== undefined && change !== 0 && (
            <span>
              {change > 0 ? "+" : "−"}
              {number(Math.abs(change))}
            </span>
          )}
          {value !== undefined && <strong className="text-body font-medium text-ink">{number(value)}</strong>}
        </span>
      }
    >
      <div className="px-2 pt-3 pb-2">
        <Suspense fallback={<SkeletonRows rows={5} />}>
          <LineChart
            series={series}
            names={names}
            height={200}
            xLabel=""
            yLabel=""
            label={`${label} over ${count(runs.length, "run")}`}
            onPick={(x) => {
              const run = runs[x - 1];
              if (run) navigate(split(runAddress(run.run_id)) as never);
            }}
          />
        </Suspense>
        {trend.lines.length > MOST_LINES && (
          <p className="px-2 pt-1 text-label text-ink-3">
            The first {MOST_LINES} of {trend.lines.length} passes.
          </p>
        )}
      </div>
    </Section>
  );
}
