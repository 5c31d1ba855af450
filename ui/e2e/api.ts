/** The public API as the tests use it: to make what the page then shows. */

export interface Made {
  pipeline_id: string;
  pipeline_version_id: string;
}

export class Api {
  constructor(readonly root: string) {}

  async call<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.root}${path}`, {
      method,
      headers: { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text ? JSON.parse(text) : {}) as T;
  }

  async upload(name: string, file: string, content: string, pipelineId?: string): Promise<Made> {
    const form = new FormData();
    form.append("uploadfile", new Blob([content]), file);
    const query = new URLSearchParams({ name, ...(pipelineId && { pipelineid: pipelineId }) });
    const target = pipelineId ? "upload_version" : "upload";
    const response = await fetch(`${this.root}/apis/v2beta1/pipelines/${target}?${query}`, {
      method: "POST",
      body: form,
    });
    if (!response.ok) throw new Error(`upload ${name}: ${response.status} ${await response.text()}`);
    const made = (await response.json()) as Made;
    if (made.pipeline_version_id) return made;
    const list = await this.call<{ pipeline_versions: Made[] }>(
      "GET",
      `/apis/v2beta1/pipelines/${made.pipeline_id}/versions`,
    );
    return list.pipeline_versions[0] as Made;
  }

  async run(
    name: string,
    made: Made,
    parameters: Record<string, unknown> = {},
    more: Record<string, unknown> = {},
  ): Promise<string> {
    const run = await this.call<{ run_id: string }>("POST", "/apis/v2beta1/runs", {
      display_name: name,
      pipeline_version_reference: {
        pipeline_id: made.pipeline_id,
        pipeline_version_id: made.pipeline_version_id,
      },
      runtime_config: { parameters },
      ...more,
    });
    return run.run_id;
  }

  /** Waits until the run has ended; the server tells by its stream of changes. */
  async ended(run: string): Promise<string> {
    const done = ["SUCCEEDED", "FAILED", "CANCELED"];
    const { cursor, run: head } = await this.call<{ cursor: string; run: { state: string } }>(
      "GET",
      `/apis/ferroflow/v1/runs/${run}/state`,
    );
    if (done.includes(head.state)) return head.state;
    const response = await fetch(
      `${this.root}/apis/ferroflow/v1/runs/${run}/stream?cursor=${encodeURIComponent(cursor)}`,
    );
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
      text += part.value;
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) {
        if (!line.startsWith("data:")) continue;
        const change = JSON.parse(line.slice(5)) as { kind: string; run?: { state: string } };
        if (change.kind === "run" && change.run && done.includes(change.run.state)) {
          await reader?.cancel();
          return change.run.state;
        }
      }
    }
    throw new Error(`the stream of run ${run} ended before the run`);
  }
}
