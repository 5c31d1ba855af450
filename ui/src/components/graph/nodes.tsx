/** Boxes of a graph as elements. Few of them per node: a page may show hundreds. */
import { ChevronDown, ChevronRight, GitBranch, Repeat2, ShieldCheck } from "lucide-react";
import { memo, type ReactNode } from "react";
import type { GraphGroup, GraphNode } from "@/api/generated";
import { StateIcon } from "@/components/ui/state";
import { cx } from "@/lib/class";
import { binPasses, type Pass } from "@/lib/graph-states";
import { color, type State, WORDS } from "@/lib/state";
import type { Look } from "./look";

const MAX_CELLS = 200;

const KIND_ICONS: Partial<Record<GraphNode["kind"], ReactNode>> = {
  condition: <GitBranch size={14} className="shrink-0 text-ink-3" />,
  loop: <Repeat2 size={14} className="shrink-0 text-ink-3" />,
  exit_task: <ShieldCheck size={14} className="shrink-0 text-ink-3" />,
};

interface NodeProps {
  node: GraphNode;
  look: Look;
  selected: boolean;
  dimmed: boolean;
  matched: boolean;
  onSelect: (id: string) => void;
  onToggle: (id: string, pass?: number) => void;
}

/** The second line of a box. */
function secondLine(node: GraphNode, look: Look): string {
  return node.kind === "condition" && node.condition ? node.condition : look.detail;
}

export const NodeBox = memo(function NodeBox({
  node,
  look,
  selected,
  dimmed,
  matched,
  onSelect,
  onToggle,
}: NodeProps) {
  const frame = { transform: `translate(${node.x}px,${node.y}px)`, width: node.width, height: node.height };
  if (node.kind === "artifact") {
    return (
      <div
        className={cx(
          "pointer-events-auto absolute flex items-center rounded-full border border-line bg-sunken px-3 text-label text-ink-2",
          dimmed && "opacity-25",
        )}
        style={frame}
        title={`${node.label} ${node.artifact_type}`}
      >
        <span className="truncate">{node.label}</span>
      </div>
    );
  }
  const second = secondLine(node, look);
  const running = look.state === "running" || look.state === "retrying";
  return (
    <div
      className={cx(
        "pointer-events-auto absolute flex flex-col justify-center rounded-card border bg-surface shadow-[0_1px_2px_rgb(0_0_0/0.05)] transition-[border-color,opacity]",
        selected
          ? "border-accent outline-2 outline-offset-1 outline-accent"
          : matched
            ? "border-accent"
            : "border-line hover:border-line-strong",
        dimmed && "opacity-25",
        look.state === "skipped" && "border-dashed opacity-60",
      )}
      style={running && look.state ? { ...frame, borderColor: color(look.state) } : frame}
    >
      <div className="flex min-w-0 items-center">
        <button
          type="button"
          data-node={node.id}
          aria-pressed={selected}
          className="flex min-w-0 flex-1 items-center gap-2 rounded-card px-2.5 py-1.5 text-left"
          onClick={() => onSelect(node.id)}
          onDoubleClick={() => node.can_open && onToggle(node.id)}
        >
          {look.state ? <StateIcon state={look.state} label /> : KIND_ICONS[node.kind]}
          <span className="min-w-0 flex-1">
            <span className="block truncate text-label font-medium">{node.label}</span>{" "}
            {second && <span className="num block truncate text-caption text-ink-3">{second}</span>}
          </span>
        </button>
        {node.can_open && (
          <button
            type="button"
            aria-label={`Open ${node.label}`}
            title={`${node.task_count} inside`}
            className="mr-1.5 flex h-6 items-center gap-0.5 rounded-control px-1 text-caption text-ink-3 hover:bg-hover hover:text-ink"
            onClick={() => onToggle(node.id)}
          >
            <span className="num">{node.task_count}</span>
            <ChevronRight size={13} />
          </button>
        )}
      </div>
      {node.kind === "loop" && look.passes.length > 0 && (
        <div className="px-2.5 pb-2">
          <Strip passes={look.passes} onPick={(pass) => onToggle(node.id, pass)} />
        </div>
      )}
    </div>
  );
});

