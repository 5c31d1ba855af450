/** One task of a run: all that is known of it, its cache, its log. */
import { queryOptions } from "@tanstack/react-query";
import { apiUrl, request, V1 } from "./client";
import type { CacheExplanation, LogMatches, LogPage, TaskDetail } from "./generated";

const address = (run: string, task: string) =>
  `${V1}/runs/${encodeURIComponent(run)}/tasks/${encodeURIComponent(task)}`;

export const taskQueries = {
  detail: (run: string, task: string) =>
    queryOptions({
      queryKey: ["run", run, "task", task],
      queryFn: ({ signal }) => request<TaskDetail>(address(run, task), { signal }),
    }),
  cache: (run: string, task: string) =>
    queryOptions({
      queryKey: ["run", run, "task", task, "cache"],
      queryFn: ({ signal }) => request<CacheExplanation>(`${address(run, task)}/cache`, { signal }),
    }),
};

export interface LogWhere {
  run: string;
  task: string;
  attempt?: number;
}

/** Consecutive lines; the last ones without `fromLine`. */
export function readLog(
  { run, task, attempt }: LogWhere,
  fromLine: number | undefined,
  limit: number,
  signal?: AbortSignal,
): Promise<LogPage> {
  return request<LogPage>(`${address(run, task)}/log`, {
    query: { attempt, from_line: fromLine, limit },
    signal,
  });
}

export function searchLog(
  { run, task, attempt }: LogWhere,
  q: string,
  signal?: AbortSignal,
): Promise<LogMatches> {
  return request<LogMatches>(`${address(run, task)}/log/search`, {
    query: { attempt, q, limit: 1000 },
    signal,
  });
}

export function rawLogUrl({ run, task, attempt }: LogWhere): string {
  return apiUrl(`${address(run, task)}/log/raw`, { attempt });
}

export function logStreamPath({ run, task }: LogWhere): string {
  return `${address(run, task).slice(V1.length + 1)}/log/stream`;
}
