/** The chart: names at the left, bars at the right; only rows in view exist. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { type PointerEvent, useEffect, useMemo, useRef, useState } from "react";
import type { Timeline, TimelineRow } from "@/api/generated";
import { StateIcon } from "@/components/ui/state";
import { cx } from "@/lib/class";
import { duration } from "@/lib/format";
import { useShortcuts } from "@/lib/keys";
import { stateOf } from "@/lib/state";
import { parentPath } from "@/lib/tasks";
import { endOf, moved, rowMs, type Span, ticks, zoomed } from "@/lib/timeline";
import { Bars } from "./bars";

const ROW = 28;

interface Props {
  rows: readonly TimelineRow[];
  origin: number;
  now: number;
  whole: Span;
  span: Span;
  onSpan: (span: Span | undefined) => void;
  ghost: Timeline | undefined;
  indent: boolean;
  selected: string | undefined;
  onSelect: (path: string) => void;
}

export function TimelineChart(props: Props) {
  const { rows, origin, now, whole, span, onSpan, ghost, indent, selected, onSelect } = props;
  const viewport = useRef<HTMLDivElement>(null);
  const lane = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => viewport.current,
    estimateSize: () => ROW,
    overscan: 10,
  });
  const marks = useMemo(() => ticks(span, 8), [span]);
  const ghosts = useMemo(() => new Map(ghost?.rows.map((row) => [row.path, row])), [ghost]);
  const length = span.to - span.from;
  const share = (at: number) => ((at - span.from) / length) * 100;

  const latest = useRef({ span, whole, onSpan });
  latest.current = { span, whole, onSpan };
  // React listens to wheels passively; zooming must keep the page still.
  useEffect(() => {
    const element = viewport.current;
    if (!element) return;
    const onWheel = (event: WheelEvent) => {
      const { span, whole, onSpan } = latest.current;
      const box = lane.current?.getBoundingClientRect();
      if (!box || box.width === 0) return;
      const perPixel = (span.to - span.from) / box.width;
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        const center = span.from + (event.clientX - box.left) * perPixel;
        onSpan(zoomed(span, whole, Math.exp(event.deltaY * 0.002), center));
      } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        event.preventDefault();
        onSpan(moved(span, whole, (event.deltaX || event.deltaY) * perPixel));
      }
    };
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => element.removeEventListener("wheel", onWheel);
  }, []);
  const center = (span.from + span.to) / 2;
  useShortcuts([
    { keys: "+", label: "Zoom in", group: "Timeline", run: () => onSpan(zoomed(span, whole, 0.6, center)) },
    { keys: "-", label: "Zoom out", group: "Timeline", run: () => onSpan(zoomed(span, whole, 1.7, center)) },
    { keys: "f", label: "Whole run", group: "Timeline", run: () => onSpan(undefined) },
    {
      keys: "ArrowLeft",
      label: "Earlier",
      group: "Timeline",
      run: () => onSpan(moved(span, whole, -length / 8)),
    },
    {
      keys: "ArrowRight",
      label: "Later",
      group: "Timeline",
      run: () => onSpan(moved(span, whole, length / 8)),
    },
  ]);

  return (
    <div className="relative flex min-h-0 flex-1 flex-col">
      <div className="flex h-8 shrink-0 border-b border-line text-label text-ink-3">
        <div className="w-64 shrink-0 px-4 py-2 max-md:w-36 md:px-6">Task</div>
        <div className="w-20 shrink-0 py-2 pr-3 text-right">Time</div>
        <Scale lane={lane} span={span} marks={marks} share={share} onZoom={onSpan} />
      </div>
      <div aria-hidden className="pointer-events-none absolute top-8 right-0 bottom-0 left-84 max-md:left-56">
        {marks.map((at) => (
          <span key={at} className="absolute inset-y-0 w-px bg-line/70" style={{ left: `${share(at)}%` }} />
        ))}
      </div>
      <div
        ref={viewport}
        tabIndex={0}
        role="region"
        aria-label="Timeline"
        className="relative min-h-0 flex-1 overflow-x-hidden overflow-y-auto [contain:strict]"
      >
        <ul className="relative" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const row = rows[item.index];
            if (!row) return null;
            const other = ghosts.get(row.path);
            return (
              <li
                key={row.task_id}
                className={cx(
                  "absolute inset-x-0 top-0 flex",
                  row.path === selected ? "bg-accent-tint" : "hover:bg-hover",
                )}
                style={{ height: ROW, transform: `translateY(${item.start}px)` }}
              >
                <button
                  type="button"
                  className="flex w-84 shrink-0 items-center text-left max-md:w-56"
                  onClick={() => onSelect(row.path)}
                  title={row.path}
                >
                  <span
                    className="flex min-w-0 flex-1 items-center gap-2 pl-4 md:pl-6"
                    style={indent ? { paddingLeft: 24 + 14 * row.path.split("/").length - 14 } : undefined}
                  >
                    <StateIcon state={stateOf(row.state)} size={13} label />
                    <span className="truncate text-label">{row.display_name}</span>{" "}
                    {!indent && row.path.includes("/") && (
                      <span className="min-w-0 truncate text-caption text-ink-3">{parentPath(row.path)}</span>
                    )}
                  </span>
                  <span className="num w-20 shrink-0 pr-3 text-right text-label text-ink-2">
                    {" "}
                    {duration(rowMs(row, now))}
                    {row.is_critical && <span className="sr-only">, on the longest chain</span>}
                  </span>
                </button>
                <div className="relative min-w-0 flex-1 overflow-hidden border-l border-line">
                  {other && ghost && (
                    <span
                      aria-hidden
                      className="absolute top-0.5 bottom-0.5 rounded-[3px] border border-dashed border-line-strong"
                      style={{
                        left: `${share((other.started_at ?? other.created_at) - ghost.from)}%`,
                        width: `${(rowMs(other, endOf(other, ghost.now)) / length) * 100}%`,
                      }}
                    />
                  )}
                  <Bars row={row} origin={origin} now={now} share={share} />
                </div>
              </li>
            );
          })}
        </ul>
      </div>
    </div>
  );
}

interface ScaleProps {
  lane: { current: HTMLDivElement | null };
  span: Span;
  marks: readonly number[];
  share: (at: number) => number;
  onZoom: (span: Span) => void;
}

/** The scale above the bars; dragging over it chooses a window. */
function Scale({ lane, span, marks, share, onZoom }: ScaleProps) {
  const [drag, setDrag] = useState<[number, number]>();
  const at = (event: PointerEvent<HTMLDivElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const part = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    return span.from + part * (span.to - span.from);
  };
  const [a = 0, b = 0] = drag ?? [];
  return (
    <div
      ref={lane}
      className="relative min-w-0 flex-1 cursor-crosshair touch-none border-l border-line select-none"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        setDrag([at(event), at(event)]);
      }}
      onPointerMove={(event) => drag && setDrag([drag[0], at(event)])}
      onPointerUp={() => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        setDrag(undefined);
        if (to - from > (span.to - span.from) / 200) onZoom({ from, to });
      }}
      onPointerCancel={() => setDrag(undefined)}
    >
      {marks.map((mark) => (
        <span
          key={mark}
          className="num absolute top-2 border-l border-line pl-1 text-caption whitespace-nowrap"
          style={{ left: `${share(mark)}%` }}
        >
          {mark === 0 ? "0" : duration(mark)}
        </span>
      ))}
      {drag && (
        <span
          className="absolute inset-y-0 bg-accent/20"
          style={{
            left: `${share(Math.min(a, b))}%`,
            width: `${((Math.max(a, b) - Math.min(a, b)) / (span.to - span.from)) * 100}%`,
          }}
        />
      )}
    </div>
  );
}
