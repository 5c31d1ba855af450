/** The right side of the form: what will happen, and the same in Python. */
import { Section } from "@/components/shell/page";
import { CopyButton } from "@/components/ui/time";
import { count } from "@/lib/format";
import { pythonLiteral } from "@/lib/python";
import type { FormState } from "./form-state";
import { readSchedule } from "./schedule-fields";

interface Props {
  form: FormState;
  taskCount: number;
  versionName: string;
  /** Arguments that will be sent. */
  values: Record<string, unknown>;
  errors: number;
}

export function Summary({ form, taskCount, versionName, values, errors }: Props) {
  const snippet = pythonSnippet(form, values);
  const given = Object.keys(values).length;
  return (
    <div className="flex flex-col gap-4 lg:sticky lg:top-0">
      <Section title="What will happen">
        <div className="flex flex-col gap-1.5 px-4 py-3 text-ink-2">
          {form.pipelineName ? (
            <p>
              <span className="font-medium text-ink">{form.pipelineName}</span>
              {versionName && ` @ ${form.latest && form.recurring ? "its newest version" : versionName}`},{" "}
              {count(taskCount, "task")} in the file
            </p>
          ) : (
            <p className="text-ink-3">Choose a pipeline.</p>
          )}
          <p>{given === 0 ? "Every parameter has its default." : `${count(given, "parameter")} given.`}</p>
          <p>
            {form.experimentName ? `In the experiment ${form.experimentName}.` : "In the default experiment."}
          </p>
          {!form.caching && <p>Nothing is taken from the cache.</p>}
          {form.recurring && (
            <p>
              {readSchedule(form.schedule, Date.now()).words}, at most {form.schedule.maxConcurrency} at once.
            </p>
          )}
          {errors > 0 && <p className="text-failed">{count(errors, "field")} to be corrected.</p>}
        </div>
      </Section>
      {form.pipelineId && (
        <Section title="The same in Python" aside={<CopyButton text={snippet} label="Copy Python" />}>
          <pre tabIndex={0} className="max-h-96 overflow-auto px-4 py-3 font-mono text-label leading-5">
            {snippet}
          </pre>
        </Section>
      )}
    </div>
  );
}

export function pythonSnippet(form: FormState, values: Record<string, unknown>): string {
  const root = new URL(".", document.baseURI.split("#")[0]).toString().replace(/\/$/, "");
  const experiment = JSON.stringify(form.experimentName || "Default");
  const lines = [
    "from kfp.client import Client",
    "",
    `client = Client(host=${JSON.stringify(root)})`,
    `experiment = client.get_experiment(experiment_name=${experiment})`,
  ];
  const schedule = form.schedule;
  const call = form.recurring ? "create_recurring_run" : "run_pipeline";
  const timing = !form.recurring
    ? []
    : schedule.kind === "cron"
      ? [`cron_expression=${JSON.stringify(schedule.cron)}`]
      : [`interval_second=${Number(schedule.count) * Number(schedule.unit)}`];
  const parts = [
    "experiment_id=experiment.experiment_id",
    `job_name=${JSON.stringify(form.name)}`,
    `pipeline_id=${JSON.stringify(form.pipelineId)}`,
    ...(form.latest && form.recurring ? [] : [`version_id=${JSON.stringify(form.versionId ?? "")}`]),
    ...timing,
    ...(form.recurring
      ? [`max_concurrency=${schedule.maxConcurrency}`, `no_catchup=${schedule.catchup ? "False" : "True"}`]
      : []),
    ...(Object.keys(values).length > 0 ? [`params=${pythonLiteral(values, "    ")}`] : []),
    ...(form.pipelineRoot ? [`pipeline_root=${JSON.stringify(form.pipelineRoot)}`] : []),
    ...(form.serviceAccount ? [`service_account=${JSON.stringify(form.serviceAccount)}`] : []),
    ...(form.caching ? [] : ["enable_caching=False"]),
  ];
  return [...lines, `client.${call}(`, ...parts.map((part) => `    ${part},`), ")"].join("\n");
}
