/** One experiment: its runs, active and archived, and its schedules. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Archive, ArchiveRestore, Ellipsis, Plus, Trash2 } from "lucide-react";
import { lazy, Suspense, useMemo, useState } from "react";
import { experimentQueries, useExperimentWrites } from "@/api/experiments";
import { scheduleQueries } from "@/api/schedules";
import { Link } from "@/components/link";
import { RunList } from "@/components/runs/run-list";
import { ScheduleTable } from "@/components/schedules/schedule-table";
import { PageHeader, TabLinks } from "@/components/shell/page";
import { buttonClass, IconButton } from "@/components/ui/button";
import { Confirm } from "@/components/ui/dialog";
import { Failure, SkeletonRows } from "@/components/ui/feedback";
import { Menu, MenuItem } from "@/components/ui/menu";
import { Ago, ShortId } from "@/components/ui/time";
import { toast, toastError } from "@/components/ui/toast";
import { experimentAddress } from "@/lib/addresses";
import { millis } from "@/lib/format";
import { useSearchAll } from "@/lib/search";

const MetricTrends = lazy(() => import("@/components/trends/metric-trends"));

const HIDDEN = ["experiment"] as const;
const TABS = ["runs", "archived", "metrics", "schedules"];

export function ExperimentPage({ id }: { id: string }) {
  const search = useSearchAll();
  const navigate = useNavigate();
  const experiment = useQuery(experimentQueries.experiment(id));
  const schedules = useQuery({ ...scheduleQueries.all(id), retry: false });
  const { archive, remove } = useExperimentWrites();
  const [asking, setAsking] = useState(false);
  const fixed = useMemo(() => ({ experiment_id: id }), [id]);
  if (experiment.isError) return <Failure error={experiment.error} retry={() => experiment.refetch()} />;
  if (!experiment.data) return <SkeletonRows />;
  const { display_name = id, description, created_at, storage_state } = experiment.data;
  const archived = storage_state === "ARCHIVED";
  const tab = TABS.find((each) => each === search.tab) ?? "runs";
  const base = experimentAddress(id);
  const move = () =>
    archive.mutate(
      { id, restore: archived },
      {
        onError: toastError,
        onSuccess: () => toast(`“${display_name}” is ${archived ? "restored" : "archived, with its runs"}`),
      },
    );
  return (
    <>
      <PageHeader
        title={display_name}
        crumbs={[{ label: "Experiments", to: "/experiments" }]}
        aside={archived && <span className="text-label text-ink-3">archived</span>}
        actions={
          <>
            <Link to={`/runs/new?experimentId=${id}&recurring=1`} className={buttonClass()}>
              New schedule
            </Link>
            <Link to={`/runs/new?experimentId=${id}`} className={buttonClass("primary")}>
              <Plus size={15} />
              New run
            </Link>
            <Menu
              trigger={
                <IconButton label="More">
                  <Ellipsis size={16} />
                </IconButton>
              }
            >
              <MenuItem
                icon={archived ? <ArchiveRestore size={14} /> : <Archive size={14} />}
                onSelect={move}
              >
                {archived ? "Restore" : "Archive"}
              </MenuItem>
              <MenuItem icon={<Trash2 size={14} />} danger onSelect={() => setAsking(true)}>
                Delete
              </MenuItem>
            </Menu>
          </>
        }
        below={
          <>
            <div className="flex flex-wrap items-center gap-x-4 px-4 pb-2 text-ink-2 md:px-6">
              {description && <span className="max-w-160 truncate">{description}</span>}
              <span>
                created <Ago at={millis(created_at)} />
              </span>
              <ShortId id={id} what="experiment id" />
            </div>
            <TabLinks
              label="Experiment"
              active={tab}
              tabs={[
                { id: "runs", label: "Runs", to: base },
                { id: "archived", label: "Archived runs", to: `${base}?tab=archived` },
                { id: "metrics", label: "Metrics", to: `${base}?tab=metrics` },
                {
                  id: "schedules",
                  label: "Schedules",
                  to: `${base}?tab=schedules`,
                  count: schedules.data?.length,
                },
              ]}
            />
          </>
        }
      />
      {tab === "metrics" && (
        <Suspense fallback={<SkeletonRows />}>
          <MetricTrends filter={fixed} />
        </Suspense>
      )}
      {tab === "schedules" && <ScheduleTable filter={(schedule) => schedule.experiment_id === id} />}
      {(tab === "runs" || tab === "archived") && (
        <RunList key={tab} fixed={fixed} archived={tab === "archived"} hideColumns={HIDDEN} />
      )}
      <Confirm
        open={asking}
        onClose={() => setAsking(false)}
        title={`Delete “${display_name}”?`}
        action="Delete"
        onConfirm={() =>
          remove.mutate(id, {
            onError: toastError,
            onSuccess: () => navigate({ to: "/experiments" as never }),
          })
        }
      >
        The experiment is removed for good. Its runs stay, in no experiment.
      </Confirm>
    </>
  );
}
