/** Columns of lists of runs. Parameters and metrics are columns on request, named `param.x` and `metric.x`. */
import { CalendarClock } from "lucide-react";
import type { RunRow } from "@/api/generated";
import { Link, TextLink } from "@/components/link";
import type { Column } from "@/components/table/data-table";
import { StateIcon } from "@/components/ui/state";
import { Ago, Elapsed } from "@/components/ui/time";
import { Tip } from "@/components/ui/tooltip";
import { experimentAddress, pipelineAddress, runAddress, scheduleAddress } from "@/lib/addresses";
import { duration, number, shortId, valueText } from "@/lib/format";
import { stateOf, WORDS } from "@/lib/state";
import { TaskBar, totalTasks } from "./task-bar";

export type Typical = Record<string, number>;

export function runColumns(typical: Typical): Column<RunRow>[] {
  return [
    {
      id: "name",
      title: "Run",
      width: "minmax(220px, 2.4fr)",
      sort: "name",
      cell: (run) => <RunName run={run} />,
    },
    {
      id: "pipeline",
      title: "Pipeline",
      width: "minmax(140px, 1.4fr)",
      sort: "pipeline_name",
      cell: (run) => <PipelineName run={run} />,
    },
    {
      id: "experiment",
      title: "Experiment",
      width: "minmax(110px, 1fr)",
      cell: (run) =>
        run.experiment.name ? (
          <TextLink to={experimentAddress(run.experiment.id)}>{run.experiment.name}</TextLink>
        ) : (
          <span className="text-ink-3">–</span>
        ),
    },
    {
      id: "tasks",
      title: "Tasks",
      width: "120px",
      cell: (run) => (
        <span className="flex items-center gap-2">
          <TaskBar counts={run.task_counts} className="w-18 shrink-0" />
          <span className="num text-label text-ink-3">{totalTasks(run.task_counts)}</span>
        </span>
      ),
    },
    {
      id: "started",
      title: "Started",
      width: "110px",
      sort: "created_at",
      cell: (run) => <Ago at={run.created_at} className="text-ink-2" />,
    },
    {
      id: "duration",
      title: "Duration",
      width: "132px",
      sort: "duration",
      cell: (run) => <RunDuration run={run} typical={typical[run.pipeline_name]} />,
    },
  ];
}

function RunName({ run }: { run: RunRow }) {
  const state = stateOf(run.state);
  return (
    <span className="flex min-w-0 items-center gap-2.5">
      <Tip text={run.error ? `${WORDS[state]}: ${run.error.message}` : WORDS[state]}>
        <span className="flex">
          <StateIcon state={state} label />
        </span>
      </Tip>
      <Link to={runAddress(run.run_id)} className="min-w-0 truncate font-medium hover:text-accent">
        {run.display_name}
      </Link>
      <span className="shrink-0 font-mono text-label text-ink-3 max-lg:hidden">{shortId(run.run_id)}</span>
      {run.recurring_run_id && (
        <Tip text="Made by a schedule">
          <Link
            to={scheduleAddress(run.recurring_run_id)}
            aria-label="The schedule that made it"
            className="text-ink-3 hover:text-accent"
          >
            <CalendarClock size={13} />
          </Link>
        </Tip>
      )}
    </span>
  );
}

export function PipelineName({ run }: { run: RunRow }) {
  const { version } = run;
  if (!version?.pipeline_name) return <span className="text-ink-2">{run.pipeline_name}</span>;
  const shown =
    version.version_name && version.version_name !== version.pipeline_name ? version.version_name : "";
  return (
    <TextLink to={pipelineAddress(version.pipeline_id, version.version_id)}>
      {version.pipeline_name}
      {shown && <span className="text-ink-3"> @ {shown}</span>}
    </TextLink>
  );
}

/** The duration with a thin bar against what is usual for the pipeline: full width is twice the median. */
function RunDuration({ run, typical }: { run: RunRow; typical: number | undefined }) {
  const ratio = typical && run.duration_ms !== null ? Math.min(run.duration_ms / typical / 2, 1) : undefined;
  const slow = ratio !== undefined && ratio > 0.75;
  return (
    <span className="flex items-center gap-2">
      <span className="w-16">
        <Elapsed from={run.created_at} until={run.finished_at ?? undefined} />
      </span>
      {ratio !== undefined && (
        <Tip text={`Usually ${duration(typical)}`}>
          <span className="relative h-1 w-10 overflow-hidden rounded-full bg-line">
            <span
              className={
                slow ? "absolute inset-y-0 left-0 bg-retrying" : "absolute inset-y-0 left-0 bg-line-strong"
              }
              style={{ width: `${Math.max(ratio * 100, 4)}%` }}
            />
            <span className="absolute inset-y-0 left-1/2 w-px bg-surface" />
          </span>
        </Tip>
      )}
    </span>
  );
}

/** Names of further columns that the loaded rows could fill. */
export function extraColumnNames(rows: readonly RunRow[]): string[] {
  const names = new Set<string>();
  for (const run of rows.slice(0, 300)) {
    for (const name of Object.keys(run.parameters)) names.add(`param.${name}`);
    for (const name of Object.keys(run.metrics)) names.add(`metric.${name}`);
  }
  return [...names].sort();
}

export function extraColumn(name: string): Column<RunRow> {
  const [kind = "", ...rest] = name.split(".");
  const key = rest.join(".");
  return {
    id: name,
    title: key,
    width: "minmax(90px, 0.7fr)",
    align: "right",
    cell: (run) => {
      const value = (kind === "metric" ? run.metrics : run.parameters)[key];
      if (value === undefined || value === null) return <span className="text-ink-3">–</span>;
      const text = typeof value === "number" ? number(value) : valueText(value);
      return (
        <span className="num truncate" title={text}>
          {text}
        </span>
      );
    },
  };
}
