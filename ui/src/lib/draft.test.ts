import { expect, test } from "vitest";
import { entriesOf, freshEntry, isChanged, merge, read } from "./draft";
import type { Parameter, ParameterType } from "./spec";

function parameter(name: string, type: ParameterType, more: Partial<Parameter> = {}): Parameter {
  return {
    name,
    type,
    description: "",
    hasDefault: false,
    defaultValue: undefined,
    isOptional: false,
    literals: [],
    ...more,
  };
}

test("texts are read by type; false, zero and the empty text are values", () => {
  const rows: [ParameterType, string, unknown][] = [
    ["STRING", "", { value: "" }],
    ["STRING", "  x ", { value: "  x " }],
    ["NUMBER_INTEGER", "0", { value: 0 }],
    ["NUMBER_INTEGER", "-7", { value: -7 }],
    ["NUMBER_INTEGER", "1.5", { error: "This must be a whole number." }],
    ["NUMBER_INTEGER", "9007199254740993", { error: "This number is too large to be exact." }],
    ["NUMBER_DOUBLE", "1e-3", { value: 0.001 }],
    ["NUMBER_DOUBLE", "", { error: "A number is needed." }],
    ["NUMBER_DOUBLE", "NaN", { error: "This must be a number." }],
    ["BOOLEAN", "false", { value: false }],
    ["BOOLEAN", "True", { value: true }],
    ["LIST", "[1, 2]", { value: [1, 2] }],
    ["LIST", "{}", { error: "This must be a list, such as [1, 2]." }],
    ["STRUCT", '{"a": null}', { value: { a: null } }],
  ];
  for (const [type, text, expected] of rows) {
    expect(read(parameter("p", type), { mode: "value", text }), `${type} ${text}`).toEqual(expected);
  }
  expect(read(parameter("p", "STRUCT"), { mode: "value", text: "{" })).toHaveProperty("error");
});

test("defaults say nothing, needed values are asked for", () => {
  const withDefault = parameter("p", "NUMBER_INTEGER", { hasDefault: true, defaultValue: 3 });
  expect(freshEntry(withDefault)).toEqual({ mode: "default", text: "3" });
  expect(read(withDefault, freshEntry(withDefault))).toEqual({ nothing: true });
  expect(isChanged(withDefault, { mode: "value", text: "3" })).toBe(false);
  expect(isChanged(withDefault, { mode: "value", text: "4" })).toBe(true);
  expect(read(parameter("p", "NUMBER_INTEGER"), freshEntry(parameter("p", "NUMBER_INTEGER")))).toHaveProperty(
    "error",
  );
});

test("another version keeps what fits and names what does not", () => {
  const before = [
    parameter("rate", "NUMBER_DOUBLE"),
    parameter("name", "STRING"),
    parameter("gone", "STRING"),
    parameter("size", "STRING"),
  ];
  const typed = {
    rate: { mode: "value", text: "0.5" },
    name: { mode: "value", text: "" },
    gone: { mode: "value", text: "kept in words" },
    size: { mode: "value", text: "big" },
  } as const;
  const after = [
    parameter("rate", "NUMBER_DOUBLE"),
    parameter("name", "STRING"),
    parameter("size", "NUMBER_INTEGER"),
    parameter("new", "BOOLEAN"),
  ];
  const { entries, dropped } = merge(before, typed, after);
  expect(entries.rate).toEqual(typed.rate);
  expect(entries.name).toEqual(typed.name);
  expect(entries.size).toEqual({ mode: "value", text: "" });
  expect(entries.new).toEqual({ mode: "value", text: "false" });
  expect(dropped).toEqual(["gone (kept in words): not in this version", "size (big): its type changed"]);
});

test("a clone says what its source said, null and false included", () => {
  const parameters = [
    parameter("a", "BOOLEAN"),
    parameter("b", "STRING", { isOptional: true }),
    parameter("c", "LIST"),
  ];
  const entries = entriesOf(parameters, { a: false, b: null });
  expect(entries.a).toEqual({ mode: "value", text: "false" });
  expect(entries.b).toEqual({ mode: "null", text: "" });
  expect(entries.c).toEqual({ mode: "value", text: "" });
});
