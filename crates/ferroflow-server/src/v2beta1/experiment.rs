//! ExperimentService.

use ferroflow_model::list::Page;
use ferroflow_model::record::Experiment;
use ferroflow_model::{ExperimentId, StorageState, Timestamp};
use ferroflow_ports::store::ExperimentStore;
use ferroflow_ports::{Clock, ErrorKind, PortError};
use ferroflow_proto::v2beta1 as wire;
use uuid::Uuid;

use super::wire_values::{time, whole_number};
use super::{MAX_NAME_BYTES, check_description, check_name, or_name_taken, parse_id};
use crate::Services;
use crate::page::PageRequest;
use crate::status::{ApiError, Code};

/// Name of the experiment that runs go to when none is named.
pub(crate) const DEFAULT_NAME: &str = "Default";
pub(super) const WHAT: &str = "experiment";

/// Makes the experiment `Default` unless it exists, and returns its id. Call it before serving.
pub async fn ensure_default_experiment(
    store: &(impl ExperimentStore + ?Sized),
    clock: &(impl Clock + ?Sized),
) -> Result<ExperimentId, PortError> {
    if let Some(found) = store.experiment_by_name(DEFAULT_NAME).await? {
        return Ok(found.id);
    }
    let made = new_experiment(DEFAULT_NAME.to_owned(), String::new(), clock.now());
    let id = made.id;
    match store.create_experiment(made).await {
        Ok(()) => Ok(id),
        // Two runs without an experiment may both find none.
        Err(error) if error.kind == ErrorKind::AlreadyExists => {
            store.experiment_by_name(DEFAULT_NAME).await?.map(|found| found.id).ok_or(error)
        }
        Err(error) => Err(error),
    }
}

fn new_experiment(display_name: String, description: String, now: Timestamp) -> Experiment {
    Experiment {
        id: ExperimentId(Uuid::new_v4()),
        display_name,
        description,
        created_at: now,
        last_run_created_at: Timestamp::default(),
        storage_state: StorageState::Available,
    }
}

/// CreateExperiment.
pub(crate) async fn create(
    services: &Services,
    request: wire::CreateExperimentRequest,
) -> Result<wire::Experiment, ApiError> {
    let wanted = request.experiment.unwrap_or_default();
    check_name(WHAT, &wanted.display_name, MAX_NAME_BYTES)?;
    check_description(WHAT, &wanted.description)?;
    let made = new_experiment(wanted.display_name, wanted.description, services.clock.now());
    let name = made.display_name.clone();
    services
        .store
        .create_experiment(made.clone())
        .await
        .map_err(|error| or_name_taken(error, WHAT, &name))?;
    Ok(to_wire(made))
}

/// GetExperiment.
pub(crate) async fn get(
    services: &Services,
    request: wire::GetExperimentRequest,
) -> Result<wire::Experiment, ApiError> {
    Ok(to_wire(services.store.experiment(parse_id(WHAT, &request.experiment_id)?).await?))
}

/// ListExperiments.
pub(crate) async fn list(
    services: &Services,
    request: wire::ListExperimentsRequest,
) -> Result<wire::ListExperimentsResponse, ApiError> {
    let page_request = PageRequest {
        scope: "experiments",
        page_token: &request.page_token,
        page_size: request.page_size,
        sort_by: &request.sort_by,
        filter: &request.filter,
    };
    let query = page_request.read(&services.page_tokens)?;
    let Page { items, total, next } = services.store.list_experiments(query.clone()).await?;
    Ok(wire::ListExperimentsResponse {
        experiments: items.into_iter().map(to_wire).collect(),
        total_size: whole_number(total),
        next_page_token: page_request.next_token(&services.page_tokens, query, next),
    })
}

/// ArchiveExperiment: its runs go with it, and go on.
pub(crate) async fn archive(
    services: &Services,
    request: wire::ArchiveExperimentRequest,
) -> Result<(), ApiError> {
    let id = parse_id(WHAT, &request.experiment_id)?;
    Ok(services.store.set_experiment_storage(id, StorageState::Archived).await?)
}

/// UnarchiveExperiment: its runs stay in the archive.
pub(crate) async fn unarchive(
    services: &Services,
    request: wire::UnarchiveExperimentRequest,
) -> Result<(), ApiError> {
    let id = parse_id(WHAT, &request.experiment_id)?;
    Ok(services.store.set_experiment_storage(id, StorageState::Available).await?)
}

/// DeleteExperiment: its runs stay. The default one cannot be deleted.
pub(crate) async fn delete(
    services: &Services,
    request: wire::DeleteExperimentRequest,
) -> Result<(), ApiError> {
    let id = parse_id(WHAT, &request.experiment_id)?;
    if services.store.experiment(id).await?.display_name == DEFAULT_NAME {
        return Err(ApiError::new(Code::Aborted, "the default experiment cannot be deleted"));
    }
    Ok(services.store.delete_experiment(id).await?)
}

fn to_wire(experiment: Experiment) -> wire::Experiment {
    wire::Experiment {
        experiment_id: experiment.id.to_string(),
        display_name: experiment.display_name,
        description: experiment.description,
        created_at: Some(time(experiment.created_at)),
        storage_state: storage_state(experiment.storage_state).into(),
        last_run_created_at: Some(time(experiment.last_run_created_at)),
        ..Default::default()
    }
}

fn storage_state(state: StorageState) -> wire::experiment::StorageState {
    match state {
        StorageState::Available => wire::experiment::StorageState::Available,
        StorageState::Archived => wire::experiment::StorageState::Archived,
    }
}
