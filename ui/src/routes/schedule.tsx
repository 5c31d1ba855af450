import { useParams } from "@tanstack/react-router";
import { SchedulePage } from "@/components/schedules/schedule-page";

export function ScheduleRoute() {
  const { scheduleId = "" } = useParams({ strict: false });
  return <SchedulePage key={scheduleId} id={scheduleId} />;
}
