import { expect, test } from "vitest";
import { toYaml } from "./yaml";

test("values as YAML", () => {
  const rows: [unknown, string][] = [
    [{ a: 1, b: "x y", c: true, d: null }, "a: 1\nb: x y\nc: true\nd: null\n"],
    [{ a: [], b: {} }, "a: []\nb: {}\n"],
    [{ list: [1, { k: "v", l: [2] }] }, "list:\n  - 1\n  - k: v\n    l:\n      - 2\n"],
    [{ code: "def f():\n  return 1\n" }, "code: |\n  def f():\n    return 1\n"],
    [{ code: "a\nb" }, "code: |-\n  a\n  b\n"],
    [{ yes: "true", "odd: key": "12", empty: "" }, '"yes": "true"\n"odd: key": "12"\nempty: ""\n'],
  ];
  for (const [value, text] of rows) expect(toYaml(value), JSON.stringify(value)).toBe(text);
});
