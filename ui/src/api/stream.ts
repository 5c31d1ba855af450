/**
 * Streams of changes over server-sent events. A stream closes while its tab is hidden for long (browsers allow only six
 * connections for all tabs together) and resumes where it stopped.
 */
import { report } from "@/lib/live";
import { apiUrl, type Query, V1 } from "./client";

const HIDDEN_MS = 20_000;
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 15_000;

interface Subscription<T> {
  path: string;
  query?: Query;
  /** Names of events besides the plain ones. */
  kinds: readonly string[];
  onChange: (change: T) => void;
  /** Called when a stream that was lost is there again. */
  onResume?: () => void;
}

/** Listens until the returned function is called. */
export function subscribe<T>({ path, query = {}, kinds, onChange, onResume }: Subscription<T>): () => void {
  const name = path;
  let source: EventSource | undefined;
  let cursor = "";
  let retryMs = FIRST_RETRY_MS;
  let wasLost = false;
  let hiddenTimer: ReturnType<typeof setTimeout> | undefined;
  let retryTimer: ReturnType<typeof setTimeout> | undefined;

  const receive = (event: MessageEvent<string>) => {
    if (event.lastEventId) cursor = event.lastEventId;
    report(name, "live");
    retryMs = FIRST_RETRY_MS;
    onChange(JSON.parse(event.data) as T);
  };

  const open = () => {
    clearTimeout(retryTimer);
    source = new EventSource(apiUrl(`${V1}/${path}`, { ...query, ...(cursor && { cursor }) }));
    source.onmessage = receive;
    for (const kind of kinds) source.addEventListener(kind, receive as EventListener);
    source.onopen = () => {
      report(name, "live");
      retryMs = FIRST_RETRY_MS;
      if (wasLost) onResume?.();
      wasLost = false;
    };
    source.onerror = () => {
      wasLost = true;
      report(name, retryMs >= LAST_RETRY_MS ? "stale" : "reconnecting");
      if (source?.readyState !== EventSource.CLOSED) return; // It tries again by itself.
      retryTimer = setTimeout(open, retryMs);
      retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
    };
  };

  const close = () => {
    clearTimeout(retryTimer);
    source?.close();
    source = undefined;
  };

  const onVisibility = () => {
    clearTimeout(hiddenTimer);
    if (document.visibilityState === "hidden") hiddenTimer = setTimeout(close, HIDDEN_MS);
    else if (!source) {
      wasLost = true;
      open();
    }
  };

  document.addEventListener("visibilitychange", onVisibility);
  open();
  return () => {
    document.removeEventListener("visibilitychange", onVisibility);
    clearTimeout(hiddenTimer);
    close();
    report(name, "live");
  };
}
