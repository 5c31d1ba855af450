/** What stands above the tabs of a run: name, state, facts in one line, progress, what can be done. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import {
  Archive,
  ArchiveRestore,
  Copy,
  CopyPlus,
  Ellipsis,
  ExternalLink,
  GitCompareArrows,
  RotateCw,
  Square,
  Trash2,
} from "lucide-react";
import type { RunOverview, TaskState } from "@/api/generated";
import { runQueries } from "@/api/runs";
import { Link, split, TextLink } from "@/components/link";
import { PipelineName } from "@/components/runs/columns";
import { useRunActions } from "@/components/runs/run-actions";
import { PageHeader, TabLinks } from "@/components/shell/page";
import { Button, buttonClass, IconButton } from "@/components/ui/button";
import { Menu, MenuItem, MenuLine } from "@/components/ui/menu";
import { StateBadge } from "@/components/ui/state";
import { Ago, Elapsed, ShortId } from "@/components/ui/time";
import { toast } from "@/components/ui/toast";
import { compareAddress, experimentAddress, runAddress } from "@/lib/addresses";
import { copyText } from "@/lib/clipboard";
import { useShortcuts } from "@/lib/keys";
import { stringifySearch, useSearchAll } from "@/lib/search";
import { isActive, stateOf } from "@/lib/state";
import { Ribbon } from "./ribbon";

export const TABS = [
  ["overview", "Overview"],
  ["graph", "Graph"],
  ["timeline", "Timeline"],
  ["tasks", "Tasks"],
  ["logs", "Logs"],
  ["artifacts", "Artifacts"],
  ["spec", "Spec"],
] as const;

export type TabId = (typeof TABS)[number][0];

interface Props {
  overview: RunOverview;
  tasks: readonly TaskState[];
  tab: TabId;
  embedded: boolean;
}

export function RunHeader({ overview, tasks, tab, embedded }: Props) {
  const search = useSearchAll();
  const { run } = overview;
  const state = stateOf(run.state);
  const base = embedded ? `/embed/runs/${run.run_id}` : runAddress(run.run_id);
  const tabAddress = (id: TabId) => {
    const kept = {
      tab: id === (embedded ? "graph" : "overview") ? undefined : id,
      task: search.task,
      panel: search.panel,
    };
    return `${base}${stringifySearch(kept)}`;
  };
  return (
    <PageHeader
      title={run.display_name}
      crumbs={embedded ? [] : [{ label: "Runs", to: "/runs" }]}
      aside={
        <>
          <StateBadge state={state} className="shrink-0" />
          {run.storage_state === "ARCHIVED" && <span className="text-label text-ink-3">archived</span>}
        </>
      }
      actions={embedded ? <OpenLink runId={run.run_id} /> : <RunActions overview={overview} />}
      below={
        <>
          <div className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 pb-2.5 text-ink-2 md:px-6">
            <PipelineName run={run} />
            {run.experiment.name && (
              <span className="max-md:hidden">
                in <TextLink to={experimentAddress(run.experiment.id)}>{run.experiment.name}</TextLink>
              </span>
            )}
            <span>
              started <Ago at={run.created_at} />
            </span>
            <span>
              <Elapsed from={run.created_at} until={run.finished_at ?? undefined} />
            </span>
            <span className="max-md:hidden">
              <ShortId id={run.run_id} what="run id" />
            </span>
          </div>
          <div className="px-4 md:px-6">
            <Ribbon tasks={tasks} />
          </div>
          <TabLinks
            label="Run"
            active={tab}
            tabs={TABS.map(([id, label]) => ({ id, label, to: tabAddress(id) }))}
          />
        </>
      }
    />
  );
}

function OpenLink({ runId }: { runId: string }) {
  return (
    <a href={`#${runAddress(runId)}`} target="_blank" rel="noreferrer" className={buttonClass("plain", true)}>
      <ExternalLink size={13} />
      Open
    </a>
  );
}

function RunActions({ overview }: { overview: RunOverview }) {
  const { run } = overview;
  const navigate = useNavigate();
  const { act, questions } = useRunActions((verb) => verb === "delete" && navigate({ to: "/runs" as never }));
  const state = stateOf(run.state);
  const target = { ids: [run.run_id], name: run.display_name };
  const archived = run.storage_state === "ARCHIVED";
  const cloneAddress = `/runs/new?cloneFromRun=${run.run_id}`;
  const previous = usePrevious(overview);
  useShortcuts([
    {
      keys: "r",
      label: "Retry what failed",
      group: "Run",
      run: () => state === "failed" && act("retry", target),
    },
    { keys: "y", label: "Clone", group: "Run", run: () => navigate(split(cloneAddress) as never) },
  ]);
  return (
    <>
      {state === "failed" && (
        <Button tone="primary" icon={<RotateCw size={14} />} onClick={() => act("retry", target)}>
          Retry
        </Button>
      )}
      {isActive(state) && (
        <Button
          icon={<Square size={13} />}
          disabled={state === "canceling"}
          onClick={() => act("terminate", target)}
        >
          Terminate
        </Button>
      )}
      <Link to={cloneAddress} className={buttonClass()}>
        <CopyPlus size={14} />
        Clone
      </Link>
      <Menu
        trigger={
          <IconButton label="More">
            <Ellipsis size={16} />
          </IconButton>
        }
      >
        <MenuItem
          icon={<GitCompareArrows size={14} />}
          disabled={!previous}
          onSelect={() => previous && navigate(split(compareAddress([run.run_id, previous])) as never)}
        >
          Compare with the run before
        </MenuItem>
        <MenuItem
          icon={<Copy size={14} />}
          onSelect={async () => (await copyText(run.run_id)) && toast("Run id copied")}
        >
          Copy run id
        </MenuItem>
        <MenuItem
          icon={<ExternalLink size={14} />}
          onSelect={async () => {
            const url = new URL(location.href);
            url.hash = `/embed/runs/${run.run_id}`;
            if (await copyText(url.toString())) toast("Address for an iframe copied");
          }}
        >
          Copy address for embedding
        </MenuItem>
        <MenuLine />
        {archived ? (
          <MenuItem icon={<ArchiveRestore size={14} />} onSelect={() => act("unarchive", target)}>
            Restore
          </MenuItem>
        ) : (
          <MenuItem icon={<Archive size={14} />} onSelect={() => act("archive", target)}>
            Archive
          </MenuItem>
        )}
        <MenuItem icon={<Trash2 size={14} />} danger onSelect={() => act("delete", target)}>
          Delete
        </MenuItem>
      </Menu>
      {questions}
    </>
  );
}

/** The run of the same pipeline before this one. */
function usePrevious({ run }: RunOverview): string | undefined {
  const list = useQuery({
    ...runQueries.few({ pipeline_name: run.pipeline_name, until: run.created_at, archived: "any" }, 2),
    staleTime: 60_000,
  });
  return list.data?.runs.find((other) => other.run_id !== run.run_id)?.run_id;
}
