/** The panel about one task, at the right of every tab of a run. Its choice and tab are in the address. */
import { useQuery } from "@tanstack/react-query";
import { RotateCw, X } from "lucide-react";
import { type ReactNode, useRef, useState } from "react";
import type { TaskState } from "@/api/generated";
import { useRetryFrom } from "@/api/runs";
import { taskQueries } from "@/api/tasks";
import { LogViewer } from "@/components/logs/log-viewer";
import { Button, IconButton } from "@/components/ui/button";
import { Confirm } from "@/components/ui/dialog";
import { Failure, SkeletonRows } from "@/components/ui/feedback";
import { Select } from "@/components/ui/field";
import { StateBadge } from "@/components/ui/state";
import { CopyButton, Elapsed } from "@/components/ui/time";
import { toast, toastError } from "@/components/ui/toast";
import { cx } from "@/lib/class";
import { useShortcuts } from "@/lib/keys";
import { usePreference } from "@/lib/preferences";
import { useSearchAll, useSetSearch } from "@/lib/search";
import { taskState } from "@/lib/tasks";
import { CachePanel } from "./cache-panel";
import { ProgramPanel } from "./program-panel";
import { SummaryPanel } from "./summary-panel";
import { ValuesPanel } from "./values-panel";

const MIN_WIDTH = 420;
const MAX_WIDTH = 960;

interface Props {
  runId: string;
  task: TaskState;
  tasks: readonly TaskState[];
}

type PanelId = "summary" | "io" | "logs" | "cache" | "spec";

const TABS: [PanelId, string][] = [
  ["summary", "Summary"],
  ["io", "Inputs & outputs"],
  ["logs", "Logs"],
  ["cache", "Cache"],
  ["spec", "Spec"],
];

export function Inspector({ runId, task, tasks }: Props) {
  const search = useSearchAll();
  const setSearch = useSetSearch();
  const detail = useQuery(taskQueries.detail(runId, task.task_id));
  const panel = (TABS.find(([id]) => id === search.panel)?.[0] ?? "summary") as PanelId;
  const attempt = Number(search.attempt ?? task.attempt) || task.attempt;
  const close = () =>
    setSearch({ task: undefined, node: undefined, panel: undefined, attempt: undefined, line: undefined });
  useShortcuts([
    { keys: "Escape", label: "Close the task", group: "Run", run: close },
    { keys: "l", label: "Log of the task", group: "Run", run: () => setSearch({ panel: "logs" }) },
  ]);

  const live = attempt === task.attempt && (task.state === "RUNNING" || task.state === "PENDING");
  let content: ReactNode;
  if (panel === "logs")
    content = (
      <LogViewer where={{ run: runId, task: task.task_id, attempt: attempt || undefined }} live={live} />
    );
  else if (detail.isError) content = <Failure error={detail.error} retry={() => detail.refetch()} />;
  else if (!detail.data) content = <SkeletonRows />;
  else if (panel === "io") content = <ValuesPanel runId={runId} detail={detail.data} />;
  else if (panel === "cache") content = <CachePanel runId={runId} task={task} />;
  else if (panel === "spec") content = <ProgramPanel detail={detail.data} />;
  else
    content = <SummaryPanel runId={runId} detail={detail.data} task={task} tasks={tasks} attempt={attempt} />;

  return (
    <Resizable>
      <header className="flex shrink-0 items-start gap-2 px-4 pt-3">
        <div className="min-w-0 flex-1">
          <p className="flex items-center gap-1 truncate text-label text-ink-3" title={task.path}>
            {task.path}
            <CopyButton text={task.path} label="Copy path" />
          </p>
          <h2 className="truncate text-section font-semibold">
            {task.display_name}
            {task.item !== null && <span className="font-normal text-ink-3"> {task.item}</span>}
          </h2>
        </div>
        <IconButton label="Close" hint="Esc" onClick={close}>
          <X size={16} />
        </IconButton>
      </header>
      <div className="flex shrink-0 items-center gap-3 px-4 pt-2 pb-1">
        <StateBadge state={taskState(task)} />
        {task.started_at !== null && (
          <span className="text-ink-2">
            <Elapsed from={task.started_at} until={task.ended_at ?? undefined} />
          </span>
        )}
        <div className="flex-1" />
        <RetryFrom runId={runId} task={task} tasks={tasks} />
        {task.attempt > 1 && (
          <Select
            aria-label="Attempt"
            value={String(attempt)}
            onChange={(event) => setSearch({ attempt: event.target.value, line: undefined })}
          >
            {Array.from({ length: task.attempt }, (_, index) => (
              <option key={`attempt-${index + 1}`} value={index + 1}>
                Attempt {index + 1} of {task.attempt}
              </option>
            ))}
          </Select>
        )}
      </div>
      <div
        role="tablist"
        aria-label="About the task"
        className="flex shrink-0 gap-4 overflow-x-auto border-b border-line px-4"
      >
        {TABS.map(([id, label]) => (
          <button
            key={id}
            type="button"
            role="tab"
            aria-selected={panel === id}
            aria-controls="task-panel"
            onClick={() => setSearch({ panel: id === "summary" ? undefined : id, line: undefined })}
            className={cx(
              "-mb-px h-9 border-b-2 whitespace-nowrap",
              panel === id ? "border-accent font-medium" : "border-transparent text-ink-2 hover:text-ink",
            )}
          >
            {label}
          </button>
        ))}
      </div>
      <div
        id="task-panel"
        role="tabpanel"
        aria-label={TABS.find(([id]) => id === panel)?.[1]}
        tabIndex={0}
        className={cx("flex min-h-0 flex-1 flex-col", panel !== "logs" && "overflow-auto")}
      >
        {content}
      </div>
    </Resizable>
  );
}

