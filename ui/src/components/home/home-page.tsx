/** Is it fine, and if not, why? Or, with nothing there yet, how to begin. */
import { useQuery } from "@tanstack/react-query";
import { ArrowDown, ArrowUp, OctagonX } from "lucide-react";
import type { ReactNode } from "react";
import type { Home, RunRow } from "@/api/generated";
import { useRunListStream } from "@/api/run-list-stream";
import { scheduleQueries } from "@/api/schedules";
import { systemQueries } from "@/api/system";
import { Link, TextLink } from "@/components/link";
import { TaskBar } from "@/components/runs/task-bar";
import { PageBody, PageHeader, Section } from "@/components/shell/page";
import { buttonClass } from "@/components/ui/button";
import { Failure, Skeleton } from "@/components/ui/feedback";
import { StateIcon } from "@/components/ui/state";
import { Ago, Elapsed } from "@/components/ui/time";
import { runAddress, scheduleAddress } from "@/lib/addresses";
import { useNow } from "@/lib/clock";
import { count, duration } from "@/lib/format";
import { triggerWords, upcoming } from "@/lib/schedule";
import { stateOf } from "@/lib/state";
import { ActivityStrips } from "./activity";
import { GettingStarted } from "./getting-started";

export function HomePage() {
  const bootstrap = useQuery(systemQueries.bootstrap());
  const home = useQuery(systemQueries.home());
  useRunListStream();
  const error = home.error ?? bootstrap.error;
  const empty =
    bootstrap.data &&
    !bootstrap.data.has_runs &&
    home.data &&
    home.data.running === 0 &&
    home.data.activity.length === 0;
  return (
    <>
      <PageHeader
        title="Home"
        actions={
          <Link to="/runs/new" className={buttonClass(empty ? "plain" : "primary")}>
            New run
          </Link>
        }
      />
      <PageBody>
        {error ? (
          <Failure error={error} retry={() => home.refetch()} />
        ) : !home.data || !bootstrap.data ? (
          <Waiting />
        ) : empty ? (
          <GettingStarted />
        ) : (
          <Filled home={home.data} />
        )}
      </PageBody>
    </>
  );
}

function Waiting() {
  return (
    <div className="grid grid-cols-2 gap-4 lg:grid-cols-4">
      {["a", "b", "c", "d"].map((key) => (
        <div key={key} className="card h-24 p-4">
          <Skeleton className="w-20" />
        </div>
      ))}
    </div>
  );
}

function Filled({ home }: { home: Home }) {
  return (
    <div className="flex flex-col gap-4">
      <div className="grid grid-cols-2 gap-4 lg:grid-cols-4">
        <Figure
          label="Running"
          value={home.running}
          to="/runs?state=running,pending"
          tone={home.running > 0 ? "text-running" : undefined}
        />
        <Figure
          label="Failed, 24 hours"
          value={home.failed_day}
          to="/runs?state=failed&since=24h"
          tone={home.failed_day > 0 ? "text-failed" : undefined}
        />
        <Figure label="Succeeded, 24 hours" value={home.succeeded_day} to="/runs?state=succeeded&since=24h" />
        <Figure
          label="Median duration"
          value={duration(home.median_ms_day)}
          note={<Trend now={home.median_ms_day} before={home.median_ms_day_before} />}
        />
      </div>
      <div className="grid items-start gap-4 lg:grid-cols-2">
        <RunningNow home={home} />
        <NeedsAttention home={home} />
      </div>
      <ActivityStrips activity={home.activity} />
      <Upcoming />
    </div>
  );
}

function Figure({
  label,
  value,
  to,
  tone,
  note,
}: {
  label: string;
  value: number | string;
  to?: string;
  tone?: string;
  note?: ReactNode;
}) {
  const content = (
    <>
      <p className="text-label text-ink-2">{label}</p>
      <p className="mt-1 flex items-baseline gap-2">
        <span className={`num text-hero font-semibold tracking-tight ${tone ?? ""}`}>
          {typeof value === "number" ? value.toLocaleString("en-US") : value}
        </span>
        {note}
      </p>
    </>
  );
  return to ? (
    <Link to={to} className="card block px-4 py-3 transition-colors hover:border-line-strong">
      {content}
    </Link>
  ) : (
    <div className="card px-4 py-3">{content}</div>
  );
}

