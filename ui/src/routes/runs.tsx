import { Plus } from "lucide-react";
import { Link } from "@/components/link";
import { RunList } from "@/components/runs/run-list";
import { PageHeader, TabLinks } from "@/components/shell/page";
import { buttonClass } from "@/components/ui/button";

function Page({ archived }: { archived: boolean }) {
  return (
    <>
      <PageHeader
        title="Runs"
        actions={
          <Link to="/runs/new" className={buttonClass("primary")}>
            <Plus size={15} />
            New run
          </Link>
        }
        below={
          <TabLinks
            label="Runs"
            active={archived ? "archived" : "active"}
            tabs={[
              { id: "active", label: "Active", to: "/runs" },
              { id: "archived", label: "Archived", to: "/archive/runs" },
            ]}
          />
        }
      />
      <RunList key={String(archived)} archived={archived} />
    </>
  );
}

export const RunsRoute = () => <Page archived={false} />;
export const ArchivedRunsRoute = () => <Page archived />;
