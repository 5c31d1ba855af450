import { Failure } from "@/components/ui/feedback";

export function PageError({ error, reset }: { error: unknown; reset?: () => void }) {
  return <Failure error={error} retry={reset} title="This page broke" />;
}
