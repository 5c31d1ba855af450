/** The strip above lists: a search box that waits for a pause in typing, chips, and what stands at its right. */
import { Search, X } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { cx } from "@/lib/class";
import { useShortcuts } from "@/lib/keys";

const PAUSE_MS = 180;

export function FilterBar({ children, aside }: { children: ReactNode; aside?: ReactNode }) {
  return (
    <div className="flex shrink-0 flex-wrap items-center gap-2 border-b border-line px-4 py-2 md:px-6">
      {children}
      <div className="flex-1" />
      {aside}
    </div>
  );
}

interface SearchBoxProps {
  value: string;
  /** `done` once Enter was pressed. */
  onChange: (value: string, done?: boolean) => void;
  placeholder: string;
  className?: string;
}

export function SearchBox({ value, onChange, placeholder, className }: SearchBoxProps) {
  const [text, setText] = useState(value);
  const input = useRef<HTMLInputElement>(null);
  const told = useRef(value);
  useEffect(() => {
    // A blank at the end is being typed; it is not in the address.
    if (value.trim() !== told.current.trim()) setText(value);
    told.current = value;
  }, [value]);
  useEffect(() => {
    if (text === told.current) return;
    const timer = setTimeout(() => {
      told.current = text;
      onChange(text);
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text, onChange]);
  useShortcuts([{ keys: "/", label: "Filter", group: "Lists", run: () => input.current?.focus() }]);
  return (
    <span className={cx("relative inline-flex", className ?? "w-64")}>
      <Search size={14} className="pointer-events-none absolute top-2.25 left-2.5 text-ink-3" aria-hidden />
      <input
        ref={input}
        type="search"
        aria-label={placeholder}
        placeholder={placeholder}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter") {
            told.current = text;
            onChange(text, true);
          }
          if (event.key === "Escape") {
            if (text) setText("");
            else input.current?.blur();
          }
        }}
        className="h-8 w-full rounded-control border border-line bg-surface pr-7 pl-8 placeholder:text-ink-3 hover:border-line-strong [&::-webkit-search-cancel-button]:hidden"
      />
      {text && (
        <button
          type="button"
          aria-label="Clear"
          className="absolute top-1 right-1 flex size-6 items-center justify-center rounded-control text-ink-3 hover:text-ink"
          onClick={() => setText("")}
        >
          <X size={13} />
        </button>
      )}
    </span>
  );
}

export function Chip({
  children,
  onRemove,
  label,
}: {
  children: ReactNode;
  onRemove: () => void;
  label: string;
}) {
  return (
    <span className="inline-flex h-7 items-center gap-1 rounded-full bg-accent-tint pr-1 pl-2.5 text-label text-accent">
      {children}
      <button
        type="button"
        aria-label={`Remove filter ${label}`}
        className="flex size-5 items-center justify-center rounded-full hover:bg-surface"
        onClick={onRemove}
      >
        <X size={12} />
      </button>
    </span>
  );
}
