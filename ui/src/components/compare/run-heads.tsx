/** The head of a table whose columns are runs. */
import type { Comparison } from "@/api/generated";
import { TextLink } from "@/components/link";
import { StateIcon } from "@/components/ui/state";
import { runAddress } from "@/lib/addresses";
import { cx } from "@/lib/class";
import { duration, shortId } from "@/lib/format";
import { stateOf } from "@/lib/state";

export function RunHeads({
  comparison,
  base,
  first,
}: {
  comparison: Comparison;
  base: number;
  first: string;
}) {
  return (
    <thead>
      <tr className="border-b border-line">
        <th
          scope="col"
          className="sticky left-0 z-10 w-64 min-w-48 bg-surface px-4 py-2 text-left text-label font-normal text-ink-3"
        >
          {first}
        </th>
        {comparison.runs.map((run, index) => (
          <th
            key={run.run_id}
            scope="col"
            className={cx(
              "min-w-40 px-4 py-2 text-left align-top font-normal",
              index === base && "bg-accent-tint",
            )}
          >
            <span className="flex items-center gap-1.5">
              <Dot index={index} />
              <StateIcon state={stateOf(run.state)} size={13} label />
              <span className="truncate font-medium">
                <TextLink to={runAddress(run.run_id)}>{run.display_name}</TextLink>
              </span>
            </span>
            <span className="num text-label text-ink-3">
              {shortId(run.run_id)} · {duration(run.duration_ms)}
              {index === base && " · base"}
            </span>
          </th>
        ))}
      </tr>
    </thead>
  );
}

/** The mark of a run in charts. */
export function Dot({ index }: { index: number }) {
  return (
    <span
      aria-hidden
      className="size-2.5 shrink-0 rounded-full"
      style={{ background: `var(--color-series-${(index % 8) + 1})` }}
    />
  );
}
