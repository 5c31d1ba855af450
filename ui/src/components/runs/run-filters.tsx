/** Filters of the list of runs: menus with counts, chips for what is chosen, columns, saved views. */
import { Bookmark, ChevronDown, Columns3, Trash2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import type { FacetCount, RunFacets } from "@/api/generated";
import { Chip } from "@/components/table/filter-bar";
import { Button, IconButton } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Input } from "@/components/ui/field";
import { Menu, MenuCheck, MenuItem, MenuLine, MenuTitle } from "@/components/ui/menu";
import { StateIcon } from "@/components/ui/state";
import { usePreference } from "@/lib/preferences";
import { parseSearch, type Search, stringifySearch } from "@/lib/search";
import { stateOf, WORDS } from "@/lib/state";

const TIMES: [string, string][] = [
  ["1h", "Last hour"],
  ["24h", "Last 24 hours"],
  ["7d", "Last 7 days"],
  ["30d", "Last 30 days"],
];

interface Props {
  search: Search;
  onChange: (change: Search) => void;
  facets: RunFacets | undefined;
}

function listOf(value: string | undefined): string[] {
  return value ? value.split(",") : [];
}

function FilterMenu({ label, children }: { label: string; children: ReactNode }) {
  return (
    <Menu
      align="start"
      trigger={
        <Button tone="ghost" small className="border-dashed border-line">
          {label}
          <ChevronDown size={13} />
        </Button>
      }
    >
      {children}
    </Menu>
  );
}

export function RunFilterMenus({ search, onChange, facets }: Props) {
  const states = listOf(search.state);
  const toggleState = (value: string, on: boolean) => {
    const next = on ? [...states, value] : states.filter((state) => state !== value);
    onChange({ state: next.join(",") || undefined });
  };
  return (
    <>
      <FilterMenu label="State">
        {(facets?.states ?? []).map((facet) => {
          const value = facet.value.toLowerCase();
          return (
            <MenuCheck key={value} checked={states.includes(value)} onChange={(on) => toggleState(value, on)}>
              <span className="flex items-center gap-2">
                <StateIcon state={stateOf(value)} size={14} />
                <span className="flex-1">{WORDS[stateOf(value)]}</span>
                <span className="num text-label text-ink-3">{facet.count}</span>
              </span>
            </MenuCheck>
          );
        })}
        {facets?.states.length === 0 && <MenuTitle>No runs</MenuTitle>}
      </FilterMenu>
      <FacetMenu
        label="Pipeline"
        facets={facets?.pipelines}
        chosen={search.pipeline}
        onChoose={(pipeline) => onChange({ pipeline })}
      />
      <FacetMenu
        label="Experiment"
        facets={facets?.experiments}
        chosen={search.experimentId}
        onChoose={(experimentId) => onChange({ experimentId })}
      />
      <FilterMenu label="Started">
        {TIMES.map(([value, label]) => (
          <MenuItem key={value} onSelect={() => onChange({ since: value })}>
            {label}
          </MenuItem>
        ))}
      </FilterMenu>
    </>
  );
}

function FacetMenu({
  label,
  facets = [],
  chosen,
  onChoose,
}: {
  label: string;
  facets?: FacetCount[];
  chosen: string | undefined;
  onChoose: (value: string | undefined) => void;
}) {
  return (
    <FilterMenu label={label}>
      {facets.map((facet) => (
        <MenuCheck
          key={facet.value}
          checked={chosen === facet.value}
          onChange={(on) => onChoose(on ? facet.value : undefined)}
        >
          <span className="flex items-center gap-3">
            <span className="max-w-64 flex-1 truncate">{facet.label || facet.value}</span>
            <span className="num text-label text-ink-3">{facet.count}</span>
          </span>
        </MenuCheck>
      ))}
      {facets.length === 0 && <MenuTitle>Nothing to choose from</MenuTitle>}
    </FilterMenu>
  );
}

