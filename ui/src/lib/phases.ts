/** Phases of an attempt: their words and colours, in the order in which they happen. */
import type { Phase, Segment } from "@/api/generated";

interface PhaseLook {
  label: string;
  /** What the time was spent on. */
  hint: string;
  color: string;
}

const mix = (share: number) =>
  `color-mix(in srgb, var(--phase, var(--color-running)) ${share}%, var(--color-surface))`;

export const PHASES: Record<Phase, PhaseLook> = {
  wait: { label: "Wait", hint: "for the tasks before it", color: "var(--color-sunken)" },
  queue: { label: "Queue", hint: "for a free slot", color: "var(--color-line)" },
  start: { label: "Start", hint: "inputs, process", color: mix(30) },
  setup: { label: "Setup", hint: "packages, interpreter", color: mix(50) },
  run: { label: "Run", hint: "user code", color: mix(100) },
  upload: { label: "Upload", hint: "outputs into the store", color: mix(65) },
  finish: { label: "Finish", hint: "until the result was recorded", color: mix(40) },
};

export const PHASE_ORDER = Object.keys(PHASES) as Phase[];

export function segmentMs(segment: Segment, now: number): number {
  return Math.max(0, (segment.to ?? now) - segment.from);
}
