/** Runs side by side. The address holds everything: which runs, which one the others are measured against, what is open. */
import { useQuery } from "@tanstack/react-query";
import { GitCompareArrows } from "lucide-react";
import type { ReactNode } from "react";
import type { Comparison } from "@/api/generated";
import { runQueries } from "@/api/runs";
import { Link } from "@/components/link";
import { PageBody, PageHeader } from "@/components/shell/page";
import { buttonClass } from "@/components/ui/button";
import { Empty, Failure, SkeletonRows } from "@/components/ui/feedback";
import { Select } from "@/components/ui/field";
import { count } from "@/lib/format";
import { useSearchAll, useSetSearch } from "@/lib/search";
import { Artifacts } from "./artifacts";
import { Curves } from "./curves";
import { Metrics } from "./metrics";
import { Timing } from "./timing";
import { ValueTable } from "./value-table";

export function ComparePage() {
  const search = useSearchAll();
  const ids = [...new Set((search.runlist ?? "").split(",").filter(Boolean))];
  const comparison = useQuery(runQueries.compare(ids));
  let content: ReactNode;
  if (ids.length < 2) {
    content = (
      <Empty
        icon={<GitCompareArrows size={28} />}
        title="Choose at least two runs"
        action={
          <Link to="/runs" className={buttonClass("primary")}>
            Runs
          </Link>
        }
      >
        Select runs in the list with <kbd>x</kbd> and press <kbd>c</kbd>.
      </Empty>
    );
  } else if (comparison.isError)
    content = <Failure error={comparison.error} retry={() => comparison.refetch()} />;
  else if (!comparison.data) content = <SkeletonRows />;
  else content = <Loaded comparison={comparison.data} />;
  return (
    <>
      <PageHeader
        title={ids.length >= 2 ? `Compare ${count(ids.length, "run")}` : "Compare"}
        crumbs={[{ label: "Runs", to: "/runs" }]}
        actions={comparison.data && <Controls comparison={comparison.data} />}
      />
      {content}
    </>
  );
}

function Controls({ comparison }: { comparison: Comparison }) {
  const search = useSearchAll();
  const setSearch = useSetSearch();
  return (
    <>
      <label className="flex items-center gap-2 text-ink-2">
        <input
          type="checkbox"
          className="accent-(--color-accent)"
          checked={search.all === "1"}
          onChange={(event) => setSearch({ all: event.target.checked ? "1" : undefined })}
        />
        Equal rows too
      </label>
      <label className="flex items-center gap-2 text-ink-2">
        Against
        <Select
          className="max-w-56"
          value={search.base ?? comparison.runs[0]?.run_id}
          onChange={(event) => setSearch({ base: event.target.value })}
        >
          {comparison.runs.map((run) => (
            <option key={run.run_id} value={run.run_id}>
              {run.display_name}
            </option>
          ))}
        </Select>
      </label>
    </>
  );
}

function Loaded({ comparison }: { comparison: Comparison }) {
  const search = useSearchAll();
  const all = search.all === "1";
  const base = Math.max(
    0,
    comparison.runs.findIndex((run) => run.run_id === search.base),
  );
  const specs = new Set(comparison.structure_versions).size;
  return (
    <PageBody>
      <div className="flex flex-col gap-4">
        <ValueTable
          title="Parameters"
          comparison={comparison}
          rows={comparison.parameters}
          all={all}
          base={base}
          head
          note={specs > 1 ? `${specs} different pipeline files` : "the same pipeline file"}
        />
        <Metrics comparison={comparison} all={all} base={base} />
        <Curves comparison={comparison} />
        <Timing comparison={comparison} base={base} />
        <ValueTable
          title="Output values"
          comparison={comparison}
          rows={comparison.outputs}
          all={all}
          base={base}
        />
        <ValueTable
          title="Images and commands"
          comparison={comparison}
          rows={comparison.programs}
          all={all}
          base={base}
        />
        <Artifacts comparison={comparison} base={base} />
      </div>
    </PageBody>
  );
}
