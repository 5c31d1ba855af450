/** The server itself. */
import { useQuery } from "@tanstack/react-query";
import type { System } from "@/api/generated";
import { systemQueries } from "@/api/system";
import { Facts } from "@/components/run/facts";
import { PageBody, PageHeader, Section } from "@/components/shell/page";
import { Failure, SkeletonRows } from "@/components/ui/feedback";
import { Ago, CopyButton } from "@/components/ui/time";
import { bytes, duration } from "@/lib/format";

export function SystemPage() {
  const system = useQuery(systemQueries.system());
  return (
    <>
      <PageHeader title="System" />
      {system.isError && <Failure error={system.error} retry={() => system.refetch()} />}
      {system.isPending && <SkeletonRows />}
      {system.data && <Loaded system={system.data} />}
    </>
  );
}

function title(group: string): string {
  return group.charAt(0).toUpperCase() + group.slice(1);
}

function Loaded({ system }: { system: System }) {
  const { counts } = system;
  const groups = new Map<string, System["facts"]>();
  const own = system.facts.filter((fact) => fact.group === "server");
  for (const fact of system.facts)
    if (fact.group !== "server") groups.set(fact.group, [...(groups.get(fact.group) ?? []), fact]);
  const figures: [string, number][] = [
    ["Tasks at work", counts.running_attempts],
    ["Tasks waiting for a slot", counts.waiting_attempts],
    ["Runs not ended", counts.unfinished_runs],
    ["Open streams", system.open_streams],
  ];
  return (
    <PageBody>
      <div className="flex flex-col gap-4">
        <div className="grid grid-cols-2 gap-4 lg:grid-cols-4">
          {figures.map(([label, value]) => (
            <div key={label} className="card px-4 py-3">
              <p className="text-label text-ink-2">{label}</p>
              <p className="num mt-1 text-hero font-semibold tracking-tight">
                {value.toLocaleString("en-US")}
              </p>
            </div>
          ))}
        </div>
        <div className="grid items-start gap-4 lg:grid-cols-2">
          <Section title="Server">
            <Facts
              rows={[
                ["Version", system.version],
                [
                  "Commit",
                  <span key="c" className="inline-flex items-center gap-1 font-mono text-label">
                    {system.commit}
                    <CopyButton text={system.commit} label="Copy commit" className="-my-1" />
                  </span>,
                ],
                ["Serving since", <Ago key="s" at={system.started_at} />],
                ["Up", duration(system.now - system.started_at)],
                ...own.map((fact): [string, string] => [title(fact.name), fact.value]),
              ]}
            />
          </Section>
          <Section title="Store">
            <Facts
              rows={[
                ["Database", bytes(system.database_bytes)],
                [
                  "Artifacts go to",
                  <code key="a" className="font-mono text-label break-all">
                    {system.artifact_root}
                  </code>,
                ],
                ["Runs", counts.runs.toLocaleString("en-US")],
                ["Pipelines", `${counts.pipelines} with ${counts.versions} versions`],
                ["Experiments", counts.experiments],
                ["Artifacts", counts.artifacts.toLocaleString("en-US")],
                ["Cached results", counts.cache_entries.toLocaleString("en-US")],
              ]}
            />
          </Section>
          {[...groups].map(([group, facts]) => (
            <Section key={group} title={title(group)}>
              <Facts rows={facts.map((fact) => [title(fact.name), fact.value])} />
            </Section>
          ))}
        </div>
      </div>
    </PageBody>
  );
}
