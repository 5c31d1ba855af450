//! What services ask of the loop. Implemented by the runtime.

use std::sync::Arc;

use async_trait::async_trait;
use ferroflow_model::record::{PipelineSource, Run};
use ferroflow_model::{ExperimentId, RecurringRunId, RunId, TaskPath};
use ferroflow_spec::ir::PipelineSpec;
use serde_json::{Map, Value};

use crate::error::PortError;

/// A run as a client wants it; checked already: the document, the arguments, the pipeline root.
#[derive(Debug, Clone)]
pub struct SubmitRun {
    /// Name for people.
    pub display_name: String,
    /// Free text.
    pub description: String,
    /// The experiment.
    pub experiment_id: ExperimentId,
    /// What it is made from.
    pub source: PipelineSource,
    /// The pipeline.
    pub spec: Arc<PipelineSpec>,
    /// JSON text of the pipeline (bare or wrapped), exactly as it is to be shown.
    pub spec_json: Arc<str>,
    /// Arguments as sent, for the answer.
    pub sent_arguments: Map<String, Value>,
    /// Arguments checked and with integral numbers as integers.
    pub arguments: Map<String, Value>,
    /// Pipeline root of the request, empty if not given.
    pub pipeline_root: String,
    /// Service account, filled with the default.
    pub service_account: String,
    /// What was sent for plugins, by name.
    pub plugins_input: Map<String, Value>,
    /// A recurring run that the client adds this run to: once for each name, `AlreadyExists` after that.
    pub added_to: Option<RecurringRunId>,
}

/// The life of runs.
#[async_trait]
pub trait RunControl: Send + Sync {
    /// Accepts a run. It is stored for good when this answers; work begins after.
    async fn submit(&self, request: SubmitRun) -> Result<Run, PortError>;
    /// Ends a run: CANCELING at once; exit tasks get their time. While they have it, asking again stops them too.
    /// `NotFound`; `InvalidArgument` if there is nothing to end.
    async fn terminate(&self, id: RunId) -> Result<(), PortError>;
    /// Runs the failed part again. `NotFound`; `Aborted` unless the run has failed.
    async fn retry(&self, id: RunId) -> Result<(), PortError>;
    /// Runs a task, everything downstream of it, and the failed part again. `NotFound`; `Aborted` unless the run has
    /// ended and has got to this task.
    async fn retry_from(&self, id: RunId, task: TaskPath) -> Result<(), PortError>;
    /// Stops what is alive of the run and removes its rows and logs. `NotFound`.
    async fn delete(&self, id: RunId) -> Result<(), PortError>;
}
