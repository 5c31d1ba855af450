/** Runs: lists, one run, what can be done with them, and their changes. */
import {
  infiniteQueryOptions,
  keepPreviousData,
  type QueryClient,
  queryOptions,
  useMutation,
  useQueryClient,
} from "@tanstack/react-query";
import { request, V1, V2 } from "./client";
import type {
  Comparison,
  MetricTrends,
  RunFacets,
  RunOverview,
  RunPage,
  RunRow,
  RunState,
  Timeline,
} from "./generated";
import type { Run } from "./v2beta1";

export interface RunFilter {
  q?: string;
  state?: string;
  experiment_id?: string;
  pipeline_id?: string;
  version_id?: string;
  pipeline_name?: string;
  recurring_run_id?: string;
  archived?: "true" | "false" | "any";
  since?: number;
  until?: number;
}

/** Whether a run is of the experiment, pipeline or schedule that a list is about. */
export function belongsTo(run: RunRow, about: RunFilter = {}): boolean {
  const of: [string | undefined, string | null | undefined][] = [
    [about.experiment_id, run.experiment.id],
    [about.pipeline_id, run.version?.pipeline_id],
    [about.version_id, run.version?.version_id],
    [about.pipeline_name, run.pipeline_name],
    [about.recurring_run_id, run.recurring_run_id],
  ];
  return of.every(([wanted, its]) => wanted === undefined || wanted === its);
}

/** `state` may hold several values joined by commas. */
function path(base: string, filter: RunFilter, more: Record<string, string | number> = {}): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries({ ...filter, ...more })) {
    if (value === undefined || value === "") continue;
    if (key === "state")
      for (const state of String(value).split(",")) query.append("state", state.toUpperCase());
    else query.set(key, String(value));
  }
  return `${V1}/${base}?${query}`;
}

const get = <T>(address: string, signal?: AbortSignal) => {
  const [base = "", query = ""] = address.split("?");
  return request<T>(base, { queryText: query, signal });
};

export const RUN_PAGE_SIZE = 100;

export const runQueries = {
  all: ["runs"] as const,
  list: (filter: RunFilter, sort: string) =>
    infiniteQueryOptions({
      queryKey: ["runs", "list", filter, sort],
      queryFn: ({ pageParam, signal }) =>
        get<RunPage>(path("runs", filter, { sort, page_size: RUN_PAGE_SIZE, page_token: pageParam }), signal),
      initialPageParam: "",
      getNextPageParam: (page) => page.next_page_token || undefined,
      placeholderData: keepPreviousData,
      staleTime: 30_000,
    }),
  few: (filter: RunFilter, size: number, sort = "created_at desc") =>
    queryOptions({
      queryKey: ["runs", "few", filter, size, sort],
      queryFn: ({ signal }) => get<RunPage>(path("runs", filter, { sort, page_size: size }), signal),
    }),
  facets: (filter: RunFilter) =>
    queryOptions({
      queryKey: ["runs", "facets", filter],
      queryFn: ({ signal }) => get<RunFacets>(path("runs/facets", filter), signal),
      placeholderData: keepPreviousData,
      staleTime: 10_000,
    }),
  /** Metrics of the newest runs. */
  metrics: (filter: RunFilter, limit: number) =>
    queryOptions({
      queryKey: ["runs", "metrics", filter, limit],
      queryFn: ({ signal }) => get<MetricTrends>(path("runs/metrics", filter, { limit }), signal),
      placeholderData: keepPreviousData,
      staleTime: 10_000,
    }),
  overview: (id: string) =>
    queryOptions({
      queryKey: ["run", id, "overview"],
      queryFn: ({ signal }) =>
        request<RunOverview>(`${V1}/runs/${encodeURIComponent(id)}/overview`, { signal }),
    }),
  state: (id: string) =>
    queryOptions({
      queryKey: ["run", id, "state"],
      queryFn: ({ signal }) => request<RunState>(`${V1}/runs/${encodeURIComponent(id)}/state`, { signal }),
      staleTime: Number.POSITIVE_INFINITY, // The stream keeps it.
    }),
  timeline: (id: string) =>
    queryOptions({
      queryKey: ["run", id, "timeline"],
      queryFn: ({ signal }) => request<Timeline>(`${V1}/runs/${encodeURIComponent(id)}/timeline`, { signal }),
    }),
  /** The run as KFP's API tells it: with its specification and run_details. */
  public: (id: string) =>
    queryOptions({
      queryKey: ["run", id, "public"],
      queryFn: ({ signal }) => request<PublicRun>(`${V2}/runs/${encodeURIComponent(id)}`, { signal }),
      staleTime: 60_000,
    }),
  /** The run and task of an execution's number, looked for in the newest runs; `null` if it is not among them. */
  execution: (number: string) =>
    queryOptions({
      queryKey: ["execution", number],
      queryFn: async ({ signal }) => {
        const page = await request<{ runs?: PublicRun[] }>(`${V2}/runs`, {
          query: { page_size: 100, sort_by: "created_at desc" },
          signal,
        });
        for (const run of page.runs ?? []) {
          const task = run.run_details?.task_details?.find((each) => each.execution_id === number);
          if (task?.task_id) return { run: run.run_id, task: task.task_id };
        }
        return null;
      },
    }),
  compare: (ids: readonly string[]) =>
    queryOptions({
      queryKey: ["compare", ids],
      queryFn: ({ signal }) =>
        request<Comparison>(`${V1}/compare`, { query: { runs: ids.join(",") }, signal }),
      enabled: ids.length >= 2,
    }),
};

