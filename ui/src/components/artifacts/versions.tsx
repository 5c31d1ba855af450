/** The same output in other runs of its pipeline, each with what differs from this one. */
import { useQuery } from "@tanstack/react-query";
import { artifactQueries } from "@/api/artifacts";
import type { ArtifactRow } from "@/api/generated";
import { TextLink } from "@/components/link";
import { Section } from "@/components/shell/page";
import { Ago } from "@/components/ui/time";
import { artifactAddress, compareAddress } from "@/lib/addresses";
import { count } from "@/lib/format";

export function Versions({ artifact }: { artifact: ArtifactRow }) {
  const found = useQuery(artifactQueries.versions(artifact)).data ?? [];
  const { run, task, name } = artifact;
  // One that this run did not make itself is compared where it came from.
  const others = found.filter((each) => each.run?.id !== run?.id);
  if (!run || !task || others.length === 0) return null;
  const key = encodeURIComponent(`${task}.${name}`);
  return (
    <Section
      title="In other runs"
      aside={<span className="num text-label text-ink-3">{count(others.length, "artifact")}</span>}
    >
      <ul className="max-h-72 overflow-auto py-1.5">
        {others.map((other) => {
          const isOlder = other.artifact_id < artifact.artifact_id;
          const [first, second] = isOlder ? [other, artifact] : [artifact, other];
          const pair = compareAddress([first.run?.id ?? "", second.run?.id ?? ""]);
          return (
            <li key={other.artifact_id} className="flex items-baseline gap-3 px-4 py-1">
              <span className="min-w-0 flex-1 truncate">
                <TextLink to={artifactAddress(String(other.artifact_id))}>
                  {other.run?.name} #{other.artifact_id}
                </TextLink>
              </span>
              <Ago at={other.created_at ?? undefined} className="text-label text-ink-3" />
              <TextLink to={`${pair}&artifact=${key}&show=diff`}>
                difference<span className="sr-only"> to #{other.artifact_id}</span>
              </TextLink>
            </li>
          );
        })}
      </ul>
    </Section>
  );
}
