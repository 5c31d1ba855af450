/** Choices of the person at this browser. Kept in localStorage; every reader sees a change at once. */
import { useCallback, useSyncExternalStore } from "react";

const PREFIX = "ferroflow.";
const listeners = new Set<() => void>();

function read(key: string): string | null {
  try {
    return localStorage.getItem(PREFIX + key);
  } catch {
    return null; // Storage may be refused, in frames most of all.
  }
}

export function writePreference(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(PREFIX + key);
    else localStorage.setItem(PREFIX + key, value);
  } catch {
    // Then the choice lives as long as the page.
  }
  for (const each of listeners) each();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener("storage", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("storage", listener);
  };
}

export function usePreference(key: string, initial: string): [string, (value: string) => void] {
  const value = useSyncExternalStore(subscribe, () => read(key)) ?? initial;
  const set = useCallback((next: string) => writePreference(key, next), [key]);
  return [value, set];
}

export type Theme = "system" | "light" | "dark";

export function applyTheme(): void {
  const theme = read("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

/** Follows the choice of theme for the life of the page. */
export function followTheme(): void {
  applyTheme();
  subscribe(applyTheme);
}
