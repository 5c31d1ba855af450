/** A field that searches while one types and holds one of what it found. */
import { Check, ChevronsUpDown } from "lucide-react";
import { Popover } from "radix-ui";
import { type KeyboardEvent, type ReactNode, useId, useRef, useState } from "react";
import type { FieldIds } from "@/components/ui/field";
import { cx } from "@/lib/class";

export interface Choice {
  id: string;
  label: string;
  hint?: string;
}

interface Props {
  ids?: FieldIds;
  value: string | undefined;
  /** What to show for the value. */
  shown: string;
  placeholder: string;
  choices: readonly Choice[];
  onSearch?: (text: string) => void;
  onChoose: (choice: Choice) => void;
  /** A last entry that makes something new from what was typed. */
  create?: { label: (text: string) => string; run: (text: string) => void };
  disabled?: boolean;
  loading?: boolean;
}

export function Combobox(props: Props) {
  const { ids, value, shown, placeholder, choices, onSearch, onChoose, create, disabled, loading } = props;
  const [open, setOpen] = useState(false);
  const [text, setText] = useState("");
  const [active, setActive] = useState(0);
  const listId = useId();
  const list = useRef<HTMLDivElement>(null);

  const needle = text.trim().toLowerCase();
  const found = onSearch ? choices : choices.filter((choice) => choice.label.toLowerCase().includes(needle));
  const canCreate = create && needle && !found.some((choice) => choice.label.toLowerCase() === needle);
  const total = found.length + (canCreate ? 1 : 0);
  const search = (next: string) => {
    setText(next);
    setActive(0);
    onSearch?.(next);
  };
  const choose = (index: number) => {
    const choice = found[index];
    if (choice) onChoose(choice);
    else if (canCreate) create.run(text.trim());
    else return;
    setOpen(false);
    search("");
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0 && total > 0) {
      event.preventDefault();
      const next = (active + step + total) % total;
      setActive(next);
      list.current?.children[next]?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter") {
      event.preventDefault();
      choose(active);
    }
  };
  const option = (index: number, content: ReactNode, chosen = false) => (
    // biome-ignore lint/a11y/useKeyWithClickEvents: keys belong to the search field
    <div
      key={index}
      id={`${listId}-${index}`}
      role="option"
      tabIndex={-1}
      aria-selected={index === active}
      className={cx(
        "flex min-h-8 cursor-pointer items-center gap-2 rounded-control px-2 py-1",
        index === active && "bg-hover",
      )}
      onPointerMove={() => setActive(index)}
      onClick={() => choose(index)}
    >
      <span className="w-4 shrink-0 text-accent">{chosen && <Check size={14} />}</span>
      {content}
    </div>
  );
  return (
    <Popover.Root open={open} onOpenChange={(next) => !disabled && setOpen(next)}>
      <Popover.Trigger asChild>
        <button
          type="button"
          {...ids}
          disabled={disabled}
          aria-haspopup="listbox"
          className="flex h-8 w-full items-center gap-2 rounded-control border border-line-strong bg-surface px-2.5 text-left aria-invalid:border-failed disabled:bg-sunken"
        >
          <span className={cx("flex-1 truncate", !value && "text-ink-3")}>{value ? shown : placeholder}</span>
          <ChevronsUpDown size={14} className="text-ink-3" />
        </button>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          align="start"
          sideOffset={4}
          className="floating z-50 flex max-h-80 w-(--radix-popover-trigger-width) min-w-64 flex-col overflow-hidden rounded-card bg-raised shadow-float"
        >
          <input
            role="combobox"
            aria-expanded
            aria-controls={listId}
            aria-activedescendant={total > 0 ? `${listId}-${active}` : undefined}
            aria-label="Search"
            placeholder="Search"
            value={text}
            onChange={(event) => search(event.target.value)}
            onKeyDown={onKeyDown}
            className="h-9 border-b border-line bg-transparent px-3 outline-none placeholder:text-ink-3"
          />
          <div
            ref={list}
            id={listId}
            role="listbox"
            aria-label={placeholder}
            className="min-h-0 overflow-auto p-1"
          >
            {found.map((choice, index) =>
              option(
                index,
                <span className="min-w-0 flex-1">
                  <span className="block truncate">{choice.label}</span>
                  {choice.hint && <span className="block truncate text-label text-ink-3">{choice.hint}</span>}
                </span>,
                choice.id === value,
              ),
            )}
            {canCreate &&
              option(found.length, <span className="truncate text-accent">{create.label(text.trim())}</span>)}
          </div>
          {total === 0 && <p className="px-3 pb-3 text-ink-3">{loading ? "Loading…" : "Nothing found."}</p>}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
