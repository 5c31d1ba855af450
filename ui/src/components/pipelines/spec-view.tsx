/** A specification as text: YAML or JSON, searchable, foldable by indentation; only lines in view exist. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { ChevronDown, ChevronRight, Download } from "lucide-react";
import { useMemo, useRef, useState } from "react";
import { FilterBar, SearchBox } from "@/components/table/filter-bar";
import { Button, IconButton } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/time";
import { cx } from "@/lib/class";
import { downloadText } from "@/lib/clipboard";
import { count } from "@/lib/format";
import { useShortcuts } from "@/lib/keys";
import { toYaml } from "@/lib/yaml";

const LINE = 20;

interface Line {
  number: number;
  text: string;
  /** Number of the last line that folds into this one; itself if nothing does. */
  foldEnd: number;
}

function indentOf(text: string): number {
  return text.length - text.trimStart().length;
}

/** A line holds the lines below it that stand further to the right, and the list items of YAML at its own indent. */
function linesOf(text: string): Line[] {
  const texts = text.trimEnd().split("\n");
  const lines = texts.map((each, index) => ({ number: index + 1, text: each, foldEnd: index + 1 }));
  const open: { line: Line; indent: number }[] = [];
  const close = (until: number, last: number) => {
    while (open.length > 0 && (open.at(-1)?.indent ?? -1) >= until) {
      const closed = open.pop();
      if (closed) closed.line.foldEnd = last;
    }
  };
  let previous = 0;
  for (const line of lines) {
    if (!line.text.trim()) continue;
    const indent = indentOf(line.text);
    const isItem = line.text.trimStart().startsWith("- ");
    close(isItem ? indent + 1 : indent, previous);
    if (isItem) {
      const top = open.at(-1);
      if (top?.indent === indent && top.line.text.trimStart().startsWith("- ")) close(indent, previous);
    }
    open.push({ line, indent });
    previous = line.number;
  }
  close(-1, previous);
  return lines;
}

export function SpecView({ spec, name }: { spec: Record<string, unknown>; name: string }) {
  const [format, setFormat] = useState<"yaml" | "json">("yaml");
  const text = useMemo(
    () => (format === "yaml" ? toYaml(spec) : `${JSON.stringify(spec, null, 2)}\n`),
    [spec, format],
  );
  return (
    <TextView
      key={format}
      text={text}
      name={name}
      format={format}
      onFormat={() => setFormat(format === "yaml" ? "json" : "yaml")}
    />
  );
}

interface TextViewProps {
  text: string;
  name: string;
  format: "yaml" | "json";
  onFormat: () => void;
}

function TextView({ text, name, format, onFormat }: TextViewProps) {
  const viewport = useRef<HTMLDivElement>(null);
  const [folded, setFolded] = useState<ReadonlySet<number>>(new Set());
  const [query, setQuery] = useState("");
  const [hit, setHit] = useState(-1);
  const lines = useMemo(() => linesOf(text), [text]);
  const shown = useMemo(() => {
    const visible: Line[] = [];
    for (let i = 0; i < lines.length; i += 1) {
      const line = lines[i];
      if (!line) continue;
      visible.push(line);
      if (folded.has(line.number)) i = line.foldEnd - 1;
    }
    return visible;
  }, [lines, folded]);
  const hits = useMemo(() => {
    const needle = query.toLowerCase();
    return needle
      ? lines.filter((line) => line.text.toLowerCase().includes(needle)).map((line) => line.number)
      : [];
  }, [lines, query]);
  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => viewport.current,
    estimateSize: () => LINE,
    overscan: 30,
  });
  const go = (step: number) => {
    if (hits.length === 0) return;
    const next = (hit + step + hits.length) % hits.length;
    setHit(next);
    setFolded(new Set());
    requestAnimationFrame(() => virtual.scrollToIndex((hits[next] ?? 1) - 1, { align: "center" }));
  };
  const fold = (line: Line) => {
    const next = new Set(folded);
    if (!next.delete(line.number)) next.add(line.number);
    setFolded(next);
  };
  useShortcuts([
    { keys: "n", label: "Next find", group: "Specification", run: () => go(1) },
    { keys: "N", label: "Previous find", group: "Specification", run: () => go(-1) },
  ]);
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <FilterBar
        aside={
          <>
            <span className="num text-label text-ink-3">{count(lines.length, "line")}</span>
            <Button small tone="ghost" onClick={onFormat}>
              {format === "yaml" ? "As JSON" : "As YAML"}
            </Button>
            <CopyButton text={text} label="Copy the specification" />
            <IconButton small label="Download" onClick={() => downloadText(`${name}.${format}`, text)}>
              <Download size={15} />
            </IconButton>
          </>
        }
      >
        <SearchBox
          value={query}
          onChange={(next) => {
            setQuery(next);
            setHit(-1);
          }}
          placeholder="Search the specification"
        />
        {query && (
          <>
            <span className="num text-label text-ink-2">
              {hits.length === 0 ? "none" : `${hit + 1} of ${hits.length}`}
            </span>
            <Button small tone="ghost" onClick={() => go(1)}>
              Next
            </Button>
          </>
        )}
      </FilterBar>
      <div
        ref={viewport}
        tabIndex={0}
        role="region"
        aria-label="Specification"
        className="min-h-0 flex-1 overflow-auto bg-surface py-2 font-mono text-label leading-5 [contain:strict]"
      >
        <div className="relative min-w-fit" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const line = shown[item.index];
            if (!line) return null;
            const canFold = line.foldEnd > line.number;
            const isFolded = folded.has(line.number);
            return (
              <div
                key={line.number}
                className={cx(
                  "absolute top-0 left-0 flex w-full min-w-fit",
                  hits[hit] === line.number
                    ? "bg-accent-tint"
                    : hits.includes(line.number) && "bg-retrying-tint",
                )}
                style={{ height: LINE, transform: `translateY(${item.start}px)` }}
              >
                <span className="num w-14 shrink-0 pr-1 text-right text-ink-3 select-none">
                  {line.number}
                </span>
                <button
                  type="button"
                  tabIndex={-1}
                  aria-label={isFolded ? "Unfold" : "Fold"}
                  className={cx(
                    "flex w-6 shrink-0 items-center justify-center text-ink-3 hover:text-ink",
                    !canFold && "invisible",
                  )}
                  onClick={() => fold(line)}
                >
                  {isFolded ? <ChevronRight size={12} /> : <ChevronDown size={12} />}
                </button>
                <SpecLine text={line.text} />
                {isFolded && <span className="text-ink-3"> … {line.foldEnd - line.number} lines</span>}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

/** Keys apart from values; enough to find one's way. */
function SpecLine({ text }: { text: string }) {
  const [, indent = "", key, rest = ""] = text.match(/^(\s*(?:- )?)("?[\w .$/@+-]+"?:)( .*|,?)?$/) ?? [];
  if (!key) return <span className="whitespace-pre">{text}</span>;
  return (
    <span className="whitespace-pre">
      {indent}
      <span className="text-accent">{key}</span>
      {rest}
    </span>
  );
}
