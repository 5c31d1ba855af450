import { afterEach, expect, test, vi } from "vitest";
import { ApiError, apiUrl, request } from "./client";

afterEach(() => vi.unstubAllGlobals());

test("addresses are relative to the page, empty parameters are left out", () => {
  const url = new URL(apiUrl("/apis/x", { a: 1, b: "", c: undefined, d: false }));
  expect(url.pathname.endsWith("/apis/x")).toBe(true);
  expect(url.search).toBe("?a=1&d=false");
});

test("errors say what the server said", async () => {
  const rows: [number, string, string][] = [
    [404, '{"code":5,"message":"chain","details":[{"message":"the run is unknown"}]}', "the run is unknown"],
    [409, '{"error_message":"taken","error_details":"…"}', "taken"],
    [500, '{"message":"Internal"}', "Internal"],
    [502, "Bad gateway", "Bad gateway"],
    [503, "", "The server answered 503."],
  ];
  for (const [status, body, message] of rows) {
    vi.stubGlobal("fetch", async () => new Response(body, { status, headers: { "x-request-id": "r1" } }));
    const error = await request("/apis/x").catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(ApiError);
    expect((error as ApiError).message, body).toBe(message);
    expect((error as ApiError).details).toContain("request r1");
  }
  vi.stubGlobal("fetch", async () => {
    throw new TypeError("network");
  });
  await expect(request("/apis/x")).rejects.toThrow("The server cannot be reached.");
});
