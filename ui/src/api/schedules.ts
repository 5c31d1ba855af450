/** Recurring runs: the public API, whose lists are read whole, and what it does not tell. */
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { request, V1, V2 } from "./client";
import type { LastRuns } from "./generated";
import type { RecurringRun } from "./v2beta1";

/** Of one question about several of them. */
const MOST_IDS = 200;

const one = (id: string) => `${V2}/recurringruns/${encodeURIComponent(id)}`;

interface SchedulePage {
  recurringRuns?: RecurringRun[];
  recurring_runs?: RecurringRun[];
  next_page_token?: string;
}

export const scheduleQueries = {
  all: (experiment = "") =>
    queryOptions({
      queryKey: ["schedules", "all", experiment],
      queryFn: async ({ signal }) => {
        const schedules: RecurringRun[] = [];
        let token = "";
        do {
          const page = await request<SchedulePage>(`${V2}/recurringruns`, {
            query: {
              page_size: 200,
              sort_by: "created_at desc",
              page_token: token,
              experiment_id: experiment,
            },
            signal,
          });
          schedules.push(...(page.recurringRuns ?? page.recurring_runs ?? []));
          token = page.next_page_token ?? "";
        } while (token && schedules.length < 2000);
        return schedules;
      },
    }),
  /** The last runs of schedules by their ids: one request for each 200. */
  lastRuns: (ids: readonly string[]) =>
    queryOptions({
      queryKey: ["schedules", "last-runs", ids],
      queryFn: async ({ signal }) => {
        const parts: Promise<LastRuns>[] = [];
        for (let from = 0; from < ids.length; from += MOST_IDS) {
          const query = new URLSearchParams(ids.slice(from, from + MOST_IDS).map((id) => ["ids", id]));
          parts.push(request(`${V1}/recurringruns/last_runs`, { queryText: query.toString(), signal }));
        }
        const found = await Promise.all(parts);
        return Object.assign({}, ...found.map((part) => part.last_runs)) as LastRuns["last_runs"];
      },
      enabled: ids.length > 0,
      placeholderData: keepPreviousData,
    }),
  schedule: (id: string) =>
    queryOptions({
      queryKey: ["schedules", "one", id],
      queryFn: ({ signal }) => request<RecurringRun>(one(id), { signal }),
    }),
};

/** What may be changed; null takes a field away. */
export type ScheduleChange = {
  [Field in
    | "display_name"
    | "description"
    | "max_concurrency"
    | "trigger"
    | "no_catchup"
    | "runtime_config"]?: RecurringRun[Field] | null;
};

export type NewSchedule = Omit<RecurringRun, "recurring_run_id">;

export function useScheduleWrites() {
  const client = useQueryClient();
  const onSettled = () => client.invalidateQueries({ queryKey: ["schedules"] });
  return {
    create: useMutation({
      mutationFn: (schedule: NewSchedule) =>
        request<RecurringRun>(`${V2}/recurringruns`, { method: "POST", body: schedule }),
      onSettled,
    }),
    edit: useMutation({
      mutationFn: ({ id, change }: { id: string; change: ScheduleChange }) =>
        request<RecurringRun>(`${V1}/recurringruns/${encodeURIComponent(id)}`, {
          method: "PATCH",
          body: change,
        }),
      onSettled,
    }),
    setEnabled: useMutation({
      mutationFn: ({ id, enabled }: { id: string; enabled: boolean }) =>
        request(`${one(id)}:${enabled ? "enable" : "disable"}`, { method: "POST" }),
      onMutate: async ({ id, enabled }) => {
        const flip = (schedule: RecurringRun): RecurringRun =>
          schedule.recurring_run_id === id
            ? { ...schedule, status: enabled ? "ENABLED" : "DISABLED" }
            : schedule;
        client.setQueriesData<RecurringRun[]>({ queryKey: ["schedules", "all"] }, (all) => all?.map(flip));
        client.setQueryData<RecurringRun>(["schedules", "one", id], (schedule) => schedule && flip(schedule));
      },
      onSettled,
    }),
    remove: useMutation({
      mutationFn: (id: string) => request(one(id), { method: "DELETE" }),
      onSettled,
    }),
  };
}
