/** What somebody has typed into the form of a new run, and what it means. Nothing typed is ever thrown away silently. */
import type { Parameter, ParameterType } from "./spec";

/** One field: whether it says anything, and its text. Booleans are `true` and `false`, lists and structs JSON. */
export interface Entry {
  mode: "default" | "value" | "null";
  text: string;
}

export type Entries = Record<string, Entry>;

/** A value as the text of its field. */
export function textOf(value: unknown, type: ParameterType): string {
  if (value === undefined || value === null) return "";
  if (type === "STRING" && typeof value === "string") return value;
  if (type === "LIST" || type === "STRUCT") return JSON.stringify(value, null, 2);
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The field before anybody touched it: the default, or an empty value that must be filled in. */
export function freshEntry(parameter: Parameter): Entry {
  if (parameter.hasDefault || parameter.isOptional) {
    return { mode: "default", text: textOf(parameter.defaultValue, parameter.type) };
  }
  return { mode: "value", text: parameter.type === "BOOLEAN" ? "false" : "" };
}

export type Reading = { value: unknown } | { nothing: true } | { error: string };

/** What an entry says, by the type of its parameter. `False`, `0` and the empty text are values. */
export function read(parameter: Parameter, entry: Entry): Reading {
  if (entry.mode === "default") {
    if (parameter.hasDefault || parameter.isOptional) return { nothing: true };
    return { error: "A value is needed." };
  }
  if (entry.mode === "null") return { value: null };
  const text = entry.text;
  switch (parameter.type) {
    case "NUMBER_INTEGER": {
      if (!/^\s*[+-]?\d+\s*$/.test(text))
        return { error: text.trim() ? "This must be a whole number." : "A number is needed." };
      const value = Number(text);
      if (!Number.isSafeInteger(value)) return { error: "This number is too large to be exact." };
      return { value };
    }
    case "NUMBER_DOUBLE": {
      const value = Number(text);
      if (!text.trim() || !Number.isFinite(value))
        return { error: text.trim() ? "This must be a number." : "A number is needed." };
      return { value };
    }
    case "BOOLEAN": {
      const word = text.trim().toLowerCase();
      if (word !== "true" && word !== "false") return { error: "This must be true or false." };
      return { value: word === "true" };
    }
    case "LIST":
    case "STRUCT":
      return readJson(text, parameter.type);
    default:
      return { value: text };
  }
}

function readJson(text: string, type: "LIST" | "STRUCT"): Reading {
  const what = type === "LIST" ? "a list, such as [1, 2]" : 'an object, such as {"depth": 3}';
  if (!text.trim()) return { error: `This must be ${what}.` };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    return { error: `Not JSON: ${cause instanceof Error ? cause.message : String(cause)}` };
  }
  const fits =
    type === "LIST"
      ? Array.isArray(value)
      : typeof value === "object" && value !== null && !Array.isArray(value);
  return fits ? { value } : { error: `This must be ${what}.` };
}

/** Whether the entry says something else than the default. */
export function isChanged(parameter: Parameter, entry: Entry): boolean {
  const reading = read(parameter, entry);
  if ("nothing" in reading) return false;
  if ("error" in reading) return true;
  return JSON.stringify(reading.value) !== JSON.stringify(parameter.defaultValue);
}

export interface Merge {
  entries: Entries;
  /** Values that the new version has no place for, in words. */
  dropped: string[];
}

/** Carries what was typed over to other parameters: same name and same type. */
export function merge(before: readonly Parameter[], typed: Entries, after: readonly Parameter[]): Merge {
  const entries: Entries = {};
  for (const parameter of after) {
    const old = before.find((each) => each.name === parameter.name);
    const entry = typed[parameter.name];
    const fits = entry && (!old || old.type === parameter.type);
    entries[parameter.name] = fits && entry.mode !== "default" ? entry : freshEntry(parameter);
  }
  const dropped = before.flatMap((parameter) => {
    const entry = typed[parameter.name];
    if (!entry || !isChanged(parameter, entry)) return [];
    const next = after.find((each) => each.name === parameter.name);
    if (!next) return [`${parameter.name} (${entry.text || "empty"}): not in this version`];
    return next.type === parameter.type
      ? []
      : [`${parameter.name} (${entry.text || "empty"}): its type changed`];
  });
  return { entries, dropped };
}

/** Entries that say the given values, for clones. */
export function entriesOf(parameters: readonly Parameter[], values: Record<string, unknown>): Entries {
  return Object.fromEntries(
    parameters.map((parameter) => {
      if (!(parameter.name in values)) return [parameter.name, freshEntry(parameter)];
      const value = values[parameter.name];
      return [
        parameter.name,
        value === null ? { mode: "null", text: "" } : { mode: "value", text: textOf(value, parameter.type) },
      ];
    }),
  );
}
