/** Addresses of things, as hash routes without the `#`. */

const part = encodeURIComponent;

export const runAddress = (id: string, query = "") => `/runs/details/${part(id)}${query && `?${query}`}`;
export const taskAddress = (run: string, path: string, panel = "") =>
  runAddress(run, `task=${part(path)}${panel && `&panel=${panel}`}`);
export const pipelineAddress = (id: string, version?: string) =>
  `/pipelines/details/${part(id)}${version ? `/version/${part(version)}` : ""}`;
export const experimentAddress = (id: string) => `/experiments/details/${part(id)}`;
export const scheduleAddress = (id: string) => `/recurringrun/details/${part(id)}`;
export const artifactAddress = (id: string) => `/artifacts/${part(id)}`;
export const compareAddress = (runs: readonly string[]) => `/compare?runlist=${runs.map(part).join(",")}`;
