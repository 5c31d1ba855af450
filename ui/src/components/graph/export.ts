/** The graph as a picture of its own: SVG written from its places, PNG drawn from that. */
import type { Graph } from "@/api/generated";
import { colorName, WORDS } from "@/lib/state";
import { edgePath } from "./geometry";
import type { LookOf } from "./look";
import { readPalette } from "./paint";

const PAD = 24;
/** Browsers refuse larger canvases. */
const MOST_PIXELS = 8000;

function xmlText(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

function clipped(text: string, width: number): string {
  const most = Math.max(4, Math.floor(width / 6.6));
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

export function graphSvg(graph: Graph, lookOf: LookOf): string {
  const palette = readPalette();
  const out = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${-PAD} ${-PAD} ${graph.width + 2 * PAD} ${graph.height + 2 * PAD}" width="${graph.width + 2 * PAD}" height="${graph.height + 2 * PAD}" font-family="Inter, sans-serif">`,
    `<rect x="${-PAD}" y="${-PAD}" width="100%" height="100%" fill="${palette("canvas")}"/>`,
  ];
  for (const group of graph.groups) {
    out.push(
      `<rect x="${group.x}" y="${group.y}" width="${group.width}" height="${group.height}" rx="12" fill="${palette("sunken")}" stroke="${palette("line")}"/>`,
      `<text x="${group.x + 12}" y="${group.y + 20}" font-size="12" font-weight="500" fill="${palette("ink")}">${xmlText(clipped(group.label, group.width - 24))}</text>`,
    );
  }
  for (const edge of graph.edges)
    out.push(
      `<path d="${edgePath(edge.points)}" fill="none" stroke="${palette("line-strong")}" stroke-width="1.2"/>`,
    );
  for (const node of graph.nodes) {
    const look = lookOf(node.id);
    const hue = look.state ? palette(colorName(look.state)) : palette("line-strong");
    const lower = [look.state ? WORDS[look.state] : "", look.detail].filter(Boolean).join(" · ");
    const middle = node.y + node.height / 2;
    out.push(
      `<rect x="${node.x}" y="${node.y}" width="${node.width}" height="${node.height}" rx="8" fill="${palette("surface")}" stroke="${palette("line-strong")}"/>`,
      `<circle cx="${node.x + 18}" cy="${middle}" r="6" fill="${hue}"/>`,
      `<text x="${node.x + 34}" y="${middle + (lower ? -2 : 4)}" font-size="12" font-weight="500" fill="${palette("ink")}">${xmlText(clipped(node.label, node.width - 44))}</text>`,
    );
    if (lower)
      out.push(
        `<text x="${node.x + 34}" y="${middle + 13}" font-size="11" fill="${palette("ink-3")}">${xmlText(clipped(lower, node.width - 44))}</text>`,
      );
  }
  out.push("</svg>");
  return out.join("\n");
}

export async function graphPng(graph: Graph, lookOf: LookOf): Promise<Blob | null> {
  const svg = graphSvg(graph, lookOf);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const scale = Math.min(2, MOST_PIXELS / Math.max(image.width, image.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(image.width * scale);
  canvas.height = Math.round(image.height * scale);
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}
