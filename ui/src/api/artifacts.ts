/** Artifacts: lists, previews, where they come from. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { apiUrl, request, requestText, V1 } from "./client";
import type { ArtifactDetail, ArtifactPage, ArtifactRow, Lineage, Preview } from "./generated";
import { readRows } from "./runs";

const one = (id: string | number) => `${V1}/artifacts/${encodeURIComponent(String(id))}`;

export const artifactQueries = {
  list: (q: string, type: string) =>
    infiniteQueryOptions({
      queryKey: ["artifacts", "list", q, type],
      queryFn: ({ pageParam, signal }) =>
        request<ArtifactPage>(`${V1}/artifacts`, {
          query: { q, type, page_size: 100, page_token: pageParam },
          signal,
        }),
      initialPageParam: "",
      getNextPageParam: (page) => page.next_page_token || undefined,
      placeholderData: keepPreviousData,
    }),
  ofRun: (run: string) =>
    queryOptions({
      queryKey: ["run", run, "artifacts"],
      queryFn: ({ signal }) =>
        request<ArtifactPage>(`${V1}/runs/${encodeURIComponent(run)}/artifacts`, {
          signal,
        }),
    }),
  /** What the same output of the same task was in the newest runs of its pipeline, the newest first. */
  versions: ({ run, task, name, artifact_type }: ArtifactRow) =>
    queryOptions({
      queryKey: ["artifacts", "versions", run?.id, task, name],
      queryFn: async ({ signal }) => {
        const maker = await readRows([run?.id ?? ""]);
        const pipeline_name = maker.runs[0]?.pipeline_name;
        if (!pipeline_name) return [];
        const page = await request<ArtifactPage>(`${V1}/artifacts`, {
          query: { name, type: artifact_type, pipeline_name, page_size: 200 },
          signal,
        });
        return page.artifacts.filter((each) => each.task === task && each.run);
      },
      enabled: Boolean(run && task),
    }),
  artifact: (id: string | number) =>
    queryOptions({
      queryKey: ["artifacts", "one", String(id)],
      queryFn: ({ signal }) => request<ArtifactDetail>(one(id), { signal }),
    }),
  preview: (id: string | number, path = "") =>
    queryOptions({
      queryKey: ["artifacts", "preview", String(id), path],
      queryFn: ({ signal }) => request<Preview>(`${one(id)}/preview`, { query: { path }, signal }),
      staleTime: 60_000,
    }),
  text: (id: string | number, path = "") =>
    queryOptions({
      queryKey: ["artifacts", "text", String(id), path],
      queryFn: ({ signal }) => requestText(`${one(id)}/content`, { query: { path }, signal }),
      staleTime: 60_000,
    }),
  lineage: (id: string | number, depth: number) =>
    queryOptions({
      queryKey: ["artifacts", "lineage", String(id), depth],
      queryFn: ({ signal }) => request<Lineage>(`${one(id)}/lineage`, { query: { depth }, signal }),
      placeholderData: keepPreviousData,
    }),
};

/** All files of an artifact, or of a folder in it, as one `.tar.gz`. */
export function archiveUrl(id: string | number, path = ""): string {
  return apiUrl(`${one(id)}/content`, { path, archive: "tar.gz" });
}

export function contentUrl(id: string | number, path = "", download = false): string {
  return apiUrl(`${one(id)}/content`, { path, download: download || undefined });
}
