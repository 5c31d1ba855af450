/** The server as a whole: start page, search, its own state. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { request, V1 } from "./client";
import type { Bootstrap, Home, SearchResults, System } from "./generated";

export const systemQueries = {
  bootstrap: () =>
    queryOptions({
      queryKey: ["bootstrap"],
      queryFn: ({ signal }) => request<Bootstrap>(`${V1}/bootstrap`, { signal }),
      staleTime: 60_000,
    }),
  home: () =>
    queryOptions({
      queryKey: ["home"],
      queryFn: ({ signal }) => request<Home>(`${V1}/home`, { signal }),
    }),
  system: () =>
    queryOptions({
      queryKey: ["system"],
      queryFn: ({ signal }) => request<System>(`${V1}/system`, { signal }),
      refetchInterval: 5000,
    }),
  search: (q: string) =>
    queryOptions({
      queryKey: ["search", q],
      queryFn: ({ signal }) => request<SearchResults>(`${V1}/search`, { query: { q }, signal }),
      enabled: q.trim().length >= 2,
      placeholderData: keepPreviousData,
    }),
};