export interface PublicRun extends Run {
  run_details?: { task_details?: { task_id?: string; execution_id?: string; display_name?: string }[] };
}

/** Rows by id, for lists that hear of changes. */
export function readRows(ids: readonly string[]): Promise<RunPage> {
  const query = new URLSearchParams(ids.map((id) => ["ids", id]));
  query.set("archived", "any");
  query.set("page_size", "200");
  return get<RunPage>(`${V1}/runs?${query}`);
}

export type RunVerb = "retry" | "terminate" | "archive" | "unarchive" | "delete";

function act(verb: RunVerb, id: string): Promise<unknown> {
  const address = `${V2}/runs/${encodeURIComponent(id)}`;
  return verb === "delete"
    ? request(address, { method: "DELETE" })
    : request(`${address}:${verb}`, { method: "POST" });
}

/** After a write every list may differ, and so may the run. */
export function refreshRuns(client: QueryClient, ids: readonly string[] = []): void {
  client.invalidateQueries({ queryKey: runQueries.all });
  client.invalidateQueries({ queryKey: ["home"] });
  for (const id of ids) client.invalidateQueries({ queryKey: ["run", id] });
}

export function useRunAction() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ verb, ids }: { verb: RunVerb; ids: readonly string[] }) => {
      const results = await Promise.allSettled(ids.map((id) => act(verb, id)));
      const refused = results.filter((result) => result.status === "rejected");
      if (refused.length === ids.length && refused[0]) throw refused[0].reason;
      return { done: ids.length - refused.length, refused: refused.length };
    },
    onSettled: (_data, _error, { ids }) => refreshRuns(client, ids),
  });
}

/** Runs a task again, everything downstream of it, and whatever has failed besides. */
export function useRetryFrom(runId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (task: string) =>
      request(`${V1}/runs/${encodeURIComponent(runId)}:retry`, {
        method: "POST",
        body: { from_task: task },
      }),
    onSettled: () => refreshRuns(client, [runId]),
  });
}

export type NewRun = Omit<Run, "run_id" | "state" | "created_at">;

export function useCreateRun() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (run: NewRun) => request<Run>(`${V2}/runs`, { method: "POST", body: run }),
    onSuccess: () => refreshRuns(client),
  });
}
