//! RecurringRunService.
//!
//! Keeps the records; whoever stands behind `Services::schedules` is told of each change and makes the runs.

use ferroflow_model::list::Page;
use ferroflow_model::record::PipelineSource;
use ferroflow_model::recurring::{Cadence, RecurringRun, RecurringSource, Trigger};
use ferroflow_model::{ExperimentId, RecurringRunId, Timestamp};
use ferroflow_proto::protobuf;
use ferroflow_proto::v2beta1 as wire;
use ferroflow_spec::document::PipelineDocument;
use serde_json::{Map, Value};
use uuid::Uuid;
use wire::recurring_run::{Mode, PipelineSource as WireSource, Status};
use wire::run::PipelineSource as RunSource;
use wire::trigger::Trigger as WireTrigger;

use super::experiment::ensure_default_experiment;
use super::run::{checked_arguments, failure, resolve_source, runtime_config};
use super::wire_values::{time, to_struct, whole_number};
use super::{MAX_RUN_NAME_BYTES, check_description, check_name, experiment, parse_id, plugins};
use crate::Services;
use crate::page::PageRequest;
use crate::status::ApiError;

pub(super) const WHAT: &str = "recurring run";
const MAX_NAMESPACE_BYTES: usize = 63;
const MAX_CONCURRENCY: u32 = 10;

/// CreateRecurringRun: by version, by whichever version is the latest each time, or by an inline spec.
pub(crate) async fn create(
    services: &Services,
    request: wire::CreateRecurringRunRequest,
) -> Result<wire::RecurringRun, ApiError> {
    let wanted = request.recurring_run.unwrap_or_default();
    let plain = read_plain(services, &wanted)?;
    let experiment_id = match wanted.experiment_id.as_str() {
        "" => ensure_default_experiment(&*services.store, &*services.clock).await?,
        id => parse_id(experiment::WHAT, id)?,
    };
    services.store.experiment(experiment_id).await?;
    let (source, document) = read_source(services, wanted.pipeline_source).await?;
    let config = wanted.runtime_config.unwrap_or_default();
    // Macros stay as they are: they are filled in for each run.
    let (arguments, _) = checked_arguments(&document.spec, config.parameters)?;
    if !config.pipeline_root.is_empty() {
        services.artifacts.check_root(&config.pipeline_root)?;
    }
    let is_pinned = !matches!(source, RecurringSource::Latest { .. });
    let service_account = match wanted.service_account {
        account if account.is_empty() && is_pinned => services.settings.service_account.clone(),
        account => account,
    };
    let plugins_input = plugins::read(wanted.plugins_input, &services.settings.plugins)?;
    let namespace = Some(wanted.namespace).filter(|name| !name.is_empty());
    let now = services.clock.now();
    let made = RecurringRun {
        id: RecurringRunId(Uuid::new_v4()),
        experiment_id,
        display_name: wanted.display_name,
        description: wanted.description,
        namespace: namespace.unwrap_or_else(|| services.settings.namespace.clone()),
        source,
        arguments,
        pipeline_root: config.pipeline_root,
        service_account,
        max_concurrency: plain.max_concurrency,
        trigger: plain.trigger,
        no_catchup: wanted.no_catchup,
        is_enabled: plain.is_enabled,
        created_at: now,
        updated_at: now,
        fired: 0,
        last_slot: None,
        error: None,
        plugins_input,
    };
    services.store.create_recurring_run(made.clone()).await?;
    services.schedules.look_at(made.id);
    to_wire(made)
}

/// What the request says itself, without looking at anything stored.
struct Plain {
    max_concurrency: u32,
    trigger: Trigger,
    is_enabled: bool,
}

