import { useParams } from "@tanstack/react-router";
import { ExperimentPage } from "@/components/experiments/experiment-page";

export function ExperimentRoute() {
  const { experimentId = "" } = useParams({ strict: false });
  return <ExperimentPage key={experimentId} id={experimentId} />;
}
