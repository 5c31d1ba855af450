/** Keeps lists of runs as new as the server's: rows change in place, new rows wait until they are asked for. */
import { type InfiniteData, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useState } from "react";
import type { ListChange, RunPage, RunRow } from "./generated";
import { readRows, runQueries } from "./runs";
import { subscribe } from "./stream";

const KINDS = ["run", "experiments", "pipelines", "recurring_runs", "reset"];
const FLUSH_MS = 300;

const ANY = () => true;

/** Counts runs that are not in the list yet, of those that it is about; `show` reads the list again. */
export function useRunListStream(isAbout: (run: RunRow) => boolean = ANY): {
  fresh: number;
  show: () => void;
} {
  const client = useQueryClient();
  const [fresh, setFresh] = useState(0);

  useEffect(() => {
    const changed = new Set<string>();
    const created = new Set<string>();
    let _timer: ReturnType<typeof setTimeout> | undefined;
    let reading = false;

    const flush = async () => {
      _timer = undefined;
      if (reading || changed.size === 0) return;
      reading = true;
      const ids = [...changed].slice(0, 200);
      for (const id of ids) changed.delete(id);
      try {
        const { runs } = await readRows(ids);
        const born = runs.filter((run) => created.delete(run.run_id) && isAbout(run)).length;
        if (born > 0) setFresh((count) => count + born);
        patchRows(client, new Map(runs.map((run) => [run.run_id, run])));
        client.invalidateQueries({ queryKey: ["runs", "facets"] });
        client.invalidateQueries({ queryKey: ["home"] });
      } catch {
        // The next change reads them again; the indicator tells when the server is away.
      }
      reading = false;
      if (changed.size > 0) _timer ??= setTimeout(flush, FLUSH_MS);
    };

    return subscribe<ListChange>({
      path: "stream",
      kinds: KINDS,
      onChange: (change) => {
        if (change.kind === "reset") client.invalidateQueries({ queryKey: runQueries.all });
        if (change.kind === "experiments") client.invalidateQueries({ queryKey: ["experiments"] });
        if (change.kind === "experiments" || change.kind === "recurring_runs")
          client.invalidateQueries({ queryKey: ["schedules"] });
        if (change.kind === "pipelines") client.invalidateQueries({ queryKey: ["pipelines"] });
        if (change.kind !== "run") return;
        if (change.change === "created") created.add(change.run_id);
        changed.add(change.run_id);
        _timer ??= setTimeout(flush, FLUSH_MS);
      },
      onResume: () => client.invalidateQueries({ queryKey: runQueries.all }),
    });
  }, [client, isAbout]);

  const show = useCallback(() => {
    setFresh(0);
    client.invalidateQueries({ queryKey: ["runs"] });
  }, [client]);
  return { fresh, show };
}

function patchRows(client: ReturnType<typeof useQueryClient>, rows: ReadonlyMap<string, RunRow>): void {
  client.setQueriesData<InfiniteData<RunPage>>({ queryKey: ["runs", "list"] }, (before) =>
    before?.pages ? { ...before, pages: before.pages.map((page) => patchPage(page, rows)) } : before,
  );
}

/** The same object if nothing in it changed, so that nothing is painted again. */
export function patchPage(page: RunPage, rows: ReadonlyMap<string, RunRow>): RunPage {
  if (!page.runs.some((run) => rows.has(run.run_id))) return page;
  return { ...page, runs: page.runs.map((run) => rows.get(run.run_id) ?? run) };
}
