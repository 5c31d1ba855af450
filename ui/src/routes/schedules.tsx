import { Plus } from "lucide-react";
import { Link } from "@/components/link";
import { ScheduleTable } from "@/components/schedules/schedule-table";
import { PageHeader } from "@/components/shell/page";
import { buttonClass } from "@/components/ui/button";

export function SchedulesRoute() {
  return (
    <>
      <PageHeader
        title="Schedules"
        actions={
          <Link to="/runs/new?recurring=1" className={buttonClass("primary")}>
            <Plus size={15} />
            New schedule
          </Link>
        }
      />
      <ScheduleTable />
    </>
  );
}
