/** Markdown made by user code: the common constructs as elements; raw HTML inside it stays text. */
import { Fragment, type ReactNode } from "react";
import { cx } from "@/lib/class";

/** Only addresses that lead to pages; nothing that runs. */
function safeHref(address: string): string | undefined {
  return /^(https?:|mailto:)/i.test(address) ? address : undefined;
}

const INLINE =
  /(`+)(.+?)\1|\*\*(.+?)\*\*|__(.+?)__|\*([^*\s][^*]*)\*|\b_([^_\s][^_]*)_\b|!?\[([^\]]*)\]\(([^)\s]+)[^)]*\)/g;

function inline(text: string): ReactNode[] {
  const parts: ReactNode[] = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    parts.push(text.slice(at, match.index));
    at = match.index + match[0].length;
    const [, , code, strong, strong2, em, em2, label, address] = match;
    const key = match.index;
    if (code !== undefined)
      parts.push(
        <code key={key} className="rounded-sm bg-sunken px-1 font-mono text-label">
          {code}
        </code>,
      );
    else if (strong ?? strong2) parts.push(<strong key={key}>{inline(strong ?? strong2 ?? "")}</strong>);
    else if (em ?? em2) parts.push(<em key={key}>{inline(em ?? em2 ?? "")}</em>);
    else if (match[0].startsWith("!"))
      parts.push(
        <span key={key} className="text-ink-3">
          [image: {label}]
        </span>,
      );
    else {
      const href = safeHref(address ?? "");
      parts.push(
        href ? (
          <a key={key} href={href} target="_blank" rel="noreferrer noopener" className="link underline">
            {label}
          </a>
        ) : (
          label
        ),
      );
    }
  }
  parts.push(text.slice(at));
  return parts;
}

const HEADINGS = [
  "text-title font-semibold",
  "text-section font-semibold",
  "font-semibold",
  "font-medium",
  "font-medium",
  "font-medium",
];

function cells(line: string): string[] {
  return line
    .trim()
    .replace(/^\||\|$/g, "")
    .split("|")
    .map((cell) => cell.trim());
}

/** Blocks of lines, one after the other. */
export function blocks(text: string): ReactNode[] {
  const lines = text.replaceAll("\r\n", "\n").split("\n");
  const out: ReactNode[] = [];
  let i = 0;
  const take = (while_: (line: string) => boolean): string[] => {
    const from = i;
    while (i < lines.length && while_(lines[i] ?? "")) i += 1;
    return lines.slice(from, i);
  };
  while (i < lines.length) {
    const line = lines[i] ?? "";
    const key = i;
    const heading = line.match(/^(#{1,6})\s+(.*)$/);
    if (!line.trim()) i += 1;
    else if (heading) {
      out.push(
        <p
          key={key}
          role="heading"
          aria-level={(heading[1]?.length ?? 1) + 1}
          className={HEADINGS[(heading[1]?.length ?? 1) - 1]}
        >
          {inline(heading[2] ?? "")}
        </p>,
      );
      i += 1;
    } else if (/^(```|~~~)/.test(line)) {
      i += 1;
      const code = take((each) => !/^(```|~~~)/.test(each));
      i += 1;
      out.push(
        <pre key={key} className="overflow-x-auto rounded-control bg-sunken p-3 font-mono text-label">
          {code.join("\n")}
        </pre>,
      );
    } else if (/^\s*([-*_])(\s*\1){2,}\s*$/.test(line)) {
      out.push(<hr key={key} />);
      i += 1;
    } else if (
      line.includes("|") &&
      /^[\s|:-]+$/.test(lines[i + 1] ?? "") &&
      (lines[i + 1] ?? "").includes("-")
    ) {
      const head = cells(line);
      i += 2;
      const body = take((each) => each.includes("|")).map(cells);
      out.push(
        <table key={key} className="text-left text-label">
          <thead>
            <tr>
              {head.map((cell, n) => (
                <th key={`${cell}${n + 1}`} className="border border-line px-2 py-1">
                  {inline(cell)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {body.map((row, n) => (
              <tr key={`row-${n + 1}`}>
                {row.map((cell, m) => (
                  <td key={`cell-${m + 1}`} className="border border-line px-2 py-1">
                    {inline(cell)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>,
      );
    } else if (/^>\s?/.test(line)) {
      const quoted = take((each) => /^>\s?/.test(each)).map((each) => each.replace(/^>\s?/, ""));
      out.push(
        <blockquote key={key} className="border-l-2 border-line-strong pl-3 text-ink-2">
          {blocks(quoted.join("\n"))}
        </blockquote>,
      );
    } else if (/^\s*([-*+]|\d+[.)])\s+/.test(line)) {
      const ordered = /^\s*\d/.test(line);
      const items = take((each) => /^\s*([-*+]|\d+[.)])\s+/.test(each) || /^\s{2,}\S/.test(each))
        .join("\n")
        .split(/\n(?=\s*(?:[-*+]|\d+[.)])\s)/);
      const List = ordered ? "ol" : "ul";
      out.push(
        <List key={key} className={cx("pl-5", ordered ? "list-decimal" : "list-disc")}>
          {items.map((item, n) => (
            <li key={`item-${n + 1}`}>{inline(item.replace(/^\s*([-*+]|\d+[.)])\s+/, ""))}</li>
          ))}
        </List>,
      );
    } else {
      const paragraph = take((each) => Boolean(each.trim()) && !/^(#{1,6}\s|```|~~~|>)/.test(each));
      out.push(
        <p key={key}>
          {paragraph.map((each, n) => (
            <Fragment key={`line-${n + 1}`}>
              {n > 0 && " "}
              {inline(each)}
            </Fragment>
          ))}
        </p>,
      );
    }
  }
  return out;
}

export default function Markdown({ text, className }: { text: string; className?: string }) {
  return (
    <div
      tabIndex={0}
      role="region"
      aria-label="Markdown"
      className={cx("flex flex-col gap-3 overflow-auto px-5 py-4", className)}
    >
      {blocks(text)}
    </div>
  );
}
