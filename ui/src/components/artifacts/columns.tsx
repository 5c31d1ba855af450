/** Columns of lists of artifacts. */
import type { ArtifactRow } from "@/api/generated";
import { Link, TextLink } from "@/components/link";
import type { Column } from "@/components/table/data-table";
import { Ago } from "@/components/ui/time";
import { artifactAddress, runAddress, taskAddress } from "@/lib/addresses";
import { valueText } from "@/lib/format";
import { ArtifactIcon, typeName } from "./artifact-line";

export function artifactColumns(): Column<ArtifactRow>[] {
  return [
    {
      id: "name",
      title: "Artifact",
      width: "minmax(180px, 1.5fr)",
      cell: (artifact) => (
        <span className="flex min-w-0 items-center gap-2.5">
          <ArtifactIcon type={artifact.artifact_type} />
          <Link
            to={artifactAddress(String(artifact.artifact_id))}
            className="truncate font-medium hover:text-accent"
          >
            {artifact.name}
          </Link>
          <span className="num text-label text-ink-3">#{artifact.artifact_id}</span>
        </span>
      ),
    },
    {
      id: "type",
      title: "Type",
      width: "minmax(110px, 0.8fr)",
      cell: (artifact) => <span className="text-ink-2">{typeName(artifact.artifact_type)}</span>,
    },
    {
      id: "task",
      title: "Made by",
      width: "minmax(140px, 1.2fr)",
      cell: (artifact) =>
        artifact.run && artifact.task ? (
          <TextLink to={taskAddress(artifact.run.id, artifact.task)}>{artifact.task}</TextLink>
        ) : (
          <span className="text-ink-3">–</span>
        ),
    },
    {
      id: "run",
      title: "Run",
      width: "minmax(140px, 1.2fr)",
      cell: (artifact) =>
        artifact.run ? (
          <TextLink to={runAddress(artifact.run.id)}>{artifact.run.name}</TextLink>
        ) : (
          <span className="text-ink-3">removed</span>
        ),
    },
    {
      id: "metadata",
      title: "Metadata",
      width: "minmax(160px, 1.6fr)",
      cell: (artifact) => (
        <span className="text-label text-ink-2">
          {Object.entries(artifact.metadata)
            .filter(([name, value]) => typeof value !== "object" && name !== "display_name")
            .slice(0, 4)
            .map(([name, value]) => `${name}: ${valueText(value)}`)
            .join("   ")}
        </span>
      ),
    },
    {
      id: "created",
      title: "Created",
      width: "110px",
      cell: (artifact) => <Ago at={artifact.created_at ?? undefined} className="text-ink-2" />,
    },
  ];
}
