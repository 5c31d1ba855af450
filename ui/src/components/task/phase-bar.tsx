/** What an attempt spent its time on, as one bar with its figures. */
import type { Segment } from "@/api/generated";
import { useNow } from "@/lib/clock";
import { duration } from "@/lib/format";
import { PHASES, segmentMs } from "@/lib/phases";

export function PhaseBar({ segments, color }: { segments: readonly Segment[]; color: string }) {
  const now = useNow(segments.some((segment) => segment.to === null));
  const timed = segments
    .map((segment) => ({ ...segment, ms: segmentMs(segment, now) }))
    .filter(({ ms }) => ms > 0);
  const total = timed.reduce((sum, { ms }) => sum + ms, 0);
  if (total === 0) return null;
  return (
    <div className="px-4 py-3" style={{ ["--phase" as string]: color }}>
      <div className="flex h-2.5 gap-px overflow-hidden rounded-full bg-sunken" aria-hidden>
        {timed.map((segment) => (
          <span
            key={`${segment.phase}${segment.from}`}
            className={segment.phase === "queue" ? "hatched" : segment.to === null ? "striped" : undefined}
            style={{ flex: `${segment.ms} 1 0`, backgroundColor: PHASES[segment.phase].color }}
          />
        ))}
      </div>
      <ul className="mt-2.5 grid grid-cols-2 gap-x-6 gap-y-1 text-label">
        {timed.map((segment) => (
          <li
            key={`${segment.phase}${segment.from}`}
            className="flex items-center gap-2"
            title={PHASES[segment.phase].hint}
          >
            <span
              className="size-2.5 rounded-[3px] border border-line"
              style={{ backgroundColor: PHASES[segment.phase].color }}
              aria-hidden
            />
            <span className="flex-1 text-ink-2">{PHASES[segment.phase].label}</span>
            <span className="num">{duration(segment.ms)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
