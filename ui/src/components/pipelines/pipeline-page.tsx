/** One pipeline: its graph, its last runs task by task, its versions, schedules and file. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Ellipsis, Play, Trash2, Upload } from "lucide-react";
import { type ReactNode, Suspense, useEffect, useState } from "react";
import { pipelineQueries, usePipelineWrites } from "@/api/pipelines";
import type { PipelineVersion } from "@/api/v2beta1";
import { Link, split } from "@/components/link";
import { versionLabel } from "@/components/new-run/pickers";
import { RunList } from "@/components/runs/run-list";
import { ScheduleTable } from "@/components/schedules/schedule-table";
import { PageHeader, TabLinks } from "@/components/shell/page";
import { buttonClass, IconButton } from "@/components/ui/button";
import { Confirm } from "@/components/ui/dialog";
import { Empty, Failure, SkeletonRows } from "@/components/ui/feedback";
import { Select } from "@/components/ui/field";
import { Menu, MenuItem } from "@/components/ui/menu";
import { Ago, ShortId } from "@/components/ui/time";
import { toast, toastError } from "@/components/ui/toast";
import { pipelineAddress } from "@/lib/addresses";
import { millis } from "@/lib/format";
import { late } from "@/lib/late";
import { useSearchAll } from "@/lib/search";
import { SpecView } from "./spec-view";

const VersionGraph = late(() => import("./version-graph"));
const MatrixTab = late(() => import("./matrix-tab"));
const MetricTrends = late(() => import("@/components/trends/metric-trends"));
const VersionsTab = late(() => import("./versions-tab"));

/** Fetched beside the data of the pipeline. */
const LATE: Record<string, { preload: () => void }> = {
  graph: VersionGraph,
  matrix: MatrixTab,
  metrics: MetricTrends,
  versions: VersionsTab,
};

const TABS: [string, string][] = [
  ["graph", "Graph"],
  ["matrix", "Runs matrix"],
  ["metrics", "Metrics"],
  ["runs", "Runs"],
  ["versions", "Versions"],
  ["schedules", "Schedules"],
  ["spec", "Spec"],
];

export function PipelinePage({ pipelineId, versionId }: { pipelineId: string; versionId?: string }) {
  const search = useSearchAll();
  const navigate = useNavigate();
  const pipeline = useQuery(pipelineQueries.pipeline(pipelineId));
  const versions = useQuery(pipelineQueries.versions(pipelineId));
  const tab = TABS.find(([id]) => id === search.tab)?.[0] ?? "graph";
  useEffect(() => LATE[tab]?.preload(), [tab]);
  const version = versionId
    ? versions.data?.find((each) => each.pipeline_version_id === versionId)
    : versions.data?.[0];
  if (pipeline.isError) return <Failure error={pipeline.error} retry={() => pipeline.refetch()} />;
  if (!pipeline.data || versions.isPending) return <SkeletonRows />;
  const name = pipeline.data.display_name || pipeline.data.name || pipelineId;
  const base = pipelineAddress(pipelineId, versionId);
  return (
    <>
      <PageHeader
        title={name}
        crumbs={[{ label: "Pipelines", to: "/pipelines" }]}
        actions={
          <>
            {versions.data && versions.data.length > 0 && (
              <Select
                aria-label="Version"
                className="max-w-60"
                value={version?.pipeline_version_id ?? ""}
                onChange={(event) =>
                  navigate({
                    ...split(`${pipelineAddress(pipelineId, event.target.value)}?tab=${tab}`),
                  } as never)
                }
              >
                {versions.data.map((each, index) => (
                  <option key={each.pipeline_version_id} value={each.pipeline_version_id}>
                    {versionLabel(each)}
                    {index === 0 ? " (newest)" : ""}
                  </option>
                ))}
              </Select>
            )}
            <Link
              to={`/runs/new?pipelineId=${pipelineId}${version ? `&pipelineVersionId=${version.pipeline_version_id}` : ""}`}
              className={buttonClass("primary")}
            >
              <Play size={13} />
              Run
            </Link>
            <More pipelineId={pipelineId} name={name} version={version} />
          </>
        }
        below={
          <>
            <div className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 pb-2 text-ink-2 md:px-6">
              {pipeline.data.description && (
                <span className="max-w-160 truncate">{pipeline.data.description}</span>
              )}
              {version && (
                <span>
                  version uploaded <Ago at={millis(version.created_at)} />
                </span>
              )}
              <ShortId id={pipelineId} what="pipeline id" />
            </div>
            <TabLinks
              label="Pipeline"
              active={tab}
              tabs={TABS.map(([id, label]) => ({
                id,
                label,
                to: id === "graph" ? base : `${base}?tab=${id}`,
                count: id === "versions" ? versions.data?.length : undefined,
              }))}
            />
          </>
        }
      />
      <div className="flex min-h-0 flex-1 flex-col">
        <Suspense fallback={<SkeletonRows />}>
          <Content tab={tab} pipelineId={pipelineId} version={version} versions={versions.data ?? []} />
        </Suspense>
      </div>
    </>
  );
}

