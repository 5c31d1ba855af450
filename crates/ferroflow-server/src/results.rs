//! What a run has made: values, artifacts, and how each task ended, which KFP's API does not tell.
//!
//! An addition of ours: `GET /apis/ferroflow/v1/runs/{run_id}`. The command line prints the same document, wherever
//! the run took place, so it can also be read back. Begin with [`run_results`].

use std::collections::BTreeMap;

use ferroflow_model::artifact::Outputs;
use ferroflow_model::record::{Failure, Run, TaskRecord};
use ferroflow_model::{RunId, RunStatus, TaskKind, TaskStatus, Timestamp};
use ferroflow_ports::PortError;
use ferroflow_ports::store::RunStore;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::v2beta1::run_details::pod_name;

/// A run and what it has made so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunResults {
    /// Id of the run.
    pub run_id: String,
    /// Name for people.
    pub display_name: String,
    /// Name of the pipeline.
    pub pipeline_name: String,
    /// State.
    pub state: RunStatus,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// Seconds from creation to end; absent while it has not ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// Outputs of the pipeline.
    pub outputs: Values,
    /// All tasks but the pipeline itself, in the order in which they became known.
    pub tasks: Vec<TaskResult>,
}

/// One task of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskResult {
    /// Id of the task.
    pub task_id: String,
    /// Task names and iteration indexes from the pipeline down, such as `for-loop-2/0/train`.
    pub path: String,
    /// Name for people.
    pub display_name: String,
    /// What it is.
    pub kind: TaskKind,
    /// State; unlike KFP's API this tells a cached result from a new one.
    pub state: TaskStatus,
    /// Number of the newest attempt, 0 if there is none.
    pub attempt: u32,
    /// Seconds from start to end; absent while it has not ended or if it never started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// Why it failed or was skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// The name under which its log is asked for; absent for groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_node: Option<String>,
    /// What it has made.
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    pub outputs: Values,
}

/// Parameters and artifacts by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Values {
    /// Parameter values.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub parameters: Map<String, Value>,
    /// Artifacts; most names stand for exactly one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub artifacts: BTreeMap<String, Vec<ArtifactResult>>,
}

impl Values {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.parameters.is_empty() && self.artifacts.is_empty()
    }
}

/// One artifact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArtifactResult {
    /// Schema title such as `system.Model`, empty if the type was given as a schema.
    #[serde(rename = "type")]
    pub schema_title: String,
    /// Where the bytes are.
    pub uri: String,
    /// As user code wrote it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
}

/// Reads what the run has made so far. `NotFound` without the run.
pub async fn run_results(store: &(impl RunStore + ?Sized), id: RunId) -> Result<RunResults, PortError> {
    let run = store.run(id).await?;
    let tasks = store.tasks_of(&[id]).await?;
    let results = tasks.iter().filter(|task| task.kind != TaskKind::Root).map(|task| task_result(&run, task));
    Ok(RunResults {
        run_id: run.id.to_string(),
        display_name: run.display_name.clone(),
        pipeline_name: run.pipeline_name.clone(),
        state: run.status,
        error: run.error.clone(),
        seconds: seconds(Some(run.created_at), run.finished_at),
        outputs: values(&run.outputs),
        tasks: results.collect(),
    })
}

fn task_result(run: &Run, task: &TaskRecord) -> TaskResult {
    TaskResult {
        task_id: task.id.to_string(),
        path: task.path.to_string(),
        display_name: task.display_name.clone(),
        kind: task.kind,
        state: task.status,
        attempt: task.attempt,
        seconds: seconds(task.started_at, task.ended_at),
        error: task.error.clone(),
        log_node: pod_name(run, task),
        outputs: values(&task.outputs),
    }
}

fn seconds(from: Option<Timestamp>, to: Option<Timestamp>) -> Option<f64> {
    Some(to?.since(from?).as_secs_f64())
}

fn values(outputs: &Outputs) -> Values {
    let parameters = outputs.parameters.iter().map(|(name, value)| (name.clone(), Value::clone(value)));
    let artifacts = outputs.artifacts.iter().map(|(name, found)| {
        let shown = found.iter().map(|artifact| ArtifactResult {
            schema_title: artifact.schema_title.clone(),
            uri: artifact.uri.clone(),
            metadata: artifact.metadata.clone(),
        });
        (name.clone(), shown.collect())
    });
    Values { parameters: parameters.collect(), artifacts: artifacts.collect() }
}
