/** One recurring run: its reading, its next times, its parameters, the runs that it made. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { CopyPlus, Pencil, Trash2 } from "lucide-react";
import { useMemo, useState } from "react";
import { experimentQueries } from "@/api/experiments";
import { pipelineQueries } from "@/api/pipelines";
import { scheduleQueries, useScheduleWrites } from "@/api/schedules";
import type { RecurringRun } from "@/api/v2beta1";
import { Link, TextLink } from "@/components/link";
import { SpecView } from "@/components/pipelines/spec-view";
import { Facts } from "@/components/run/facts";
import { Value } from "@/components/run/value";
import { RunList } from "@/components/runs/run-list";
import { PageBody, PageHeader, Section, TabLinks } from "@/components/shell/page";
import { Button, buttonClass, IconButton } from "@/components/ui/button";
import { Confirm } from "@/components/ui/dialog";
import { Empty, Failure, SkeletonRows } from "@/components/ui/feedback";
import { Switch } from "@/components/ui/field";
import { Ago, ShortId } from "@/components/ui/time";
import { toastError } from "@/components/ui/toast";
import { experimentAddress, scheduleAddress } from "@/lib/addresses";
import { useNow } from "@/lib/clock";
import { exact, millis, relative } from "@/lib/format";
import { isEnabled, triggerWords, upcoming } from "@/lib/schedule";
import { useSearchAll } from "@/lib/search";
import { EditDialog } from "./edit-dialog";
import { Pipeline, usePipelineNames } from "./schedule-table";

const TABS: [string, string][] = [
  ["overview", "Overview"],
  ["runs", "Runs"],
  ["spec", "Spec"],
];

export function SchedulePage({ id }: { id: string }) {
  const search = useSearchAll();
  const navigate = useNavigate();
  const schedule = useQuery(scheduleQueries.schedule(id));
  const { setEnabled, remove } = useScheduleWrites();
  const [asking, setAsking] = useState(false);
  const [editing, setEditing] = useState(false);
  const { spec, isPending } = useSpec(schedule.data);
  const tab = TABS.find(([each]) => each === search.tab)?.[0] ?? "overview";
  if (schedule.isError) return <Failure error={schedule.error} retry={() => schedule.refetch()} />;
  if (!schedule.data) return <SkeletonRows />;
  const name = schedule.data.display_name ?? id;
  const enabled = isEnabled(schedule.data);
  return (
    <>
      <PageHeader
        title={name}
        crumbs={[{ label: "Schedules", to: "/recurringruns" }]}
        actions={
          <>
            <span className="flex items-center gap-2 text-ink-2">
              {enabled ? "On" : "Off"}
              <Switch
                label={`${name} is on`}
                checked={enabled}
                onChange={(on) => setEnabled.mutate({ id, enabled: on }, { onError: toastError })}
              />
            </span>
            <Button disabled={isPending} onClick={() => setEditing(true)}>
              <Pencil size={14} />
              Edit
            </Button>
            <Link to={`/runs/new?cloneFromRecurringRun=${id}`} className={buttonClass()}>
              <CopyPlus size={14} />
              Clone
            </Link>
            <IconButton label="Delete" onClick={() => setAsking(true)}>
              <Trash2 size={15} />
            </IconButton>
          </>
        }
        below={
          <TabLinks
            label="Schedule"
            active={tab}
            tabs={TABS.map(([each, label]) => ({
              id: each,
              label,
              to: each === "overview" ? scheduleAddress(id) : `${scheduleAddress(id)}?tab=${each}`,
            }))}
          />
        }
      />
      {tab === "overview" && <Overview schedule={schedule.data} />}
      {tab === "runs" && <Runs scheduleId={id} />}
      {tab === "spec" && <Spec schedule={schedule.data} />}
      {editing && <EditDialog schedule={schedule.data} spec={spec} onClose={() => setEditing(false)} />}
      <Confirm
        open={asking}
        onClose={() => setAsking(false)}
        title={`Delete “${name}”?`}
        action="Delete"
        onConfirm={() =>
          remove.mutate(id, {
            onError: toastError,
            onSuccess: () => navigate({ to: "/recurringruns" as never }),
          })
        }
      >
        It fires no more. Runs that it made stay.
      </Confirm>
    </>
  );
}

function Overview({ schedule }: { schedule: RecurringRun }) {
  const now = useNow();
  const names = usePipelineNames(useMemo(() => [schedule], [schedule]));
  const experiment = useQuery({
    ...experimentQueries.experiment(schedule.experiment_id ?? ""),
    enabled: Boolean(schedule.experiment_id),
  });
  const fires = upcoming(schedule, now, 5);
  const window = schedule.trigger?.cron_schedule ?? schedule.trigger?.periodic_schedule;
  const parameters = Object.entries(schedule.runtime_config?.parameters ?? {});
  return (
    <PageBody>
      <div className="grid items-start gap-4 lg:grid-cols-2">
        <Section title={triggerWords(schedule)}>
          {fires.length === 0 ? (
            <p className="px-4 py-3 text-ink-3">
              {isEnabled(schedule) ? "It will not fire again." : "It is off."}
            </p>
          ) : (
            <ol aria-label="Next fires" className="num px-4 py-3">
              {fires.map((at) => (
                <li key={at} className="flex justify-between gap-4 py-0.5">
                  <time dateTime={new Date(at).toISOString()}>{exact(at, "utc")}</time>
                  <span className="text-ink-3">{relative(at, now)}</span>
                </li>
              ))}
            </ol>
          )}
        </Section>
        <Section title="Facts">
          <Facts
            rows={[
              ["Pipeline", <Pipeline key="p" schedule={schedule} names={names} />],
              [
                "Cron",
                schedule.trigger?.cron_schedule?.cron && (
                  <code key="c" className="font-mono text-label">
                    {schedule.trigger.cron_schedule.cron}
                  </code>
                ),
              ],
              ["At most at once", schedule.max_concurrency ?? "1"],
              [
                "Catch up",
                schedule.no_catchup ? "no: missed runs are left out" : "yes: missed runs are made up for",
              ],
              ["Not before", window?.start_time && <Ago key="s" at={millis(window.start_time)} />],
              ["Not after", window?.end_time && <Ago key="e" at={millis(window.end_time)} />],
              [
                "Experiment",
                schedule.experiment_id && (
                  <TextLink key="x" to={experimentAddress(schedule.experiment_id)}>
                    {experiment.data?.display_name ?? "open"}
                  </TextLink>
                ),
              ],
              ["Description", schedule.description],
              ["Created", <Ago key="cr" at={millis(schedule.created_at)} />],
              ["Id", <ShortId key="id" id={schedule.recurring_run_id} what="schedule id" />],
              ["Error", schedule.error?.message],
            ]}
          />
        </Section>
        <Section title="Parameters" className="lg:col-span-2">
          {parameters.length === 0 ? (
            <p className="px-4 py-3 text-ink-3">All have their defaults.</p>
          ) : (
            <Facts rows={parameters.map(([name, value]) => [name, <Value key={name} value={value} />])} />
          )}
        </Section>
      </div>
    </PageBody>
  );
}

function Runs({ scheduleId }: { scheduleId: string }) {
  const fixed = useMemo(() => ({ recurring_run_id: scheduleId, archived: "any" as const }), [scheduleId]);
  return <RunList fixed={fixed} empty={<Empty title="It has made no runs yet" />} />;
}

function Spec({ schedule }: { schedule: RecurringRun }) {
  const { spec, error } = useSpec(schedule);
  if (error) return <Failure error={error} />;
  if (!spec) return <SkeletonRows />;
  return <SpecView spec={spec} name={schedule.display_name ?? "schedule"} />;
}

/** What it runs: its own specification, that of its version, or that of the newest version. */
function useSpec(schedule: RecurringRun | undefined) {
  const reference = schedule?.pipeline_version_reference;
  const versions = useQuery({
    ...pipelineQueries.versions(reference?.pipeline_id ?? ""),
    enabled: Boolean(reference),
  });
  const version =
    versions.data?.find((each) => each.pipeline_version_id === reference?.pipeline_version_id) ??
    versions.data?.[0];
  const spec = schedule?.pipeline_spec ?? version?.pipeline_spec;
  return { spec, error: versions.error, isPending: Boolean(reference) && versions.isPending };
}
