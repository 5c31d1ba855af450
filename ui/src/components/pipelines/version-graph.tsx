/** The graph of a version: structure without states. */
import { useMemo } from "react";
import { GraphView } from "@/components/graph/graph-view";
import { NO_LOOK } from "@/components/graph/look";
import { useParam } from "@/lib/search";

const lookOf = () => NO_LOOK;

export default function VersionGraph({ versionId }: { versionId: string }) {
  const [node, setNode] = useParam("node");
  const selected = useMemo(() => (node ? [node] : []), [node]);
  const source = useMemo(() => ({ kind: "version" as const, id: versionId }), [versionId]);
  return <GraphView source={source} lookOf={lookOf} selected={selected} onSelect={setNode} />;
}