interface ContentProps {
  tab: string;
  pipelineId: string;
  version: PipelineVersion | undefined;
  versions: readonly PipelineVersion[];
}

function Content({ tab, pipelineId, version, versions }: ContentProps): ReactNode {
  if (tab === "matrix") return <MatrixTab pipelineId={pipelineId} />;
  if (tab === "metrics") return <MetricTrends filter={{ pipeline_id: pipelineId }} />;
  if (tab === "runs") return <PipelineRuns pipelineId={pipelineId} />;
  if (tab === "versions") return <VersionsTab pipelineId={pipelineId} versions={versions} />;
  if (tab === "schedules")
    return (
      <ScheduleTable filter={(schedule) => schedule.pipeline_version_reference?.pipeline_id === pipelineId} />
    );
  if (!version) {
    return (
      <Empty
        title="This pipeline has no version"
        action={
          <Link to={`/pipeline_versions/new?pipelineId=${pipelineId}`} className={buttonClass("primary")}>
            Upload a version
          </Link>
        }
      />
    );
  }
  if (tab === "spec") return <Spec pipelineId={pipelineId} version={version} />;
  return <VersionGraph versionId={version.pipeline_version_id} />;
}

const HIDDEN = ["pipeline"] as const;

function PipelineRuns({ pipelineId }: { pipelineId: string }) {
  const [fixed] = useState({ pipeline_id: pipelineId });
  return <RunList fixed={fixed} hideColumns={HIDDEN} />;
}

function Spec({ pipelineId, version }: { pipelineId: string; version: PipelineVersion }) {
  const full = useQuery({
    ...pipelineQueries.version(pipelineId, version.pipeline_version_id),
    enabled: !version.pipeline_spec,
  });
  const spec = version.pipeline_spec ?? full.data?.pipeline_spec;
  if (full.isError) return <Failure error={full.error} />;
  if (!spec) return <SkeletonRows />;
  return <SpecView spec={spec} name={versionLabel(version)} />;
}

function More({
  pipelineId,
  name,
  version,
}: {
  pipelineId: string;
  name: string;
  version: PipelineVersion | undefined;
}) {
  const navigate = useNavigate();
  const { deletePipelines, deleteVersion } = usePipelineWrites();
  const [question, setQuestion] = useState<"pipeline" | "version">();
  const go = (address: string) => navigate(split(address) as never);
  const confirm = () => {
    if (question === "pipeline") {
      deletePipelines.mutate([pipelineId], { onError: toastError, onSuccess: () => go("/pipelines") });
    } else if (version) {
      deleteVersion.mutate(
        { pipeline: pipelineId, version: version.pipeline_version_id },
        {
          onError: toastError,
          onSuccess: () => {
            toast("Version deleted");
            go(pipelineAddress(pipelineId));
          },
        },
      );
    }
  };
  return (
    <>
      <Menu
        trigger={
          <IconButton label="More">
            <Ellipsis size={16} />
          </IconButton>
        }
      >
        <MenuItem
          icon={<Upload size={14} />}
          onSelect={() => go(`/pipeline_versions/new?pipelineId=${pipelineId}`)}
        >
          Upload a version
        </MenuItem>
        <MenuItem
          icon={<Trash2 size={14} />}
          danger
          disabled={!version}
          onSelect={() => setQuestion("version")}
        >
          Delete this version
        </MenuItem>
        <MenuItem icon={<Trash2 size={14} />} danger onSelect={() => setQuestion("pipeline")}>
          Delete the pipeline
        </MenuItem>
      </Menu>
      <Confirm
        open={question !== undefined}
        onClose={() => setQuestion(undefined)}
        onConfirm={confirm}
        title={
          question === "version" && version
            ? `Delete version “${versionLabel(version)}”?`
            : `Delete “${name}”?`
        }
        action="Delete"
      >
        {question === "version" ? "Runs made from it stay." : "With all versions. Runs made from it stay."}
      </Confirm>
    </>
  );
}
