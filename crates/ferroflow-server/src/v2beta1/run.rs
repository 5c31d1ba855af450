//! RunService.

use std::sync::Arc;

use ferroflow_model::list::Page;
use ferroflow_model::record::{Failure, PipelineSource, PipelineVersion, StateChange};
use ferroflow_model::{ExperimentId, PipelineId, RecurringRunId, RunId, RunStatus, StorageState};
use ferroflow_ports::store::WholeRun;
use ferroflow_ports::{ErrorKind, SubmitRun};
use ferroflow_proto::rpc;
use ferroflow_proto::v2beta1 as wire;
use ferroflow_spec::document::PipelineDocument;
use ferroflow_spec::ir::PipelineSpec;
use serde_json::{Map, Value};
use wire::run::PipelineSource as WireSource;

use super::experiment::ensure_default_experiment;
use super::run_details::run_details;
use super::wire_values::{from_struct, from_wire, time, time_or_epoch, to_struct, whole_number};
use super::{
    MAX_RUN_NAME_BYTES, check_description, check_name, experiment, parse_id, pipeline, plugins,
    recurring_run, version,
};
use crate::Services;
use crate::page::PageRequest;
use crate::status::{ApiError, Code};

pub(crate) const WHAT: &str = "run";

/// CreateRun: by version, by the latest version of a pipeline, or by an inline spec. The answer comes when the run is
/// stored for good; nothing of it has started then.
pub(crate) async fn create(
    services: &Services,
    request: wire::CreateRunRequest,
) -> Result<wire::Run, ApiError> {
    let wanted = request.run.unwrap_or_default();
    check_wanted(&wanted)?;
    let experiment_id =
        match [&wanted.experiment_id, &request.experiment_id].into_iter().find(|id| !id.is_empty()) {
            Some(id) => parse_id(experiment::WHAT, id)?,
            None => ensure_default_experiment(&*services.store, &*services.clock).await?,
        };
    services.store.experiment(experiment_id).await?;
    let (source, document) = resolve_source(services, wanted.pipeline_source).await?;
    let runtime_config = wanted.runtime_config.unwrap_or_default();
    let (sent_arguments, arguments) = checked_arguments(&document.spec, runtime_config.parameters)?;
    if !runtime_config.pipeline_root.is_empty() {
        services.artifacts.check_root(&runtime_config.pipeline_root)?;
    }
    let service_account = if wanted.service_account.is_empty() {
        services.settings.service_account.clone()
    } else {
        wanted.service_account
    };
    let plugins_input = plugins::read(wanted.plugins_input, &services.settings.plugins)?;
    let added_to = added_to(services, &wanted.recurring_run_id).await?;
    let name = wanted.display_name;
    let spec_json: Arc<str> = document.wire_text().into();
    let submitted = services.runs.submit(SubmitRun {
        display_name: name.clone(),
        description: wanted.description,
        experiment_id,
        source,
        spec: Arc::new(document.spec),
        spec_json: Arc::clone(&spec_json),
        sent_arguments,
        arguments,
        pipeline_root: runtime_config.pipeline_root,
        service_account,
        plugins_input,
        added_to,
    });
    let whole = match (submitted.await, added_to) {
        // Who adds a run to a recurring run may ask again, and gets the run that there is.
        (Err(error), Some(recurring_run)) if error.kind == ErrorKind::AlreadyExists => {
            services.store.whole_run(RunId::added_to(recurring_run, &name)).await?
        }
        (submitted, _) => WholeRun { run: submitted?, tasks: Vec::new(), spec_json: Some(spec_json) },
    };
    run_to_wire(whole)
}

/// The recurring run that a run is to be one of. KFP's own controller makes runs so.
async fn added_to(services: &Services, id: &str) -> Result<Option<RecurringRunId>, ApiError> {
    if id.is_empty() {
        return Ok(None);
    }
    Ok(Some(services.store.recurring_run(parse_id(recurring_run::WHAT, id)?).await?.id))
}

/// Arguments as sent, and as the pipeline takes them.
type SentAndTaken = (Map<String, Value>, Map<String, Value>);

/// Reads the arguments of a request and checks them against the pipeline.
pub(super) fn checked_arguments(
    spec: &PipelineSpec,
    sent: impl IntoIterator<Item = (String, ferroflow_proto::protobuf::Value)>,
) -> Result<SentAndTaken, ApiError> {
    let sent = sent
        .into_iter()
        .map(|(name, value)| Ok((name, from_wire(value)?)))
        .collect::<Result<Map<_, _>, ApiError>>()?;
    let checked = ferroflow_spec::check::check_arguments(spec, &sent)
        .map_err(|problems| ApiError::invalid(problems.to_string()))?;
    Ok((sent, checked))
}

