/** The state of the form: kept in the browser until the run is made, so that a reload loses nothing. */
import { useCallback, useEffect, useState } from "react";
import type { RecurringRun, Trigger } from "@/api/v2beta1";
import type { Entries } from "@/lib/draft";

export interface ScheduleDraft {
  kind: "interval" | "cron";
  count: string;
  unit: string;
  cron: string;
  start: string;
  end: string;
  maxConcurrency: string;
  catchup: boolean;
}

export interface FormState {
  pipelineId?: string;
  pipelineName?: string;
  versionId?: string;
  /** Schedules only: whatever version is the newest then. */
  latest: boolean;
  experimentId?: string;
  experimentName?: string;
  name: string;
  nameTyped: boolean;
  description: string;
  recurring: boolean;
  schedule: ScheduleDraft;
  serviceAccount: string;
  pipelineRoot: string;
  caching: boolean;
  entries: Entries;
}

export const EMPTY_FORM: FormState = {
  latest: false,
  name: "",
  nameTyped: false,
  description: "",
  recurring: false,
  schedule: {
    kind: "interval",
    count: "1",
    unit: "3600",
    cron: "0 0 6 * * 1-5",
    start: "",
    end: "",
    maxConcurrency: "10",
    catchup: false,
  },
  serviceAccount: "",
  pipelineRoot: "",
  caching: true,
  entries: {},
};

const PREFIX = "ferroflow.draft.";

function load(key: string): FormState | undefined {
  try {
    const text = sessionStorage.getItem(PREFIX + key);
    return text ? { ...EMPTY_FORM, ...(JSON.parse(text) as FormState) } : undefined;
  } catch {
    return undefined;
  }
}

export interface Draft {
  form: FormState;
  /** Whether it was typed before this page was loaded. */
  restored: boolean;
  change: (change: Partial<FormState> | ((before: FormState) => Partial<FormState>)) => void;
  clear: () => void;
}

export function useDraft(key: string): Draft {
  const [stored] = useState(() => load(key));
  const [form, setForm] = useState<FormState>(stored ?? EMPTY_FORM);
  const [cleared, setCleared] = useState(false);
  useEffect(() => {
    if (cleared || form === EMPTY_FORM) return;
    try {
      sessionStorage.setItem(PREFIX + key, JSON.stringify(form));
    } catch {
      // Then it lives as long as the page.
    }
  }, [form, key, cleared]);
  const change = useCallback<Draft["change"]>((next) => {
    setForm((before) => ({ ...before, ...(typeof next === "function" ? next(before) : next) }));
  }, []);
  const clear = useCallback(() => {
    setCleared(true);
    try {
      sessionStorage.removeItem(PREFIX + key);
    } catch {
      // Nothing was kept.
    }
  }, [key]);
  return { form, restored: stored !== undefined, change, clear };
}

/** A stored schedule as the form has it; a clone begins its own window. */
export function scheduleDraftOf(schedule: RecurringRun, withWindow: boolean): ScheduleDraft {
  const cron = schedule.trigger?.cron_schedule;
  const periodic = schedule.trigger?.periodic_schedule;
  const window = withWindow ? (cron ?? periodic) : undefined;
  const seconds = Number(periodic?.interval_second ?? 3600);
  const unit = [604_800, 86_400, 3600, 60].find((size) => seconds % size === 0) ?? 1;
  return {
    kind: cron ? "cron" : "interval",
    count: String(seconds / unit),
    unit: String(unit),
    cron: cron?.cron ?? "0 0 6 * * 1-5",
    start: localText(window?.start_time),
    end: localText(window?.end_time),
    maxConcurrency: schedule.max_concurrency ?? "10",
    catchup: !schedule.no_catchup,
  };
}

/** A time as fields for local times have it. */
function localText(time: string | undefined): string {
  if (!time) return "";
  const at = new Date(time);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** What the schedule part of the form says, for the API. */
export function triggerOf(schedule: ScheduleDraft): Trigger {
  const window = {
    ...(schedule.start && { start_time: new Date(schedule.start).toISOString() }),
    ...(schedule.end && { end_time: new Date(schedule.end).toISOString() }),
  };
  if (schedule.kind === "cron") return { cron_schedule: { ...window, cron: schedule.cron.trim() } };
  const seconds = Number(schedule.count) * Number(schedule.unit);
  return { periodic_schedule: { ...window, interval_second: String(seconds) } };
}
