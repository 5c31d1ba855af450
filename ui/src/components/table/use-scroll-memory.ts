/** Keeps where a list was scrolled to, over Back and reload. */
import { useEffect, useRef } from "react";
import { recallScroll, rememberScroll } from "@/lib/scroll-memory";

/** Keeps the position, and goes back to it as soon as enough rows are there. */
export function useScrollMemory(
  viewport: { current: HTMLDivElement | null },
  name: string | undefined,
  rowCount: number,
  hasMore: boolean,
  onMore: (() => void) | undefined,
): void {
  const restored = useRef<string | undefined>(undefined);
  useEffect(() => {
    const element = viewport.current;
    if (!element || !name || rowCount === 0 || restored.current === name) return;
    const wanted = recallScroll(name);
    const reach = element.scrollHeight - element.clientHeight;
    if (wanted > reach && hasMore) {
      onMore?.();
      return;
    }
    if (wanted > 0) element.scrollTop = wanted;
    restored.current = name;
  }, [viewport, name, rowCount, hasMore, onMore]);

  useEffect(() => {
    const element = viewport.current;
    if (!element || !name) return;
    let frame = 0;
    const onScroll = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => {
        if (restored.current === name) rememberScroll(name, element.scrollTop);
      });
    };
    element.addEventListener("scroll", onScroll, { passive: true });
    return () => {
      cancelAnimationFrame(frame);
      element.removeEventListener("scroll", onScroll);
    };
  }, [viewport, name]);
}
