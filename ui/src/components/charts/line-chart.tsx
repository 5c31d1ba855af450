/** Lines over a numeric axis, by uPlot, in the colours of the theme. Each series has its own dash, not only its hue. */
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import { number } from "@/lib/format";
import "uplot/dist/uPlot.min.css";
import "./line-chart.css";

export interface Series {
  name: string;
  points: readonly (readonly [number, number])[];
}

const DASHES: (number[] | undefined)[] = [
  undefined,
  [8, 4],
  [2, 3],
  [10, 3, 2, 3],
  [5, 2],
  [1, 4],
  [12, 6],
  [6, 2, 2, 2],
];

function cssColor(name: string): string {
  // A canvas needs the colour that light-dark() stands for.
  const probe = document.createElement("span");
  probe.style.color = `var(--color-${name})`;
  document.body.append(probe);
  const color = getComputedStyle(probe).color;
  probe.remove();
  return color;
}

interface Props {
  series: readonly Series[];
  xLabel: string;
  yLabel: string;
  height: number;
  /** Limits of both axes; fitted to the data without them. */
  unit?: boolean;
  label: string;
  /** What x stands for when it only counts, from 1 on. */
  names?: readonly string[];
  /** A press on the chart, with the x below the pointer. */
  onPick?: (x: number) => void;
}

const COUNTS = [1, 2, 5, 10, 20, 50, 100, 200, 500];

export default function LineChart({ series, xLabel, yLabel, height, unit, label, names, onPick }: Props) {
  const holder = useRef<HTMLDivElement>(null);
  const pick = useRef(onPick);
  pick.current = onPick;
  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    let chart: uPlot | undefined;
    const draw = () => {
      chart?.destroy();
      const axis = (text: string): uPlot.Axis => ({
        ...(text && { label: text }),
        stroke: cssColor("ink-2"),
        font: "11px Inter, sans-serif",
        labelFont: "11px Inter, sans-serif",
        labelSize: 20,
        grid: { stroke: cssColor("line"), width: 1 },
        ticks: { stroke: cssColor("line"), width: 1, size: 4 },
      });
      const xs = [...new Set(series.flatMap((each) => each.points.map(([x]) => x)))].sort((a, b) => a - b);
      const columns = series.map((each) => {
        // Several points may share an x: the highest is what a step shows.
        const at = new Map<number, number>();
        for (const [x, y] of each.points) at.set(x, Math.max(y, at.get(x) ?? Number.NEGATIVE_INFINITY));
        return xs.map((x) => at.get(x) ?? null);
      });
      chart = new uPlot(
        {
          width: Math.max(element.clientWidth, 200),
          height,
          legend: { show: series.length > 1 || names !== undefined },
          cursor: { points: { size: 6 } },
          scales: {
            x: {
              time: false,
              ...(unit && { range: [0, 1] as [number, number] }),
              ...(names && { range: [0.5, names.length + 0.5] as [number, number] }),
            },
            y: unit ? { range: [0, 1] } : {},
          },
          axes: [
            { ...axis(xLabel), ...(names && { incrs: COUNTS, size: 28 }) },
            { ...axis(yLabel), size: 48 },
          ],
          // While nothing is pointed at, the legend tells of the last one.
          hooks: names && {
            setCursor: [(drawn) => drawn.cursor.idx == null && drawn.setLegend({ idx: xs.length - 1 })],
          },
          series: [
            {
              label: names ? "Run" : xLabel,
              ...(names && { value: (_: uPlot, x: number | null) => names[(x ?? 0) - 1] ?? "–" }),
            },
            ...series.map((each, index) => ({
              label: each.name,
              value: (_: uPlot, y: number | null) => (y === null ? "–" : number(y)),
              stroke: cssColor(`series-${(index % 8) + 1}`),
              width: 2,
              dash: DASHES[index % DASHES.length],
              spanGaps: true,
              points: { show: xs.length <= 40, size: 5 },
            })),
          ],
        },
        [xs, ...columns] as uPlot.AlignedData,
        element,
      );
      const drawn = chart;
      if (names && xs.length > 0) drawn.setLegend({ idx: xs.length - 1 });
      chart.over.addEventListener("click", () => {
        const x = xs[drawn.cursor.idx ?? -1];
        if (x !== undefined) pick.current?.(x);
      });
    };
    draw();
    const sizes = new ResizeObserver(() =>
      chart?.setSize({ width: Math.max(element.clientWidth, 200), height }),
    );
    sizes.observe(element);
    const themes = new MutationObserver(draw);
    themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => {
      sizes.disconnect();
      themes.disconnect();
      chart?.destroy();
    };
  }, [series, xLabel, yLabel, height, unit, names]);
  return <div ref={holder} role="img" aria-label={label} className="num w-full text-label text-ink-2" />;
}
