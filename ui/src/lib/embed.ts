/** Views made for frames: they show, and do nothing. */

/** Whether this page is a view for embedding. */
export function isEmbedded(): boolean {
  return location.hash.startsWith("#/embed/");
}

/** Whether a page of another origin has this one in a frame. */
export function isFramedByOthers(): boolean {
  if (window.top === window.self) return false;
  try {
    return window.top?.location.origin !== location.origin;
  } catch {
    return true;
  }
}
