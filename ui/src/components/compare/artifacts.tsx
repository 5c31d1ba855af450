/** Artifacts of runs by the task and output that made them; HTML and Markdown are shown side by side on request. */
import { useState } from "react";
import type { CompareArtifacts, Comparison } from "@/api/generated";
import { ArtifactIcon, typeName } from "@/components/artifacts/artifact-line";
import { ArtifactPreview } from "@/components/artifacts/preview";
import { TextLink } from "@/components/link";
import { Section } from "@/components/shell/page";
import { Button } from "@/components/ui/button";
import { artifactAddress } from "@/lib/addresses";
import { count } from "@/lib/format";

export function Artifacts({ comparison }: { comparison: Comparison }) {
  const [open, setOpen] = useState<string>();
  if (comparison.artifacts.length === 0) return null;
  const total = comparison.artifacts.reduce((sum, each) => sum + each.artifacts.flat().length, 0);
  return (
    <Section
      title="Artifacts"
      aside={<span className="num text-label text-ink-3">{count(total, "artifact")}</span>}
    >
      <ul className="divide-y divide-line">
        {comparison.artifacts.map((each) => {
          const key = `${each.path}.${each.name}`;
          return (
            <li key={key} className="px-4 py-2">
              <div className="flex items-center gap-2">
                <ArtifactIcon type={each.artifact_type} />
                <span className="truncate">
                  <span className="text-ink-3">{each.path}.</span>
                  {each.name}
                </span>
                <span className="text-label text-ink-3">{typeName(each.artifact_type)}</span>
                <span className="flex-1" />
                <span className="num text-label text-ink-3">
                  in {each.artifacts.filter((list) => list.length > 0).length} of {comparison.runs.length}
                </span>
                <Button
                  small
                  tone="ghost"
                  aria-expanded={open === key}
                  onClick={() => setOpen(open === key ? undefined : key)}
                >
                  {open === key ? "Hide" : "Side by side"}
                </Button>
              </div>
              {open === key && <SideBySide comparison={comparison} artifacts={each} />}
            </li>
          );
        })}
      </ul>
    </Section>
  );
}

function SideBySide({ comparison, artifacts }: { comparison: Comparison; artifacts: CompareArtifacts }) {
  return (
    <div className="mt-2 grid auto-cols-[minmax(320px,1fr)] grid-flow-col gap-3 overflow-x-auto pb-1">
      {comparison.runs.map((run, index) => {
        const list = artifacts.artifacts[index] ?? [];
        const [first] = list;
        return (
          <div key={run.run_id} className="min-w-0 overflow-hidden rounded-card border border-line">
            <p className="flex items-center gap-2 border-b border-line bg-sunken px-3 py-1.5 text-label">
              <span className="truncate">{run.display_name}</span>
              {first && (
                <TextLink to={artifactAddress(String(first.artifact_id))}>#{first.artifact_id}</TextLink>
              )}
              {list.length > 1 && <span className="text-ink-3">and {list.length - 1} more</span>}
            </p>
            {first ? (
              <ArtifactPreview id={first.artifact_id} compact />
            ) : (
              <p className="p-3 text-ink-3">None.</p>
            )}
          </div>
        );
      })}
    </div>
  );
}
