/** Whether the page hears from the server: one indicator for all streams and polls. */
import { useSyncExternalStore } from "react";

export type Liveness = "live" | "reconnecting" | "stale";

const problems = new Map<string, Exclude<Liveness, "live">>();
const listeners = new Set<() => void>();

/** A source (a stream, a poll) tells how it is; `live` clears what it said before. */
export function report(source: string, liveness: Liveness): void {
  const before = current();
  if (liveness === "live") problems.delete(source);
  else problems.set(source, liveness);
  if (current() !== before) for (const each of listeners) each();
}

function current(): Liveness {
  const all = [...problems.values()];
  if (all.includes("stale")) return "stale";
  return all.length > 0 ? "reconnecting" : "live";
}

export function useLiveness(): Liveness {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, current);
}
