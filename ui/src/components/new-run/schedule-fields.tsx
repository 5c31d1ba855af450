/** When a schedule fires: interval or cron, with what it means in words and the next five times. */
import { useMemo } from "react";
import { Field, Input, Select, Switch } from "@/components/ui/field";
import { cronWords, intervalWords, nextFires, parseCron } from "@/lib/cron";
import { exact } from "@/lib/format";
import type { ScheduleDraft } from "./form-state";

const UNITS: [string, string][] = [
  ["1", "seconds"],
  ["60", "minutes"],
  ["3600", "hours"],
  ["86400", "days"],
  ["604800", "weeks"],
  ["2592000", "months of 30 days"],
];

export interface ScheduleReading {
  words: string;
  fires: number[];
  error?: string;
}

export function readSchedule(schedule: ScheduleDraft, now: number): ScheduleReading {
  try {
    const from = schedule.start ? Math.max(now, Date.parse(schedule.start) - 1) : now;
    const until = schedule.end ? Date.parse(schedule.end) : Number.POSITIVE_INFINITY;
    if (schedule.kind === "cron") {
      const cron = parseCron(schedule.cron);
      return { words: cronWords(cron), fires: nextFires(cron, from, 5).filter((at) => at <= until) };
    }
    const seconds = Number(schedule.count) * Number(schedule.unit);
    if (!Number.isInteger(seconds) || seconds < 1)
      return { words: "", fires: [], error: "This must be a whole number from 1." };
    const fires = Array.from({ length: 5 }, (_, index) => from + (index + 1) * seconds * 1000);
    return { words: intervalWords(seconds), fires: fires.filter((at) => at <= until) };
  } catch (cause) {
    return { words: "", fires: [], error: cause instanceof Error ? cause.message : String(cause) };
  }
}

export function ScheduleFields({
  schedule,
  onChange,
}: {
  schedule: ScheduleDraft;
  onChange: (change: Partial<ScheduleDraft>) => void;
}) {
  const reading = useMemo(() => readSchedule(schedule, Date.now()), [schedule]);
  return (
    <div className="flex flex-col gap-4">
      <Field label="Fires">
        {(ids) => (
          <Select
            {...ids}
            value={schedule.kind}
            onChange={(event) => onChange({ kind: event.target.value as ScheduleDraft["kind"] })}
          >
            <option value="interval">at an interval</option>
            <option value="cron">by a cron expression</option>
          </Select>
        )}
      </Field>
      {schedule.kind === "interval" ? (
        <div className="flex gap-2">
          <Field label="Every" error={reading.error} className="w-28">
            {(ids) => (
              <Input
                {...ids}
                inputMode="numeric"
                className="num w-full"
                value={schedule.count}
                onChange={(event) => onChange({ count: event.target.value })}
              />
            )}
          </Field>
          <Field label="Unit" className="flex-1">
            {(ids) => (
              <Select
                {...ids}
                value={schedule.unit}
                onChange={(event) => onChange({ unit: event.target.value })}
              >
                {UNITS.map(([value, label]) => (
                  <option key={value} value={value}>
                    {label}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        </div>
      ) : (
        <Field
          label="Cron expression"
          error={reading.error}
          hint="second minute hour day month weekday, in the zone of the server (UTC unless it was told another) or of CRON_TZ="
        >
          {(ids) => (
            <Input
              {...ids}
              className="w-full font-mono"
              spellCheck={false}
              value={schedule.cron}
              onChange={(event) => onChange({ cron: event.target.value })}
            />
          )}
        </Field>
      )}
      {!reading.error && (
        <div className="rounded-card bg-sunken px-4 py-3" aria-live="polite">
          <p className="font-medium">{reading.words}</p>
          <ol className="num mt-1.5 text-label text-ink-2">
            {reading.fires.map((at) => (
              <li key={at}>{exact(at, "utc")}</li>
            ))}
            {reading.fires.length === 0 && <li>It would not fire within its window.</li>}
          </ol>
        </div>
      )}
      <div className="grid grid-cols-2 gap-4">
        <Field label="Not before" hint="optional, your local time">
          {(ids) => (
            <Input
              {...ids}
              type="datetime-local"
              className="w-full"
              value={schedule.start}
              onChange={(event) => onChange({ start: event.target.value })}
            />
          )}
        </Field>
        <Field label="Not after" hint="optional">
          {(ids) => (
            <Input
              {...ids}
              type="datetime-local"
              className="w-full"
              value={schedule.end}
              onChange={(event) => onChange({ end: event.target.value })}
            />
          )}
        </Field>
      </div>
      <div className="grid grid-cols-2 gap-4">
        <Field label="At most at once" hint="runs, 1 to 10">
          {(ids) => (
            <Input
              {...ids}
              inputMode="numeric"
              className="num w-full"
              value={schedule.maxConcurrency}
              onChange={(event) => onChange({ maxConcurrency: event.target.value })}
            />
          )}
        </Field>
        <Field label="Catch up" hint="make the runs that were missed while it was off">
          {(ids) => (
            <Switch
              id={ids.id}
              label="Catch up"
              checked={schedule.catchup}
              onChange={(catchup) => onChange({ catchup })}
            />
          )}
        </Field>
      </div>
    </div>
  );
}
