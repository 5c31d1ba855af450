/** Artifacts of runs by the task and output that made them: side by side, or what differs between two of them. */
import { useState } from "react";
import type { CompareArtifacts, Comparison } from "@/api/generated";
import { ArtifactIcon, typeName } from "@/components/artifacts/artifact-line";
import { ArtifactPreview } from "@/components/artifacts/preview";
import { TextLink } from "@/components/link";
import { Section } from "@/components/shell/page";
import { Button } from "@/components/ui/button";
import { Select } from "@/components/ui/field";
import { artifactAddress } from "@/lib/addresses";
import { count } from "@/lib/format";
import { useSearchAll, useSetSearch } from "@/lib/search";
import { ArtifactDiff } from "./artifact-diff";

interface Props {
  comparison: Comparison;
  /** Place of the run that the others are measured against. */
  base: number;
}

export function Artifacts({ comparison, base }: Props) {
  const { artifact: open, show = "side" } = useSearchAll();
  const setSearch = useSetSearch();
  const [first] = useState(open);
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
          const having = each.artifacts.filter((list) => list.length > 0).length;
          const toggle = (way: string, title: string) => {
            const isOpen = open === key && show === way;
            return (
              <Button
                small
                tone="ghost"
                aria-expanded={isOpen}
                onClick={() => setSearch(isOpen ? CLOSED : { artifact: key, show: way })}
              >
                {isOpen ? "Hide" : title}
              </Button>
            );
          };
          return (
            <li
              key={key}
              // An address that names it leads to it.
              ref={key === first ? intoView : undefined}
              className="scroll-mt-4 px-4 py-2"
              aria-label={key}
            >
              <div className="flex items-center gap-2">
                <ArtifactIcon type={each.artifact_type} />
                <span className="truncate">
                  <span className="text-ink-3">{each.path}.</span>
                  {each.name}
                </span>
                <span className="text-label text-ink-3">{typeName(each.artifact_type)}</span>
                <span className="flex-1" />
                <span className="num text-label text-ink-3">
                  in {having} of {comparison.runs.length}
                </span>
                {having > 1 && toggle("diff", "Difference")}
                {toggle("side", "Side by side")}
              </div>
              {open === key && show === "diff" && (
                <OneAgainstOther comparison={comparison} base={base} artifacts={each} />
              )}
              {open === key && show === "side" && <SideBySide comparison={comparison} artifacts={each} />}
            </li>
          );
        })}
      </ul>
    </Section>
  );
}

const intoView = (row: HTMLElement | null) => row?.scrollIntoView({ block: "start" });

const CLOSED = { artifact: undefined, show: undefined, with: undefined };

function OneAgainstOther({ comparison, base, artifacts }: Props & { artifacts: CompareArtifacts }) {
  const search = useSearchAll();
  const setSearch = useSetSearch();
  const having = comparison.runs.flatMap((run, index) => {
    const [artifact] = artifacts.artifacts[index] ?? [];
    return artifact ? [{ run, artifact }] : [];
  });
  const before = having.find((each) => each.run.run_id === comparison.runs[base]?.run_id) ?? having[0];
  const others = having.filter((each) => each !== before);
  const after = others.find((each) => each.run.run_id === search.with) ?? others[0];
  if (!before || !after) return null;
  return (
    <div className="mt-2 overflow-hidden rounded-card border border-line">
      <p className="flex flex-wrap items-center gap-2 border-b border-line bg-sunken px-3 py-1.5 text-label">
        {before.run.display_name}
        <TextLink to={artifactAddress(String(before.artifact.artifact_id))}>
          #{before.artifact.artifact_id}
        </TextLink>
        <span className="text-ink-3">against</span>
        {others.length > 1 ? (
          <Select
            aria-label="The other run"
            value={after.run.run_id}
            onChange={(event) => setSearch({ with: event.target.value })}
          >
            {others.map(({ run }) => (
              <option key={run.run_id} value={run.run_id}>
                {run.display_name}
              </option>
            ))}
          </Select>
        ) : (
          after.run.display_name
        )}
        <TextLink to={artifactAddress(String(after.artifact.artifact_id))}>
          #{after.artifact.artifact_id}
        </TextLink>
      </p>
      <ArtifactDiff before={before.artifact} after={after.artifact} />
    </div>
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
