/** The only place that calls `fetch`: base path, errors in words, cancellation. */

/** What the server said when it refused or failed. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly method: string,
    readonly path: string,
    readonly requestId: string,
  ) {
    super(message);
    this.name = "ApiError";
  }

  /** Everything somebody needs to look into it, as text to copy. */
  get details(): string {
    const id = this.requestId && `\nrequest ${this.requestId}`;
    return `${this.method} ${this.path}\nstatus ${this.status || "no answer"}${id}\n${this.message}`;
  }
}

export type Query = Record<string, string | number | boolean | undefined | null>;

/** The absolute address of a path of the API: the page may be served below any base path. */
export function apiUrl(path: string, query: Query = {}): string {
  const url = new URL(path.replace(/^\//, ""), document.baseURI.split("#")[0]);
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") url.searchParams.set(key, String(value));
  }
  return url.toString();
}

interface Options {
  method?: string;
  query?: Query;
  /** A query that has been put together already. */
  queryText?: string;
  body?: unknown;
  form?: FormData;
  signal?: AbortSignal;
}

async function send(path: string, options: Options, accept: string): Promise<Response> {
  const { method = "GET", query, queryText, body, form, signal } = options;
  const headers: Record<string, string> = { accept };
  if (body !== undefined) headers["content-type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(apiUrl(path, query) + (queryText ? `?${queryText}` : ""), {
      method,
      headers,
      body: form ?? (body === undefined ? undefined : JSON.stringify(body)),
      signal,
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiError("The server cannot be reached.", 0, method, path, "");
  }
  if (response.ok) return response;
  const text = await response.text();
  const requestId = response.headers.get("x-request-id") ?? "";
  throw new ApiError(errorMessage(text, response.status), response.status, method, path, requestId);
}

function errorMessage(text: string, status: number): string {
  try {
    const body = JSON.parse(text);
    const nested = body.details?.[0]?.message;
    return nested || body.error_message || body.message || `The server answered ${status}.`;
  } catch {
    return text.trim().slice(0, 500) || `The server answered ${status}.`;
  }
}

/** The JSON of an answer. */
export async function request<T>(path: string, options: Options = {}): Promise<T> {
  const response = await send(path, options, "application/json");
  const text = await response.text();
  return (text ? JSON.parse(text) : {}) as T;
}

/** The text of an answer, and whether the server cut it. */
export async function requestText(path: string, options: Options = {}): Promise<string> {
  return (await send(path, options, "text/plain, */*")).text();
}

export const V2 = "/apis/v2beta1";
export const V1 = "/apis/ferroflow/v1";
