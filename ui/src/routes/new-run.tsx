import { NewRunForm } from "@/components/new-run/new-run-form";
import { useSearchAll } from "@/lib/search";

export function NewRunRoute() {
  const search = useSearchAll();
  // Another source is another form.
  return (
    <NewRunForm key={search.cloneFromRun ?? search.cloneFromRecurringRun ?? search.pipelineId ?? "blank"} />
  );
}