/** Once the run has ended, it can begin again at any task that it got to. */
function RetryFrom({ runId, task, tasks }: Props) {
  const retry = useRetryFrom(runId);
  const [asking, setAsking] = useState(false);
  const atWork = tasks.some((each) => each.state === "RUNNING" || each.state === "PENDING");
  if (atWork) return null;
  return (
    <>
      <Button small icon={<RotateCw size={13} />} disabled={retry.isPending} onClick={() => setAsking(true)}>
        Retry from here
      </Button>
      <Confirm
        open={asking}
        onClose={() => setAsking(false)}
        onConfirm={() =>
          retry.mutate(task.task_id, {
            onError: toastError,
            onSuccess: () => toast(`The run goes on from “${task.display_name}”`),
          })
        }
        title={`Retry from “${task.display_name}”?`}
        action="Retry"
        danger={false}
      >
        This task and everything downstream of it run again, and so does whatever has failed besides. All else
        is kept, and so are earlier attempts.
      </Confirm>
    </>
  );
}

/** The frame of the panel; its left edge moves by pointer and by arrow keys. */
function Resizable({ children }: { children: ReactNode }) {
  const [stored, setStored] = usePreference("inspector.width", "520");
  const width = Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, Number(stored) || MIN_WIDTH));
  const panel = useRef<HTMLElement>(null);
  return (
    <aside
      ref={panel}
      aria-label="Task"
      className="relative flex min-h-0 shrink-0 flex-col border-l border-line bg-surface max-lg:absolute max-lg:inset-y-0 max-lg:right-0 max-lg:z-20 max-lg:max-w-full max-lg:shadow-float"
      style={{ width }}
    >
      <div
        role="separator"
        tabIndex={0}
        aria-label="Width of the panel"
        aria-orientation="vertical"
        aria-valuemin={MIN_WIDTH}
        aria-valuemax={MAX_WIDTH}
        aria-valuenow={width}
        className="absolute inset-y-0 -left-1 z-10 w-2 cursor-col-resize touch-none hover:bg-accent/20"
        onKeyDown={(event) => {
          if (event.key === "ArrowLeft") setStored(String(width + 40));
          if (event.key === "ArrowRight") setStored(String(width - 40));
        }}
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={(event) => {
          if (!event.currentTarget.hasPointerCapture(event.pointerId) || !panel.current) return;
          setStored(String(Math.round(panel.current.getBoundingClientRect().right - event.clientX)));
        }}
      />
      {children}
    </aside>
  );
}
