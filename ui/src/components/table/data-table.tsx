/**
 * The table of all lists: only rows in view exist, the head stays, keys move the active row. It knows nothing about
 * what it shows; sorting, filtering and paging are the caller's.
 */
import { useNavigate } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp } from "lucide-react";
import { type MouseEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { split } from "@/components/link";
import { Checkbox } from "@/components/ui/field";
import { cx } from "@/lib/class";
import { useShortcuts } from "@/lib/keys";
import { usePreference } from "@/lib/preferences";
import { recallScroll } from "@/lib/scroll-memory";
import { useScrollMemory } from "./use-scroll-memory";

export interface Column<T> {
  id: string;
  title: string;
  /** A track of CSS grid, such as `minmax(200px, 2fr)`. */
  width: string;
  align?: "right";
  /** Key to sort by. */
  sort?: string;
  /** Hidden on narrow screens. */
  wide?: boolean;
  cell: (row: T) => ReactNode;
}

export interface Selection {
  ids: ReadonlySet<string>;
  set: (ids: ReadonlySet<string>) => void;
}

interface Props<T> {
  label: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  idOf: (row: T) => string;
  addressOf?: (row: T) => string;
  onOpen?: (row: T) => void;
  selection?: Selection;
  /** `<key> asc` or `<key> desc`. */
  sort?: string;
  onSort?: (sort: string) => void;
  hasMore?: boolean;
  onMore?: () => void;
  total?: number;
  empty?: ReactNode;
  /** Name under which the scroll position is kept. */
  memory?: string;
  activeId?: string;
  rowClass?: (row: T) => string | undefined;
}

export function DataTable<T>(props: Props<T>) {
  const { columns, rows, idOf, selection, label, memory } = props;
  const viewport = useRef<HTMLDivElement>(null);
  const navigate = useNavigate();
  const [density] = usePreference("density", "comfortable");
  const rowHeight = density === "compact" ? 32 : 40;
  const [active, setActive] = useState(-1);
  const memoryName = memory && `${memory}@${location.hash}`;
  const initial = useRef<number | undefined>(undefined);
  initial.current ??= memoryName ? recallScroll(memoryName) : 0;

  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => viewport.current,
    estimateSize: () => rowHeight,
    overscan: 8,
    initialOffset: initial.current,
    getItemKey: (index) => {
      const row = rows[index];
      return row === undefined ? index : idOf(row);
    },
  });
  const items = virtual.getVirtualItems();

  // biome-ignore lint/correctness/useExhaustiveDependencies: sizes are measured anew when the height changes
  useEffect(() => virtual.measure(), [rowHeight]);

  const last = items.at(-1)?.index ?? 0;
  const { hasMore, onMore } = props;
  useEffect(() => {
    if (hasMore && rows.length > 0 && last >= rows.length - 20) onMore?.();
  }, [hasMore, onMore, last, rows.length]);

  useScrollMemory(viewport, memoryName, rows.length, Boolean(hasMore), onMore);

  const open = (row: T) => {
    if (props.onOpen) props.onOpen(row);
    else if (props.addressOf) navigate(split(props.addressOf(row)) as never);
  };
  const move = (step: number) => {
    if (rows.length === 0) return;
    const next = Math.max(0, Math.min(rows.length - 1, active + step));
    setActive(next);
    virtual.scrollToIndex(next);
    requestAnimationFrame(() => {
      const element = viewport.current?.querySelector<HTMLElement>(`[data-index="${next}"]`);
      (element?.querySelector<HTMLElement>("a, button") ?? element)?.focus({ preventScroll: true });
    });
  };
  const toggle = (row: T) => {
    if (!selection) return;
    const ids = new Set(selection.ids);
    if (!ids.delete(idOf(row))) ids.add(idOf(row));
    selection.set(ids);
  };
  const current = rows[active];
  useShortcuts([
    { keys: "j", label: "Next row", group: "Lists", run: () => move(1) },
    { keys: "k", label: "Previous row", group: "Lists", run: () => move(-1) },
    { keys: "Enter", label: "Open row", group: "Lists", run: () => current !== undefined && open(current) },
    ...(selection
      ? [
          {
            keys: "x",
            label: "Select row",
            group: "Lists",
            run: () => current !== undefined && toggle(current),
          },
        ]
      : []),
  ]);

  const tracks = [selection && "36px", ...columns.map((column) => column.width)].filter(Boolean).join(" ");
  const grid = { gridTemplateColumns: tracks };
  return (
    <div
      role="table"
      aria-label={label}
      aria-rowcount={(props.total ?? rows.length) + 1}
      className="flex min-h-0 flex-1 flex-col"
    >
      <div
        ref={viewport}
        tabIndex={0}
        role="rowgroup"
        className="min-h-0 flex-1 overflow-auto [contain:strict]"
      >
        <Head {...props} grid={grid} />
        {rows.length === 0 && props.empty}
        <div className="relative min-w-fit" style={{ height: virtual.getTotalSize() }} role="presentation">
          {items.map((item) => {
            const row = rows[item.index];
            if (row === undefined) return null;
            const id = idOf(row);
            const selected = selection?.ids.has(id);
            return (
              // biome-ignore lint/a11y/useKeyWithClickEvents: Enter is a shortcut of the table
              <div
                key={item.key}
                role="row"
                aria-rowindex={item.index + 2}
                aria-selected={selected}
                data-index={item.index}
                data-row={id}
                onClick={(event) => onRowClick(event, () => open(row))}
                onFocus={() => setActive(item.index)}
                className={cx(
                  "group absolute inset-x-0 top-0 grid min-w-fit items-center gap-x-4 border-b border-line px-4 md:px-6",
                  (props.addressOf || props.onOpen) && "cursor-pointer hover:bg-hover",
                  selected && "bg-accent-tint hover:bg-accent-tint",
                  props.activeId === id && "bg-accent-tint",
                  item.index === active && "shadow-[inset_2px_0_0_var(--color-accent)]",
                  props.rowClass?.(row),
                )}
                style={{ ...grid, height: rowHeight, transform: `translateY(${item.start}px)` }}
              >
                {selection && (
                  <div role="cell" className="flex">
                    <Checkbox
                      label={`Select row ${item.index + 1}`}
                      checked={Boolean(selected)}
                      onChange={() => toggle(row)}
                    />
                  </div>
                )}
                {columns.map((column) => (
                  <div
                    role="cell"
                    key={column.id}
                    className={cx(
                      "min-w-0 truncate",
                      column.align === "right" && "flex justify-end text-right",
                    )}
                  >
                    {column.cell(row)}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

function Head<T>({
  columns,
  rows,
  idOf,
  selection,
  sort,
  onSort,
  grid,
}: Props<T> & { grid: { gridTemplateColumns: string } }) {
  const [key, direction] = (sort ?? "").split(" ");
  const all = selection !== undefined && rows.length > 0 && rows.every((row) => selection.ids.has(idOf(row)));
  return (
    <div
      role="row"
      aria-rowindex={1}
      className="sticky top-0 z-10 grid h-9 min-w-fit items-center gap-x-4 border-b border-line bg-canvas px-4 text-label text-ink-3 md:px-6"
      style={grid}
    >
      {selection && (
        <div role="columnheader" className="flex">
          <Checkbox
            label="Select all loaded rows"
            checked={all}
            mixed={!all && selection.ids.size > 0}
            onChange={(checked) => selection.set(new Set(checked ? rows.map(idOf) : []))}
          />
        </div>
      )}
      {columns.map((column) => {
        const sorted = column.sort !== undefined && column.sort === key;
        return (
          <div
            role="columnheader"
            key={column.id}
            aria-sort={sorted ? (direction === "desc" ? "descending" : "ascending") : undefined}
            className={cx("flex min-w-0 items-center", column.align === "right" && "justify-end")}
          >
            {column.sort && onSort ? (
              <button
                type="button"
                className={cx(
                  "-mx-1 inline-flex items-center gap-1 truncate rounded-sm px-1 hover:text-ink",
                  sorted && "text-ink",
                )}
                onClick={() => onSort(`${column.sort} ${sorted && direction === "desc" ? "asc" : "desc"}`)}
              >
                {column.title}
                {sorted && (direction === "desc" ? <ArrowDown size={12} /> : <ArrowUp size={12} />)}
              </button>
            ) : (
              <span className="truncate">{column.title}</span>
            )}
          </div>
        );
      })}
    </div>
  );
}

/** Clicks on links, buttons and boxes inside a row are theirs; selecting text opens nothing. */
function onRowClick(event: MouseEvent, open: () => void): void {
  const target = event.target as HTMLElement;
  if (target.closest("a, button, input, label, select, [role=switch]")) return;
  if (getSelection()?.toString()) return;
  open();
}
