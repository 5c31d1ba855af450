/** Terminal colours in log lines as pieces of text with a class each. Other control sequences vanish. */

export interface Piece {
  text: string;
  className: string;
}

/** The eight colours, chosen to be legible on both themes. */
const COLORS = [
  "",
  "text-failed",
  "text-succeeded",
  "text-retrying",
  "text-running",
  "text-paused",
  "text-cached",
  "",
];
const SEQUENCE =
  /\u001b\[([0-9;]*)([A-Za-z])|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b[()][A-Z0-9]|[\u0000-\u0008\u000b-\u001a\u001c-\u001f]/g;

interface Style {
  color: string;
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
}

const PLAIN: Style = { color: "", bold: false, dim: false, italic: false, underline: false };

function apply(style: Style, codes: number[]): Style {
  let next = { ...style };
  for (let i = 0; i < codes.length; i += 1) {
    const code = codes[i] ?? 0;
    if (code === 0) next = { ...PLAIN };
    else if (code === 1) next.bold = true;
    else if (code === 2) next.dim = true;
    else if (code === 3) next.italic = true;
    else if (code === 4) next.underline = true;
    else if (code === 22) next = { ...next, bold: false, dim: false };
    else if (code === 23) next.italic = false;
    else if (code === 24) next.underline = false;
    else if (code === 39) next.color = "";
    else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) next.color = COLORS[code % 10] ?? "";
    else if (code === 38 || code === 48) {
      // 38;5;n has one more number, 38;2;r;g;b three; only the first sixteen have a place here.
      const n = codes[i + 2] ?? 0;
      if (code === 38 && codes[i + 1] === 5 && n < 16) next.color = COLORS[n % 8] ?? "";
      i += codes[i + 1] === 5 ? 2 : 4;
    }
  }
  return next;
}

function className(style: Style): string {
  return [
    style.color || (style.dim && "text-ink-3"),
    style.bold && "font-semibold",
    style.italic && "italic",
    style.underline && "underline",
  ]
    .filter(Boolean)
    .join(" ");
}

export function ansiPieces(line: string): Piece[] {
  // A progress bar rewrites its line: what stood last is what counts.
  const text = line.includes("\r") ? (line.replace(/\r+$/, "").split("\r").at(-1) ?? "") : line;
  if (!text.includes("\u001b")) return text ? [{ text, className: "" }] : [];
  const pieces: Piece[] = [];
  let style = PLAIN;
  let at = 0;
  const push = (end: number) => {
    if (end > at) pieces.push({ text: text.slice(at, end), className: className(style) });
  };
  for (const match of text.matchAll(SEQUENCE)) {
    push(match.index);
    at = match.index + match[0].length;
    if (match[2] === "m") style = apply(style, (match[1] || "0").split(";").map(Number));
  }
  push(text.length);
  return pieces;
}

/** The text alone. */
export function plainText(line: string): string {
  return ansiPieces(line)
    .map((piece) => piece.text)
    .join("");
}

export type Level = "error" | "warning" | "debug" | "plain";

export function levelOf(text: string): Level {
  const head = text.slice(0, 160);
  if (/\b(ERROR|CRITICAL|FATAL|SEVERE)\b|^Traceback \(most|^\w*(Error|Exception)\b:/.test(head))
    return "error";
  if (/\b(WARN|WARNING)\b/.test(head)) return "warning";
  if (/\b(DEBUG|TRACE)\b/.test(head)) return "debug";
  return "plain";
}
