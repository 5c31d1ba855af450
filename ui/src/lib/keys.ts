/** Keyboard shortcuts: one listener, a stack of scopes, two-key sequences such as `g r`. */
import { useEffect, useRef } from "react";

export interface Shortcut {
  keys: string;
  label: string;
  group: string;
  run: (event: KeyboardEvent) => void;
}

const scopes: { current: Shortcut[] }[] = [];
let prefix = "";
let prefixTimer: ReturnType<typeof setTimeout> | undefined;

/** All shortcuts that work now, for the key map. */
export function activeShortcuts(): Shortcut[] {
  return scopes.flatMap((scope) => scope.current);
}

export function nameOf(event: KeyboardEvent): string {
  const mod = event.metaKey || event.ctrlKey ? "mod+" : "";
  return mod + (event.key.length === 1 && mod ? event.key.toLowerCase() : event.key);
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

function find(keys: string): Shortcut | undefined {
  for (let i = scopes.length - 1; i >= 0; i -= 1) {
    const found = scopes[i]?.current.find((shortcut) => shortcut.keys === keys);
    if (found) return found;
  }
  return undefined;
}

function onKeyDown(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing || event.altKey) return;
  const name = nameOf(event);
  if (isTyping(event.target) && !name.startsWith("mod+")) return;
  // Layers above the page handle their own keys.
  if (document.querySelector("[role=dialog], [role=menu], [role=alertdialog]") && name !== "mod+k") return;
  const found = (prefix && find(`${prefix} ${name}`)) || find(name);
  clearTimeout(prefixTimer);
  prefix = "";
  if (found) {
    event.preventDefault();
    found.run(event);
  } else if (name === "g") {
    prefix = name;
    prefixTimer = setTimeout(() => {
      prefix = "";
    }, 1200);
  }
}

/** Makes shortcuts work while the component is mounted; later scopes win. */
export function useShortcuts(shortcuts: Shortcut[]): void {
  const scope = useRef(shortcuts);
  scope.current = shortcuts;
  useEffect(() => {
    if (scopes.length === 0) window.addEventListener("keydown", onKeyDown);
    scopes.push(scope);
    return () => {
      scopes.splice(scopes.indexOf(scope), 1);
      if (scopes.length === 0) window.removeEventListener("keydown", onKeyDown);
    };
  }, []);
}
