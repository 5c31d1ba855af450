/** What a task runs: source, image, command, resources. */
import type { TaskDetail } from "@/api/generated";
import { Facts } from "@/components/run/facts";
import { Section } from "@/components/shell/page";
import { Empty } from "@/components/ui/feedback";
import { CopyButton } from "@/components/ui/time";

export function ProgramPanel({ detail }: { detail: TaskDetail }) {
  const { program } = detail;
  if (!program) return <Empty title="It runs nothing itself">It stands for the tasks inside it.</Empty>;
  const command = program.command.join(" ");
  const resources = program.resources && Object.keys(program.resources as object).length > 0;
  return (
    <div className="flex flex-col gap-4 p-4">
      <Section title="Program">
        <Facts
          rows={[
            ["Component", program.component],
            [
              "Image",
              program.image && (
                <code key="i" className="font-mono text-label break-all">
                  {program.image}
                </code>
              ),
            ],
            [
              "Condition",
              program.condition && (
                <code key="c" className="font-mono text-label">
                  {program.condition}
                </code>
              ),
            ],
            ["Caching", program.caching ? "on" : "off"],
            ["Retries allowed", program.max_retries],
            ["Environment", program.env_names.join(", ")],
          ]}
        />
      </Section>
      {program.python_source && <Code title="Python" text={program.python_source} />}
      {resources ? <Code title="Resources" text={JSON.stringify(program.resources, null, 2)} /> : null}
      {program.command.length > 0 && (
        <Code title="Command" text={program.python_source ? program.command.join("\n") : command} />
      )}
    </div>
  );
}

export function Code({ title, text }: { title: string; text: string }) {
  return (
    <Section title={title} aside={<CopyButton text={text} label={`Copy ${title.toLowerCase()}`} />}>
      <pre tabIndex={0} className="max-h-120 overflow-auto px-4 py-3 font-mono text-label leading-5">
        {text}
      </pre>
    </Section>
  );
}
