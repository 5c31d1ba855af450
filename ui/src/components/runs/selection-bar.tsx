/** Floats over a list while rows are chosen. */
import {
  Archive,
  ArchiveRestore,
  Download,
  GitCompareArrows,
  RotateCw,
  Square,
  Trash2,
  X,
} from "lucide-react";
import type { RunRow } from "@/api/generated";
import type { RunVerb } from "@/api/runs";
import { Button, IconButton } from "@/components/ui/button";
import { Menu, MenuItem } from "@/components/ui/menu";
import { downloadText } from "@/lib/clipboard";
import { count, valueText } from "@/lib/format";
import { useShortcuts } from "@/lib/keys";
import { isActive, stateOf } from "@/lib/state";

interface Props {
  rows: readonly RunRow[];
  archived: boolean;
  onClear: () => void;
  onCompare: (ids: string[]) => void;
  onAct: (verb: RunVerb, ids: string[]) => void;
}

export function SelectionBar({ rows, archived, onClear, onCompare, onAct }: Props) {
  const ids = rows.map((run) => run.run_id);
  const failed = rows.filter((run) => stateOf(run.state) === "failed").map((run) => run.run_id);
  const active = rows.filter((run) => isActive(stateOf(run.state))).map((run) => run.run_id);
  const canCompare = ids.length >= 2 && ids.length <= 50;
  useShortcuts([
    { keys: "c", label: "Compare selected runs", group: "Lists", run: () => canCompare && onCompare(ids) },
    { keys: "Escape", label: "Clear the selection", group: "Lists", run: onClear },
  ]);
  return (
    <section
      aria-label="Selected runs"
      className="floating absolute bottom-6 left-1/2 z-20 flex -translate-x-1/2 items-center gap-1.5 rounded-dialog bg-raised p-1.5 pl-4 shadow-float"
    >
      <span className="num mr-2 font-medium whitespace-nowrap">{count(ids.length, "run")}</span>
      <Button
        small
        tone="primary"
        disabled={!canCompare}
        icon={<GitCompareArrows size={14} />}
        onClick={() => onCompare(ids)}
      >
        Compare
      </Button>
      {failed.length > 0 && (
        <Button small icon={<RotateCw size={13} />} onClick={() => onAct("retry", failed)}>
          Retry {failed.length}
        </Button>
      )}
      {active.length > 0 && (
        <Button small icon={<Square size={13} />} onClick={() => onAct("terminate", active)}>
          Terminate {active.length}
        </Button>
      )}
      {archived ? (
        <Button small icon={<ArchiveRestore size={14} />} onClick={() => onAct("unarchive", ids)}>
          Restore
        </Button>
      ) : (
        <Button small icon={<Archive size={14} />} onClick={() => onAct("archive", ids)}>
          Archive
        </Button>
      )}
      <Menu
        trigger={
          <IconButton label="Export" small>
            <Download size={14} />
          </IconButton>
        }
      >
        <MenuItem onSelect={() => downloadText("runs.csv", runsCsv(rows), "text/csv")}>As CSV</MenuItem>
        <MenuItem
          onSelect={() => downloadText("runs.json", JSON.stringify(rows, null, 2), "application/json")}
        >
          As JSON
        </MenuItem>
      </Menu>
      <IconButton label="Delete" small onClick={() => onAct("delete", ids)}>
        <Trash2 size={14} />
      </IconButton>
      <IconButton label="Clear the selection" hint="Esc" small onClick={onClear}>
        <X size={14} />
      </IconButton>
    </section>
  );
}

/** One line per run; parameters and metrics as columns of their own. */
export function runsCsv(rows: readonly RunRow[]): string {
  const keys = (part: "parameters" | "metrics") =>
    [...new Set(rows.flatMap((run) => Object.keys(run[part])))].sort();
  const parameters = keys("parameters");
  const metrics = keys("metrics");
  const head = ["run_id", "name", "state", "pipeline", "experiment", "created_at", "duration_ms"];
  const time = (ms: number) => new Date(ms).toISOString();
  const lines = rows.map((run) => [
    run.run_id,
    run.display_name,
    run.state,
    run.pipeline_name,
    run.experiment.name,
    time(run.created_at),
    run.duration_ms ?? "",
    ...parameters.map((name) => run.parameters[name] ?? ""),
    ...metrics.map((name) => run.metrics[name] ?? ""),
  ]);
  const all = [
    [...head, ...parameters.map((name) => `param.${name}`), ...metrics.map((name) => `metric.${name}`)],
    ...lines,
  ];
  return `${all.map((line) => line.map(csvCell).join(",")).join("\r\n")}\r\n`;
}

/** Quoted where needed; a leading sign that spreadsheets would run as a formula gets an apostrophe. */
function csvCell(value: unknown): string {
  const text = typeof value === "number" ? String(value) : valueText(value);
  const safe = typeof value !== "number" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
