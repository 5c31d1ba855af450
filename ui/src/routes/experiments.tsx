import { useNavigate } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { ExperimentList } from "@/components/experiments/experiment-list";
import { NewExperiment } from "@/components/experiments/new-experiment";
import { Link } from "@/components/link";
import { PageHeader, TabLinks } from "@/components/shell/page";
import { buttonClass } from "@/components/ui/button";

function Page({ archived, creating }: { archived: boolean; creating?: boolean }) {
  const navigate = useNavigate();
  return (
    <>
      <PageHeader
        title="Experiments"
        actions={
          <Link to="/experiments/new" className={buttonClass("primary")}>
            <Plus size={15} />
            New experiment
          </Link>
        }
        below={
          <TabLinks
            label="Experiments"
            active={archived ? "archived" : "active"}
            tabs={[
              { id: "active", label: "Active", to: "/experiments" },
              { id: "archived", label: "Archived", to: "/archive/experiments" },
            ]}
          />
        }
      />
      <ExperimentList key={String(archived)} archived={archived} />
      {creating && <NewExperiment onClose={() => navigate({ to: "/experiments" as never })} />}
    </>
  );
}

export const ExperimentsRoute = () => <Page archived={false} />;
export const ArchivedExperimentsRoute = () => <Page archived />;
export const NewExperimentRoute = () => <Page archived={false} creating />;