fn check_wanted(wanted: &wire::Run) -> Result<(), ApiError> {
    if !wanted.plugins_output.is_empty() {
        return Err(ApiError::new(Code::Aborted, "`plugins_output` is written by the server, leave it out"));
    }
    check_name(WHAT, &wanted.display_name, MAX_RUN_NAME_BYTES)?;
    check_description(WHAT, &wanted.description)
}

pub(super) async fn resolve_source(
    services: &Services,
    source: Option<WireSource>,
) -> Result<(PipelineSource, PipelineDocument), ApiError> {
    match source {
        Some(WireSource::PipelineSpec(spec)) => {
            let document = Value::Object(from_struct(spec)?);
            let read = ferroflow_spec::document::from_json(&document);
            let document = read.map_err(|problems| ApiError::invalid(problems.to_string()))?;
            Ok((PipelineSource::Inline, document))
        }
        Some(WireSource::PipelineVersionReference(reference)) => {
            let version = referenced_version(services, &reference).await?;
            let document = version::stored_document(&version.source)?;
            Ok((
                PipelineSource::Version { pipeline_id: version.pipeline_id, version_id: version.id },
                document,
            ))
        }
        Some(WireSource::PipelineVersionId(_)) => Err(ApiError::invalid(
            "`pipeline_version_id` is out of use: send `pipeline_version_reference` with `pipeline_id` and `pipeline_version_id`",
        )),
        None => Err(ApiError::invalid("a run needs a `pipeline_spec` or a `pipeline_version_reference`")),
    }
}

async fn referenced_version(
    services: &Services,
    reference: &wire::PipelineVersionReference,
) -> Result<PipelineVersion, ApiError> {
    let pipeline_id: PipelineId = parse_id(pipeline::WHAT, &reference.pipeline_id)?;
    services.store.pipeline(pipeline_id).await?;
    if reference.pipeline_version_id.is_empty() {
        return Ok(services.store.latest_pipeline_version(pipeline_id).await?);
    }
    let found =
        services.store.pipeline_version(parse_id(version::WHAT, &reference.pipeline_version_id)?).await?;
    if found.pipeline_id == pipeline_id {
        Ok(found)
    } else {
        Err(ApiError::invalid(format!("version `{}` does not belong to pipeline `{pipeline_id}`", found.id)))
    }
}

/// GetRun.
pub(crate) async fn get(services: &Services, request: wire::GetRunRequest) -> Result<wire::Run, ApiError> {
    let id: RunId = parse_id(WHAT, &request.run_id)?;
    run_to_wire(services.store.whole_run(id).await?)
}

/// ListRuns, of one experiment if given. Items are as complete as single answers.
pub(crate) async fn list(
    services: &Services,
    request: wire::ListRunsRequest,
) -> Result<wire::ListRunsResponse, ApiError> {
    let experiment_id: Option<ExperimentId> = match request.experiment_id.as_str() {
        "" => None,
        id => Some(services.store.experiment(parse_id(experiment::WHAT, id)?).await?.id),
    };
    let page_request = PageRequest {
        scope: &format!("runs of {}", request.experiment_id),
        page_token: &request.page_token,
        page_size: request.page_size,
        sort_by: &request.sort_by,
        filter: &request.filter,
    };
    let query = page_request.read(&services.page_tokens)?;
    let Page { items, total, next } = services.store.list_runs(experiment_id, query.clone()).await?;
    let wholes = services.store.whole_runs(items).await?;
    let runs = wholes.into_iter().map(run_to_wire).collect::<Result<_, _>>()?;
    Ok(wire::ListRunsResponse {
        runs,
        total_size: whole_number(total),
        next_page_token: page_request.next_token(&services.page_tokens, query, next),
    })
}

/// ArchiveRun: an active run goes on.
pub(crate) async fn archive(services: &Services, request: wire::ArchiveRunRequest) -> Result<(), ApiError> {
    Ok(services.store.set_run_storage(parse_id(WHAT, &request.run_id)?, StorageState::Archived).await?)
}

/// UnarchiveRun.
pub(crate) async fn unarchive(
    services: &Services,
    request: wire::UnarchiveRunRequest,
) -> Result<(), ApiError> {
    Ok(services.store.set_run_storage(parse_id(WHAT, &request.run_id)?, StorageState::Available).await?)
}

