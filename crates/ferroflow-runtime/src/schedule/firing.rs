//! Makes one run of a schedule, from its record as it stands.

use std::sync::Arc;

use ferroflow_engine::schedule::argument_macro::{MacroValues, expand, expand_arguments};
use ferroflow_engine::schedule::{Schedule, object_name, run_name};
use ferroflow_model::record::{Failure, PipelineSource};
use ferroflow_model::recurring::{RecurringRun, RecurringSource, Tick};
use ferroflow_model::{RecurringRunId, RunId, Timestamp};
use ferroflow_ports::{ErrorKind, PortError, SubmitRun};
use ferroflow_spec::check::check_arguments;
use ferroflow_spec::document::{self, PipelineDocument};
use tokio::sync::Semaphore;

use super::entry::Plan;
use super::{SchedulerOptions, SchedulerPorts};
use crate::submission::id_of_tick;

/// Most runs that are made at the same time, so that midnight does not take all memory.
const MOST_AT_ONCE: usize = 16;

/// What making runs needs.
pub(super) struct Desk {
    pub(super) ports: SchedulerPorts,
    options: SchedulerOptions,
    places: Semaphore,
}

/// What the record of a schedule came to.
pub(super) struct Reading {
    pub(super) plan: Plan,
    /// Runs of it that have not ended.
    pub(super) unfinished: Vec<RunId>,
}

/// What became of a run that was to be made.
pub(super) enum Outcome {
    Made(RunId),
    /// The schedule is not as it was thought to be.
    Stale,
    Failed(PortError),
}

impl Desk {
    pub(super) fn new(ports: SchedulerPorts, options: SchedulerOptions) -> Self {
        Self { ports, options, places: Semaphore::new(MOST_AT_ONCE) }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// Reads the record of a schedule; `None` if it is gone or disabled.
    pub(super) async fn read(&self, id: RecurringRunId) -> Result<Option<Reading>, PortError> {
        let record = match self.ports.store.recurring_run(id).await {
            Ok(record) if record.is_enabled => record,
            Ok(_) => return Ok(None),
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let schedule =
            Schedule::new(&record.trigger, record.created_at, !record.no_catchup, &self.options.zone);
        let plan = Plan {
            schedule: schedule
                .map_err(|error| PortError::new(ErrorKind::InvalidArgument, error.to_string()))?,
            max_concurrency: usize::try_from(record.max_concurrency).unwrap_or(usize::MAX).max(1),
            fired: record.fired,
            last_slot: record.last_slot,
        };
        Ok(Some(Reading { plan, unfinished: self.ports.store.unfinished_runs_of(id).await? }))
    }

    /// Makes run number `index` for `slot`.
    pub(super) async fn fire(&self, tick: Tick, slot: Timestamp) -> Outcome {
        let _place = self.places.acquire().await;
        match self.make(tick, slot).await {
            Ok(Some(run)) => Outcome::Made(run),
            Ok(None) => Outcome::Stale,
            // The store refused the tick: somebody has changed the schedule.
            Err(error) if error.kind == ErrorKind::Aborted => Outcome::Stale,
            Err(error) => Outcome::Failed(error),
        }
    }

    async fn make(&self, tick: Tick, slot: Timestamp) -> Result<Option<RunId>, PortError> {
        let record = match self.ports.store.recurring_run(tick.recurring_run_id).await {
            Ok(record) if record.is_enabled && record.fired + 1 == tick.index => record,
            Ok(_) => return Ok(None),
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let (source, document) = self.document(&record.source).await?;
        let now = self.now();
        let values = MacroValues { run: id_of_tick(tick), now, tick: Some((tick.index, slot)) };
        let mut request = request(record, source, document, &values)?;
        if request.service_account.is_empty() {
            request.service_account.clone_from(&self.options.service_account);
        }
        Ok(Some(self.ports.runtime.submit_on(request, Some((tick, slot))).await?.id))
    }

    /// The pipeline as it is at this time. Reading a large one takes a while, so that happens on a thread of its own.
    async fn document(
        &self,
        source: &RecurringSource,
    ) -> Result<(PipelineSource, PipelineDocument), PortError> {
        let version = match source {
            RecurringSource::Inline { spec_json } => {
                let text = Arc::clone(spec_json);
                let read = move || Ok(document::from_json(&serde_json::from_str(&text)?));
                let read = tokio::task::spawn_blocking(read).await.map_err(unreadable)?;
                let read = read.map_err(|error: serde_json::Error| unreadable(error))?;
                return Ok((PipelineSource::Inline, read.map_err(|problems| invalid(problems.to_string()))?));
            }
            RecurringSource::Latest { pipeline_id } => {
                self.ports.store.latest_pipeline_version(*pipeline_id).await?
            }
            RecurringSource::Version { version_id, .. } => {
                self.ports.store.pipeline_version(*version_id).await?
            }
        };
        let source = PipelineSource::Version { pipeline_id: version.pipeline_id, version_id: version.id };
        let read = move || document::read("pipeline.yaml", &version.source);
        let read = tokio::task::spawn_blocking(read).await.map_err(unreadable)?;
        Ok((source, read.map_err(|problems| invalid(problems.to_string()))?))
    }

    /// Notes why the run that is due cannot be made.
    pub(super) async fn note(&self, id: RecurringRunId, message: String) {
        let noted = self.ports.store.note_recurring_run_error(id, Failure::new(message)).await;
        if let Err(error) = noted {
            tracing::warn!(recurring_run = %id, %error, "cannot note why a run cannot be made");
        }
    }
}

fn request(
    record: RecurringRun,
    source: PipelineSource,
    document: PipelineDocument,
    values: &MacroValues,
) -> Result<SubmitRun, PortError> {
    let mut arguments = record.arguments.clone();
    expand_arguments(&mut arguments, values);
    let arguments =
        check_arguments(&document.spec, &arguments).map_err(|problems| invalid(problems.to_string()))?;
    let index = values.tick.map_or(0, |(index, _)| index);
    // A name with macros says itself how runs are to be called.
    let named = expand(&record.display_name, values).filter(|name| *name != record.display_name);
    Ok(SubmitRun {
        display_name: named.unwrap_or_else(|| run_name(&object_name(&record.display_name, record.id), index)),
        description: record.description,
        experiment_id: record.experiment_id,
        source,
        spec_json: document.wire_text().into(),
        spec: Arc::new(document.spec),
        sent_arguments: record.arguments,
        arguments,
        pipeline_root: record.pipeline_root,
        service_account: record.service_account,
        plugins_input: record.plugins_input,
        added_to: None,
    })
}

fn invalid(message: String) -> PortError {
    PortError::new(ErrorKind::InvalidArgument, message)
}

fn unreadable(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> PortError {
    PortError::new(ErrorKind::Internal, "the stored pipeline cannot be read").caused_by(cause)
}
