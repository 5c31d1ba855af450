/** Pipelines and their versions. */
import {
  infiniteQueryOptions,
  keepPreviousData,
  queryOptions,
  useMutation,
  useQueryClient,
} from "@tanstack/react-query";
import { request, V1, V2 } from "./client";
import type { Matrix, PipelinePage, VersionDiff } from "./generated";
import type { Pipeline, PipelineVersion } from "./v2beta1";

const one = (id: string) => `${V2}/pipelines/${encodeURIComponent(id)}`;

export interface VersionPage {
  pipeline_versions?: PipelineVersion[];
  total_size?: number;
  next_page_token?: string;
}

export const pipelineQueries = {
  list: (q: string, sort: string) =>
    infiniteQueryOptions({
      queryKey: ["pipelines", "list", q, sort],
      queryFn: ({ pageParam, signal }) =>
        request<PipelinePage>(`${V1}/pipelines`, {
          query: { q, sort, page_size: 100, page_token: pageParam },
          signal,
        }),
      initialPageParam: "",
      getNextPageParam: (page) => page.next_page_token || undefined,
      placeholderData: keepPreviousData,
    }),
  choices: (q: string) =>
    queryOptions({
      queryKey: ["pipelines", "choices", q],
      queryFn: ({ signal }) =>
        request<PipelinePage>(`${V1}/pipelines`, {
          query: { q, sort: "created_at desc", page_size: 50 },
          signal,
        }),
      placeholderData: keepPreviousData,
    }),
  pipeline: (id: string) =>
    queryOptions({
      queryKey: ["pipelines", "one", id],
      queryFn: ({ signal }) => request<Pipeline>(one(id), { signal }),
    }),
  versions: (id: string) =>
    queryOptions({
      queryKey: ["pipelines", "versions", id],
      queryFn: async ({ signal }) => {
        const versions: PipelineVersion[] = [];
        let token = "";
        do {
          const page = await request<VersionPage>(`${one(id)}/versions`, {
            query: { page_size: 200, sort_by: "created_at desc", page_token: token },
            signal,
          });
          versions.push(...(page.pipeline_versions ?? []));
          token = page.next_page_token ?? "";
        } while (token && versions.length < 1000);
        return versions;
      },
    }),
  version: (pipeline: string, version: string) =>
    queryOptions({
      queryKey: ["pipelines", "version", pipeline, version],
      queryFn: ({ signal }) =>
        request<PipelineVersion>(`${one(pipeline)}/versions/${encodeURIComponent(version)}`, { signal }),
      staleTime: Number.POSITIVE_INFINITY,
    }),
  matrix: (id: string, limit: number) =>
    queryOptions({
      queryKey: ["pipelines", "matrix", id, limit],
      queryFn: ({ signal }) =>
        request<Matrix>(`${V1}/pipelines/${encodeURIComponent(id)}/matrix`, { query: { limit }, signal }),
    }),
  diff: (newer: string, older: string) =>
    queryOptions({
      queryKey: ["pipelines", "diff", newer, older],
      queryFn: ({ signal }) =>
        request<VersionDiff>(`${V1}/versions/${encodeURIComponent(newer)}/diff`, {
          query: { with: older },
          signal,
        }),
      staleTime: Number.POSITIVE_INFINITY,
    }),
};

export interface Upload {
  /** The pipeline that gets a version; a new pipeline without it. */
  pipelineId?: string;
  name: string;
  displayName?: string;
  description?: string;
  source: { file: File } | { url: string };
}

export interface Uploaded {
  pipeline_id: string;
  pipeline_version_id?: string;
}

async function upload(wish: Upload): Promise<Uploaded> {
  const { pipelineId, name, displayName, description, source } = wish;
  if ("file" in source) {
    const form = new FormData();
    form.append("uploadfile", source.file, source.file.name);
    const target = pipelineId ? "upload_version" : "upload";
    const query = { name, display_name: displayName, description, pipelineid: pipelineId };
    return request<Uploaded>(`${V2}/pipelines/${target}`, { method: "POST", query, form });
  }
  const version = { name, display_name: displayName, description, package_url: { pipeline_url: source.url } };
  if (pipelineId) {
    return request<Uploaded>(`${one(pipelineId)}/versions`, {
      method: "POST",
      body: { ...version, pipeline_id: pipelineId },
    });
  }
  return request<Uploaded>(`${V2}/pipelines/create`, {
    method: "POST",
    body: { pipeline: { name, display_name: displayName, description }, pipeline_version: version },
  });
}

export function usePipelineWrites() {
  const client = useQueryClient();
  const onSettled = () => client.invalidateQueries({ queryKey: ["pipelines"] });
  return {
    upload: useMutation({ mutationFn: upload, onSettled }),
    deletePipelines: useMutation({
      mutationFn: async (ids: readonly string[]) => {
        for (const id of ids) await request(one(id), { method: "DELETE", query: { cascade: true } });
      },
      onSettled,
    }),
    deleteVersion: useMutation({
      mutationFn: ({ pipeline, version }: { pipeline: string; version: string }) =>
        request(`${one(pipeline)}/versions/${encodeURIComponent(version)}`, { method: "DELETE" }),
      onSettled,
    }),
  };
}
