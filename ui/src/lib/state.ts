/** States as the UI shows them: one shape, one word and one colour each. */

export const STATES = [
  "pending",
  "queued",
  "running",
  "succeeded",
  "cached",
  "failed",
  "retrying",
  "skipped",
  "canceling",
  "canceled",
  "paused",
] as const;

export type State = (typeof STATES)[number];

/** Reads any spelling of a state that the server uses. */
export function stateOf(text: string | undefined | null): State {
  const word = (text ?? "").toLowerCase();
  if ((STATES as readonly string[]).includes(word)) return word as State;
  if (word === "terminated") return "canceled";
  if (word === "ready" || word === "admitted") return "queued";
  return "pending";
}

export const WORDS: Record<State, string> = {
  pending: "Pending",
  queued: "Queued",
  running: "Running",
  succeeded: "Succeeded",
  cached: "Cached",
  failed: "Failed",
  retrying: "Retrying",
  skipped: "Skipped",
  canceling: "Canceling",
  canceled: "Canceled",
  paused: "Paused",
};

/** The token that colours a state; several states share one. */
export function colorName(state: State): string {
  if (state === "queued") return "pending";
  if (state === "canceling") return "canceled";
  return state;
}

export const color = (state: State) => `var(--color-${colorName(state)})`;
export const tint = (state: State) => `var(--color-${colorName(state)}-tint)`;

export function isActive(state: State): boolean {
  return !["succeeded", "cached", "failed", "skipped", "canceled"].includes(state);
}

/** Order along a bar: what is done fills it from the left. */
export const BY_PROGRESS: readonly State[] = [
  "succeeded",
  "cached",
  "skipped",
  "failed",
  "canceled",
  "canceling",
  "retrying",
  "running",
  "paused",
  "queued",
  "pending",
];

/** Order in which counts and slivers are shown: what needs eyes first. */
export const BY_URGENCY: readonly State[] = [
  "failed",
  "retrying",
  "running",
  "canceling",
  "queued",
  "pending",
  "paused",
  "canceled",
  "skipped",
  "cached",
  "succeeded",
];
