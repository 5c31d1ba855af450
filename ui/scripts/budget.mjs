// Fails when the built page is larger than it may be. Sizes are of gzip unless said otherwise.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const dist = new URL("../dist/page/", import.meta.url).pathname;
const manifest = JSON.parse(readFileSync(join(dist, ".vite/manifest.json"), "utf8"));
const gz = (file) => statSync(join(dist, `${file}.gz`)).size;

/** A chunk with everything that is loaded before it runs. */
function closure(key, seen = new Set()) {
  if (seen.has(key)) return seen;
  seen.add(key);
  for (const next of manifest[key].imports ?? []) closure(next, seen);
  return seen;
}

const entry = Object.keys(manifest).find((key) => key.startsWith("_base-") && key.endsWith(".js"));
// The list of runs is part of the entry.
const first = closure(entry);
const firstFiles = [...first].map((key) => manifest[key].file);
const css = new Set([...first].flatMap((key) => manifest[key].css ?? []));
const fonts = readdirSync(join(dist, "assets")).filter((name) => name.endsWith(".woff2"));
const sum = (files, size) => [...files].reduce((total, file) => total + size(file), 0);
const lazy = Object.values(manifest).filter(
  (chunk) => chunk.file.endsWith(".js") && !firstFiles.includes(chunk.file),
);
const largest = lazy.map((chunk) => [chunk.file, gz(chunk.file)]).sort((a, b) => b[1] - a[1])[0] ?? [
  "none",
  0,
];
let embedded = 0;
for (const file of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  if (file.isFile() && (file.name.endsWith(".br") || file.name.endsWith(".woff2")))
    embedded += statSync(join(file.parentPath, file.name)).size;
}

const rows = [
  ["scripts of the first page (Runs)", sum(firstFiles, gz), 200_000],
  ["styles of the first page", sum(css, gz), 15_000],
  ["fonts", sum(fonts, (name) => statSync(join(dist, "assets", name)).size), 60_000],
  [`largest later script, ${largest[0]}`, largest[1], 70_000],
  ["everything, brotli", embedded, 900_000],
  ["requests of scripts and styles before Runs", firstFiles.length + css.size, 3],
];
let failed = false;
for (const [what, bytes, most] of rows) {
  const over = bytes > most;
  failed ||= over;
  const shown = most > 100 ? `${(bytes / 1000).toFixed(1)} of ${most / 1000} kB` : `${bytes} of ${most}`;
  console.log(`${over ? "OVER" : "ok  "} ${what}: ${shown}`);
}
process.exit(failed ? 1 : 0);
