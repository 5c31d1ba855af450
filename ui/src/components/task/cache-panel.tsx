/** Why the results of a task were or were not taken over, as a table of what differs. */
import { useQuery } from "@tanstack/react-query";
import type { TaskState } from "@/api/generated";
import { taskQueries } from "@/api/tasks";
import { TextLink } from "@/components/link";
import { Facts } from "@/components/run/facts";
import { Value } from "@/components/run/value";
import { Section } from "@/components/shell/page";
import { Empty, Failure, SkeletonRows } from "@/components/ui/feedback";
import { Ago, ShortId } from "@/components/ui/time";
import { taskAddress } from "@/lib/addresses";
import { duration } from "@/lib/format";

const TITLES = { hit: "Reused", miss: "Not reused", unused: "The cache was not asked" } as const;

export function CachePanel({ runId, task }: { runId: string; task: TaskState }) {
  const cache = useQuery(taskQueries.cache(runId, task.task_id));
  if (cache.isError) return <Failure error={cache.error} retry={() => cache.refetch()} />;
  if (!cache.data) return <SkeletonRows />;
  const { outcome, reason, compared_with, saved_ms, differences, fingerprint, parts } = cache.data;
  if (task.kind !== "CONTAINER") return <Empty title="Only tasks with user code are cached" />;
  return (
    <div className="flex flex-col gap-4 p-4">
      <Section title={TITLES[outcome]}>
        <p className="px-4 pt-3 text-ink-2">{reason}</p>
        <Facts
          rows={[
            [
              outcome === "hit" ? "Made by" : "Compared with",
              compared_with &&
                (compared_with.run ? (
                  <TextLink key="r" to={taskAddress(compared_with.run.id, compared_with.path ?? "")}>
                    {compared_with.run.name} · {compared_with.path}
                  </TextLink>
                ) : (
                  "a run that was removed"
                )),
            ],
            ["Ended", compared_with?.ended_at && <Ago key="e" at={compared_with.ended_at} />],
            ["Time saved", saved_ms !== null ? duration(saved_ms) : undefined],
            ["Fingerprint", fingerprint && <ShortId key="f" id={fingerprint} what="fingerprint" />],
          ]}
        />
      </Section>
      {differences.length > 0 && (
        <Section title="What differs">
          <table className="w-full table-fixed text-left">
            <thead className="text-label text-ink-3">
              <tr className="border-b border-line">
                <th className="px-4 py-1.5 font-normal">Part</th>
                <th className="px-4 py-1.5 font-normal">Then</th>
                <th className="px-4 py-1.5 font-normal">Now</th>
              </tr>
            </thead>
            <tbody className="divide-y divide-line align-top">
              {differences.map((difference, index) => (
                <tr key={difference.part} className={index === 0 ? "bg-retrying-tint/50" : undefined}>
                  <th scope="row" className="px-4 py-2 font-normal break-words">
                    {difference.part}
                  </th>
                  <td className="px-4 py-2">
                    <Value value={difference.then} />
                  </td>
                  <td className="px-4 py-2">
                    <Value value={difference.now} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Section>
      )}
      {Object.keys(parts).length > 0 && (
        <Section title="Parts of the key">
          <Facts
            rows={Object.entries(parts).map(([name, value]) => [name, <Value key={name} value={value} />])}
          />
        </Section>
      )}
    </div>
  );
}
