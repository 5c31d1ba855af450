/** Versions of a pipeline, and the difference of any two. */
import { useQuery } from "@tanstack/react-query";
import { Upload } from "lucide-react";
import type { FieldDiff, TaskDiff, VersionDiff } from "@/api/generated";
import { pipelineQueries } from "@/api/pipelines";
import type { PipelineVersion } from "@/api/v2beta1";
import { Link } from "@/components/link";
import { versionLabel } from "@/components/new-run/pickers";
import { Value } from "@/components/run/value";
import { PageBody, Section } from "@/components/shell/page";
import { buttonClass } from "@/components/ui/button";
import { Failure, SkeletonRows } from "@/components/ui/feedback";
import { Select } from "@/components/ui/field";
import { Ago } from "@/components/ui/time";
import { pipelineAddress } from "@/lib/addresses";
import { millis } from "@/lib/format";
import { useSearchAll, useSetSearch } from "@/lib/search";
import { toYaml } from "@/lib/yaml";
import { TextDiff } from "./text-diff";

interface Props {
  pipelineId: string;
  versions: readonly PipelineVersion[];
}

export default function VersionsTab({ pipelineId, versions }: Props) {
  const search = useSearchAll();
  const setSearch = useSetSearch();
  const newer = search.newer ?? versions[0]?.pipeline_version_id;
  const older = search.older ?? versions[1]?.pipeline_version_id;
  return (
    <PageBody>
      <div className="flex flex-col gap-4">
        <Section
          title="Versions"
          aside={
            <Link
              to={`/pipeline_versions/new?pipelineId=${pipelineId}`}
              className={buttonClass("plain", true)}
            >
              <Upload size={13} />
              Upload a version
            </Link>
          }
        >
          <table className="w-full text-left">
            <thead className="text-label text-ink-3">
              <tr className="border-b border-line">
                <th className="px-4 py-1.5 font-normal">Version</th>
                <th className="px-4 py-1.5 font-normal">Description</th>
                <th className="px-4 py-1.5 font-normal">Uploaded</th>
                <th className="px-4 py-1.5" />
              </tr>
            </thead>
            <tbody className="divide-y divide-line">
              {versions.map((version) => (
                <tr key={version.pipeline_version_id} className="hover:bg-hover">
                  <td className="px-4 py-2">
                    <Link
                      to={pipelineAddress(pipelineId, version.pipeline_version_id)}
                      className="font-medium hover:text-accent"
                    >
                      {versionLabel(version)}
                    </Link>
                  </td>
                  <td className="max-w-100 truncate px-4 py-2 text-ink-2">{version.description}</td>
                  <td className="px-4 py-2 text-ink-2">
                    <Ago at={millis(version.created_at)} />
                  </td>
                  <td className="px-4 py-2 text-right">
                    <Link
                      to={`/runs/new?pipelineId=${pipelineId}&pipelineVersionId=${version.pipeline_version_id}`}
                      className={buttonClass("plain", true)}
                    >
                      Run
                    </Link>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Section>
        {versions.length > 1 && newer && older && (
          <Section
            title="Difference"
            aside={
              <span className="flex items-center gap-2 text-ink-2">
                <Pick
                  label="Older version"
                  versions={versions}
                  value={older}
                  onChange={(id) => setSearch({ older: id })}
                />
                →
                <Pick
                  label="Newer version"
                  versions={versions}
                  value={newer}
                  onChange={(id) => setSearch({ newer: id })}
                />
              </span>
            }
          >
            <Difference newer={newer} older={older} />
          </Section>
        )}
      </div>
    </PageBody>
  );
}

function Pick({
  label,
  versions,
  value,
  onChange,
}: {
  label: string;
  versions: readonly PipelineVersion[];
  value: string;
  onChange: (id: string) => void;
}) {
  return (
    <Select
      aria-label={label}
      className="max-w-48"
      value={value}
      onChange={(event) => onChange(event.target.value)}
    >
      {versions.map((version) => (
        <option key={version.pipeline_version_id} value={version.pipeline_version_id}>
          {versionLabel(version)}
        </option>
      ))}
    </Select>
  );
}

function Difference({ newer, older }: { newer: string; older: string }) {
  const diff = useQuery(pipelineQueries.diff(newer, older));
  if (diff.isError) return <Failure error={diff.error} />;
  if (!diff.data) return <SkeletonRows rows={4} />;
  if (diff.data.is_same) return <p className="px-4 py-3 text-ink-2">Both files mean the same.</p>;
  return (
    <>
      <Structure diff={diff.data} />
      <TextDiff before={inLines(diff.data.before_text)} after={inLines(diff.data.after_text)} />
    </>
  );
}

/** JSON in one line says nothing line by line: it is shown as YAML. */
function inLines(text: string): string {
  if (!text.trimStart().startsWith("{")) return text;
  try {
    return toYaml(JSON.parse(text));
  } catch {
    return text;
  }
}

const KINDS: Record<TaskDiff["kind"], [string, string]> = {
  added: ["added", "text-succeeded bg-succeeded-tint"],
  removed: ["removed", "text-failed bg-failed-tint"],
  changed: ["changed", "text-retrying bg-retrying-tint"],
};

function Structure({ diff }: { diff: VersionDiff }) {
  return (
    <div className="divide-y divide-line border-b border-line">
      {diff.pipeline.length > 0 && (
        <div className="px-4 py-2.5">
          <p className="font-medium">The pipeline itself</p>
          <Fields fields={diff.pipeline} />
        </div>
      )}
      {diff.tasks.map((task) => {
        const [word, look] = KINDS[task.kind];
        return (
          <div key={task.path} className="px-4 py-2.5">
            <p className="flex items-center gap-2">
              <span className={`rounded-full px-2 text-label ${look}`}>{word}</span>
              <span className="font-medium">{task.path}</span>
            </p>
            <Fields fields={task.fields} />
          </div>
        );
      })}
      {diff.tasks.length === 0 && diff.pipeline.length === 0 && (
        <p className="px-4 py-3 text-ink-2">Tasks are the same; only texts differ.</p>
      )}
    </div>
  );
}

function Fields({ fields }: { fields: readonly FieldDiff[] }) {
  if (fields.length === 0) return null;
  return (
    <dl className="mt-1.5 flex flex-col gap-1">
      {fields.map((field) => (
        <div key={field.field} className="grid grid-cols-[160px_1fr_16px_1fr] items-start gap-2">
          <dt className="text-ink-2">{field.field}</dt>
          <dd className="min-w-0 rounded-sm bg-failed-tint px-1.5">
            <Value value={field.before} />
          </dd>
          <span aria-hidden className="text-ink-3">
            →
          </span>
          <dd className="min-w-0 rounded-sm bg-succeeded-tint px-1.5">
            <Value value={field.after} />
          </dd>
        </div>
      ))}
    </dl>
  );
}
