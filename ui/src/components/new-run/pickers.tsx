/** Which pipeline, which version, which experiment. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { experimentQueries, useExperimentWrites } from "@/api/experiments";
import { pipelineQueries } from "@/api/pipelines";
import type { PipelineVersion } from "@/api/v2beta1";
import { Combobox } from "@/components/forms/combobox";
import { Field, Select } from "@/components/ui/field";
import { toastError } from "@/components/ui/toast";
import { millis, relative } from "@/lib/format";

interface Chosen {
  id: string | undefined;
  name: string;
}

export function PipelinePicker({
  chosen,
  error,
  onChoose,
}: {
  chosen: Chosen;
  error?: string;
  onChoose: (id: string, name: string) => void;
}) {
  const [text, setText] = useState("");
  const found = useQuery(pipelineQueries.choices(text));
  const choices = (found.data?.pipelines ?? []).map((pipeline) => ({
    id: pipeline.pipeline_id,
    label: pipeline.display_name || pipeline.name,
    hint:
      pipeline.description ||
      (pipeline.latest_version ? `newest version ${pipeline.latest_version.name}` : "no version"),
  }));
  return (
    <Field label="Pipeline" error={error}>
      {(ids) => (
        <Combobox
          ids={ids}
          value={chosen.id}
          shown={chosen.name || chosen.id || ""}
          placeholder="Choose a pipeline"
          choices={choices}
          loading={found.isPending}
          onSearch={setText}
          onChoose={(choice) => onChoose(choice.id, choice.label)}
        />
      )}
    </Field>
  );
}

interface VersionPickerProps {
  versions: readonly PipelineVersion[];
  value: string | undefined;
  latest: boolean;
  recurring: boolean;
  onChoose: (id: string | undefined, latest: boolean) => void;
}

const LATEST = "latest";

export function versionLabel(version: PipelineVersion): string {
  return version.display_name || version.name || version.pipeline_version_id;
}

export function VersionPicker({ versions, value, latest, recurring, onChoose }: VersionPickerProps) {
  return (
    <Field label="Version">
      {(ids) => (
        <Select
          {...ids}
          disabled={versions.length === 0}
          value={latest && recurring ? LATEST : (value ?? "")}
          onChange={(event) => {
            const next = event.target.value;
            if (next === LATEST) onChoose(versions[0]?.pipeline_version_id, true);
            else onChoose(next, false);
          }}
        >
          {recurring && <option value={LATEST}>always the newest version</option>}
          {versions.map((version, index) => {
            const at = millis(version.created_at);
            return (
              <option key={version.pipeline_version_id} value={version.pipeline_version_id}>
                {versionLabel(version)}
                {at ? ` · ${relative(at, Date.now())}` : ""}
                {index === 0 ? " · newest" : ""}
              </option>
            );
          })}
        </Select>
      )}
    </Field>
  );
}

export function ExperimentPicker({
  chosen,
  onChoose,
}: {
  chosen: Chosen;
  onChoose: (id: string, name: string) => void;
}) {
  const [text, setText] = useState("");
  const found = useQuery(experimentQueries.choices(text));
  const { create } = useExperimentWrites();
  const choices = (found.data?.experiments ?? []).map((experiment) => ({
    id: experiment.experiment_id,
    label: experiment.display_name,
    hint: experiment.description,
  }));
  return (
    <Field label="Experiment">
      {(ids) => (
        <Combobox
          ids={ids}
          value={chosen.id}
          shown={chosen.name || chosen.id || ""}
          placeholder="Default"
          choices={choices}
          loading={found.isPending}
          onSearch={setText}
          onChoose={(choice) => onChoose(choice.id, choice.label)}
          create={{
            label: (name) => `Create “${name}”`,
            run: (name) =>
              create.mutate(
                { display_name: name },
                {
                  onSuccess: (made) => onChoose(made.experiment_id, made.display_name ?? name),
                  onError: toastError,
                },
              ),
          }}
        />
      )}
    </Field>
  );
}
