import { useParams } from "@tanstack/react-router";
import { ArtifactPage } from "@/components/artifacts/artifact-page";

export function ArtifactRoute() {
  const { artifactId = "" } = useParams({ strict: false });
  return <ArtifactPage key={artifactId} id={artifactId} />;
}

export function ArtifactLineageRoute() {
  const { artifactId = "" } = useParams({ strict: false });
  return <ArtifactPage key={artifactId} id={artifactId} lineage />;
}
