/** What a task was given and what it made. */
import { useState } from "react";
import type { ArtifactRow, InputSource, TaskDetail, TaskValues } from "@/api/generated";
import { ArtifactIcon, typeName } from "@/components/artifacts/artifact-line";
import { ArtifactPreview } from "@/components/artifacts/preview";
import { Link, TextLink } from "@/components/link";
import { Value } from "@/components/run/value";
import { Section } from "@/components/shell/page";
import { Button } from "@/components/ui/button";
import { toast } from "@/components/ui/toast";
import { artifactAddress, taskAddress } from "@/lib/addresses";
import { copyText } from "@/lib/clipboard";
import { pythonLiteral } from "@/lib/python";

export function ValuesPanel({ runId, detail }: { runId: string; detail: TaskDetail }) {
  return (
    <div className="flex flex-col gap-4 p-4">
      <Values title="Inputs" runId={runId} values={detail.inputs} sources={detail.input_sources} />
      <Values title="Outputs" runId={runId} values={detail.outputs} sources={[]} />
    </div>
  );
}

interface Props {
  title: string;
  runId: string;
  values: TaskValues;
  sources: readonly InputSource[];
}

function Values({ title, runId, values, sources }: Props) {
  const parameters = Object.entries(values.parameters);
  const nothing = parameters.length === 0 && values.artifacts.length === 0;
  return (
    <Section
      title={title}
      aside={
        parameters.length > 0 && (
          <Button
            small
            tone="ghost"
            onClick={async () => {
              if (await copyText(pythonLiteral(values.parameters))) toast("Copied as Python");
            }}
          >
            Copy as Python
          </Button>
        )
      }
    >
      {nothing && <p className="px-4 py-3 text-ink-3">None.</p>}
      <div className="divide-y divide-line">
        {parameters.map(([name, value]) => (
          <div key={name} className="grid grid-cols-[minmax(100px,1fr)_2fr] gap-4 px-4 py-2">
            <div className="min-w-0">
              <p className="truncate">{name}</p>
              <Source runId={runId} source={sources.find((source) => source.input === name)} />
            </div>
            <div className="min-w-0">
              <Value value={value} />
            </div>
          </div>
        ))}
        {values.artifacts.flatMap(({ name, artifacts }) =>
          artifacts.map((artifact) => (
            <ArtifactItem
              key={`${name}${artifact.artifact_id}`}
              name={name}
              artifact={artifact}
              runId={runId}
              source={sources.find((source) => source.input === name)}
            />
          )),
        )}
      </div>
    </Section>
  );
}

function Source({ runId, source }: { runId: string; source: InputSource | undefined }) {
  if (!source?.name) return null;
  return (
    <p className="truncate text-label text-ink-3">
      {source.task ? (
        <>
          from <TextLink to={taskAddress(runId, source.task)}>{source.task}</TextLink>
        </>
      ) : (
        `pipeline input ${source.name}`
      )}
    </p>
  );
}

function ArtifactItem({
  name,
  artifact,
  runId,
  source,
}: {
  name: string;
  artifact: ArtifactRow;
  runId: string;
  source: InputSource | undefined;
}) {
  const [open, setOpen] = useState(false);
  return (
    <div className="px-4 py-2">
      <div className="flex items-center gap-2">
        <ArtifactIcon type={artifact.artifact_type} />
        <Link
          to={artifactAddress(String(artifact.artifact_id))}
          className="min-w-0 truncate hover:text-accent hover:underline"
        >
          {name}
        </Link>
        <span className="text-label text-ink-3">{typeName(artifact.artifact_type)}</span>
        <div className="flex-1" />
        <Button small tone="ghost" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? "Hide" : "Preview"}
        </Button>
      </div>
      <Source runId={runId} source={source} />
      {open && (
        <div className="mt-2 overflow-hidden rounded-card border border-line">
          <ArtifactPreview id={artifact.artifact_id} compact />
        </div>
      )}
    </div>
  );
}
