/** The content of the graph as a tree: the same names, states and selection, for keyboards and screen readers. */
import { ChevronDown, ChevronRight } from "lucide-react";
import { type KeyboardEvent, useMemo, useRef, useState } from "react";
import type { Graph } from "@/api/generated";
import { StateIcon } from "@/components/ui/state";
import { cx } from "@/lib/class";
import { WORDS } from "@/lib/state";
import { type Boxed, boxes } from "./geometry";
import type { LookOf } from "./look";

const MOST_ROWS = 1000;

interface Props {
  graph: Graph;
  lookOf: LookOf;
  selected: string | undefined;
  onSelect: (id: string) => void;
  onToggle: (id: string) => void;
}

interface Row {
  box: Boxed;
  depth: number;
  open: boolean | undefined;
}

function rowsOf(graph: Graph): Row[] {
  const children = new Map<string | null, Boxed[]>();
  for (const box of boxes(graph)) {
    if (box.kind === "artifact") continue;
    children.set(box.parent, [...(children.get(box.parent) ?? []), box]);
  }
  // Groups and nodes of a frame in the order in which they run.
  for (const list of children.values())
    list.sort((a, b) => (graph.direction === "right" ? a.x - b.x || a.y - b.y : a.y - b.y || a.x - b.x));
  const rows: Row[] = [];
  const visit = (parent: string | null, depth: number) => {
    for (const box of children.get(parent) ?? []) {
      if (rows.length >= MOST_ROWS) return;
      const isGroup = "header_height" in box;
      rows.push({ box, depth, open: isGroup ? true : box.can_open ? false : undefined });
      if (isGroup) visit(box.id, depth + 1);
    }
  };
  visit(null, 1);
  return rows;
}

export function GraphTree({ graph, lookOf, selected, onSelect, onToggle }: Props) {
  const rows = useMemo(() => rowsOf(graph), [graph]);
  const [active, setActive] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const focus = (index: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, index));
    setActive(next);
    list.current?.querySelectorAll<HTMLElement>("[role=treeitem]")[next]?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const row = rows[active];
    if (!row) return;
    const keys: Record<string, () => void> = {
      ArrowDown: () => focus(active + 1),
      ArrowUp: () => focus(active - 1),
      Home: () => focus(0),
      End: () => focus(rows.length - 1),
      ArrowRight: () => (row.open === false ? onToggle(row.box.id) : focus(active + 1)),
      ArrowLeft: () =>
        row.open === true
          ? onToggle(row.box.id)
          : focus(rows.findIndex((each) => each.box.id === row.box.parent)),
      Enter: () => onSelect(row.box.id),
      " ": () => onSelect(row.box.id),
    };
    const run = keys[event.key];
    if (!run) return;
    event.preventDefault();
    event.stopPropagation();
    run();
  };
  return (
    <div
      ref={list}
      role="tree"
      aria-label="Tasks"
      className="absolute inset-0 overflow-auto px-4 pt-16 pb-4"
      onKeyDown={onKeyDown}
    >
      {rows.map((row, index) => {
        const look = lookOf(row.box.id);
        return (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the tree handles keys
          <div
            key={row.box.id}
            role="treeitem"
            aria-level={row.depth}
            aria-expanded={row.open}
            aria-selected={row.box.id === selected}
            tabIndex={index === active ? 0 : -1}
            onFocus={() => setActive(index)}
            onClick={() => onSelect(row.box.id)}
            className={cx(
              "flex h-8 cursor-pointer items-center gap-2 rounded-control pr-3 hover:bg-hover",
              row.box.id === selected && "bg-accent-tint",
            )}
            style={{ paddingLeft: row.depth * 20 - 8 }}
          >
            {row.open === undefined ? (
              <span className="w-5" />
            ) : (
              <button
                type="button"
                tabIndex={-1}
                aria-label={row.open ? "Close" : "Open"}
                className="flex size-6 items-center justify-center text-ink-3"
                onClick={(event) => {
                  event.stopPropagation();
                  onToggle(row.box.id);
                }}
              >
                {row.open ? <ChevronDown size={14} /> : <ChevronRight size={14} />}
              </button>
            )}
            {look.state && <StateIcon state={look.state} size={14} />}
            <span className="truncate font-medium">{row.box.label}</span>
            {look.state && <span className="text-label text-ink-3">{WORDS[look.state]}</span>}
            <span className="num truncate text-label text-ink-3">{look.detail || row.box.condition}</span>
          </div>
        );
      })}
      {rows.length >= MOST_ROWS && (
        <p className="p-2 text-ink-3">Only the first {MOST_ROWS}: close groups to see others.</p>
      )}
    </div>
  );
}
