/** Artifacts of a run that are being copied from or to a store elsewhere. */
import type { CopyState } from "@/api/generated";
import { bytes } from "@/lib/format";

export function Copies({ copies }: { copies: readonly CopyState[] }) {
  return (
    <ul aria-label="Copies" className="border-b border-line bg-sunken px-4 py-1.5 text-label text-ink-2">
      {copies.map((copy) => (
        <li key={`${copy.path} ${copy.is_output}`} className="flex items-center gap-3">
          <span className="truncate">
            {copy.is_output ? "Storing what" : "Fetching what"} <span className="font-mono">{copy.path}</span>{" "}
            {copy.is_output ? "has made" : "needs"}
          </span>
          <progress
            className="h-1 w-40"
            max={copy.known_bytes}
            value={copy.copied_bytes}
            aria-label={`${bytes(copy.copied_bytes)} of ${bytes(copy.known_bytes)}`}
          />
          <span className="num text-ink-3">
            {bytes(copy.copied_bytes)} of {bytes(copy.known_bytes)}
          </span>
        </li>
      ))}
    </ul>
  );
}