function Trend({ now, before }: { now: number | null; before: number | null }) {
  if (now === null || before === null || before === 0) return null;
  const change = (now - before) / before;
  if (Math.abs(change) < 0.01) return <span className="text-label text-ink-3">as the day before</span>;
  const slower = change > 0;
  return (
    <span
      className={`num inline-flex items-center gap-0.5 text-label ${slower ? "text-retrying" : "text-succeeded"}`}
    >
      {slower ? <ArrowUp size={12} /> : <ArrowDown size={12} />}
      {Math.round(Math.abs(change) * 100)} % {slower ? "slower" : "faster"}
    </span>
  );
}

function RunningNow({ home }: { home: Home }) {
  return (
    <Section title="Running now">
      {home.running_now.length === 0 ? (
        <p className="px-4 py-6 text-center text-ink-3">Nothing is running.</p>
      ) : (
        <ul className="divide-y divide-line">
          {home.running_now.map((run) => (
            <RunningRow key={run.run_id} run={run} typical={home.typical_ms[run.pipeline_name]} />
          ))}
        </ul>
      )}
    </Section>
  );
}

function RunningRow({ run, typical }: { run: RunRow; typical: number | undefined }) {
  const now = useNow();
  const left = typical === undefined ? undefined : run.created_at + typical - now;
  return (
    <li className="px-4 py-2.5">
      <div className="flex items-center gap-2">
        <StateIcon state={stateOf(run.state)} label />
        <Link to={runAddress(run.run_id)} className="min-w-0 flex-1 truncate font-medium hover:text-accent">
          {run.display_name}
        </Link>
        <span className="text-label text-ink-3">
          {left !== undefined && left > 0
            ? `about ${duration(left)} left`
            : left !== undefined
              ? "longer than usual"
              : ""}
        </span>
        <span className="w-16 text-right">
          <Elapsed from={run.created_at} until={undefined} />
        </span>
      </div>
      <TaskBar counts={run.task_counts} className="mt-2" />
    </li>
  );
}

function NeedsAttention({ home }: { home: Home }) {
  return (
    <Section title="Needs attention" aside={<span className="text-label text-ink-3">7 days</span>}>
      {home.needs_attention.length === 0 ? (
        <p className="px-4 py-6 text-center text-ink-3">Nothing has failed.</p>
      ) : (
        <ul className="divide-y divide-line">
          {home.needs_attention.map((group) => (
            <li
              key={`${group.pipeline_name}${group.message}`}
              className="flex items-start gap-2.5 px-4 py-2.5"
            >
              <OctagonX size={15} className="mt-0.5 shrink-0 text-failed" aria-label="failed" />
              <div className="min-w-0 flex-1">
                <p className="truncate font-mono text-label" title={group.message}>
                  {group.message}
                </p>
                <p className="mt-0.5 text-label text-ink-3">
                  {group.pipeline_name} · {count(group.count, "run")} · newest{" "}
                  <TextLink to={runAddress(group.latest.run_id)}>{group.latest.display_name}</TextLink>
                </p>
              </div>
              <Ago at={group.latest.created_at} className="text-label text-ink-3" />
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function Upcoming() {
  const now = useNow();
  const schedules = useQuery({ ...scheduleQueries.all(), retry: false }).data ?? [];
  const fires = schedules
    .flatMap((schedule) => upcoming(schedule, now, 3).map((at) => ({ schedule, at })))
    .sort((a, b) => a.at - b.at)
    .slice(0, 6);
  if (fires.length === 0) return null;
  return (
    <Section title="Next by schedule">
      <ul className="divide-y divide-line">
        {fires.map(({ schedule, at }) => (
          <li key={`${schedule.recurring_run_id}${at}`} className="flex items-center gap-4 px-4 py-2">
            <span className="w-24">
              <Ago at={at} />
            </span>
            <span className="min-w-0 flex-1 truncate">
              <TextLink to={scheduleAddress(schedule.recurring_run_id)}>{schedule.display_name}</TextLink>
            </span>
            <span className="truncate text-label text-ink-3">{triggerWords(schedule)}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
