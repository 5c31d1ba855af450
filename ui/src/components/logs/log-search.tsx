/** Search in a log: the server looks through all lines, the page steps from find to find. */
import { ChevronDown, ChevronUp, Search } from "lucide-react";
import { useCallback, useEffect, useRef, useState } from "react";
import { type AnyLogMatches, type LogWhere, searchLog } from "@/api/tasks";
import { IconButton } from "@/components/ui/button";
import { useShortcuts } from "@/lib/keys";

const PAUSE_MS = 150;

export interface LogSearchState {
  needle: string;
  setNeedle: (needle: string) => void;
  matches: AnyLogMatches | undefined;
  position: number;
  /** Line of the chosen find. */
  current: number | undefined;
  step: (by: number) => void;
}

export function useLogSearch(where: LogWhere): LogSearchState {
  const { run, task, attempt } = where;
  const [needle, setNeedle] = useState("");
  const [matches, setMatches] = useState<AnyLogMatches>();
  const [position, setPosition] = useState(-1);

  useEffect(() => {
    setMatches(undefined);
    setPosition(-1);
    if (!needle) return;
    const controller = new AbortController();
    const timer = setTimeout(() => {
      searchLog({ run, task, attempt }, needle, controller.signal)
        .then((found) => {
          setMatches(found);
          setPosition(found.matches.length > 0 ? 0 : -1);
        })
        .catch(() => undefined);
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [needle, run, task, attempt]);

  const found = matches?.matches.length ?? 0;
  const step = useCallback(
    (by: number) => setPosition((at) => (found === 0 ? -1 : (at + by + found) % found)),
    [found],
  );
  return { needle, setNeedle, matches, position, current: matches?.matches[position]?.line, step };
}

export function LogSearch({ search }: { search: LogSearchState }) {
  const input = useRef<HTMLInputElement>(null);
  useShortcuts([{ keys: "/", label: "Search in the log", group: "Log", run: () => input.current?.focus() }]);
  const { matches, needle, position } = search;
  return (
    <div className="flex items-center gap-1">
      <span className="relative inline-flex">
        <Search size={13} className="pointer-events-none absolute top-1.75 left-2 text-ink-3" aria-hidden />
        <input
          ref={input}
          aria-label="Search in the log"
          placeholder="Search"
          value={needle}
          onChange={(event) => search.setNeedle(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter") search.step(event.shiftKey ? -1 : 1);
            if (event.key === "Escape") {
              search.setNeedle("");
              input.current?.blur();
            }
          }}
          className="h-7 w-44 rounded-control border border-line bg-surface pr-2 pl-7 text-label placeholder:text-ink-3 hover:border-line-strong"
        />
      </span>
      {needle && (
        <>
          <span className="num min-w-14 text-center text-label text-ink-2" aria-live="polite">
            {matches
              ? matches.total_matches === 0
                ? "none"
                : `${position + 1} of ${matches.total_matches}`
              : ""}
          </span>
          <IconButton label="Previous find" hint="N" small onClick={() => search.step(-1)}>
            <ChevronUp size={14} />
          </IconButton>
          <IconButton label="Next find" hint="n" small onClick={() => search.step(1)}>
            <ChevronDown size={14} />
          </IconButton>
        </>
      )}
    </div>
  );
}
