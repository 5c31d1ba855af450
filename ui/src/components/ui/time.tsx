/** Times, durations and ids, each with its exact form at hand. */
import { Check, Copy } from "lucide-react";
import { useState } from "react";
import { cx } from "@/lib/class";
import { copyText } from "@/lib/clipboard";
import { useNow } from "@/lib/clock";
import { duration, exact, relative, shortId } from "@/lib/format";
import { usePreference } from "@/lib/preferences";
import { Tip } from "./tooltip";

export function Ago({ at, className }: { at: number | undefined; className?: string }) {
  const now = useNow(at !== undefined && Date.now() - at < 3_600_000);
  const [zone] = usePreference("zone", "local");
  if (at === undefined) return <span className="text-ink-3">–</span>;
  return (
    <Tip text={exact(at, zone === "utc" ? "utc" : "local")}>
      <time dateTime={new Date(at).toISOString()} className={cx("num whitespace-nowrap", className)}>
        {relative(at, now)}
      </time>
    </Tip>
  );
}

/** Grows while `until` is missing. */
export function Elapsed({ from, until }: { from: number | undefined; until: number | undefined }) {
  const now = useNow(from !== undefined && until === undefined);
  if (from === undefined) return <span className="text-ink-3">–</span>;
  return <span className="num whitespace-nowrap">{duration((until ?? now) - from)}</span>;
}

export function CopyButton({ text, label, className }: { text: string; label: string; className?: string }) {
  const [copied, setCopied] = useState(false);
  return (
    <Tip text={copied ? "Copied" : label}>
      <button
        type="button"
        aria-label={label}
        className={cx(
          "inline-flex size-6 shrink-0 items-center justify-center rounded-control text-ink-3 hover:bg-hover hover:text-ink",
          className,
        )}
        onClick={async (event) => {
          event.stopPropagation();
          event.preventDefault();
          setCopied(await copyText(text));
          setTimeout(() => setCopied(false), 1500);
        }}
      >
        {copied ? <Check size={13} /> : <Copy size={13} />}
      </button>
    </Tip>
  );
}

export function ShortId({ id, what = "id" }: { id: string; what?: string }) {
  return (
    <span className="inline-flex items-center gap-0.5 font-mono text-label text-ink-3">
      {shortId(id)}
      <CopyButton text={id} label={`Copy ${what}`} />
    </span>
  );
}
