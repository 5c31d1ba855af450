/** One line of a log: colours, links, marked finds. */
import { Fragment, memo, type ReactNode } from "react";
import { ansiPieces, levelOf, plainText } from "@/lib/ansi";
import { cx } from "@/lib/class";

const URL_PATTERN = /https?:\/\/[^\s"'<>)\]]+/g;
const LEVELS = {
  error: "text-failed",
  warning: "text-retrying",
  debug: "text-ink-3",
  plain: "text-ink",
} as const;

function marked(text: string, needle: string): ReactNode {
  if (!needle) return text;
  const parts: ReactNode[] = [];
  const lower = text.toLowerCase();
  const wanted = needle.toLowerCase();
  let at = 0;
  for (let found = lower.indexOf(wanted); found >= 0; found = lower.indexOf(wanted, at)) {
    parts.push(text.slice(at, found));
    parts.push(
      <mark key={found} className="rounded-sm bg-retrying-tint text-retrying outline outline-retrying/50">
        {text.slice(found, found + wanted.length)}
      </mark>,
    );
    at = found + wanted.length;
  }
  parts.push(text.slice(at));
  return parts;
}

function linked(text: string, needle: string): ReactNode {
  const parts: ReactNode[] = [];
  let at = 0;
  for (const match of text.matchAll(URL_PATTERN)) {
    parts.push(<Fragment key={`t${at}`}>{marked(text.slice(at, match.index), needle)}</Fragment>);
    parts.push(
      <a
        key={`u${match.index}`}
        href={match[0]}
        target="_blank"
        rel="noreferrer noopener"
        className="underline"
      >
        {match[0]}
      </a>,
    );
    at = match.index + match[0].length;
  }
  parts.push(<Fragment key={`t${at}`}>{marked(text.slice(at), needle)}</Fragment>);
  return parts;
}

export const LogText = memo(function LogText({
  text,
  cut,
  needle,
  wrap,
}: {
  text: string;
  cut: number;
  needle: string;
  wrap: boolean;
}) {
  const level = levelOf(plainText(text));
  return (
    <span className={cx(LEVELS[level], wrap ? "break-all whitespace-pre-wrap" : "whitespace-pre")}>
      {ansiPieces(text).map((piece, index) => (
        <span key={index} className={piece.className || undefined}>
          {linked(piece.text, needle)}
        </span>
      ))}
      {cut > 0 && <span className="text-ink-3"> … {cut} more bytes</span>}
    </span>
  );
});
