/** Two texts as one, with what was removed and added. */
import { useMemo } from "react";
import { cx } from "@/lib/class";
import { count } from "@/lib/format";
import { type DiffLine, hunks, lineDiff } from "@/lib/line-diff";

const CONTEXT = 3;
const LOOKS: Record<DiffLine["kind"], [string, string]> = {
  same: [" ", "text-ink-2"],
  added: ["+", "bg-succeeded-tint text-succeeded"],
  removed: ["−", "bg-failed-tint text-failed"],
};

export function TextDiff({ before, after }: { before: string; after: string }) {
  const parts = useMemo(() => hunks(lineDiff(before, after), CONTEXT), [before, after]);
  return (
    <div
      tabIndex={0}
      role="region"
      aria-label="Difference of the texts"
      className="max-h-160 overflow-auto py-2 font-mono text-label leading-5"
    >
      {parts.map((part, index) =>
        part.kind === "gap" ? (
          <p key={`gap-${index + 1}`} className="my-1 bg-sunken px-4 text-ink-3">
            {count(part.count, "line")} without a change
          </p>
        ) : (
          part.lines.map((line) => {
            const [sign, look] = LOOKS[line.kind];
            return (
              <div key={`${line.before ?? ""}:${line.after ?? ""}`} className={cx("flex min-w-fit", look)}>
                <span className="num w-12 shrink-0 pr-2 text-right text-ink-3 select-none">
                  {line.before}
                </span>
                <span className="num w-12 shrink-0 pr-2 text-right text-ink-3 select-none">{line.after}</span>
                <span className="w-4 shrink-0 select-none">{sign}</span>
                <span className="whitespace-pre">{line.text}</span>
              </div>
            );
          })
        ),
      )}
    </div>
  );
}