interface GroupProps {
  group: GraphGroup;
  look: Look;
  selected: boolean;
  dimmed: boolean;
  onSelect: (id: string) => void;
  onToggle: (id: string, pass?: number) => void;
}

export const GroupBox = memo(function GroupBox({
  group,
  look,
  selected,
  dimmed,
  onSelect,
  onToggle,
}: GroupProps) {
  return (
    <div
      className={cx(
        "absolute rounded-dialog border",
        group.depth % 2 === 1 ? "bg-sunken/70" : "bg-canvas/80",
        selected
          ? "border-accent"
          : group.kind === "condition"
            ? "border-dashed border-line-strong/60"
            : "border-line",
        dimmed && "opacity-40",
      )}
      style={{ transform: `translate(${group.x}px,${group.y}px)`, width: group.width, height: group.height }}
    >
      <div
        className="pointer-events-auto flex items-center gap-1.5 px-2"
        style={{ minHeight: Math.min(group.header_height, 32) }}
      >
        <button
          type="button"
          aria-label={`Close ${group.label}`}
          aria-expanded
          className="flex size-6 items-center justify-center rounded-control text-ink-3 hover:bg-hover hover:text-ink"
          onClick={() => onToggle(group.id)}
        >
          <ChevronDown size={14} />
        </button>
        <button
          type="button"
          data-node={group.id}
          className="flex min-w-0 items-center gap-1.5 rounded-control"
          onClick={() => onSelect(group.id)}
        >
          {look.state ? <StateIcon state={look.state} size={13} label /> : KIND_ICONS[group.kind]}
          <span className="truncate text-label font-medium">{group.label}</span>
          {group.condition && (
            <span className="truncate font-mono text-caption text-ink-3">{group.condition}</span>
          )}
        </button>
        <span className="flex-1" />
        <span className="num flex gap-2 text-caption text-ink-3">
          {look.counts.map(([state, count]) => (
            <span key={state} style={{ color: color(state) }} title={WORDS[state]}>
              {count} {WORDS[state].toLowerCase()}
            </span>
          ))}
        </span>
      </div>
      {group.kind === "loop" && look.passes.length > 0 && (
        <div className="pointer-events-auto px-3">
          <Strip passes={look.passes} chosen={group.iteration} onPick={(pass) => onToggle(group.id, pass)} />
        </div>
      )}
    </div>
  );
});

interface StripProps {
  passes: readonly Pass[];
  chosen?: number | null;
  onPick: (pass: number) => void;
}

/** Passes of a loop as one painted strip: a single element however many there are. */
function Strip({ passes, chosen, onPick }: StripProps) {
  const cells = binPasses(passes, MAX_CELLS);
  const share = 100 / cells.length;
  const gap = cells.length <= 60 ? Math.min(0.6, share / 6) : 0;
  const stops = cells.flatMap((state, index) => {
    const fill = cellColor(state);
    const from = index * share;
    const to = (index + 1) * share - gap;
    return [`${fill} ${from}% ${to}%`, ...(gap > 0 ? [`transparent ${to}% ${from + share}%`] : [])];
  });
  const failed = passes.filter((pass) => pass.state === "failed").length;
  const label = `${passes.length} passes${failed > 0 ? `, ${failed} failed` : ""}`;
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className="relative block h-2 w-full rounded-sm"
      style={{ backgroundImage: `linear-gradient(to right, ${stops.join(",")})` }}
      onClick={(event) => {
        const box = event.currentTarget.getBoundingClientRect();
        const at = event.detail === 0 ? 0 : (event.clientX - box.left) / box.width;
        const pass = passes[Math.min(passes.length - 1, Math.floor(at * passes.length))];
        if (pass) onPick(pass.index);
      }}
    >
      {chosen !== null && chosen !== undefined && (
        <span
          className="absolute -top-1 -bottom-1 rounded-sm border-2 border-ink"
          style={{ left: `${(chosen / passes.length) * 100}%`, width: `max(6px, ${100 / passes.length}%)` }}
        />
      )}
    </button>
  );
}

function cellColor(state: State): string {
  return state === "pending" || state === "queued" ? "var(--color-line)" : color(state);
}
