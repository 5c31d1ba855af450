/** Where an artifact comes from and what became of it, over runs. */
import { useQuery } from "@tanstack/react-query";
import { Play } from "lucide-react";
import { useMemo } from "react";
import { artifactQueries } from "@/api/artifacts";
import type { LineageNode } from "@/api/generated";
import { Link } from "@/components/link";
import { FilterBar } from "@/components/table/filter-bar";
import { Failure, SkeletonRows } from "@/components/ui/feedback";
import { Select } from "@/components/ui/field";
import { artifactAddress, taskAddress } from "@/lib/addresses";
import { cx } from "@/lib/class";
import { count } from "@/lib/format";
import { HEIGHT, placeLineage, WIDTH } from "@/lib/lineage";
import { useParam } from "@/lib/search";
import { ArtifactIcon, typeName } from "./artifact-line";

export default function LineageView({ id }: { id: string }) {
  const [depth, setDepth] = useParam("depth", "2");
  const lineage = useQuery(artifactQueries.lineage(id, Number(depth) || 2));
  const placed = useMemo(() => lineage.data && placeLineage(lineage.data), [lineage.data]);
  if (lineage.isError) return <Failure error={lineage.error} retry={() => lineage.refetch()} />;
  if (!lineage.data || !placed) return <SkeletonRows />;
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <FilterBar
        aside={
          <span className="text-label text-ink-3">
            {count(placed.nodes.size, "node")}
            {lineage.data.is_cut && ", more exist"}
          </span>
        }
      >
        <label className="flex items-center gap-2 text-ink-2">
          Steps
          <Select value={depth} onChange={(event) => setDepth(event.target.value)}>
            {["1", "2", "3", "4", "5"].map((each) => (
              <option key={each}>{each}</option>
            ))}
          </Select>
        </label>
      </FilterBar>
      <div tabIndex={0} role="region" aria-label="Lineage" className="min-h-0 flex-1 overflow-auto p-8">
        <div className="relative mx-auto" style={{ width: placed.width, height: placed.height }}>
          <svg
            className="absolute inset-0 overflow-visible"
            width={placed.width}
            height={placed.height}
            aria-hidden
          >
            {lineage.data.edges.map((edge) => {
              const from = placed.nodes.get(edge.from);
              const to = placed.nodes.get(edge.to);
              if (!from || !to) return null;
              const x1 = from.x + WIDTH;
              const y1 = from.y + HEIGHT / 2;
              const y2 = to.y + HEIGHT / 2;
              const half = Math.max(20, (to.x - x1) / 2);
              return (
                <path
                  key={`${edge.from}${edge.to}${edge.name}`}
                  d={`M${x1} ${y1}C${x1 + half} ${y1} ${to.x - half} ${y2} ${to.x} ${y2}`}
                  fill="none"
                  stroke="var(--color-line-strong)"
                  strokeWidth="1.2"
                >
                  <title>{edge.name}</title>
                </path>
              );
            })}
          </svg>
          <ul>
            {[...placed.nodes.values()].map(({ node, x, y }) => (
              <li
                key={node.id}
                className="absolute"
                style={{ left: x, top: y, width: WIDTH, height: HEIGHT }}
              >
                <NodeLink node={node} center={node.id === lineage.data.center} />
              </li>
            ))}
          </ul>
        </div>
      </div>
    </div>
  );
}

function NodeLink({ node, center }: { node: LineageNode; center: boolean }) {
  const isArtifact = node.kind === "artifact";
  return (
    <Link
      to={
        isArtifact
          ? `${artifactAddress(String(node.artifact.artifact_id))}/lineage`
          : taskAddress(node.run.id, node.path)
      }
      className={cx(
        "flex h-full items-center gap-2 border bg-surface px-2.5 hover:border-accent",
        isArtifact ? "rounded-full px-4" : "rounded-card",
        center ? "border-accent bg-accent-tint" : "border-line",
      )}
    >
      {isArtifact ? (
        <ArtifactIcon type={node.artifact.artifact_type} />
      ) : (
        <Play size={13} className="shrink-0 text-ink-3" />
      )}
      <span className="min-w-0">
        <span className="block truncate text-label font-medium">
          {isArtifact ? node.artifact.name : node.path}
        </span>
        <span className="block truncate text-caption text-ink-3">
          {isArtifact
            ? `${typeName(node.artifact.artifact_type)} #${node.artifact.artifact_id}`
            : node.run.name}
        </span>
      </span>
    </Link>
  );
}
