/** Tasks of a pipeline down, its last runs across: state as shape and colour, duration against the median as height. */
import { useQuery } from "@tanstack/react-query";
import type { MatrixCell, MatrixRow, RunDot } from "@/api/generated";
import { pipelineQueries } from "@/api/pipelines";
import { Link } from "@/components/link";
import { PageBody } from "@/components/shell/page";
import { Empty, Failure, SkeletonRows } from "@/components/ui/feedback";
import { StateIcon } from "@/components/ui/state";
import { runAddress } from "@/lib/addresses";
import { cx } from "@/lib/class";
import { duration, exact } from "@/lib/format";
import { color, stateOf, tint, WORDS } from "@/lib/state";

/** From this multiple of the median on a duration stands out. */
const OUTLIER = 2;

export default function MatrixTab({ pipelineId }: { pipelineId: string }) {
  const matrix = useQuery(pipelineQueries.matrix(pipelineId, 50));
  if (matrix.isError) return <Failure error={matrix.error} retry={() => matrix.refetch()} />;
  if (!matrix.data) return <SkeletonRows />;
  const { rows, is_cut } = matrix.data;
  const runs = [...matrix.data.runs].reverse();
  if (runs.length === 0) return <Empty title="No runs of this pipeline yet" />;
  const longest = Math.max(...runs.map((run) => run.duration_ms ?? 0), 1);
  return (
    <PageBody>
      <div className="overflow-x-auto pb-4">
        <table className="border-separate border-spacing-x-0.5 border-spacing-y-0.5">
          <caption className="sr-only">
            States and durations of tasks over the last {runs.length} runs, the newest at the right
          </caption>
          <thead>
            <tr>
              <th
                scope="col"
                className="sticky left-0 z-10 min-w-56 bg-canvas pr-4 text-left align-bottom text-label font-normal text-ink-3"
              >
                Task
              </th>
              <th scope="col" className="pr-3 text-right align-bottom text-label font-normal text-ink-3">
                Median
              </th>
              {runs.map((run) => (
                <th key={run.run_id} scope="col" className="align-bottom font-normal">
                  <RunHead run={run} longest={longest} />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.path}>
                <th
                  scope="row"
                  className="sticky left-0 z-10 max-w-72 truncate bg-canvas pr-4 text-left font-normal"
                  title={row.path}
                >
                  {row.display_name}
                  {row.path.includes("/") && <span className="ml-1.5 text-label text-ink-3">{row.path}</span>}
                </th>
                <td className="num pr-3 text-right text-label text-ink-3">{duration(row.median_ms)}</td>
                {row.cells.toReversed().map((cell, index) => (
                  <td key={runs[index]?.run_id ?? index} className="p-0">
                    {cell && runs[index] && <Cell cell={cell} row={row} run={runs[index]} />}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
        {is_cut && <p className="mt-3 text-ink-3">Only the first 500 tasks are shown.</p>}
      </div>
    </PageBody>
  );
}

function RunHead({ run, longest }: { run: RunDot; longest: number }) {
  const state = stateOf(run.state);
  return (
    <Link
      to={runAddress(run.run_id)}
      aria-label={`${run.display_name}, ${WORDS[state]}`}
      title={`${run.display_name}\n${WORDS[state]}, ${duration(run.duration_ms)}\n${exact(run.created_at)}`}
      className="flex h-14 w-7 flex-col items-center justify-end gap-1 rounded-sm hover:bg-hover"
    >
      <span
        className="w-2.5 rounded-t-sm"
        style={{ height: Math.max(2, (32 * (run.duration_ms ?? 0)) / longest), background: color(state) }}
      />
      <StateIcon state={state} size={12} />
    </Link>
  );
}

function Cell({ cell, row, run }: { cell: MatrixCell; row: MatrixRow; run: RunDot }) {
  const state = stateOf(cell.state);
  const ratio = row.median_ms && cell.duration_ms !== null ? cell.duration_ms / row.median_ms : 1;
  const outlier = ratio >= OUTLIER && (cell.duration_ms ?? 0) > 200 && state === "succeeded";
  const passes = cell.count > 1 ? `, ${cell.count} passes` : "";
  const text = `${row.display_name} in ${run.display_name}: ${WORDS[state].toLowerCase()}, ${duration(cell.duration_ms)}${outlier ? `, ${ratio.toFixed(1)} times the median` : ""}${passes}`;
  return (
    <Link
      to={runAddress(run.run_id, `task=${encodeURIComponent(cell.task_id)}`)}
      aria-label={text}
      title={text}
      className={cx(
        "relative flex size-7 items-center justify-center overflow-hidden rounded-sm hover:outline-2 hover:outline-accent",
        outlier && "outline-1 outline-retrying",
      )}
      style={{ background: tint(state) }}
    >
      <span
        className="absolute inset-x-0 bottom-0"
        style={{ height: `${Math.min(100, ratio * 50)}%`, background: color(state), opacity: 0.22 }}
        aria-hidden
      />
      <span className="relative">
        <StateIcon state={state} size={12} />
      </span>
    </Link>
  );
}
