/** What a recurring run says about time. Pure. */
import type { RecurringRun } from "@/api/v2beta1";
import { cronWords, intervalWords, nextFires, parseCron } from "./cron";
import { millis } from "./format";

export function triggerWords(schedule: RecurringRun): string {
  const cron = schedule.trigger?.cron_schedule?.cron;
  if (cron) {
    try {
      return cronWords(parseCron(cron));
    } catch {
      return cron;
    }
  }
  const seconds = Number(schedule.trigger?.periodic_schedule?.interval_second ?? 0);
  return seconds > 0 ? intervalWords(seconds) : "Never";
}

/**
 * The next times. Intervals count from the start of the window or from the creation, as the server counts them.
 */
export function upcoming(schedule: RecurringRun, now: number, count: number): number[] {
  if (!isEnabled(schedule)) return [];
  const { cron_schedule, periodic_schedule } = schedule.trigger ?? {};
  const window = cron_schedule ?? periodic_schedule;
  const start = millis(window?.start_time);
  const end = millis(window?.end_time) ?? Number.POSITIVE_INFINITY;
  const from = Math.max(now, (start ?? 0) - 1);
  let fires: number[] = [];
  if (cron_schedule?.cron) {
    try {
      fires = nextFires(parseCron(cron_schedule.cron), from, count);
    } catch {
      return [];
    }
  } else {
    const step = Number(periodic_schedule?.interval_second ?? 0) * 1000;
    const base = start ?? millis(schedule.created_at);
    if (!(step > 0) || base === undefined) return [];
    const first = Math.max(1, Math.floor((from - base) / step) + 1);
    fires = Array.from({ length: count }, (_, index) => base + (first + index) * step);
  }
  return fires.filter((at) => at <= end);
}

export function isEnabled(schedule: RecurringRun): boolean {
  if (schedule.status) return schedule.status === "ENABLED";
  return schedule.mode !== "DISABLE";
}
