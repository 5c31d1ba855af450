/** Search over everything, and commands that fit where one is. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useRouterState } from "@tanstack/react-router";
import { Command } from "cmdk";
import {
  Activity,
  Box,
  CopyPlus,
  FlaskConical,
  GitBranch,
  Keyboard,
  MoonStar,
  Play,
  RotateCw,
  Square,
  Upload,
  Workflow,
} from "lucide-react";
import { Dialog } from "radix-ui";
import { type ReactNode, useEffect, useState } from "react";
import type { HitKind, SearchHit } from "@/api/generated";
import { useRunAction } from "@/api/runs";
import { systemQueries } from "@/api/system";
import { split } from "@/components/link";
import { PLACES } from "@/components/shell/nav";
import { toggleTheme } from "@/components/shell/shell";
import { StateIcon } from "@/components/ui/state";
import { toast, toastError } from "@/components/ui/toast";
import { artifactAddress, experimentAddress, pipelineAddress, runAddress } from "@/lib/addresses";
import { copyText } from "@/lib/clipboard";
import { stateOf } from "@/lib/state";

const PAUSE_MS = 60;

const KINDS: Record<HitKind, [string, ReactNode]> = {
  run: ["Runs", <Activity key="i" size={15} />],
  pipeline: ["Pipelines", <Workflow key="i" size={15} />],
  version: ["Versions", <GitBranch key="i" size={15} />],
  experiment: ["Experiments", <FlaskConical key="i" size={15} />],
  task: ["Tasks", <Play key="i" size={15} />],
  artifact: ["Artifacts", <Box key="i" size={15} />],
};

function addressOf(hit: SearchHit): string {
  switch (hit.kind) {
    case "run":
      return runAddress(hit.id);
    case "pipeline":
      return pipelineAddress(hit.id);
    case "version":
      return pipelineAddress(hit.parent_id, hit.id);
    case "experiment":
      return experimentAddress(hit.id);
    case "task":
      return runAddress(hit.parent_id, `task=${encodeURIComponent(hit.id)}`);
    case "artifact":
      return artifactAddress(hit.id);
  }
}

const ITEM =
  "flex h-9 cursor-pointer items-center gap-3 rounded-control px-2.5 data-[selected=true]:bg-hover";

export default function Palette({ onClose, onKeyMap }: { onClose: () => void; onKeyMap: () => void }) {
  const [text, setText] = useState("");
  const [query, setQuery] = useState("");
  const [chosen, setChosen] = useState("");
  const navigate = useNavigate();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const results = useQuery(systemQueries.search(query));
  const action = useRunAction();
  useEffect(() => {
    const timer = setTimeout(() => setQuery(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);

  const go = (address: string) => {
    onClose();
    navigate(split(address) as never);
  };
  const runId = path.match(/^\/runs\/details\/([^/]+)/)?.[1];
  const hits = query.trim().length >= 2 ? (results.data?.hits ?? []) : [];
  // What was found comes before commands: Enter opens the best find.
  const best = hits[0] && `${hits[0].kind}${hits[0].id}`;
  useEffect(() => {
    if (best) setChosen(best);
  }, [best]);
  const groups = new Map<HitKind, SearchHit[]>();
  for (const hit of hits) groups.set(hit.kind, [...(groups.get(hit.kind) ?? []), hit]);
  const matches = (label: string) => label.toLowerCase().includes(text.trim().toLowerCase());
  const command = (label: string, icon: ReactNode, run: () => void) =>
    matches(label) && (
      <Command.Item
        key={label}
        value={label}
        className={ITEM}
        onSelect={() => {
          onClose();
          run();
        }}
      >
        <span className="text-ink-3">{icon}</span>
        {label}
      </Command.Item>
    );
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-scrim" />
        <Dialog.Content
          aria-describedby={undefined}
          className="floating fixed top-[14vh] left-1/2 z-50 w-[calc(100vw-32px)] max-w-150 -translate-x-1/2 overflow-hidden rounded-dialog bg-raised shadow-float outline-none"
        >
          <Dialog.Title className="sr-only">Search and commands</Dialog.Title>
          <Command
            shouldFilter={false}
            label="Search and commands"
            loop
            value={chosen}
            onValueChange={setChosen}
          >
            <Command.Input
              value={text}
              onValueChange={setText}
              placeholder="Search runs, pipelines, tasks, artifacts, or type a command"
              className="h-12 w-full border-b border-line bg-transparent px-4 text-section outline-none placeholder:text-ink-3"
            />
            <Command.List className="max-h-[52vh] overflow-auto p-1.5 [&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:py-1.5 [&_[cmdk-group-heading]]:text-label [&_[cmdk-group-heading]]:text-ink-3">
              {[...groups].map(([kind, list]) => (
                <Command.Group key={kind} heading={KINDS[kind][0]}>
                  {list.map((hit) => (
                    <Command.Item
                      key={`${kind}${hit.id}`}
                      value={`${kind}${hit.id}`}
                      className={ITEM}
                      onSelect={() => go(addressOf(hit))}
                    >
                      {hit.state ? (
                        <StateIcon state={stateOf(hit.state)} size={15} label />
                      ) : (
                        <span className="text-ink-3">{KINDS[kind][1]}</span>
                      )}
                      <span className="truncate">{hit.title}</span>
                      <span className="min-w-0 flex-1 truncate text-label text-ink-3">{hit.subtitle}</span>
                    </Command.Item>
                  ))}
                </Command.Group>
              ))}
              {runId && (
                <Command.Group heading="This run">
                  {command("Retry what failed", <RotateCw size={15} />, () =>
                    action.mutate({ verb: "retry", ids: [runId] }, { onError: toastError }),
                  )}
                  {command("Terminate this run", <Square size={15} />, () =>
                    action.mutate({ verb: "terminate", ids: [runId] }, { onError: toastError }),
                  )}
                  {command("Clone this run", <CopyPlus size={15} />, () =>
                    navigate(split(`/runs/new?cloneFromRun=${runId}`) as never),
                  )}
                  {command(
                    "Copy run id",
                    <CopyPlus size={15} />,
                    async () => (await copyText(runId)) && toast("Run id copied"),
                  )}
                </Command.Group>
              )}
              <Command.Group heading="Commands">
                {command("New run", <Play size={15} />, () => navigate({ to: "/runs/new" as never }))}
                {command("Upload a pipeline", <Upload size={15} />, () =>
                  navigate({ to: "/pipeline_versions/new" as never }),
                )}
                {command("Light or dark theme", <MoonStar size={15} />, toggleTheme)}
                {command("Keyboard shortcuts", <Keyboard size={15} />, onKeyMap)}
              </Command.Group>
              <Command.Group heading="Go to">
                {[
                  ...PLACES,
                  { to: "/system", label: "System", icon: null },
                  { to: "/settings", label: "Settings", icon: null },
                ].map((place) => command(place.label, place.icon, () => navigate({ to: place.to as never })))}
              </Command.Group>
              <Command.Empty className="px-3 py-6 text-center text-ink-3">
                {results.isFetching ? "Searching…" : "Nothing found."}
              </Command.Empty>
            </Command.List>
          </Command>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
