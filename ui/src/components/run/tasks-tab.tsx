/** All tasks of a run as a table. */
import { useMemo } from "react";
import type { TaskState } from "@/api/generated";
import { type Column, DataTable } from "@/components/table/data-table";
import { Chip, FilterBar, SearchBox } from "@/components/table/filter-bar";
import { Empty } from "@/components/ui/feedback";
import { StateIcon } from "@/components/ui/state";
import { Ago } from "@/components/ui/time";
import { cx } from "@/lib/class";
import { useNow } from "@/lib/clock";
import { count, duration } from "@/lib/format";
import { useParam, useSearchAll, useSetSearch } from "@/lib/search";
import { BY_URGENCY, stateOf, WORDS } from "@/lib/state";
import { countStates, isLeaf, parentPath, taskDuration, taskState } from "@/lib/tasks";

const KINDS: Record<TaskState["kind"], string> = {
  ROOT: "Pipeline",
  DAG: "Group",
  LOOP: "Loop",
  ITERATION: "Pass",
  CONTAINER: "Task",
  IMPORTER: "Importer",
};

type Sorter = (a: TaskState, b: TaskState, now: number) => number;

const SORTERS: Record<string, Sorter> = {
  name: (a, b) => a.path.localeCompare(b.path, "en", { numeric: true }),
  state: (a, b) => BY_URGENCY.indexOf(taskState(a)) - BY_URGENCY.indexOf(taskState(b)),
  started: (a, b) => (a.started_at ?? Number.MAX_VALUE) - (b.started_at ?? Number.MAX_VALUE),
  duration: (a, b, now) => (taskDuration(a, now) ?? -1) - (taskDuration(b, now) ?? -1),
  attempts: (a, b) => a.attempt - b.attempt,
};

function sorted(tasks: TaskState[], sort: string, now: number): TaskState[] {
  const [key = "", direction] = sort.split(" ");
  const sorter = SORTERS[key];
  if (!sorter) return tasks;
  const sign = direction === "desc" ? -1 : 1;
  return tasks.toSorted((a, b) => sign * sorter(a, b, now));
}

function columns(now: number): Column<TaskState>[] {
  return [
    {
      id: "name",
      title: "Task",
      width: "minmax(240px, 3fr)",
      sort: "name",
      cell: (task) => (
        <span className="flex min-w-0 items-center gap-2.5">
          <StateIcon state={taskState(task)} label />
          <span className="truncate font-medium">{task.display_name}</span>
          {task.item !== null && <span className="truncate text-ink-3">{task.item}</span>}
          {parentPath(task.path) && (
            <span className="truncate text-label text-ink-3">{parentPath(task.path)}</span>
          )}
        </span>
      ),
    },
    { id: "state", title: "State", width: "100px", sort: "state", cell: (task) => WORDS[taskState(task)] },
    {
      id: "kind",
      title: "Kind",
      width: "80px",
      cell: (task) => <span className="text-ink-2">{KINDS[task.kind]}</span>,
    },
    {
      id: "attempts",
      title: "Attempts",
      width: "84px",
      sort: "attempts",
      align: "right",
      cell: (task) => (
        <span className={cx("num", task.attempt < 2 && "text-ink-3")}>{task.attempt || "–"}</span>
      ),
    },
    {
      id: "started",
      title: "Started",
      width: "110px",
      sort: "started",
      cell: (task) => <Ago at={task.started_at ?? undefined} className="text-ink-2" />,
    },
    {
      id: "duration",
      title: "Duration",
      width: "90px",
      sort: "duration",
      align: "right",
      cell: (task) => <span className="num">{duration(taskDuration(task, now))}</span>,
    },
    {
      id: "message",
      title: "Note",
      width: "minmax(120px, 2fr)",
      cell: (task) => (
        <span className="text-ink-2" title={task.error?.message}>
          {task.error?.message}
        </span>
      ),
    },
  ];
}

export function TasksTab({ tasks, active }: { tasks: readonly TaskState[]; active: boolean }) {
  const now = useNow(active);
  const search = useSearchAll();
  const setSearch = useSetSearch();
  const [q, setQ] = useParam("q");
  const [sort, setSort] = useParam("sort", "");
  const groups = search.groups === "1";
  const state = search.state;
  const all = useMemo(
    () => tasks.filter((task) => task.kind !== "ROOT" && (groups || isLeaf(task))),
    [tasks, groups],
  );
  const counts = useMemo(() => countStates(all), [all]);
  const shown = useMemo(() => {
    const needle = q.toLowerCase();
    const matching = all.filter(
      (task) =>
        (!state || taskState(task) === state) &&
        (!needle ||
          task.path.toLowerCase().includes(needle) ||
          task.display_name.toLowerCase().includes(needle)),
    );
    return sorted(matching, sort, now);
  }, [all, q, state, sort, now]);
  const cols = useMemo(() => columns(now), [now]);
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <FilterBar
        aside={
          <>
            <label className="flex items-center gap-2 text-label text-ink-2">
              <input
                type="checkbox"
                className="accent-(--color-accent)"
                checked={groups}
                onChange={(event) => setSearch({ groups: event.target.checked ? "1" : undefined })}
              />
              Groups and loops
            </label>
            <span className="num text-label text-ink-3">{count(shown.length, "task")}</span>
          </>
        }
      >
        <SearchBox value={q} onChange={setQ} placeholder="Filter tasks" />
        {state ? (
          <Chip label="state" onRemove={() => setSearch({ state: undefined })}>
            {WORDS[stateOf(state)]}
          </Chip>
        ) : (
          BY_URGENCY.filter((each) => counts.get(each)).map((each) => (
            <button
              key={each}
              type="button"
              className="inline-flex h-7 items-center gap-1.5 rounded-full border border-line px-2 text-label text-ink-2 hover:bg-hover"
              onClick={() => setSearch({ state: each })}
            >
              <StateIcon state={each} size={13} />
              {WORDS[each]} <span className="num text-ink-3">{counts.get(each)}</span>
            </button>
          ))
        )}
      </FilterBar>
      <DataTable
        label="Tasks"
        columns={cols}
        rows={shown}
        idOf={(task) => task.task_id}
        onOpen={(task) => setSearch({ task: task.path, line: undefined, attempt: undefined })}
        activeId={shown.find((task) => task.path === search.task)?.task_id}
        sort={sort}
        onSort={setSort}
        memory="tasks"
        empty={<Empty title={all.length === 0 ? "No tasks yet" : "No task matches"} />}
      />
    </div>
  );
}
