/** Changes a schedule in place. Only what was changed is sent, so that what others did meanwhile stays. */
import { useState } from "react";
import { ApiError } from "@/api/client";
import { type ScheduleChange, useScheduleWrites } from "@/api/schedules";
import type { RecurringRun } from "@/api/v2beta1";
import { scheduleDraftOf, triggerOf } from "@/components/new-run/form-state";
import { Parameters } from "@/components/new-run/parameters";
import { readSchedule, ScheduleFields } from "@/components/new-run/schedule-fields";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Refusal } from "@/components/ui/feedback";
import { Field, Input, Textarea } from "@/components/ui/field";
import { entriesOf, freshEntry, read } from "@/lib/draft";
import { parametersOf } from "@/lib/spec";

interface Props {
  schedule: RecurringRun;
  spec: Record<string, unknown> | undefined;
  onClose: () => void;
}

const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

export function EditDialog({ schedule, spec, onClose }: Props) {
  const parameters = parametersOf(spec);
  const before = {
    name: schedule.display_name ?? "",
    description: schedule.description ?? "",
    timing: scheduleDraftOf(schedule, true),
    entries: entriesOf(parameters, schedule.runtime_config?.parameters ?? {}),
  };
  // What was there when the dialog opened, also if the schedule is read anew meanwhile.
  const [first] = useState(before);
  const [form, setForm] = useState(before);
  const [strict, setStrict] = useState(false);
  const { edit } = useScheduleWrites();
  const set = (part: Partial<typeof form>) => setForm((now) => ({ ...now, ...part }));
  const readings = parameters.map((parameter) => ({
    name: parameter.name,
    reading: read(parameter, form.entries[parameter.name] ?? freshEntry(parameter)),
  }));
  const wrong =
    !form.name.trim() ||
    readSchedule(form.timing, Date.now()).error !== undefined ||
    readings.some(({ reading }) => "error" in reading);
  const save = () => {
    setStrict(true);
    if (wrong) return;
    const change: ScheduleChange = {};
    if (form.name !== first.name) change.display_name = form.name.trim();
    if (form.description !== first.description) change.description = form.description || null;
    if (form.timing.maxConcurrency !== first.timing.maxConcurrency)
      change.max_concurrency = form.timing.maxConcurrency;
    if (form.timing.catchup !== first.timing.catchup) change.no_catchup = !form.timing.catchup;
    if (!same(triggerOf(form.timing), triggerOf(first.timing))) change.trigger = triggerOf(form.timing);
    if (!same(form.entries, first.entries)) {
      const values = readings.flatMap(({ name, reading }) =>
        "value" in reading ? [[name, reading.value]] : [],
      );
      change.runtime_config = { ...schedule.runtime_config, parameters: Object.fromEntries(values) };
    }
    if (Object.keys(change).length === 0) onClose();
    else edit.mutate({ id: schedule.recurring_run_id, change }, { onSuccess: onClose });
  };
  return (
    <Dialog
      open
      wide
      onClose={onClose}
      title="Edit schedule"
      description="A new time counts from now. Runs that it has made stay as they are."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button tone="primary" disabled={edit.isPending} onClick={save}>
            Save
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <Refusal error={edit.error} />
        <Field label="Name" error={strict && !form.name.trim() ? "A name is needed." : undefined}>
          {(ids) => (
            <Input
              {...ids}
              className="w-full"
              maxLength={128}
              value={form.name}
              onChange={(event) => set({ name: event.target.value })}
            />
          )}
        </Field>
        <Field label="Description" hint="optional">
          {(ids) => (
            <Textarea
              {...ids}
              rows={1}
              className="field-sizing-content w-full"
              value={form.description}
              onChange={(event) => set({ description: event.target.value })}
            />
          )}
        </Field>
        <ScheduleFields
          schedule={form.timing}
          onChange={(part) => setForm((now) => ({ ...now, timing: { ...now.timing, ...part } }))}
        />
        {spec && (
          <Parameters
            parameters={parameters}
            entryOf={(parameter) => form.entries[parameter.name] ?? freshEntry(parameter)}
            strict={strict}
            refusal={edit.error instanceof ApiError ? edit.error.message : undefined}
            onChange={(name, entry) =>
              setForm((now) => ({ ...now, entries: { ...now.entries, [name]: entry } }))
            }
          />
        )}
      </div>
    </Dialog>
  );
}
