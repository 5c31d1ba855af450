/** One page for runs and schedules: what to run at the left, what will happen at the right. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useMemo, useState } from "react";
import { ApiError } from "@/api/client";
import { pipelineQueries } from "@/api/pipelines";
import { useCreateRun } from "@/api/runs";
import { useScheduleWrites } from "@/api/schedules";
import { split } from "@/components/link";
import { PageBody, PageHeader, Section } from "@/components/shell/page";
import { Button } from "@/components/ui/button";
import { Failure, Refusal } from "@/components/ui/feedback";
import { Field, Input, Switch, Textarea } from "@/components/ui/field";
import { runAddress, scheduleAddress } from "@/lib/addresses";
import { freshEntry, merge, read } from "@/lib/draft";
import { useShortcuts } from "@/lib/keys";
import { useSearchAll } from "@/lib/search";
import { parametersOf, pipelineName, taskTotal, withoutCaching } from "@/lib/spec";
import { Advanced } from "./advanced";
import { triggerOf, useDraft } from "./form-state";
import { Parameters } from "./parameters";
import { ExperimentPicker, PipelinePicker, VersionPicker, versionLabel } from "./pickers";
import { readSchedule, ScheduleFields } from "./schedule-fields";
import { Summary } from "./summary";
import { useSource } from "./use-source";

function defaultName(pipeline: string): string {
  const now = new Date();
  const pad = (value: number) => String(value).padStart(2, "0");
  return `${pipeline} ${now.getFullYear()}-${pad(now.getMonth() + 1)}-${pad(now.getDate())} ${pad(now.getHours())}:${pad(now.getMinutes())}`;
}

export function NewRunForm() {
  const search = useSearchAll();
  const navigate = useNavigate();
  const draft = useDraft(search.cloneFromRun ?? search.cloneFromRecurringRun ?? search.pipelineId ?? "blank");
  const { form, change } = draft;
  const { spec, inline, error } = useSource(search, draft);
  const versionList = useQuery({
    ...pipelineQueries.versions(form.pipelineId ?? ""),
    enabled: Boolean(form.pipelineId),
  }).data;
  const versions = versionList ?? [];
  const version = versions.find((each) => each.pipeline_version_id === form.versionId);
  const createRun = useCreateRun();
  const { create: createSchedule } = useScheduleWrites();
  const [strict, setStrict] = useState(false);
  const [dropped, setDropped] = useState<string[]>([]);

  // A pipeline without a chosen version means its newest one.
  const newest = versionList?.[0]?.pipeline_version_id;
  useEffect(() => {
    if (form.pipelineId && !form.versionId && newest) change({ versionId: newest });
  }, [form.pipelineId, form.versionId, newest, change]);

  const parameters = useMemo(() => parametersOf(spec), [spec]);
  const shownName = form.pipelineName || (inline ? pipelineName(spec) : "");
  const name = form.nameTyped ? form.name : shownName ? defaultName(shownName) : "";
  const entryOf = (parameter: (typeof parameters)[number]) =>
    form.entries[parameter.name] ?? freshEntry(parameter);
  const readings = parameters.map((parameter) => ({
    parameter,
    reading: read(parameter, entryOf(parameter)),
  }));
  const values = Object.fromEntries(
    readings.flatMap(({ parameter, reading }) =>
      "value" in reading ? [[parameter.name, reading.value]] : [],
    ),
  );
  const scheduleError = form.recurring ? readSchedule(form.schedule, Date.now()).error : undefined;
  const errors =
    readings.filter(({ reading }) => "error" in reading).length +
    (scheduleError ? 1 : 0) +
    (name.trim() ? 0 : 1) +
    (spec ? 0 : 1);
  const refusal = (createRun.error ?? createSchedule.error) as Error | null;

  const chooseVersion = (id: string | undefined, latest: boolean) => {
    const next = versions.find((each) => each.pipeline_version_id === id);
    const result = merge(parameters, form.entries, parametersOf(next?.pipeline_spec));
    setDropped(result.dropped);
    change({ versionId: id, latest, entries: result.entries });
  };
  const submit = () => {
    setStrict(true);
    if (errors > 0 || !spec) return;
    const reference = form.pipelineId && {
      pipeline_version_reference: {
        pipeline_id: form.pipelineId,
        ...(!(form.latest && form.recurring) && { pipeline_version_id: form.versionId }),
      },
    };
    // KFP has no switch for a whole run: its SDK, too, sends a changed copy of the file.
    const what =
      form.caching && reference ? reference : { pipeline_spec: form.caching ? spec : withoutCaching(spec) };
    const common = {
      display_name: name.trim(),
      ...(form.description && { description: form.description }),
      ...(form.experimentId && { experiment_id: form.experimentId }),
      ...(form.serviceAccount && { service_account: form.serviceAccount }),
      ...what,
      runtime_config: { parameters: values, ...(form.pipelineRoot && { pipeline_root: form.pipelineRoot }) },
    };
    const done = (address: string) => {
      draft.clear();
      navigate(split(address) as never);
    };
    if (form.recurring) {
      const schedule = {
        ...common,
        trigger: triggerOf(form.schedule),
        max_concurrency: form.schedule.maxConcurrency,
        no_catchup: !form.schedule.catchup,
        mode: "ENABLE" as const,
      };
      createSchedule.mutate(schedule, { onSuccess: (made) => done(scheduleAddress(made.recurring_run_id)) });
    } else {
      createRun.mutate(common, { onSuccess: (made) => done(runAddress(made.run_id)) });
    }
  };
  useShortcuts([{ keys: "mod+Enter", label: "Start", group: "Form", run: submit }]);
  const pending = createRun.isPending || createSchedule.isPending;

  return (
    <>
      <PageHeader
        title={form.recurring ? "New schedule" : "New run"}
        crumbs={
          form.recurring ? [{ label: "Schedules", to: "/recurringruns" }] : [{ label: "Runs", to: "/runs" }]
        }
        actions={
          <Button tone="primary" onClick={submit} disabled={pending}>
            {form.recurring ? "Create schedule" : "Start run"}
          </Button>
        }
      />
      <PageBody>
        <form
          className="grid items-start gap-6 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]"
          onSubmit={(event) => {
            event.preventDefault();
            submit();
          }}
        >
          <div className="flex flex-col gap-4">
            <Refusal error={refusal} />
            {error && <Failure error={error} />}
            <Section title="What to run">
              <div className="grid gap-4 p-4 md:grid-cols-2">
                <PipelinePicker
                  chosen={{
                    id: form.pipelineId ?? (inline ? "inline" : undefined),
                    name: inline ? `${shownName} (as in the cloned run)` : shownName,
                  }}
                  error={strict && !spec && !form.pipelineId ? "Choose a pipeline." : undefined}
                  onChoose={(id, label) =>
                    change({ pipelineId: id, pipelineName: label, versionId: undefined })
                  }
                />
                <VersionPicker
                  versions={versions}
                  value={form.versionId}
                  latest={form.latest}
                  recurring={form.recurring}
                  onChoose={chooseVersion}
                />
                <Field label="Name" error={strict && !name.trim() ? "A name is needed." : undefined}>
                  {(ids) => (
                    <Input
                      {...ids}
                      className="w-full"
                      maxLength={128}
                      value={name}
                      onChange={(event) => change({ name: event.target.value, nameTyped: true })}
                    />
                  )}
                </Field>
                <ExperimentPicker
                  chosen={{ id: form.experimentId, name: form.experimentName ?? "" }}
                  onChoose={(experimentId, experimentName) => change({ experimentId, experimentName })}
                />
                <Field label="Description" className="md:col-span-2" hint="optional">
                  {(ids) => (
                    <Textarea
                      {...ids}
                      rows={1}
                      className="field-sizing-content w-full"
                      value={form.description}
                      onChange={(event) => change({ description: event.target.value })}
                    />
                  )}
                </Field>
              </div>
            </Section>
            {dropped.length > 0 && (
              <div role="status" className="rounded-card border border-line bg-retrying-tint px-4 py-3">
                <p className="font-medium">Values that this version has no place for</p>
                <ul className="mt-1 list-disc pl-5 text-ink-2">
                  {dropped.map((line) => (
                    <li key={line}>{line}</li>
                  ))}
                </ul>
              </div>
            )}
            {spec && (
              <Parameters
                parameters={parameters}
                entryOf={entryOf}
                strict={strict}
                refusal={refusal instanceof ApiError ? refusal.message : undefined}
                onChange={(key, entry) =>
                  change((before) => ({ entries: { ...before.entries, [key]: entry } }))
                }
              />
            )}
            <Section
              title="Repeat"
              aside={
                <Switch
                  label="Repeat on a schedule"
                  checked={form.recurring}
                  onChange={(recurring) => change({ recurring })}
                />
              }
            >
              {form.recurring ? (
                <div className="p-4">
                  <ScheduleFields
                    schedule={form.schedule}
                    onChange={(part) => change((before) => ({ schedule: { ...before.schedule, ...part } }))}
                  />
                </div>
              ) : (
                <p className="px-4 py-3 text-ink-3">Runs once, now.</p>
              )}
            </Section>
            <Advanced form={form} change={change} />
          </div>
          <Summary
            form={{ ...form, name, pipelineName: shownName }}
            taskCount={taskTotal(spec)}
            versionName={version ? versionLabel(version) : ""}
            values={values}
            errors={strict ? errors : 0}
          />
          <button type="submit" className="sr-only" tabIndex={-1} aria-hidden>
            Start
          </button>
        </form>
      </PageBody>
    </>
  );
}
