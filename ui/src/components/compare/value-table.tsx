/** Values of runs by name; equal rows are hidden unless asked for. */
import type { CompareRow, Comparison } from "@/api/generated";
import { Value } from "@/components/run/value";
import { Section } from "@/components/shell/page";
import { cx } from "@/lib/class";
import { RunHeads } from "./run-heads";

interface Props {
  title: string;
  comparison: Comparison;
  rows: readonly CompareRow[];
  all: boolean;
  base: number;
  /** Shown even if nothing differs. */
  head?: boolean;
  note?: string;
}

export function ValueTable({ title, comparison, rows, all, base, head, note }: Props) {
  const shown = all ? rows : rows.filter((row) => row.differs);
  if (shown.length === 0 && !head) return null;
  const equal = rows.length - rows.filter((row) => row.differs).length;
  const words = [note, equal > 0 && !all ? `${equal} equal` : ""].filter(Boolean).join(", ");
  return (
    <Section title={title} aside={<span className="text-label text-ink-3">{words}</span>}>
      <div tabIndex={0} role="region" aria-label={title} className="overflow-x-auto">
        <table className="w-full">
          <RunHeads comparison={comparison} base={base} first={shown.length > 0 ? "Name" : ""} />
          <tbody className="divide-y divide-line">
            {shown.map((row) => (
              <tr key={row.name}>
                <th
                  scope="row"
                  className="sticky left-0 z-10 max-w-64 truncate bg-surface px-4 py-2 text-left font-normal"
                  title={row.name}
                >
                  {row.name}
                </th>
                {row.values.map((value, index) => {
                  const differs = JSON.stringify(value) !== JSON.stringify(row.values[base]);
                  return (
                    <td
                      key={comparison.runs[index]?.run_id ?? index}
                      className={cx(
                        "max-w-80 px-4 py-2 align-top",
                        index === base ? "bg-accent-tint" : differs && "bg-retrying-tint",
                      )}
                    >
                      <Value value={value} />
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {shown.length === 0 && <p className="border-t border-line px-4 py-3 text-ink-3">Nothing differs.</p>}
    </Section>
  );
}
