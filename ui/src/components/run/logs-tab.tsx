/** Logs of a run: its tasks at the left, the log of the chosen one, or of all of them, at the right. */
import { Rows3 } from "lucide-react";
import { useMemo } from "react";
import type { TaskState } from "@/api/generated";
import { LogViewer } from "@/components/logs/log-viewer";
import { Button } from "@/components/ui/button";
import { Empty } from "@/components/ui/feedback";
import { Select } from "@/components/ui/field";
import { StateIcon } from "@/components/ui/state";
import { cx } from "@/lib/class";
import { useSearchAll, useSetSearch } from "@/lib/search";
import { mostTelling, parentPath, taskState } from "@/lib/tasks";

/** Beyond this the list is cut; the filter of the Tasks tab finds the rest. */
const MAX_LISTED = 500;

/** The log of the whole run, in the address. */
const WHOLE = { logs: "all", task: undefined, attempt: undefined, line: undefined };

interface Props {
  runId: string;
  tasks: readonly TaskState[];
  /** Whether the run is at work. */
  active: boolean;
}

export function LogsTab({ runId, tasks, active }: Props) {
  const search = useSearchAll();
  const setSearch = useSetSearch();
  const withLogs = useMemo(
    () => tasks.filter((task) => task.kind === "CONTAINER" && task.attempt > 0),
    [tasks],
  );
  const chosen =
    tasks.find((task) => task.path === search.task && task.kind === "CONTAINER") ?? mostTelling(tasks);
  if (!chosen) {
    return (
      <Empty title="No logs yet">
        A log appears with the first task that starts. Tasks taken from the cache write none.
      </Empty>
    );
  }
  const all = search.logs === "all" && !search.task;
  const attempt = search.attempt ? Number(search.attempt) : chosen.attempt || 1;
  const live = attempt === chosen.attempt && (chosen.state === "RUNNING" || chosen.state === "PENDING");
  return (
    <div className="flex min-h-0 flex-1">
      <nav
        aria-label="Tasks with logs"
        className="w-64 shrink-0 overflow-auto border-r border-line p-2 max-lg:hidden"
      >
        <ul className="flex flex-col gap-0.5">
          <li>
            <button
              type="button"
              aria-current={all ? "true" : undefined}
              onClick={() => setSearch(WHOLE)}
              className={cx(
                "flex w-full items-center gap-2 rounded-control px-2 py-1.5 text-left",
                all ? "bg-accent-tint" : "hover:bg-hover",
              )}
            >
              <Rows3 size={14} className="text-ink-3" aria-hidden />
              All tasks
            </button>
          </li>
          {withLogs.slice(0, MAX_LISTED).map((task) => (
            <li key={task.task_id}>
              <button
                type="button"
                aria-current={task.path === chosen.path && !all ? "true" : undefined}
                onClick={() =>
                  setSearch({ logs: undefined, task: task.path, attempt: undefined, line: undefined })
                }
                className={cx(
                  "flex w-full items-center gap-2 rounded-control px-2 py-1.5 text-left",
                  task.path === chosen.path && !all ? "bg-accent-tint" : "hover:bg-hover",
                )}
              >
                <StateIcon state={taskState(task)} size={14} label />
                <span className="min-w-0 flex-1">
                  <span className="block truncate">{task.display_name}</span>
                  {parentPath(task.path) && (
                    <span className="block truncate text-label text-ink-3">{parentPath(task.path)}</span>
                  )}
                </span>
              </button>
            </li>
          ))}
        </ul>
        {withLogs.length > MAX_LISTED && (
          <p className="px-2 py-3 text-label text-ink-3">
            and {withLogs.length - MAX_LISTED} more: see Tasks
          </p>
        )}
      </nav>
      {all ? (
        <div className="flex min-w-0 flex-1 flex-col">
          <LogViewer where={{ run: runId }} live={active} />
        </div>
      ) : (
        <div className="flex min-w-0 flex-1 flex-col">
          <div className="flex h-10 shrink-0 items-center gap-2 border-b border-line px-4">
            <StateIcon state={taskState(chosen)} size={14} label />
            <h2 className="truncate font-medium">{chosen.display_name}</h2>
            <span className="truncate text-label text-ink-3">{parentPath(chosen.path)}</span>
            <div className="flex-1" />
            <Button small tone="ghost" className="lg:hidden" onClick={() => setSearch(WHOLE)}>
              All tasks
            </Button>
            {chosen.attempt > 1 && (
              <Select
                aria-label="Attempt"
                value={String(attempt)}
                onChange={(event) => setSearch({ attempt: event.target.value, line: undefined })}
              >
                {Array.from({ length: chosen.attempt }, (_, index) => (
                  <option key={`attempt-${index + 1}`} value={index + 1}>
                    Attempt {index + 1}
                  </option>
                ))}
              </Select>
            )}
          </div>
          <LogViewer where={{ run: runId, task: chosen.task_id, attempt }} live={live} />
        </div>
      )}
    </div>
  );
}
