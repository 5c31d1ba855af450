/** One run: head, tabs, and the panel about a task beside them. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type ReactNode, Suspense, useEffect, useMemo } from "react";
import type { RunOverview, TaskState } from "@/api/generated";
import { useCopies, useRunState } from "@/api/run-stream";
import { runQueries } from "@/api/runs";
import { Failure, SkeletonRows } from "@/components/ui/feedback";
import { useShortcuts } from "@/lib/keys";
import { late } from "@/lib/late";
import { useSearchAll, useSetSearch } from "@/lib/search";
import { isActive, stateOf } from "@/lib/state";
import { Copies } from "./copies";
import { OverviewTab } from "./overview";
import { RunHeader, TABS, type TabId } from "./run-header";

const GraphTab = late(() => import("@/components/graph/run-graph"));
const TimelineTab = late(() => import("@/components/timeline/timeline-tab"));
const TasksTab = late(() => import("./tasks-tab").then((module) => ({ default: module.TasksTab })));
const LogsTab = late(() => import("./logs-tab").then((module) => ({ default: module.LogsTab })));
const ArtifactsTab = late(() => import("./artifacts-tab"));
const SpecTab = late(() => import("./spec-tab"));
const Inspector = late(() =>
  import("@/components/task/inspector").then((module) => ({ default: module.Inspector })),
);

/** Fetched beside the data of the run. */
const LATE: Partial<Record<TabId, { preload: () => void }>> = {
  graph: GraphTab,
  timeline: TimelineTab,
  tasks: TasksTab,
  logs: LogsTab,
  artifacts: ArtifactsTab,
  spec: SpecTab,
};

const NO_TASKS: readonly TaskState[] = [];

export function RunPage({ runId, embedded = false }: { runId: string; embedded?: boolean }) {
  const search = useSearchAll();
  const setSearch = useSetSearch();
  const navigate = useNavigate();
  const overview = useQuery(runQueries.overview(runId));
  const state = useRunState(runId);
  const copies = useCopies(runId);
  const tasks = state.data?.tasks ?? NO_TASKS;
  const tab = (TABS.find(([id]) => id === search.tab)?.[0] ?? (embedded ? "graph" : "overview")) as TabId;
  const inspects = search.task !== undefined && tab !== "logs";
  useEffect(() => {
    LATE[tab]?.preload();
    if (inspects) Inspector.preload();
  }, [tab, inspects]);
  const selected = useMemo(
    () =>
      search.task === undefined
        ? undefined
        : tasks.find((task) => task.path === search.task || task.task_id === search.task),
    [tasks, search.task],
  );
  const showTab = (id: TabId) =>
    setSearch({
      tab: id === (embedded ? "graph" : "overview") ? undefined : id,
      q: undefined,
      sort: undefined,
      state: undefined,
    });
  const stepFailed = (by: number) => {
    const failed = tasks.filter((task) => task.state === "FAILED" && task.kind !== "ROOT");
    if (failed.length === 0) return;
    const at = failed.findIndex((task) => task.path === selected?.path);
    const next = failed[(at + by + failed.length) % failed.length] ?? failed[0];
    setSearch({ task: next?.path, attempt: undefined, line: undefined });
  };
  useShortcuts([
    ...TABS.map(([id, label], index) => ({
      keys: String(index + 1),
      label,
      group: "Run",
      run: () => showTab(id),
    })),
    { keys: "]", label: "Next failed task", group: "Run", run: () => stepFailed(1) },
    { keys: "[", label: "Previous failed task", group: "Run", run: () => stepFailed(-1) },
    { keys: "u", label: "Back to the runs", group: "Run", run: () => navigate({ to: "/runs" as never }) },
  ]);

  if (overview.isError) return <Failure error={overview.error} retry={() => overview.refetch()} />;
  if (!overview.data) return <SkeletonRows />;
  const active = isActive(stateOf(overview.data.run.state));
  return (
    <>
      <RunHeader overview={overview.data} tasks={tasks} tab={tab} embedded={embedded} />
      {copies.length > 0 && <Copies copies={copies} />}
      <div className="relative flex min-h-0 flex-1">
        <div className="flex min-w-0 flex-1 flex-col">
          <Suspense fallback={<SkeletonRows />}>
            <TabContent
              tab={tab}
              runId={runId}
              overview={overview.data}
              tasks={tasks}
              active={active}
              loaded={state.isSuccess}
            />
          </Suspense>
        </div>
        {selected && tab !== "logs" && (
          <Suspense>
            <Inspector runId={runId} task={selected} tasks={tasks} />
          </Suspense>
        )}
      </div>
    </>
  );
}

interface TabProps {
  tab: TabId;
  runId: string;
  overview: RunOverview;
  tasks: readonly TaskState[];
  active: boolean;
  loaded: boolean;
}

function TabContent({ tab, runId, overview, tasks, active, loaded }: TabProps): ReactNode {
  switch (tab) {
    case "graph":
      return <GraphTab runId={runId} tasks={tasks} />;
    case "timeline":
      return <TimelineTab runId={runId} overview={overview} active={active} />;
    case "tasks":
      return loaded ? <TasksTab tasks={tasks} active={active} /> : <SkeletonRows />;
    case "logs":
      return loaded ? <LogsTab runId={runId} tasks={tasks} active={active} /> : <SkeletonRows />;
    case "artifacts":
      return <ArtifactsTab runId={runId} />;
    case "spec":
      return <SpecTab runId={runId} />;
    default:
      return <OverviewTab overview={overview} />;
  }
}
