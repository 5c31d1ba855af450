/** Scroll positions that survive Back and reload: kept for the tab, by address and name. */

const KEY = "ferroflow.scroll";
const MAX_ENTRIES = 60;

type Memory = Record<string, number>;

function read(): Memory {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "{}") as Memory;
  } catch {
    return {};
  }
}

export function rememberScroll(name: string, value: number): void {
  const { [name]: _, ...rest } = read();
  const entries = Object.entries({ ...rest, [name]: Math.round(value) }).slice(-MAX_ENTRIES);
  try {
    sessionStorage.setItem(KEY, JSON.stringify(Object.fromEntries(entries)));
  } catch {
    // Then positions are forgotten.
  }
}

export function recallScroll(name: string): number {
  return read()[name] ?? 0;
}
