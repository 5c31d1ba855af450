import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

interface ModuleLook {
  getModuleInfo: (id: string) => { importedIds: readonly string[] } | null;
}

let atOnce: Set<string> | undefined;
const entry = fileURLToPath(new URL("./src/main.tsx", import.meta.url));

/** Everything that the first page needs is one file: many small ones would be as many requests. */
function firstFile(id: string, look: ModuleLook): string | null {
  if (!atOnce) {
    atOnce = new Set([entry]);
    // A set grows while it is walked.
    for (const each of atOnce)
      for (const next of look.getModuleInfo(each)?.importedIds ?? []) atOnce.add(next);
  }
  return atOnce.has(id) ? "base" : null;
}

const server = process.env.FERROFLOW_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  // Relative, so that the same files work at `/` and below `/pipeline/`.
  base: "./",
  plugins: [react(), tailwindcss()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    // The folder above stays in the repository, so that cargo can watch it before anything was built.
    outDir: "dist/page",
    target: "es2023",
    // Colours are written with light-dark(); older targets would get a translation of it.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    manifest: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: firstFile }] } } },
  },
  server: {
    // The server believes only itself as the origin of writes.
    proxy: {
      "/apis": {
        target: server,
        changeOrigin: true,
        configure: (proxy) => proxy.on("proxyReq", (request) => request.removeHeader("origin")),
      },
      "/artifacts": { target: server, changeOrigin: true },
    },
  },
  test: { environment: "happy-dom", include: ["src/**/*.test.{ts,tsx}"], css: false },
});