/// Reports all problems at once.
fn read_plain(services: &Services, wanted: &wire::RecurringRun) -> Result<Plain, ApiError> {
    let mut problems = Vec::new();
    let mut note = |checked: Result<(), ApiError>| {
        problems.extend(checked.err().map(|error| error.public_text().to_owned()));
    };
    note(check_name(WHAT, &wanted.display_name, MAX_RUN_NAME_BYTES));
    note(check_description(WHAT, &wanted.description));
    note(check_namespace(wanted));
    let max_concurrency = u32::try_from(wanted.max_concurrency).unwrap_or(0);
    if !(1..=MAX_CONCURRENCY).contains(&max_concurrency) {
        note(Err(ApiError::invalid(format!(
            "`max_concurrency` must be 1 to {MAX_CONCURRENCY}, it is `{}`",
            wanted.max_concurrency
        ))));
    }
    let mode = Mode::try_from(wanted.mode);
    if mode.is_err() {
        note(Err(ApiError::invalid(format!("there is no mode `{}`", wanted.mode))));
    }
    let trigger = read_trigger(wanted.trigger.as_ref());
    let trigger = trigger.and_then(|trigger| Ok(services.schedules.check(&trigger).map(|()| trigger)?));
    match trigger {
        Ok(trigger) if problems.is_empty() => {
            Ok(Plain { max_concurrency, trigger, is_enabled: mode == Ok(Mode::Enable) })
        }
        Ok(_) => Err(ApiError::invalid(problems.join("; "))),
        Err(error) => {
            problems.push(error.public_text().to_owned());
            Err(ApiError::invalid(problems.join("; ")))
        }
    }
}

/// Experiments of this server have no namespace, so one that is named beside an experiment is another one.
fn check_namespace(wanted: &wire::RecurringRun) -> Result<(), ApiError> {
    if wanted.namespace.len() > MAX_NAMESPACE_BYTES {
        return Err(ApiError::invalid(format!(
            "the namespace is too long: at most {MAX_NAMESPACE_BYTES} bytes are allowed"
        )));
    }
    if !wanted.namespace.is_empty() && !wanted.experiment_id.is_empty() {
        return Err(ApiError::invalid(
            "the experiment is not in this `namespace`: leave the namespace or the experiment out",
        ));
    }
    Ok(())
}

fn read_trigger(wanted: Option<&wire::Trigger>) -> Result<Trigger, ApiError> {
    let (cadence, start, end) = match wanted.and_then(|wanted| wanted.trigger.as_ref()) {
        None => return Ok(Trigger { cadence: Cadence::Once, start: None, end: None }),
        Some(WireTrigger::CronSchedule(schedule)) => {
            let cadence = Cadence::Cron { expression: schedule.cron.clone() };
            (cadence, &schedule.start_time, &schedule.end_time)
        }
        Some(WireTrigger::PeriodicSchedule(schedule)) => {
            let seconds = u64::try_from(schedule.interval_second).ok().filter(|seconds| *seconds > 0);
            let seconds = seconds.ok_or_else(|| {
                let given = schedule.interval_second;
                ApiError::invalid(format!("`interval_second` must be at least 1, it is `{given}`"))
            })?;
            (Cadence::Interval { seconds }, &schedule.start_time, &schedule.end_time)
        }
    };
    let (start, end) = (read_time(start.as_ref()), read_time(end.as_ref()));
    if let (Some(start), Some(end)) = (start, end)
        && end < start
    {
        return Err(ApiError::invalid("`end_time` is before `start_time`: there would never be a run"));
    }
    Ok(Trigger { cadence, start, end })
}

/// Some clients send the year 1 or the epoch for a time that was not given.
fn read_time(wanted: Option<&protobuf::Timestamp>) -> Option<Timestamp> {
    wanted.filter(|time| time.seconds > 0).map(|time| Timestamp::from_seconds(time.seconds))
}

async fn read_source(
    services: &Services,
    wanted: Option<WireSource>,
) -> Result<(RecurringSource, PipelineDocument), ApiError> {
    let wanted = match wanted {
        None => {
            let text = "a recurring run needs a `pipeline_spec` or a `pipeline_version_reference`";
            return Err(ApiError::invalid(text));
        }
        Some(WireSource::PipelineSpec(spec)) => RunSource::PipelineSpec(spec),
        Some(WireSource::PipelineVersionReference(reference)) => {
            RunSource::PipelineVersionReference(reference)
        }
        Some(WireSource::PipelineVersionId(id)) => RunSource::PipelineVersionId(id),
    };
    let is_latest = matches!(
        &wanted,
        RunSource::PipelineVersionReference(reference) if reference.pipeline_version_id.is_empty()
    );
    let (found, document) = resolve_source(services, Some(wanted)).await?;
    let source = match found {
        PipelineSource::Version { pipeline_id, .. } if is_latest => RecurringSource::Latest { pipeline_id },
        PipelineSource::Version { pipeline_id, version_id } => {
            RecurringSource::Version { pipeline_id, version_id }
        }
        PipelineSource::Inline => RecurringSource::Inline { spec_json: document.wire_text().into() },
    };
    Ok((source, document))
}

