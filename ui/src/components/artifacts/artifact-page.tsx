/** One artifact: what is in it, where it comes from, what became of it. */
import { useQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { lazy, Suspense } from "react";
import { archiveUrl, artifactQueries, contentUrl } from "@/api/artifacts";
import type { ArtifactDetail, ArtifactUse } from "@/api/generated";
import { TextLink } from "@/components/link";
import { Facts } from "@/components/run/facts";
import { Value } from "@/components/run/value";
import { PageBody, PageHeader, Section, TabLinks } from "@/components/shell/page";
import { buttonClass } from "@/components/ui/button";
import { Failure, SkeletonRows } from "@/components/ui/feedback";
import { Ago, CopyButton } from "@/components/ui/time";
import { artifactAddress, runAddress, taskAddress } from "@/lib/addresses";
import { bytes } from "@/lib/format";
import { useParam } from "@/lib/search";
import { typeName } from "./artifact-line";
import { ArtifactPreview } from "./preview";
import { Versions } from "./versions";

const LineageView = lazy(() => import("./lineage-view"));

export function ArtifactPage({ id, lineage = false }: { id: string; lineage?: boolean }) {
  const detail = useQuery(artifactQueries.artifact(id));
  if (detail.isError) return <Failure error={detail.error} retry={() => detail.refetch()} />;
  if (!detail.data) return <SkeletonRows />;
  const { artifact } = detail.data;
  return (
    <>
      <PageHeader
        title={artifact.name}
        crumbs={[{ label: "Artifacts", to: "/artifacts" }]}
        aside={<span className="text-ink-3">{typeName(artifact.artifact_type)}</span>}
        actions={
          !detail.data.unreadable && (
            <a
              href={isFolder(detail.data) ? archiveUrl(id) : contentUrl(id, "", true)}
              className={buttonClass()}
            >
              <Download size={14} />
              {isFolder(detail.data) ? "Download .tar.gz" : "Download"}
            </a>
          )
        }
        below={
          <TabLinks
            label="Artifact"
            active={lineage ? "lineage" : "overview"}
            tabs={[
              { id: "overview", label: "Overview", to: artifactAddress(id) },
              { id: "lineage", label: "Lineage", to: `${artifactAddress(id)}/lineage` },
            ]}
          />
        }
      />
      {lineage ? (
        <Suspense fallback={<SkeletonRows />}>
          <LineageView id={id} />
        </Suspense>
      ) : (
        <Overview detail={detail.data} />
      )}
    </>
  );
}

function isFolder({ files }: ArtifactDetail): boolean {
  return files.some((file) => file.path !== "");
}

function Overview({ detail }: { detail: ArtifactDetail }) {
  const { artifact, files, size_bytes, unreadable } = detail;
  const [file, setFile] = useParam("file");
  const metadata = Object.entries(artifact.metadata);
  return (
    <PageBody>
      <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
        <Section
          title="Content"
          aside={<span className="num text-label text-ink-3">{unreadable ? "" : bytes(size_bytes)}</span>}
        >
          {(file || !isFolder(detail)) && <ArtifactPreview id={artifact.artifact_id} path={file} />}
          {isFolder(detail) && (
            <ul className="max-h-72 overflow-auto border-t border-line py-1">
              {files.map((each) => (
                <li key={each.path} className="flex items-center gap-3 px-4 py-1 hover:bg-hover">
                  <button
                    type="button"
                    className="link min-w-0 flex-1 truncate text-left font-mono text-label"
                    aria-current={each.path === file ? "true" : undefined}
                    onClick={() => setFile(each.path)}
                  >
                    {each.path || artifact.name}
                  </button>
                  <span className="num text-label text-ink-3">{bytes(each.size_bytes)}</span>
                  <a
                    href={contentUrl(artifact.artifact_id, each.path, true)}
                    aria-label={`Download ${each.path}`}
                    className="text-ink-3 hover:text-ink"
                  >
                    <Download size={13} />
                  </a>
                </li>
              ))}
            </ul>
          )}
        </Section>
        <div className="flex flex-col gap-4">
          <Section title="Facts">
            <Facts
              rows={[
                ["Number", artifact.artifact_id],
                ["Type", artifact.artifact_type || "given as a schema"],
                [
                  "Run",
                  artifact.run && (
                    <TextLink key="r" to={runAddress(artifact.run.id)}>
                      {artifact.run.name}
                    </TextLink>
                  ),
                ],
                ["Created", artifact.created_at !== null && <Ago key="c" at={artifact.created_at} />],
                [
                  "URI",
                  <span key="u" className="flex items-start gap-1">
                    <code className="min-w-0 font-mono text-label break-all">{artifact.uri}</code>
                    <CopyButton text={artifact.uri} label="Copy URI" className="-my-1" />
                  </span>,
                ],
              ]}
            />
          </Section>
          {metadata.length > 0 && (
            <Section title="Metadata">
              <Facts rows={metadata.map(([name, value]) => [name, <Value key={name} value={value} />])} />
            </Section>
          )}
          <Versions artifact={artifact} />
          <Uses title="Made by" uses={detail.producers} />
          <Uses title="Used by" uses={detail.consumers} />
        </div>
      </div>
    </PageBody>
  );
}

function Uses({ title, uses }: { title: string; uses: readonly ArtifactUse[] }) {
  if (uses.length === 0) return null;
  return (
    <Section title={title} aside={<span className="num text-label text-ink-3">{uses.length}</span>}>
      <ul className="max-h-72 overflow-auto py-1.5">
        {uses.map((use) => (
          <li key={`${use.run.id}${use.path}${use.name}`} className="px-4 py-1">
            <TextLink to={taskAddress(use.run.id, use.path)}>{use.path}</TextLink>
            <span className="text-ink-3"> as {use.name}, in </span>
            <TextLink to={runAddress(use.run.id)}>{use.run.name}</TextLink>
          </li>
        ))}
      </ul>
    </Section>
  );
}
