/** The difference of two texts, line by line: common beginning and end are cut off, the middle by longest common subsequence. */

export interface DiffLine {
  kind: "same" | "added" | "removed";
  text: string;
  before?: number;
  after?: number;
}

/** Beyond this product of lengths the middle counts as replaced: exactness is not worth minutes. */
const MOST_CELLS = 4_000_000;

export function lineDiff(before: string, after: string): DiffLine[] {
  const a = before.replace(/\n$/, "").split("\n");
  const b = after.replace(/\n$/, "").split("\n");
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  while (
    tail < a.length - head &&
    tail < b.length - head &&
    a[a.length - 1 - tail] === b[b.length - 1 - tail]
  )
    tail += 1;
  const out: DiffLine[] = [];
  const same = (i: number, j: number) =>
    out.push({ kind: "same", text: a[i] ?? "", before: i + 1, after: j + 1 });
  for (let i = 0; i < head; i += 1) same(i, i);
  middle(a, b, head, a.length - tail, b.length - tail, out);
  for (let i = 0; i < tail; i += 1) same(a.length - tail + i, b.length - tail + i);
  return out;
}

function middle(a: string[], b: string[], head: number, endA: number, endB: number, out: DiffLine[]): void {
  const n = endA - head;
  const m = endB - head;
  let i = 0;
  let j = 0;
  const removed = () => out.push({ kind: "removed", text: a[head + i] ?? "", before: head + i + 1 });
  const added = () => out.push({ kind: "added", text: b[head + j] ?? "", after: head + j + 1 });
  if (n * m <= MOST_CELLS) {
    const width = m + 1;
    const length = new Uint32Array((n + 1) * width);
    const at = (x: number, y: number) => length[x * width + y] ?? 0;
    for (let x = n - 1; x >= 0; x -= 1) {
      for (let y = m - 1; y >= 0; y -= 1) {
        length[x * width + y] =
          a[head + x] === b[head + y] ? at(x + 1, y + 1) + 1 : Math.max(at(x + 1, y), at(x, y + 1));
      }
    }
    while (i < n && j < m) {
      if (a[head + i] === b[head + j]) {
        out.push({ kind: "same", text: a[head + i] ?? "", before: head + i + 1, after: head + j + 1 });
        i += 1;
        j += 1;
      } else if (at(i + 1, j) >= at(i, j + 1)) {
        removed();
        i += 1;
      } else {
        added();
        j += 1;
      }
    }
  }
  for (; i < n; i += 1) removed();
  for (; j < m; j += 1) added();
}

export type Hunk = { kind: "lines"; lines: DiffLine[] } | { kind: "gap"; count: number };

/** Changes with some lines around them; long stretches without change become gaps. */
export function hunks(lines: readonly DiffLine[], context: number): Hunk[] {
  const near = new Uint8Array(lines.length);
  lines.forEach((line, index) => {
    if (line.kind === "same") return;
    near.fill(1, Math.max(0, index - context), Math.min(lines.length, index + context + 1));
  });
  const out: Hunk[] = [];
  lines.forEach((line, index) => {
    const last = out.at(-1);
    if (near[index]) {
      if (last?.kind === "lines") last.lines.push(line);
      else out.push({ kind: "lines", lines: [line] });
    } else if (last?.kind === "gap") last.count += 1;
    else out.push({ kind: "gap", count: 1 });
  });
  return out;
}