export function RunFilterChips({ search, onChange, facets }: Props) {
  const experiment = facets?.experiments.find((facet) => facet.value === search.experimentId);
  const states = listOf(search.state);
  const time = TIMES.find(([value]) => value === search.since)?.[1] ?? search.since;
  const chips: [string, string, Search][] = [
    ...states.map((state): [string, string, Search] => [
      "State",
      WORDS[stateOf(state)],
      { state: states.filter((other) => other !== state).join(",") || undefined },
    ]),
    ...(search.pipeline
      ? [["Pipeline", search.pipeline, { pipeline: undefined }] as [string, string, Search]]
      : []),
    ...(search.experimentId
      ? [
          [
            "Experiment",
            experiment?.label ?? search.experimentId.slice(0, 8),
            { experimentId: undefined },
          ] as [string, string, Search],
        ]
      : []),
    ...(search.since ? [["Started", time ?? "", { since: undefined }] as [string, string, Search]] : []),
  ];
  return (
    <>
      {chips.map(([kind, text, removal]) => (
        <Chip key={kind + text} label={`${kind} ${text}`} onRemove={() => onChange(removal)}>
          <span className="opacity-75">{kind}</span> {text}
        </Chip>
      ))}
      {chips.length > 1 && (
        <Button
          tone="ghost"
          small
          onClick={() =>
            onChange({ state: undefined, pipeline: undefined, experimentId: undefined, since: undefined })
          }
        >
          Clear
        </Button>
      )}
    </>
  );
}

export function ColumnMenu({
  names,
  chosen,
  onChange,
}: {
  names: readonly string[];
  chosen: readonly string[];
  onChange: (chosen: string[]) => void;
}) {
  return (
    <Menu
      trigger={
        <IconButton label="Columns">
          <Columns3 size={16} />
        </IconButton>
      }
    >
      <MenuTitle>Parameters and metrics as columns</MenuTitle>
      {names.map((name) => (
        <MenuCheck
          key={name}
          checked={chosen.includes(name)}
          onChange={(on) => onChange(on ? [...chosen, name] : chosen.filter((other) => other !== name))}
        >
          <span className="text-ink-3">{name.slice(0, name.indexOf(".") + 1)}</span>
          {name.slice(name.indexOf(".") + 1)}
        </MenuCheck>
      ))}
      {names.length === 0 && <MenuTitle>The runs shown have none</MenuTitle>}
    </Menu>
  );
}

/** Views are addresses under a name, kept in this browser. */
export function ViewMenu({ search, onOpen }: { search: Search; onOpen: (search: Search) => void }) {
  const [stored, setStored] = usePreference("views.runs", "{}");
  const [naming, setNaming] = useState(false);
  const [name, setName] = useState("");
  const views = JSON.parse(stored) as Record<string, string>;
  const save = () => {
    if (!name.trim()) return;
    setStored(JSON.stringify({ ...views, [name.trim()]: stringifySearch(search) }));
    setNaming(false);
    setName("");
  };
  const remove = (key: string) => {
    const { [key]: _, ...rest } = views;
    setStored(JSON.stringify(rest));
  };
  return (
    <>
      <Menu
        trigger={
          <IconButton label="Saved views">
            <Bookmark size={16} />
          </IconButton>
        }
      >
        {Object.entries(views).map(([key, query]) => (
          <MenuItem key={key} onSelect={() => onOpen(parseSearch(query))}>
            {key}
          </MenuItem>
        ))}
        {Object.keys(views).length > 0 && <MenuLine />}
        <MenuItem onSelect={() => setNaming(true)}>Save this view…</MenuItem>
        {Object.keys(views).map((key) => (
          <MenuItem key={key} danger icon={<Trash2 size={14} />} onSelect={() => remove(key)}>
            Forget “{key}”
          </MenuItem>
        ))}
      </Menu>
      <Dialog
        open={naming}
        onClose={() => setNaming(false)}
        title="Save this view"
        description="Filters, order and columns under a name, in this browser."
        footer={
          <Button tone="primary" onClick={save} disabled={!name.trim()}>
            Save
          </Button>
        }
      >
        <Input
          aria-label="Name of the view"
          className="w-full"
          value={name}
          onChange={(event) => setName(event.target.value)}
          onKeyDown={(event) => event.key === "Enter" && save()}
        />
      </Dialog>
    </>
  );
}
