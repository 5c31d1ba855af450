/** Two artifacts of the same output: what differs in their metadata, their columns, their text. */
import { useQueries } from "@tanstack/react-query";
import { artifactQueries } from "@/api/artifacts";
import type { ArtifactRow, Preview } from "@/api/generated";
import { TextDiff } from "@/components/pipelines/text-diff";
import { Value } from "@/components/run/value";
import { Failure, SkeletonRows } from "@/components/ui/feedback";
import { type Difference, differences, tableDifferences, textOf } from "@/lib/artifact-diff";
import { bytes } from "@/lib/format";

interface Props {
  before: ArtifactRow;
  after: ArtifactRow;
}

export function ArtifactDiff({ before, after }: Props) {
  const previews = useQueries({
    queries: [before, after].map((each) => artifactQueries.preview(each.artifact_id)),
  });
  const [first, second] = previews;
  if (before.artifact_id === after.artifact_id)
    return <p className="px-3 py-2 text-ink-3">Both runs have the very same artifact.</p>;
  const failed = previews.find((each) => each.isError);
  if (failed) return <Failure error={failed.error} retry={() => failed.refetch()} />;
  if (!first?.data || !second?.data) return <SkeletonRows rows={4} />;
  const [one, other] = [first.data.content, second.data.content];
  return (
    <>
      <Entries title="Metadata" rows={differences(before.metadata, after.metadata)} />
      {one.kind === "table" && other.kind === "table" && (
        <Entries title="Columns" rows={tableDifferences(one.table, other.table)} />
      )}
      <Content before={first.data} after={second.data} />
    </>
  );
}

function Content({ before, after }: { before: Preview; after: Preview }) {
  const [one, other] = [textOf(before), textOf(after)];
  const cut = before.is_cut || after.is_cut;
  let said: string | undefined;
  if (one === undefined || other === undefined)
    said = `What is not text is not compared: ${bytes(before.size_bytes)} before, ${bytes(after.size_bytes)} after.`;
  else if (one === other) said = cut ? "The beginnings are the same." : "The contents are the same.";
  if (said) return <p className="px-3 py-2 text-ink-2">{said}</p>;
  return (
    <>
      {cut && <p className="px-3 pt-2 text-label text-ink-3">Only the beginnings are compared.</p>}
      <TextDiff before={one ?? ""} after={other ?? ""} />
    </>
  );
}

function Entries({ title, rows }: { title: string; rows: readonly Difference[] }) {
  if (rows.length === 0) return null;
  return (
    <div tabIndex={0} role="region" aria-label={title} className="overflow-x-auto border-b border-line">
      <table className="w-full">
        <thead>
          <tr className="text-label text-ink-3">
            <th scope="col" className="px-3 py-1.5 text-left font-normal">
              {title}
            </th>
            <th scope="col" className="px-3 py-1.5 text-left font-normal">
              Before
            </th>
            <th scope="col" className="px-3 py-1.5 text-left font-normal">
              After
            </th>
          </tr>
        </thead>
        <tbody className="num divide-y divide-line">
          {rows.map((row) => (
            <tr key={row.name}>
              <th scope="row" className="px-3 py-1.5 text-left font-normal">
                {row.name}
              </th>
              {[row.before, row.after].map((value, index) => (
                <td key={index === 0 ? "before" : "after"} className="px-3 py-1.5">
                  {value === undefined ? <span className="text-ink-3">none</span> : <Value value={value} />}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
