/** JSON values as YAML text, for reading. Texts with several lines become blocks, so that source stays legible. */

const PLAIN = /^[A-Za-z_./][\w ./@+-]*$/;
const WORDS = new Set(["true", "false", "null", "yes", "no", "on", "off", "y", "n", "~"]);

function scalar(value: string): string {
  if (PLAIN.test(value) && !WORDS.has(value.toLowerCase()) && !value.endsWith(" ")) return value;
  return JSON.stringify(value);
}

function block(text: string, indent: string): string {
  const chomp = text.endsWith("\n") ? (text.endsWith("\n\n") ? "+" : "") : "-";
  const body = text.replace(/\n$/, "").split("\n");
  const needsSize = /^[ \n]/.test(text) ? "2" : "";
  return `|${needsSize}${chomp}\n${body.map((line) => (line ? indent + line : "")).join("\n")}`;
}

function write(value: unknown, indent: string): string {
  if (value === null || value === undefined) return "null";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "string")
    return value.includes("\n") && !/[\u0000-\u0008\r]/.test(value) ? block(value, indent) : scalar(value);
  const deeper = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    return value.map((item) => `\n${indent}- ${write(item, deeper).replace(/^\n\s*/, "")}`).join("");
  }
  const entries = Object.entries(value);
  if (entries.length === 0) return "{}";
  return entries
    .map(([key, item]) => {
      const text = write(item, deeper);
      return `\n${indent}${scalar(key)}:${text.startsWith("\n") ? text : ` ${text}`}`;
    })
    .join("");
}

export function toYaml(value: unknown): string {
  return `${write(value, "").replace(/^\n/, "")}\n`;
}
