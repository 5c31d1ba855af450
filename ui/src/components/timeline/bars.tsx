/** The attempts of one task on its row: phases as pieces, exact figures on hover. */
import { memo } from "react";
import type { TimelineRow } from "@/api/generated";
import { cx } from "@/lib/class";
import { duration } from "@/lib/format";
import { PHASES, segmentMs } from "@/lib/phases";
import { color, stateOf } from "@/lib/state";
import { endOf } from "@/lib/timeline";

interface Props {
  row: TimelineRow;
  origin: number;
  now: number;
  share: (at: number) => number;
}

function breakdown(row: TimelineRow, now: number): string {
  return row.attempts
    .map((attempt) => {
      const parts = attempt.segments
        .map((segment) => ({ segment, ms: segmentMs(segment, now) }))
        .filter(({ ms }) => ms > 0)
        .map(({ segment, ms }) => `${PHASES[segment.phase].label.toLowerCase()} ${duration(ms)}`);
      return `${row.attempts.length > 1 ? `attempt ${attempt.attempt}: ` : ""}${parts.join(", ")}`;
    })
    .concat(row.slack_ms ? [`could have ended ${duration(row.slack_ms)} later`] : [])
    .join("\n");
}

export const Bars = memo(function Bars({ row, origin, now, share }: Props) {
  const isGroup = row.attempts.length === 0;
  if (isGroup) {
    if (row.started_at === null) return null;
    const left = share(row.started_at - origin);
    return (
      <span
        className="absolute top-3 h-1 rounded-full"
        style={{
          left: `${left}%`,
          width: `max(2px, ${share(endOf(row, now) - origin) - left}%)`,
          background: "var(--color-line-strong)",
          opacity: 0.6,
        }}
      />
    );
  }
  return (
    <span title={breakdown(row, now)} className="absolute inset-0">
      {row.attempts.map((attempt) => {
        const hue = color(stateOf(attempt.state));
        return attempt.segments.map((segment) => {
          const left = share(segment.from - origin);
          const width = share((segment.to ?? now) - origin) - left;
          const quiet = segment.phase === "wait" || segment.phase === "queue";
          return (
            <span
              key={`${attempt.attempt}${segment.phase}${segment.from}`}
              data-phase={segment.phase}
              className={cx(
                "absolute rounded-[2px]",
                quiet ? "top-3 h-1" : "top-1.75 h-3.5",
                segment.phase === "queue" && "hatched",
                segment.to === null && !quiet && "striped",
              )}
              style={{
                left: `${left}%`,
                width: `max(${quiet ? 0 : 2}px, ${width}%)`,
                ["--phase" as string]: hue,
                backgroundColor: PHASES[segment.phase].color,
              }}
            />
          );
        });
      })}
      {row.is_critical && <Critical row={row} origin={origin} now={now} share={share} />}
    </span>
  );
});

function Critical({ row, origin, now, share }: Props) {
  const first =
    row.attempts[0]?.segments.find((segment) => segment.phase !== "wait")?.from ??
    row.started_at ??
    row.created_at;
  const left = share(first - origin);
  return (
    <span
      className="absolute bottom-0.5 h-0.5 rounded-full bg-accent"
      style={{ left: `${left}%`, width: `max(2px, ${share(endOf(row, now) - origin) - left}%)` }}
    />
  );
}
