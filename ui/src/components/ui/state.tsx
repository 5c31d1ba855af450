/** A state as a shape, a word and a colour; never by colour alone. */
import type { ReactNode } from "react";
import { cx } from "@/lib/class";
import { color, type State, tint, WORDS } from "@/lib/state";

const tick = <path d="M5 8.2l2 2 4-4.2" stroke="var(--color-surface)" strokeWidth="1.6" fill="none" />;
const OCTAGON = "M5.4 1.5h5.2l3.9 3.9v5.2l-3.9 3.9H5.4l-3.9-3.9V5.4z";

const SHAPES: Record<State, ReactNode> = {
  pending: <circle cx="8" cy="8" r="5.75" fill="none" stroke="currentColor" strokeWidth="1.5" />,
  queued: (
    <>
      <circle cx="8" cy="8" r="5.75" fill="none" stroke="currentColor" strokeWidth="1.5" />
      <circle cx="8" cy="8" r="2" fill="currentColor" />
    </>
  ),
  running: (
    <g className="spin">
      <circle cx="8" cy="8" r="5.75" fill="none" stroke="currentColor" strokeWidth="1.5" opacity="0.22" />
      <path d="M8 2.25A5.75 5.75 0 1 1 2.25 8" fill="none" stroke="currentColor" strokeWidth="1.9" />
    </g>
  ),
  succeeded: (
    <>
      <circle cx="8" cy="8" r="6.5" fill="currentColor" />
      {tick}
    </>
  ),
  cached: (
    <>
      <circle cx="8" cy="8" r="6.5" fill="currentColor" />
      <path d="M8.9 3.6L5 8.8h2.6l-.6 3.6 4-5.3H8.3z" fill="var(--color-surface)" />
    </>
  ),
  failed: (
    <>
      <path d={OCTAGON} fill="currentColor" />
      <path d="M5.7 5.7l4.6 4.6M10.3 5.7l-4.6 4.6" stroke="var(--color-surface)" strokeWidth="1.6" />
    </>
  ),
  retrying: (
    <>
      <path
        d="M13.2 6.4A5.6 5.6 0 1 0 13.6 9"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.6"
        strokeLinecap="round"
      />
      <path d="M13.9 2.9v3.9H10z" fill="currentColor" />
    </>
  ),
  skipped: (
    <>
      <circle
        cx="8"
        cy="8"
        r="5.75"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
        strokeDasharray="2.4 2"
      />
      <path d="M5.4 10.6l5.2-5.2" stroke="currentColor" strokeWidth="1.5" />
    </>
  ),
  canceling: (
    <>
      <circle cx="8" cy="8" r="5.75" fill="none" stroke="currentColor" strokeWidth="1.5" />
      <rect
        x="5.6"
        y="5.6"
        width="4.8"
        height="4.8"
        rx="0.6"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.4"
      />
    </>
  ),
  canceled: (
    <>
      <circle cx="8" cy="8" r="6.5" fill="currentColor" />
      <rect x="5.4" y="5.4" width="5.2" height="5.2" rx="0.6" fill="var(--color-surface)" />
    </>
  ),
  paused: (
    <>
      <rect x="3.6" y="2.5" width="3.2" height="11" rx="1" fill="currentColor" />
      <rect x="9.2" y="2.5" width="3.2" height="11" rx="1" fill="currentColor" />
    </>
  ),
};

export function StateIcon({ state, size = 16, label }: { state: State; size?: number; label?: boolean }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 16 16"
      className="shrink-0"
      style={{ color: color(state) }}
      role={label ? "img" : undefined}
      aria-label={label ? WORDS[state] : undefined}
      aria-hidden={label ? undefined : true}
    >
      {SHAPES[state]}
    </svg>
  );
}

export function StateBadge({
  state,
  count,
  className,
}: {
  state: State;
  count?: number;
  className?: string;
}) {
  return (
    <span
      className={cx(
        "inline-flex h-6 items-center gap-1.5 rounded-full pr-2.5 pl-1.5 text-label font-medium whitespace-nowrap",
        className,
      )}
      style={{ color: color(state), background: tint(state) }}
    >
      <StateIcon state={state} size={14} />
      {WORDS[state]}
      {count !== undefined && <span className="num">{count}</span>}
    </span>
  );
}

/** Icon and word in the colour of running text: for dense tables. */
export function StateWord({ state }: { state: State }) {
  return (
    <span className="inline-flex items-center gap-2">
      <StateIcon state={state} />
      <span>{WORDS[state]}</span>
    </span>
  );
}
