/** Times, durations, sizes and numbers as people read them. Pure; every function takes the moment it needs. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Milliseconds of an RFC 3339 text; `undefined` for none, and for the epoch, which KFP writes for "never". */
export function millis(text: string | undefined | null): number | undefined {
  if (!text) return undefined;
  const value = Date.parse(text);
  return Number.isNaN(value) || value <= 0 ? undefined : value;
}

/** `340ms`, `12.4s`, `3m 05s`, `1h 04m`, `2d 3h`. */
export function duration(ms: number | undefined | null): string {
  if (ms === undefined || ms === null || !Number.isFinite(ms)) return "–";
  const value = Math.max(0, ms);
  if (value < 1) return value === 0 ? "0ms" : "<1ms";
  if (value < 1000) return `${Math.round(value)}ms`;
  if (value < 59_950) return `${(value / 1000).toFixed(1)}s`;
  const seconds = Math.round(value / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${pad(seconds % 60)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)}h ${pad(minutes % 60)}m`;
  return `${Math.floor(minutes / 1440)}d ${Math.floor((minutes % 1440) / 60)}h`;
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}

/** `just now`, `4 min ago`, `in 2 h`, and the date beyond a week. */
export function relative(ms: number, now: number): string {
  const distance = Math.abs(now - ms);
  const words = (count: number, unit: string) => (ms <= now ? `${count} ${unit} ago` : `in ${count} ${unit}`);
  if (distance < 10_000) return ms <= now ? "just now" : "in a moment";
  if (distance < MINUTE) return words(Math.floor(distance / 1000), "s");
  if (distance < HOUR) return words(Math.floor(distance / MINUTE), "min");
  if (distance < DAY) return words(Math.floor(distance / HOUR), "h");
  if (distance < 7 * DAY) return words(Math.floor(distance / DAY), "d");
  return new Date(ms).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
}

/** The exact time with its zone, to the second. */
export function exact(ms: number, zone: "local" | "utc" = "local"): string {
  const utc = zone === "utc";
  return new Date(ms).toLocaleString("en-GB", {
    year: "numeric",
    month: "short",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    timeZone: utc ? "UTC" : undefined,
    timeZoneName: "short",
  });
}

/** `812 B`, `4.2 kB`, `1.8 GB`. */
export function bytes(count: number | undefined | null): string {
  if (count === undefined || count === null) return "–";
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** A number with at most six significant digits, thousands apart. */
export function number(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString("en-US");
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e9)) return value.toExponential(3);
  return value.toLocaleString("en-US", { maximumSignificantDigits: 6 });
}

/** The first eight characters of an id. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}

/** `1 run`, `3 runs`. */
export function count(value: number, one: string, many = `${one}s`): string {
  return `${value.toLocaleString("en-US")} ${value === 1 ? one : many}`;
}

/** A value of a parameter in one line. */
export function valueText(value: unknown): string {
  if (value === undefined || value === null) return "null";
  return typeof value === "string" ? value : JSON.stringify(value);
}
