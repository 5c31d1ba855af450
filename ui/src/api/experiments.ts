/** Experiments. */
import {
  infiniteQueryOptions,
  keepPreviousData,
  queryOptions,
  useMutation,
  useQueryClient,
} from "@tanstack/react-query";
import { request, V1, V2 } from "./client";
import type { ExperimentPage } from "./generated";
import type { Experiment } from "./v2beta1";

const one = (id: string) => `${V2}/experiments/${encodeURIComponent(id)}`;

export const experimentQueries = {
  list: (q: string, archived: boolean, sort: string) =>
    infiniteQueryOptions({
      queryKey: ["experiments", "list", q, archived, sort],
      queryFn: ({ pageParam, signal }) =>
        request<ExperimentPage>(`${V1}/experiments`, {
          query: { q, archived, sort, page_size: 100, page_token: pageParam },
          signal,
        }),
      initialPageParam: "",
      getNextPageParam: (page) => page.next_page_token || undefined,
      placeholderData: keepPreviousData,
    }),
  choices: (q: string) =>
    queryOptions({
      queryKey: ["experiments", "choices", q],
      queryFn: ({ signal }) =>
        request<ExperimentPage>(`${V1}/experiments`, {
          query: { q, archived: false, page_size: 50 },
          signal,
        }),
      placeholderData: keepPreviousData,
    }),
  experiment: (id: string) =>
    queryOptions({
      queryKey: ["experiments", "one", id],
      queryFn: ({ signal }) => request<Experiment>(one(id), { signal }),
    }),
};

export function useExperimentWrites() {
  const client = useQueryClient();
  const onSettled = () => {
    client.invalidateQueries({ queryKey: ["experiments"] });
    client.invalidateQueries({ queryKey: ["runs"] });
  };
  return {
    create: useMutation({
      mutationFn: (experiment: { display_name: string; description?: string }) =>
        request<Experiment>(`${V2}/experiments`, { method: "POST", body: experiment }),
      onSettled,
    }),
    archive: useMutation({
      mutationFn: ({ id, restore }: { id: string; restore: boolean }) =>
        request(`${one(id)}:${restore ? "unarchive" : "archive"}`, { method: "POST" }),
      onSettled,
    }),
    remove: useMutation({
      mutationFn: (id: string) => request(one(id), { method: "DELETE" }),
      onSettled,
    }),
  };
}
