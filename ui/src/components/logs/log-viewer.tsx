/** A log of any length: opens at its end, follows while it grows, searched on the server, every line has an address. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDownToLine, Download, Link2, OctagonAlert, WrapText } from "lucide-react";
import { useCallback, useEffect, useRef, useState } from "react";
import { ApiError } from "@/api/client";
import { type LogWhere, rawLogUrl, searchLog } from "@/api/tasks";
import { IconButton } from "@/components/ui/button";
import { Empty, Failure, SkeletonRows } from "@/components/ui/feedback";
import { toast } from "@/components/ui/toast";
import { cx } from "@/lib/class";
import { copyText } from "@/lib/clipboard";
import { bytes, count } from "@/lib/format";
import { useShortcuts } from "@/lib/keys";
import { usePreference } from "@/lib/preferences";
import { useParam } from "@/lib/search";
import { LineTask } from "./line-task";
import { LogSearch, useLogSearch } from "./log-search";
import { useLog } from "./log-source";
import { LogText } from "./log-text";

const LINE = 20;

interface Props {
  where: LogWhere;
  /** Whether the attempt may still write. */
  live: boolean;
}

export function LogViewer({ where, live }: Props) {
  const log = useLog(where, live);
  if (log.error) {
    const missing = log.error instanceof ApiError && log.error.status === 404;
    if (missing)
      return (
        <Empty title="No log yet">
          {live ? "It appears with the first line that the task writes." : "This task has written none."}
        </Empty>
      );
    return <Failure error={log.error} />;
  }
  if (log.loading) return <SkeletonRows rows={12} />;
  if (log.total === 0 && log.complete)
    return (
      <Empty title="The log is empty">
        {where.task === undefined
          ? "No task of this run wrote a line. Tasks taken from the cache write none."
          : "The task ended without writing a line."}
      </Empty>
    );
  return <Lines key={`${where.task}#${where.attempt}`} where={where} log={log} />;
}

