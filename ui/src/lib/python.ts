/** Values as Python source. */

export function pythonLiteral(value: unknown, indent = ""): string {
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return JSON.stringify(value);
  const deeper = `${indent}    `;
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    const items = value.map((item) => pythonLiteral(item, deeper));
    const line = `[${items.join(", ")}]`;
    return line.length <= 80 ? line : `[\n${items.map((item) => `${deeper}${item},\n`).join("")}${indent}]`;
  }
  const entries = Object.entries(value);
  if (entries.length === 0) return "{}";
  return `{\n${entries.map(([key, item]) => `${deeper}${JSON.stringify(key)}: ${pythonLiteral(item, deeper)},\n`).join("")}${indent}}`;
}
