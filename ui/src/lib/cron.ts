/**
 * Cron expressions as KFP reads them (robfig's: second, minute, hour, day, month, and weekday, which may be missing):
 * what they say in words, and when they fire next. The server's own reading counts; this one shows it beforehand.
 */

export interface Cron {
  seconds: number[];
  minutes: number[];
  hours: number[];
  days: number[];
  months: number[];
  weekdays: number[];
  anyDay: boolean;
  anyWeekday: boolean;
  /** Name of the time zone. */
  zone: string;
  /** Seconds of `@every`, which knows no calendar; 0 for others. */
  every: number;
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const WEEKDAY_NAMES = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTH_NAMES = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

const NAMED: Record<string, string> = {
  "@yearly": "0 0 0 1 1 *",
  "@annually": "0 0 0 1 1 *",
  "@monthly": "0 0 0 1 * *",
  "@weekly": "0 0 0 * * 0",
  "@daily": "0 0 0 * * *",
  "@midnight": "0 0 0 * * *",
  "@hourly": "0 0 * * * *",
};

function numberOf(text: string, names: readonly string[], base: number): number {
  const at = names.indexOf(text.toLowerCase());
  if (at >= 0) return at + base;
  if (!/^\d+$/.test(text)) throw new Error(`“${text}” is not a number`);
  return Number(text);
}

function field(text: string, low: number, high: number, names: readonly string[] = []): number[] {
  const values = new Set<number>();
  for (const part of text.split(",")) {
    const [range = "", stepText] = part.split("/");
    const step = stepText === undefined ? 1 : Number(stepText);
    if (!Number.isInteger(step) || step < 1) throw new Error(`“${part}” has no valid step`);
    let from = low;
    let to = high;
    if (range !== "*" && range !== "?") {
      const [first = "", last] = range.split("-");
      from = numberOf(first, names, low);
      to = last === undefined ? (stepText === undefined ? from : high) : numberOf(last, names, low);
    }
    if (from < low || to > high || from > to) throw new Error(`“${part}” is outside ${low} to ${high}`);
    for (let value = from; value <= to; value += step) values.add(value);
  }
  return [...values].sort((a, b) => a - b);
}

const DURATION: Record<string, number> = { h: 3600, m: 60, s: 1, ms: 0.001 };

/** Seconds of `1h30m`; throws. */
function durationSeconds(text: string): number {
  const parts = [...text.matchAll(/([\d.]+)(h|ms|m|s)/g)];
  if (parts.length === 0 || parts.map((part) => part[0]).join("") !== text)
    throw new Error(`“${text}” is not a duration such as 1h30m`);
  const seconds = parts.reduce((sum, [, count, unit = ""]) => sum + Number(count) * (DURATION[unit] ?? 0), 0);
  return Math.max(1, Math.floor(seconds));
}

/** Throws with a sentence for people. */
export function parseCron(expression: string): Cron {
  const [, zone = "UTC", rest = ""] = expression.trim().match(/^(?:CRON_TZ=(\S+)\s+)?(.*)$/) ?? [];
  try {
    offsetAt(0, zone);
  } catch {
    throw new Error(`“${zone}” is no time zone`);
  }
  const interval = rest.match(/^@every\s+(\S+)$/i)?.[1];
  const text = interval ? "* * * * * *" : (NAMED[rest.toLowerCase()] ?? rest);
  const fields = text.split(/\s+/).filter(Boolean);
  if (fields.length === 5) fields.push("*");
  if (fields.length !== 6) throw new Error("Write the fields: second minute hour day month weekday");
  const [second = "", minute = "", hour = "", day = "", month = "", weekday = ""] = fields;
  return {
    seconds: field(second, 0, 59),
    minutes: field(minute, 0, 59),
    hours: field(hour, 0, 23),
    days: field(day, 1, 31),
    months: field(month, 1, 12, MONTHS),
    weekdays: field(weekday, 0, 6, WEEKDAYS),
    anyDay: /^[*?]/.test(day),
    anyWeekday: /^[*?]/.test(weekday),
    zone,
    every: interval ? durationSeconds(interval) : 0,
  };
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Milliseconds by which clocks in a zone are ahead of UTC at a moment. */
function offsetAt(at: number, zone: string): number {
  if (zone === "UTC") return 0;
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    formats.set(zone, format);
  }
  const parts = Object.fromEntries(format.formatToParts(at).map((part) => [part.type, Number(part.value)]));
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000;
}

/** The moments at which clocks show a time: none when they skip it, two when they show it twice. */
function moments(clock: number, zone: string): number[] {
  const offsets = new Set([offsetAt(clock - 86_400_000, zone), offsetAt(clock + 86_400_000, zone)]);
  return [...offsets]
    .map((offset) => clock - offset)
    .filter((at) => at + offsetAt(at, zone) === clock)
    .sort((a, b) => a - b);
}

function dayFits(cron: Cron, date: Date): boolean {
  const day = cron.days.includes(date.getUTCDate());
  const weekday = cron.weekdays.includes(date.getUTCDay());
  // As in cron since ever: two restrictions mean either, one means that one.
  return cron.anyDay || cron.anyWeekday ? day && weekday : day || weekday;
}

/** The next moments after `after`, at most five years away. */
export function nextFires(cron: Cron, after: number, count: number): number[] {
  const start = Math.floor(after / 1000) * 1000 + 1000;
  if (cron.every > 0)
    return Array.from({ length: count }, (_, index) => after + (index + 1) * cron.every * 1000);
  const fires: number[] = [];
  const clock = start + offsetAt(start, cron.zone);
  // A day earlier: clocks may have been put back since.
  const day = new Date(Math.floor(clock / 86_400_000) * 86_400_000 - (cron.zone === "UTC" ? 0 : 86_400_000));
  for (let i = 0; i < 366 * 5 && fires.length < count; i += 1, day.setUTCDate(day.getUTCDate() + 1)) {
    if (cron.months.includes(day.getUTCMonth() + 1) && dayFits(cron, day))
      firesOfDay(cron, day.getTime(), start, count, fires);
  }
  return fires.sort((a, b) => a - b).slice(0, count);
}

function firesOfDay(cron: Cron, midnight: number, start: number, count: number, fires: number[]): void {
  for (const hour of cron.hours) {
    for (const minute of cron.minutes) {
      for (const second of cron.seconds) {
        const clock = midnight + ((hour * 60 + minute) * 60 + second) * 1000;
        const all = cron.zone === "UTC" ? [clock] : moments(clock, cron.zone);
        for (const at of all) if (at >= start) fires.push(at);
      }
      // An hour that comes twice is not in order: some more than asked for are kept until the end.
      if (fires.length >= count + 120) return;
    }
  }
}

const pad = (value: number) => String(value).padStart(2, "0");

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** The step of values that cover their whole range evenly from its begin; 1 for all of them. */
function stepOf(values: readonly number[], low: number, high: number): number | undefined {
  const step = values.length > 1 ? (values[1] ?? 0) - (values[0] ?? 0) : 0;
  if (values[0] !== low || step < 1) return undefined;
  const even = values.every((value, index) => value === low + index * step);
  return even && low + values.length * step > high ? step : undefined;
}

function ordinal(value: number): string {
  const tens = value % 100;
  const ending = tens >= 11 && tens <= 13 ? "th" : (["th", "st", "nd", "rd"][value % 10] ?? "th");
  return `${value}${ending}`;
}

function timeWords(cron: Cron): string {
  const everyMinute = stepOf(cron.minutes, 0, 59);
  const everyHour = stepOf(cron.hours, 0, 23);
  const [second = 0] = cron.seconds;
  const atSecond =
    cron.seconds.length === 1 && second === 0 ? "" : `, at second ${listed(cron.seconds.map(String))}`;
  if (everyHour === 1 && everyMinute !== undefined) {
    const secondStep = stepOf(cron.seconds, 0, 59);
    if (everyMinute === 1 && secondStep !== undefined)
      return secondStep === 1 ? "every second" : `every ${secondStep} seconds`;
    return (everyMinute === 1 ? "every minute" : `every ${everyMinute} minutes`) + atSecond;
  }
  if (everyHour !== undefined && cron.minutes.length === 1) {
    const hours = everyHour === 1 ? "every hour" : `every ${everyHour} hours`;
    return `${hours} at minute ${cron.minutes[0]}${atSecond}`;
  }
  if (cron.hours.length * cron.minutes.length <= 6) {
    const times = cron.hours.flatMap((hour) => cron.minutes.map((minute) => `${pad(hour)}:${pad(minute)}`));
    return `at ${listed(times)}${atSecond}`;
  }
  const hours = `in the hours ${listed(cron.hours.map(String))}`;
  return everyMinute !== undefined
    ? `every ${everyMinute} minutes ${hours}`
    : `at the minutes ${listed(cron.minutes.map(String))} ${hours}`;
}

function dayWords(cron: Cron): string {
  const weekdays = cron.weekdays.join();
  const named =
    weekdays === "1,2,3,4,5"
      ? "Monday to Friday"
      : weekdays === "0,6"
        ? "Saturday and Sunday"
        : listed(cron.weekdays.map((day) => WEEKDAY_NAMES[day] ?? ""));
  const allDays = cron.anyDay && stepOf(cron.days, 1, 31) === 1;
  const allWeekdays = cron.weekdays.length === 7;
  const days = `the ${listed(cron.days.map(ordinal))} of ${cron.months.length === 12 ? "each month" : listed(cron.months.map((month) => MONTH_NAMES[month - 1] ?? ""))}`;
  const months =
    cron.months.length === 12
      ? ""
      : ` in ${listed(cron.months.map((month) => MONTH_NAMES[month - 1] ?? ""))}`;
  if (allDays && allWeekdays) return months ? ` every day${months}` : "";
  if (allDays) return ` on ${named}${months}`;
  if (allWeekdays) return ` on ${days}`;
  return ` on ${days} ${cron.anyDay || cron.anyWeekday ? "if it is" : "and on"} ${named}`;
}

/** `At 06:30 on Monday to Friday (UTC)`. */
export function cronWords(cron: Cron): string {
  if (cron.every > 0) return intervalWords(cron.every);
  const days = dayWords(cron);
  const time = timeWords(cron);
  const daily = !days && time.startsWith("at ") ? " every day" : "";
  const text = `${time}${daily}${days}`;
  return `${text.charAt(0).toUpperCase()}${text.slice(1)} (${cron.zone})`;
}

/** `Every 2 hours`. */
export function intervalWords(seconds: number): string {
  const units: [number, string][] = [
    [604_800, "week"],
    [86_400, "day"],
    [3600, "hour"],
    [60, "minute"],
    [1, "second"],
  ];
  for (const [size, unit] of units) {
    if (seconds >= size && seconds % size === 0) {
      const count = seconds / size;
      return count === 1 ? `Every ${unit}` : `Every ${count} ${unit}s`;
    }
  }
  return `Every ${seconds} seconds`;
}
