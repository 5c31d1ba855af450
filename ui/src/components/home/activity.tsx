/** The last days of each pipeline, a tick for each run. */
import type { Activity, RunDot } from "@/api/generated";
import { Link } from "@/components/link";
import { Section } from "@/components/shell/page";
import { runAddress } from "@/lib/addresses";
import { count, duration, exact } from "@/lib/format";
import { color, stateOf, WORDS } from "@/lib/state";

const DAY = 86_400_000;
const DAYS = 14;

export function ActivityStrips({ activity }: { activity: readonly Activity[] }) {
  if (activity.length === 0) return null;
  const now = Date.now();
  return (
    <Section
      title="Activity"
      aside={<span className="text-label text-ink-3">14 days, height is duration</span>}
    >
      <ul className="divide-y divide-line">
        {activity.map((pipeline) => (
          <li
            key={pipeline.pipeline_name}
            className="grid grid-cols-[minmax(120px,220px)_1fr_auto] items-center gap-4 px-4 py-2"
          >
            <Link
              to={`/runs?pipeline=${encodeURIComponent(pipeline.pipeline_name)}`}
              className="truncate hover:text-accent"
            >
              {pipeline.pipeline_name}
            </Link>
            <Strip runs={pipeline.runs} now={now} />
            <span className="num text-label text-ink-3">{count(pipeline.runs.length, "run")}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** Places in percent, by time; runs close together stand side by side, the newest at its own place. */
function stripPlaces(runs: readonly RunDot[], now: number): number[] {
  const gap = 0.7;
  const places: number[] = [];
  let limit = 100;
  for (const run of runs.toReversed()) {
    const place = Math.min(limit, Math.max(0, (1 - (now - run.created_at) / (DAYS * DAY)) * 100));
    places.unshift(place);
    limit = place - gap;
  }
  return places;
}

/** One tick per run. */
function Strip({ runs, now }: { runs: readonly RunDot[]; now: number }) {
  const longest = Math.max(...runs.map((run) => run.duration_ms ?? 0), 1);
  const places = stripPlaces(runs, now);
  const failed = runs.filter((run) => stateOf(run.state) === "failed").length;
  return (
    <span
      role="group"
      aria-label={`${count(runs.length, "run")}, ${failed} failed`}
      className="relative h-8 overflow-hidden border-b border-line"
    >
      {Array.from({ length: DAYS - 1 }, (_, day) => (
        <span
          key={`day-${day + 1}`}
          className="absolute inset-y-0 w-px bg-line/60"
          style={{ left: `${((day + 1) / DAYS) * 100}%` }}
        />
      ))}
      {runs.map((run, index) => (
        <a
          key={run.run_id}
          href={`#${runAddress(run.run_id)}`}
          title={`${run.display_name}: ${WORDS[stateOf(run.state)].toLowerCase()}, ${duration(run.duration_ms)}, ${exact(run.created_at)}`}
          className="absolute bottom-0 w-1 rounded-t-sm hover:outline-2 hover:outline-accent"
          style={{
            left: `calc(${places[index]}% - 4px)`,
            height: `${Math.max(12, ((run.duration_ms ?? longest) / longest) * 100)}%`,
            background: color(stateOf(run.state)),
          }}
        >
          <span className="sr-only">{run.display_name}</span>
        </a>
      ))}
    </span>
  );
}
