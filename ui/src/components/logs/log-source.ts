/** Lines of one log by number: pages are read when they come into view, new lines are appended as they arrive. */
import { useCallback, useEffect, useRef, useState } from "react";
import { subscribe } from "@/api/stream";
import { type AnyLogChange, type AnyLogLine, type LogWhere, logStreamPath, readLog } from "@/api/tasks";

const PAGE = 500;
const FLUSH_MS = 50;

export interface LogSource {
  total: number;
  bytes: number;
  /** Attempts that are not among the lines. */
  leftOut: number;
  complete: boolean;
  loading: boolean;
  error: unknown;
  line: (index: number) => AnyLogLine | undefined;
  /** Reads what is missing between two lines. */
  need: (from: number, to: number) => void;
}

interface Meta {
  total: number;
  bytes: number;
  leftOut: number;
  complete: boolean;
}

export function useLog(where: LogWhere, live: boolean): LogSource {
  const { run, task, attempt } = where;
  const lines = useRef(new Map<number, AnyLogLine>());
  const asked = useRef(new Set<number>());
  const [meta, setMeta] = useState<Meta>();
  const [error, setError] = useState<unknown>();
  const [, repaint] = useState(0);
  const abort = useRef<AbortController>(undefined);
  const [revived, setRevived] = useState(0);
  const ended = useRef(false);
  ended.current = meta?.complete ?? false;
  useEffect(() => {
    if (live && ended.current) setRevived((count) => count + 1);
  }, [live]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: it is read again when an ended run goes on
  useEffect(() => {
    const controller = new AbortController();
    abort.current = controller;
    lines.current = new Map();
    asked.current = new Set();
    setMeta(undefined);
    setError(undefined);
    readLog({ run, task, attempt }, undefined, PAGE, controller.signal)
      .then((page) => {
        for (const line of page.lines) lines.current.set(line.line, line);
        setMeta({
          total: page.total_lines,
          bytes: page.total_bytes,
          leftOut: page.left_out ?? 0,
          complete: page.is_complete,
        });
      })
      .catch((cause) => !controller.signal.aborted && setError(cause));
    return () => controller.abort();
  }, [run, task, attempt, revived]);

  const loaded = meta !== undefined;
  const start = useRef(0);
  start.current = meta?.total ?? 0;
  // A run is written to until the server says otherwise.
  const follow = (live || task === undefined) && loaded && !meta.complete;
  useEffect(() => {
    if (!follow) return;
    let waiting: AnyLogLine[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = () => {
      timer = undefined;
      for (const line of waiting) lines.current.set(line.line, line);
      const last = waiting.at(-1);
      waiting = [];
      if (last) setMeta((before) => before && { ...before, total: Math.max(before.total, last.line + 1) });
    };
    const stop = subscribe<AnyLogChange>({
      path: logStreamPath({ run, task }),
      query: { attempt, from_line: start.current },
      kinds: ["lines", "end"],
      onChange: (change) => {
        if (change.kind === "lines") {
          for (const line of change.lines) waiting.push(line);
          timer ??= setTimeout(flush, FLUSH_MS);
        } else {
          flush();
          setMeta((before) => before && { ...before, total: change.total_lines, complete: true });
        }
      },
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [follow, run, task, attempt]);

  const need = useCallback(
    (from: number, to: number) => {
      const signal = abort.current?.signal;
      for (let page = Math.floor(from / PAGE); page <= Math.floor(to / PAGE); page += 1) {
        const first = page * PAGE;
        const known = [first, Math.min(to, first + PAGE - 1)].every((index) => lines.current.has(index));
        if (known || asked.current.has(page)) continue;
        asked.current.add(page);
        readLog({ run, task, attempt }, first, PAGE, signal)
          .then((answer) => {
            for (const line of answer.lines) lines.current.set(line.line, line);
            repaint((count) => count + 1);
          })
          .catch(() => undefined)
          // The last page grows: it may be asked for again.
          .finally(() => asked.current.delete(page));
      }
    },
    [run, task, attempt],
  );

  const line = useCallback((index: number) => lines.current.get(index), []);
  return {
    total: meta?.total ?? 0,
    bytes: meta?.bytes ?? 0,
    leftOut: meta?.leftOut ?? 0,
    complete: meta?.complete ?? false,
    loading: !meta && !error,
    error,
    line,
    need,
  };
}
