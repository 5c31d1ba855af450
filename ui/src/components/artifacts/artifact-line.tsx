/** One artifact in a short list. */
import { Box, ChartLine, Database, FileCode2, FileText, Grid3x3, Package } from "lucide-react";
import type { ReactNode } from "react";
import type { ArtifactRow } from "@/api/generated";
import { Link } from "@/components/link";
import { artifactAddress } from "@/lib/addresses";

const ICONS: Record<string, ReactNode> = {
  Dataset: <Database size={14} />,
  Model: <Package size={14} />,
  Metrics: <ChartLine size={14} />,
  ClassificationMetrics: <Grid3x3 size={14} />,
  SlicedClassificationMetrics: <Grid3x3 size={14} />,
  HTML: <FileCode2 size={14} />,
  Markdown: <FileText size={14} />,
};

/** `system.Model` without its family. */
export function typeName(artifactType: string): string {
  return artifactType.replace(/^system\./, "") || "Artifact";
}

export function ArtifactIcon({ type }: { type: string }) {
  return <span className="shrink-0 text-ink-3">{ICONS[typeName(type)] ?? <Box size={14} />}</span>;
}

export function ArtifactLine({ artifact, aside }: { artifact: ArtifactRow; aside?: ReactNode }) {
  return (
    <li>
      <Link
        to={artifactAddress(String(artifact.artifact_id))}
        className="flex min-h-8 items-center gap-2 rounded-control px-2 hover:bg-hover"
      >
        <ArtifactIcon type={artifact.artifact_type} />
        <span className="truncate">{artifact.name}</span>
        <span className="text-label text-ink-3">{typeName(artifact.artifact_type)}</span>
        <span className="flex-1" />
        {aside}
      </Link>
    </li>
  );
}