/// TerminateRun: CANCELING at once.
pub(crate) async fn terminate(
    services: &Services,
    request: wire::TerminateRunRequest,
) -> Result<(), ApiError> {
    Ok(services.runs.terminate(parse_id(WHAT, &request.run_id)?).await?)
}

/// RetryRun: the same run, its failed part again.
pub(crate) async fn retry(services: &Services, request: wire::RetryRunRequest) -> Result<(), ApiError> {
    Ok(services.runs.retry(parse_id(WHAT, &request.run_id)?).await?)
}

/// DeleteRun, in any state.
pub(crate) async fn delete(services: &Services, request: wire::DeleteRunRequest) -> Result<(), ApiError> {
    Ok(services.runs.delete(parse_id(WHAT, &request.run_id)?).await?)
}

/// The message of a run.
fn run_to_wire(whole: WholeRun) -> Result<wire::Run, ApiError> {
    let WholeRun { run, tasks, spec_json } = whole;
    let source = match &run.source {
        PipelineSource::Version { pipeline_id, version_id } => {
            WireSource::PipelineVersionReference(wire::PipelineVersionReference {
                pipeline_id: pipeline_id.to_string(),
                pipeline_version_id: version_id.to_string(),
            })
        }
        PipelineSource::Inline => {
            let text = spec_json.ok_or_else(|| ApiError::internal("a run without its pipeline"))?;
            let spec: Map<String, Value> = serde_json::from_str(&text).map_err(ApiError::internal)?;
            WireSource::PipelineSpec(to_struct(&spec))
        }
    };
    Ok(wire::Run {
        experiment_id: run.experiment_id.to_string(),
        run_id: run.id.to_string(),
        storage_state: storage_state(run.storage_state).into(),
        pipeline_source: Some(source),
        runtime_config: runtime_config(&run.arguments, &run.pipeline_root),
        recurring_run_id: run.tick.map(|tick| tick.recurring_run_id.to_string()).unwrap_or_default(),
        created_at: Some(time(run.created_at)),
        scheduled_at: Some(time(run.scheduled_at)),
        finished_at: Some(time_or_epoch(run.finished_at)),
        state: runtime_state(run.status).into(),
        error: run.error.as_ref().map(failure),
        run_details: run_details(&run, &tasks),
        state_history: run.history.iter().map(history_entry).collect(),
        display_name: run.display_name,
        description: run.description,
        service_account: run.service_account,
        plugins_input: plugins::to_wire(&run.plugins_input),
        ..Default::default()
    })
}

/// What a run was given, if anything.
pub(super) fn runtime_config(
    arguments: &Map<String, Value>,
    pipeline_root: &str,
) -> Option<wire::RuntimeConfig> {
    let has_config = !arguments.is_empty() || !pipeline_root.is_empty();
    has_config.then(|| wire::RuntimeConfig {
        parameters: to_struct(arguments).fields.into_iter().collect(),
        pipeline_root: pipeline_root.to_owned(),
    })
}

fn storage_state(state: StorageState) -> wire::run::StorageState {
    match state {
        StorageState::Available => wire::run::StorageState::Available,
        StorageState::Archived => wire::run::StorageState::Archived,
    }
}

fn runtime_state(status: RunStatus) -> wire::RuntimeState {
    match status {
        RunStatus::Pending => wire::RuntimeState::Pending,
        RunStatus::Running => wire::RuntimeState::Running,
        RunStatus::Succeeded => wire::RuntimeState::Succeeded,
        RunStatus::Skipped => wire::RuntimeState::Skipped,
        RunStatus::Failed => wire::RuntimeState::Failed,
        RunStatus::Canceling => wire::RuntimeState::Canceling,
        RunStatus::Canceled => wire::RuntimeState::Canceled,
        RunStatus::Paused => wire::RuntimeState::Paused,
    }
}

fn history_entry(change: &StateChange<RunStatus>) -> wire::RuntimeStatus {
    wire::RuntimeStatus {
        update_time: Some(time(change.at)),
        state: runtime_state(change.state).into(),
        error: None,
    }
}

/// gRPC's UNKNOWN: user code has no code of this kind.
const UNKNOWN: i32 = 2;

/// Why something failed, as a status message.
pub(super) fn failure(failure: &Failure) -> rpc::Status {
    rpc::Status { code: UNKNOWN, message: failure.message.clone(), details: Vec::new() }
}
