/** A confusion matrix as a table whose cells are tinted by their share of the row. */
import type { ConfusionMatrix } from "@/lib/classification";
import { number } from "@/lib/format";

interface Props {
  matrix: ConfusionMatrix;
  caption?: string;
  /** Largest value of the scale, for matrices side by side. */
  max?: number;
}

export function ConfusionTable({
  matrix,
  caption = "Confusion matrix: truth down, prediction across",
  max,
}: Props) {
  const top = max ?? Math.max(...matrix.rows.flat(), 1);
  return (
    <div className="overflow-x-auto">
      <table className="num border-separate border-spacing-0.5 text-label">
        <caption className="mb-2 text-left text-label text-ink-2">{caption}</caption>
        <thead>
          <tr>
            <td />
            {matrix.labels.map((label) => (
              <th
                key={label}
                scope="col"
                className="max-w-24 truncate px-2 py-1 font-normal text-ink-2"
                title={label}
              >
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {matrix.rows.map((row, truth) => (
            <tr key={matrix.labels[truth] ?? truth}>
              <th
                scope="row"
                className="max-w-32 truncate pr-2 text-right font-normal text-ink-2"
                title={matrix.labels[truth]}
              >
                {matrix.labels[truth]}
              </th>
              {row.map((value, guess) => {
                const hue = truth === guess ? "var(--color-succeeded-tint)" : "var(--color-failed-tint)";
                const share = value === 0 ? 0 : 25 + 75 * (value / top);
                return (
                  <td
                    key={guess}
                    className="min-w-16 rounded-sm px-2 py-2.5 text-center font-medium"
                    style={{ background: `color-mix(in srgb, ${hue} ${share}%, var(--color-surface))` }}
                  >
                    {number(value)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
