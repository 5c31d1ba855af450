/** Query parameters of the hash route as plain texts, so that links of KFP and links typed by hand both work. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";

export type Search = Record<string, string | undefined>;

export function parseSearch(text: string): Search {
  return Object.fromEntries(new URLSearchParams(text));
}

export function stringifySearch(search: Record<string, unknown>): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(search)) {
    if (value !== undefined && value !== null && value !== "") query.set(key, String(value));
  }
  // Commas, colons and slashes are legible and legal here.
  const text = query.toString().replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%2F", "/");
  return text && `?${text}`;
}

export function useSearchAll(): Search {
  return useSearch({ strict: false }) as Search;
}

/** Changes some parameters and keeps the others; a parameter set to `undefined` or its default vanishes. */
export function useSetSearch(): (change: Search, options?: { push?: boolean }) => void {
  const navigate = useNavigate();
  return useCallback(
    (change, options) => {
      navigate({
        to: ".",
        search: ((previous: Search) => ({ ...previous, ...change })) as never,
        replace: !options?.push,
      });
    },
    [navigate],
  );
}

export function useParam(key: string, initial = ""): [string, (value: string | undefined) => void] {
  const value = useSearchAll()[key] ?? initial;
  const set = useSetSearch();
  const change = useCallback(
    (next: string | undefined) => set({ [key]: next === initial ? undefined : next }),
    [set, key, initial],
  );
  return [value, change];
}