/// GetRecurringRun.
pub(crate) async fn get(
    services: &Services,
    request: wire::GetRecurringRunRequest,
) -> Result<wire::RecurringRun, ApiError> {
    to_wire(services.store.recurring_run(parse_id(WHAT, &request.recurring_run_id)?).await?)
}

/// ListRecurringRuns, of one experiment if given. Items are as complete as single answers.
pub(crate) async fn list(
    services: &Services,
    request: wire::ListRecurringRunsRequest,
) -> Result<wire::ListRecurringRunsResponse, ApiError> {
    let experiment_id: Option<ExperimentId> = match request.experiment_id.as_str() {
        "" => None,
        id => Some(services.store.experiment(parse_id(experiment::WHAT, id)?).await?.id),
    };
    let page_request = PageRequest {
        scope: &format!("recurring runs of {}", request.experiment_id),
        page_token: &request.page_token,
        page_size: request.page_size,
        sort_by: &request.sort_by,
        filter: &request.filter,
    };
    let query = page_request.read(&services.page_tokens)?;
    let Page { items, total, next } =
        services.store.list_recurring_runs(experiment_id, query.clone()).await?;
    Ok(wire::ListRecurringRunsResponse {
        recurring_runs: items.into_iter().map(to_wire).collect::<Result<_, _>>()?,
        total_size: whole_number(total),
        next_page_token: page_request.next_token(&services.page_tokens, query, next),
    })
}

/// EnableRecurringRun: goes on from its last run.
pub(crate) async fn enable(
    services: &Services,
    request: wire::EnableRecurringRunRequest,
) -> Result<(), ApiError> {
    set_enabled(services, &request.recurring_run_id, true).await
}

/// DisableRecurringRun: runs that were made go on.
pub(crate) async fn disable(
    services: &Services,
    request: wire::DisableRecurringRunRequest,
) -> Result<(), ApiError> {
    set_enabled(services, &request.recurring_run_id, false).await
}

async fn set_enabled(services: &Services, id: &str, is_enabled: bool) -> Result<(), ApiError> {
    let id = parse_id(WHAT, id)?;
    services.store.set_recurring_run_enabled(id, is_enabled, services.clock.now()).await?;
    services.schedules.look_at(id);
    Ok(())
}

/// What an edit may change.
const EDITABLE: [&str; 6] =
    ["display_name", "description", "max_concurrency", "trigger", "no_catchup", "runtime_config"];

/// An edit, for which v2beta1 has no call: the fields of `changes` take the place of those that are there; null takes
/// one away. A new trigger counts from now, so that it makes no run for times that went by under the old one.
pub(crate) async fn edit(
    services: &Services,
    id: &str,
    changes: Map<String, Value>,
) -> Result<wire::RecurringRun, ApiError> {
    let before = services.store.recurring_run(parse_id(WHAT, id)?).await?;
    let shown = serde_json::to_value(to_wire(before.clone())?).map_err(ApiError::internal)?;
    let Value::Object(mut whole) = shown else { return Err(ApiError::internal("a message is no object")) };
    // That one is made by the server beside the experiment.
    whole.remove("namespace");
    for (field, value) in changes {
        if !EDITABLE.contains(&field.as_str()) {
            return Err(ApiError::invalid(format!(
                "`{field}` cannot be edited, only {} can",
                EDITABLE.join(", ")
            )));
        }
        whole.remove(&field);
        if !value.is_null() {
            whole.insert(field, value);
        }
    }
    let wanted: wire::RecurringRun = serde_json::from_value(Value::Object(whole))
        .map_err(|error| ApiError::invalid(format!("the change cannot be read: {error}")))?;
    let plain = read_plain(services, &wanted)?;
    let (_, document) = read_source(services, wanted.pipeline_source).await?;
    let config = wanted.runtime_config.unwrap_or_default();
    let (arguments, _) = checked_arguments(&document.spec, config.parameters)?;
    if !config.pipeline_root.is_empty() {
        services.artifacts.check_root(&config.pipeline_root)?;
    }
    let now = services.clock.now();
    let is_retimed = plain.trigger != before.trigger;
    let after = RecurringRun {
        display_name: wanted.display_name,
        description: wanted.description,
        arguments,
        pipeline_root: config.pipeline_root,
        max_concurrency: plain.max_concurrency,
        last_slot: if is_retimed { done_up_to(&plain.trigger, now) } else { before.last_slot },
        trigger: plain.trigger,
        no_catchup: wanted.no_catchup,
        updated_at: now,
        error: None,
        ..before
    };
    services.store.update_recurring_run(after.clone(), is_retimed).await?;
    services.schedules.look_at(after.id);
    to_wire(after)
}

