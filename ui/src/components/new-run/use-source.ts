/** Fills the form from where one came: a pipeline, a run or a schedule to clone. Fills once; what is typed wins. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { experimentQueries } from "@/api/experiments";
import { pipelineQueries } from "@/api/pipelines";
import { runQueries } from "@/api/runs";
import { scheduleQueries } from "@/api/schedules";
import type { RecurringRun, Run } from "@/api/v2beta1";
import { entriesOf } from "@/lib/draft";
import type { Search } from "@/lib/search";
import { parametersOf } from "@/lib/spec";
import { type Draft, type FormState, scheduleDraftOf } from "./form-state";

export interface Source {
  /** The specification to run, once it is known. */
  spec: Record<string, unknown> | undefined;
  /** A specification that came with the source and belongs to no stored pipeline. */
  inline: boolean;
  error: Error | null;
}

export function useSource(search: Search, draft: Draft): Source {
  const { form, change } = draft;
  const run = useQuery({
    ...runQueries.public(search.cloneFromRun ?? ""),
    enabled: Boolean(search.cloneFromRun),
  });
  const schedule = useQuery({
    ...scheduleQueries.schedule(search.cloneFromRecurringRun ?? ""),
    enabled: Boolean(search.cloneFromRecurringRun),
  });
  const source: Run | RecurringRun | undefined = run.data ?? schedule.data;
  const wantsSource = Boolean(search.cloneFromRun || search.cloneFromRecurringRun);
  const inlineSpec = form.pipelineId ? undefined : source?.pipeline_spec;

  const versions = useQuery({
    ...pipelineQueries.versions(form.pipelineId ?? ""),
    enabled: Boolean(form.pipelineId),
  });
  const pipeline = useQuery({
    ...pipelineQueries.pipeline(form.pipelineId ?? ""),
    enabled: Boolean(form.pipelineId),
  });
  const experiment = useQuery({
    ...experimentQueries.experiment(form.experimentId ?? ""),
    enabled: Boolean(form.experimentId),
  });
  const listed = versions.data?.find((version) => version.pipeline_version_id === form.versionId);
  const version = useQuery({
    ...pipelineQueries.version(form.pipelineId ?? "", form.versionId ?? ""),
    enabled: Boolean(form.pipelineId && form.versionId && !listed?.pipeline_spec),
  });
  const spec = inlineSpec ?? listed?.pipeline_spec ?? version.data?.pipeline_spec;

  const filled = useRef(draft.restored);
  useEffect(() => {
    if (filled.current || (wantsSource && !source)) return;
    filled.current = true;
    change({
      ...(search.pipelineId && { pipelineId: search.pipelineId }),
      ...(search.pipelineVersionId && { versionId: search.pipelineVersionId }),
      ...(search.experimentId && { experimentId: search.experimentId }),
      ...(search.recurring === "1" && { recurring: true }),
      ...(source && fromSource(source)),
    });
  }, [search, source, wantsSource, change]);

  const named = useRef(false);
  useEffect(() => {
    const name = pipeline.data?.display_name || pipeline.data?.name;
    if (name && name !== form.pipelineName) change({ pipelineName: name });
    const experimentName = experiment.data?.display_name;
    if (experimentName && experimentName !== form.experimentName) change({ experimentName });
  }, [pipeline.data, experiment.data, form.pipelineName, form.experimentName, change]);

  // Arguments of a clone can be placed once the types of the parameters are known.
  useEffect(() => {
    const values = source?.runtime_config?.parameters;
    if (named.current || draft.restored || !spec || !values) return;
    named.current = true;
    change({ entries: entriesOf(parametersOf(spec), values) });
  }, [source, spec, draft.restored, change]);

  return {
    spec,
    inline: inlineSpec !== undefined,
    error: run.error ?? schedule.error ?? versions.error ?? version.error,
  };
}

function fromSource(source: Run | RecurringRun): Partial<FormState> {
  return {
    pipelineId: source.pipeline_version_reference?.pipeline_id,
    versionId: source.pipeline_version_reference?.pipeline_version_id,
    experimentId: source.experiment_id,
    name: `Clone of ${source.display_name ?? "run"}`,
    nameTyped: true,
    description: source.description ?? "",
    serviceAccount: source.service_account ?? "",
    pipelineRoot: source.runtime_config?.pipeline_root ?? "",
    ...("trigger" in source && { recurring: true, schedule: scheduleDraftOf(source, false) }),
  };
}
