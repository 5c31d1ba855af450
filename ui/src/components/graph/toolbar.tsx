/** What one can do with the graph. */
import {
  ArrowDown,
  ArrowRight,
  Box,
  Download,
  Focus,
  ListTree,
  Maximize,
  Search,
  Shrink,
  UnfoldHorizontal,
} from "lucide-react";
import { type RefObject, useState } from "react";
import { IconButton } from "@/components/ui/button";
import { Menu, MenuItem } from "@/components/ui/menu";
import { StateIcon } from "@/components/ui/state";
import { cx } from "@/lib/class";
import { type State, WORDS } from "@/lib/state";

interface Props {
  searchBox: RefObject<HTMLInputElement | null>;
  query: string;
  onQuery: (query: string) => void;
  onCycle: (by: number) => void;
  matches: number;
  states: [State, number][];
  state: State | undefined;
  onState: (state: State | undefined) => void;
  canFocus: boolean;
  focused: boolean;
  onFocus: () => void;
  artifacts: boolean;
  onArtifacts: () => void;
  down: boolean;
  onDirection: () => void;
  canOpen: boolean;
  onOpenAll: () => void;
  onCloseAll: () => void;
  onFit: () => void;
  tree: boolean;
  onTree: () => void;
  onExport: (kind: "svg" | "png") => void;
}

export function GraphToolbar(props: Props) {
  const [typing, setTyping] = useState(props.query);
  return (
    <div className="absolute top-3 left-3 z-10 flex max-w-[calc(100%-24px)] flex-wrap items-center gap-1 rounded-card border border-line bg-surface p-1 shadow-[0_1px_3px_rgb(0_0_0/0.06)]">
      <span className="relative inline-flex">
        <Search size={13} className="pointer-events-none absolute top-1.75 left-2 text-ink-3" aria-hidden />
        <input
          ref={props.searchBox}
          aria-label="Find tasks in the graph"
          placeholder="Find"
          value={typing}
          onChange={(event) => {
            setTyping(event.target.value);
            props.onQuery(event.target.value);
          }}
          onKeyDown={(event) => {
            if (event.key === "Enter") props.onCycle(event.shiftKey ? -1 : 1);
            if (event.key === "Escape") {
              setTyping("");
              props.onQuery("");
              props.searchBox.current?.blur();
            }
          }}
          className="h-7 w-36 rounded-control bg-transparent pr-2 pl-7 text-label placeholder:text-ink-3"
        />
      </span>
      {typing && <span className="num px-1 text-label text-ink-3">{props.matches}</span>}
      {props.states.length > 1 &&
        props.states.map(([state, count]) => (
          <button
            key={state}
            type="button"
            aria-pressed={props.state === state}
            title={`Only ${WORDS[state].toLowerCase()}`}
            className={cx(
              "num inline-flex h-7 items-center gap-1 rounded-control px-1.5 text-label text-ink-2 hover:bg-hover",
              props.state === state && "bg-accent-tint text-accent",
            )}
            onClick={() => props.onState(props.state === state ? undefined : state)}
          >
            <StateIcon state={state} size={13} />
            <span className="sr-only">{WORDS[state]}</span>
            {count}
          </button>
        ))}
      <span className="mx-1 h-4 w-px bg-line" />
      <IconButton
        small
        label="Only what is before and behind the chosen task"
        hint="b"
        pressed={props.focused}
        disabled={!props.canFocus}
        onClick={props.onFocus}
      >
        <Focus size={15} />
      </IconButton>
      <IconButton
        small
        label="Artifacts as nodes"
        hint="a"
        pressed={props.artifacts}
        onClick={props.onArtifacts}
      >
        <Box size={15} />
      </IconButton>
      <IconButton
        small
        label={props.down ? "From left to right" : "From top to bottom"}
        hint="d"
        onClick={props.onDirection}
      >
        {props.down ? <ArrowRight size={15} /> : <ArrowDown size={15} />}
      </IconButton>
      <IconButton small label="Open all groups" hint="O" disabled={!props.canOpen} onClick={props.onOpenAll}>
        <UnfoldHorizontal size={15} />
      </IconButton>
      <IconButton
        small
        label="Close all groups"
        hint="C"
        disabled={!props.canOpen}
        onClick={props.onCloseAll}
      >
        <Shrink size={15} />
      </IconButton>
      <IconButton small label="Show everything" hint="f" onClick={props.onFit}>
        <Maximize size={15} />
      </IconButton>
      <IconButton small label="As a tree" hint="v" pressed={props.tree} onClick={props.onTree}>
        <ListTree size={15} />
      </IconButton>
      <Menu
        trigger={
          <IconButton small label="Export">
            <Download size={15} />
          </IconButton>
        }
      >
        <MenuItem onSelect={() => props.onExport("svg")}>As SVG</MenuItem>
        <MenuItem onSelect={() => props.onExport("png")}>As PNG</MenuItem>
      </Menu>
    </div>
  );
}
