import { ArtifactList } from "@/components/artifacts/artifact-list";
import { PageHeader } from "@/components/shell/page";

export function ArtifactsRoute() {
  return (
    <>
      <PageHeader title="Artifacts" />
      <ArtifactList />
    </>
  );
}
