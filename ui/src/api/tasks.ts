/** One task of a run: all that is known of it, its cache, its log. */
import { queryOptions } from "@tanstack/react-query";
import { apiUrl, request, V1 } from "./client";
import type {
  CacheExplanation,
  LogChange,
  LogLine,
  LogPage,
  RunLogChange,
  RunLogLine,
  RunLogMatches,
  TaskDetail,
} from "./generated";

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

/** Which log: of one attempt of a task, or without a task that of the whole run. */
export interface LogWhere {
  run: string;
  task?: string;
  attempt?: number;
}

/** A line; one of the log of a run says whose it is. */
export type AnyLogLine = LogLine & Partial<Pick<RunLogLine, "path" | "attempt" | "task_line">>;
export type AnyLogPage = Pick<LogPage, "total_lines" | "total_bytes" | "is_complete"> & {
  lines: AnyLogLine[];
  left_out?: number;
};
export type AnyLogChange = LogChange | RunLogChange;
export type AnyLogMatches = RunLogMatches;

const logAddress = ({ run, task }: LogWhere) =>
  `${task === undefined ? `${V1}/runs/${encodeURIComponent(run)}` : address(run, task)}/log`;

/** Consecutive lines; the last ones without `fromLine`. */
export function readLog(
  where: LogWhere,
  fromLine: number | undefined,
  limit: number,
  signal?: AbortSignal,
): Promise<AnyLogPage> {
  return request<AnyLogPage>(logAddress(where), {
    query: { attempt: where.attempt, from_line: fromLine, limit },
    signal,
  });
}

export function searchLog(where: LogWhere, q: string, signal?: AbortSignal): Promise<AnyLogMatches> {
  return request<AnyLogMatches>(`${logAddress(where)}/search`, {
    query: { attempt: where.attempt, q, limit: 1000 },
    signal,
  });
}

export function rawLogUrl(where: LogWhere): string {
  return apiUrl(`${logAddress(where)}/raw`, { attempt: where.attempt });
}

export function logStreamPath(where: LogWhere): string {
  return `${logAddress(where).slice(V1.length + 1)}/stream`;
}
