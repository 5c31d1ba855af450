/** A value of a parameter or metadata: short in one line, long ones open. */
import { useState } from "react";
import { CopyButton } from "@/components/ui/time";
import { number, valueText } from "@/lib/format";

const LONG = 160;

export function Value({ value }: { value: unknown }) {
  const [open, setOpen] = useState(false);
  if (value === null || value === undefined) return <span className="text-ink-3">none</span>;
  if (value === "") return <span className="text-ink-3">empty text</span>;
  if (typeof value === "number") return <span className="num">{number(value)}</span>;
  if (typeof value === "boolean") return <span>{value ? "true" : "false"}</span>;
  const pretty = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  const line = valueText(value);
  const isLong = line.length > LONG || line.includes("\n");
  return (
    <span className="group/value flex min-w-0 items-start gap-1">
      {isLong && open ? (
        <pre className="max-h-80 min-w-0 flex-1 overflow-auto rounded-control bg-sunken p-2 font-mono text-label whitespace-pre-wrap">
          {pretty}
        </pre>
      ) : (
        <span
          className={
            typeof value === "string" ? "min-w-0 break-words" : "min-w-0 font-mono text-label break-words"
          }
        >
          {isLong ? `${line.slice(0, LONG)}…` : line}
        </span>
      )}
      {isLong && (
        <button type="button" className="link shrink-0 text-label" onClick={() => setOpen(!open)}>
          {open ? "less" : "all"}
        </button>
      )}
      <CopyButton
        text={pretty}
        label="Copy value"
        className="-my-0.5 opacity-0 group-hover/value:opacity-100 focus-visible:opacity-100"
      />
    </span>
  );
}