function Lines({ where, log }: { where: LogWhere; log: ReturnType<typeof useLog> }) {
  const viewport = useRef<HTMLDivElement>(null);
  const [wrapped, setWrapped] = usePreference("logs.wrap", "no");
  const wrap = wrapped === "yes";
  const [lineText, setLine] = useParam("line");
  const target = lineText === "" ? undefined : Number(lineText);
  const [following, setFollowing] = useState(target === undefined);
  const search = useLogSearch(where);

  const virtual = useVirtualizer({
    count: log.total,
    getScrollElement: () => viewport.current,
    estimateSize: () => LINE,
    overscan: 30,
    initialOffset: () => Math.max(0, (target ?? log.total) * LINE - 200),
  });
  const items = virtual.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? 0;
  const { need } = log;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a longer log may have lines that were not there
  useEffect(() => need(first, last), [need, first, last, log.total]);

  const goTo = useCallback(
    (index: number) => {
      setFollowing(false);
      virtual.scrollToIndex(index, { align: "center" });
    },
    [virtual],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: wrapping changes every height
  useEffect(() => virtual.measure(), [wrap]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each new line moves the end
  useEffect(() => {
    if (following && log.total > 0) virtual.scrollToIndex(log.total - 1, { align: "end" });
  }, [following, log.total]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a new target moves the view
  useEffect(() => {
    if (target !== undefined && target < log.total) goTo(target);
  }, [target]);
  useEffect(() => {
    if (search.current !== undefined) goTo(search.current);
  }, [search.current, goTo]);

  const onScroll = () => {
    const element = viewport.current;
    if (!element) return;
    const atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < LINE;
    if (!atEnd && following) setFollowing(false);
    if (atEnd && !following && !log.complete) setFollowing(true);
  };
  const firstError = async () => {
    const { first_error_line } = await searchLog(where, "Traceback");
    if (first_error_line === null) toast("No line looks like an error");
    else setLine(String(first_error_line));
  };
  useShortcuts([
    { keys: "n", label: "Next find", group: "Log", run: () => search.step(1) },
    { keys: "N", label: "Previous find", group: "Log", run: () => search.step(-1) },
    { keys: "w", label: "Wrap lines", group: "Log", run: () => setWrapped(wrap ? "no" : "yes") },
    { keys: "e", label: "First error", group: "Log", run: firstError },
  ]);

  const digits = String(log.total).length;
  return (
    <div className="flex min-h-0 flex-1 flex-col bg-surface">
      <div className="flex shrink-0 items-center gap-1 border-b border-line px-3 py-1.5">
        <LogSearch search={search} />
        <span className="num ml-2 truncate text-label text-ink-3">
          {count(log.total, "line")}
          {log.bytes > 0 && `, ${bytes(log.bytes)}`}
          {!log.complete && <span className="text-running"> · growing</span>}
          {log.leftOut > 0 && ` · without ${count(log.leftOut, "attempt")}`}
        </span>
        <div className="flex-1" />
        <IconButton label="First error" hint="e" small onClick={firstError}>
          <OctagonAlert size={15} />
        </IconButton>
        <IconButton
          label="Wrap lines"
          hint="w"
          small
          pressed={wrap}
          onClick={() => setWrapped(wrap ? "no" : "yes")}
        >
          <WrapText size={15} />
        </IconButton>
        <IconButton
          label={log.complete ? "Go to the end" : "Follow"}
          small
          pressed={following && !log.complete}
          onClick={() => setFollowing(true)}
        >
          <ArrowDownToLine size={15} />
        </IconButton>
        <a
          href={rawLogUrl(where)}
          download={`${(where.task ?? where.run).replaceAll("/", ".")}.log`}
          aria-label="Download the log"
          title="Download the log"
          className="inline-flex size-6 items-center justify-center rounded-control text-ink-2 hover:bg-hover hover:text-ink"
        >
          <Download size={15} />
        </a>
      </div>
      <div
        ref={viewport}
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label="Log"
        onScroll={onScroll}
        className="min-h-0 flex-1 overflow-auto font-mono text-label leading-5 [contain:strict]"
      >
        <div className="relative min-w-fit" style={{ height: virtual.getTotalSize() }}>
          {items.map((item) => {
            const line = log.line(item.index);
            const hit = item.index === target || item.index === search.current;
            return (
              <div
                key={item.key}
                ref={wrap ? virtual.measureElement : undefined}
                data-index={item.index}
                className={cx("group absolute top-0 left-0 flex w-full min-w-fit", hit && "bg-accent-tint")}
                style={{ transform: `translateY(${item.start}px)`, minHeight: LINE }}
              >
                <button
                  type="button"
                  tabIndex={-1}
                  aria-label={`Link to line ${item.index + 1}`}
                  className="num sticky left-0 shrink-0 bg-surface pr-3 pl-3 text-right text-ink-3 select-none hover:text-accent"
                  style={{ width: `calc(${Math.max(digits, 3)}ch + 24px)` }}
                  onClick={async () => {
                    setLine(String(item.index));
                    const url = new URL(location.href);
                    const [path = "", query = ""] = url.hash.slice(1).split("?");
                    const parameters = new URLSearchParams(query);
                    parameters.set("line", String(item.index));
                    url.hash = `${path}?${parameters}`;
                    if (await copyText(url.toString())) toast("Link to the line copied");
                  }}
                >
                  {item.index + 1}
                </button>
                {line?.path !== undefined && <LineTask run={where.run} line={line} />}
                {line ? (
                  <LogText text={line.text} cut={line.cut_bytes} needle={search.needle} wrap={wrap} />
                ) : (
                  <span className="my-1 h-3 w-64 rounded-sm bg-sunken" />
                )}
                {item.index === target && (
                  <Link2 size={13} className="mt-1 ml-2 shrink-0 text-accent" aria-hidden />
                )}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}
