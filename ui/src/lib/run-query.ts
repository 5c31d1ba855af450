/** The filter of runs as text: `state:failed pipeline:train since:7d`, other words search the name. */
import type { Search } from "./search";

/** Words of the text form and the parameters of the address that they stand for. */
const WORDS: Record<string, string> = {
  state: "state",
  pipeline: "pipeline",
  experiment: "experimentId",
  since: "since",
};

const UNITS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** What a text asks for: parameters by name, and the words that remain. */
export function parseRunQuery(text: string): { filters: Search; rest: string } {
  const filters: Search = {};
  const rest: string[] = [];
  for (const token of text.match(/\w+:"[^"]*"|\S+/g) ?? []) {
    const [, word = "", value = ""] = token.match(/^(\w+):"?([^"]*)"?$/) ?? [];
    const name = WORDS[word.toLowerCase()];
    if (name && value) filters[name] = name === "state" ? value.toLowerCase() : value;
    else rest.push(token);
  }
  return { filters, rest: rest.join(" ") };
}

/** The text form of parameters. */
export function formatRunQuery(search: Search): string {
  const parts = Object.entries(WORDS).flatMap(([word, name]) => {
    const value = search[name];
    return value ? [`${word}:${/\s/.test(value) ? `"${value}"` : value}`] : [];
  });
  return [...parts, search.q ?? ""].filter(Boolean).join(" ");
}

/** Milliseconds since the epoch of `7d`, `12h`, `30m`, `2w` before `now`, or of an ISO date. */
export function sinceMillis(text: string | undefined, now: number): number | undefined {
  if (!text) return undefined;
  const [, count, unit = ""] = text.match(/^(\d+)([mhdw])$/) ?? [];
  if (count) return now - Number(count) * (UNITS[unit] ?? 0);
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : date;
}