/// Slots up to this one are not made up for under a trigger that is set now.
fn done_up_to(trigger: &Trigger, now: Timestamp) -> Option<Timestamp> {
    match trigger.cadence {
        Cadence::Once => None,
        // The first run is at the start, if that is to come.
        Cadence::Interval { .. } => Some(now),
        Cadence::Cron { .. } => Some(trigger.start.map_or(now, |start| start.max(now))),
    }
}

/// DeleteRecurringRun: its runs stay, whatever the propagation policy, which is about things in a cluster.
pub(crate) async fn delete(
    services: &Services,
    request: wire::DeleteRecurringRunRequest,
) -> Result<(), ApiError> {
    let id = parse_id(WHAT, &request.recurring_run_id)?;
    services.store.delete_recurring_run(id).await?;
    services.schedules.look_at(id);
    Ok(())
}

fn to_wire(recurring_run: RecurringRun) -> Result<wire::RecurringRun, ApiError> {
    let (mode, status) = if recurring_run.is_enabled {
        (Mode::Enable, Status::Enabled)
    } else {
        (Mode::Disable, Status::Disabled)
    };
    Ok(wire::RecurringRun {
        recurring_run_id: recurring_run.id.to_string(),
        display_name: recurring_run.display_name,
        description: recurring_run.description,
        pipeline_source: Some(source_to_wire(recurring_run.source)?),
        runtime_config: runtime_config(&recurring_run.arguments, &recurring_run.pipeline_root),
        service_account: recurring_run.service_account,
        plugins_input: plugins::to_wire(&recurring_run.plugins_input),
        max_concurrency: recurring_run.max_concurrency.into(),
        trigger: Some(trigger_to_wire(recurring_run.trigger)),
        mode: mode.into(),
        created_at: Some(time(recurring_run.created_at)),
        updated_at: Some(time(recurring_run.updated_at)),
        status: status.into(),
        error: recurring_run.error.as_ref().map(failure),
        no_catchup: recurring_run.no_catchup,
        namespace: recurring_run.namespace,
        experiment_id: recurring_run.experiment_id.to_string(),
    })
}

fn source_to_wire(source: RecurringSource) -> Result<WireSource, ApiError> {
    let reference = |pipeline_id: String, pipeline_version_id: String| {
        WireSource::PipelineVersionReference(wire::PipelineVersionReference {
            pipeline_id,
            pipeline_version_id,
        })
    };
    Ok(match source {
        RecurringSource::Version { pipeline_id, version_id } => {
            reference(pipeline_id.to_string(), version_id.to_string())
        }
        RecurringSource::Latest { pipeline_id } => reference(pipeline_id.to_string(), String::new()),
        RecurringSource::Inline { spec_json } => {
            let spec: Map<String, Value> = serde_json::from_str(&spec_json).map_err(ApiError::internal)?;
            WireSource::PipelineSpec(to_struct(&spec))
        }
    })
}

/// One run at once shows as a trigger without anything in it.
fn trigger_to_wire(trigger: Trigger) -> wire::Trigger {
    let (start_time, end_time) = (trigger.start.map(time), trigger.end.map(time));
    let trigger = match trigger.cadence {
        Cadence::Once => None,
        Cadence::Cron { expression: cron } => {
            Some(WireTrigger::CronSchedule(wire::CronSchedule { start_time, end_time, cron }))
        }
        Cadence::Interval { seconds } => Some(WireTrigger::PeriodicSchedule(wire::PeriodicSchedule {
            start_time,
            end_time,
            interval_second: seconds.cast_signed(),
        })),
    };
    wire::Trigger { trigger }
}
