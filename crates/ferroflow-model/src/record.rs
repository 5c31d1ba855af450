//! Rows as they are stored and shown: experiments, pipelines, runs, tasks, attempts, artifacts.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::artifact::{Artifact, Inputs, Outputs};
use crate::id::{
    ArtifactId, AttemptId, ExecutionId, ExperimentId, PipelineId, PipelineVersionId, RunId, TaskId, TaskPath,
};
use crate::recurring::Tick;
use crate::state::{RunStatus, StorageState, TaskKind, TaskStatus};
use crate::time::Timestamp;

/// A group of runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Experiment {
    /// Identity.
    pub id: ExperimentId,
    /// Unique name.
    pub display_name: String,
    /// Free text.
    pub description: String,
    /// Creation.
    pub created_at: Timestamp,
    /// Creation of the newest run, the epoch if there is none.
    pub last_run_created_at: Timestamp,
    /// In the archive or not.
    pub storage_state: StorageState,
}

/// A named pipeline; its content is in versions.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    /// Identity.
    pub id: PipelineId,
    /// Unique name.
    pub name: String,
    /// Name for people.
    pub display_name: String,
    /// Free text.
    pub description: String,
    /// Creation.
    pub created_at: Timestamp,
    /// Labels.
    pub tags: BTreeMap<String, String>,
}

/// One content of a pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct PipelineVersion {
    /// Identity.
    pub id: PipelineVersionId,
    /// The pipeline.
    pub pipeline_id: PipelineId,
    /// Unique name in the pipeline.
    pub name: String,
    /// Name for people.
    pub display_name: String,
    /// Free text.
    pub description: String,
    /// Creation.
    pub created_at: Timestamp,
    /// Where the code lives, empty if not given.
    pub code_source_url: String,
    /// Where it was imported from, empty if uploaded.
    pub package_url: String,
    /// Labels.
    pub tags: BTreeMap<String, String>,
    /// The bytes as they were uploaded (of the YAML or JSON document itself).
    pub source: Arc<[u8]>,
}

/// What a run was made from.
#[derive(Debug, Clone, PartialEq)]
pub enum PipelineSource {
    /// A stored version.
    Version {
        /// The pipeline.
        pipeline_id: PipelineId,
        /// The version.
        version_id: PipelineVersionId,
    },
    /// The spec sent with the request, as JSON text exactly as sent.
    Inline,
}

/// An entry of a state history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StateChange<S> {
    /// When.
    pub at: Timestamp,
    /// New state.
    pub state: S,
}

/// Why something failed, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// One sentence.
    pub message: String,
    /// Exit code of user code, if it exited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// Signal that ended user code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
}

impl Failure {
    /// A failure that is not the exit of user code.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), exit_code: None, signal: None }
    }
}

/// A run.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Identity.
    pub id: RunId,
    /// Experiment.
    pub experiment_id: ExperimentId,
    /// Name for people; not unique.
    pub display_name: String,
    /// Free text.
    pub description: String,
    /// What it was made from.
    pub source: PipelineSource,
    /// The schedule that made it, if any.
    pub tick: Option<Tick>,
    /// `pipelineInfo.name`.
    pub pipeline_name: String,
    /// Kubernetes-style object name: `<pipeline name>-<5 characters>`; user code sees it in placeholders.
    pub resource_name: String,
    /// Arguments as sent (before macros and defaults), an object.
    pub arguments: Map<String, Value>,
    /// Pipeline root of the request, empty if not given.
    pub pipeline_root: String,
    /// Service account, filled with the default.
    pub service_account: String,
    /// Creation.
    pub created_at: Timestamp,
    /// The slot of a schedule, else creation.
    pub scheduled_at: Timestamp,
    /// When it ended; `None` while it has not.
    pub finished_at: Option<Timestamp>,
    /// State.
    pub status: RunStatus,
    /// States over time.
    pub history: Vec<StateChange<RunStatus>>,
    /// In the archive or not.
    pub storage_state: StorageState,
    /// Why it failed.
    pub error: Option<Failure>,
    /// Number of the pipeline's context.
    pub pipeline_context_id: i64,
    /// Number of the run's context.
    pub run_context_id: i64,
    /// Outputs of the pipeline itself, once it ended well.
    pub outputs: Outputs,
    /// What was sent for plugins, by name: kept and shown.
    pub plugins_input: Map<String, Value>,
}

/// A task instance of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskRecord {
    /// Number among executions.
    pub execution_id: ExecutionId,
    /// Identity.
    pub id: TaskId,
    /// The run.
    pub run_id: RunId,
    /// Place in the run.
    pub path: TaskPath,
    /// The group that holds it; `None` for the root.
    pub parent: Option<ExecutionId>,
    /// Task key (of an iteration: the loop's key).
    pub name: String,
    /// Name for people.
    pub display_name: String,
    /// What it is.
    pub kind: TaskKind,
    /// Which pass of the loop, for iterations.
    pub iteration_index: Option<u32>,
    /// How many passes, for loops.
    pub iteration_count: Option<u32>,
    /// State.
    pub status: TaskStatus,
    /// States over time.
    pub history: Vec<StateChange<TaskStatus>>,
    /// When the engine knew of it.
    pub created_at: Timestamp,
    /// When work on it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What it was given.
    pub inputs: Inputs,
    /// What it made.
    pub outputs: Outputs,
    /// Why it failed or was skipped.
    pub error: Option<Failure>,
    /// Cache key and its named parts, if a look-up was made.
    pub cache: Option<CacheRecord>,
    /// Execution whose results were taken over.
    pub cached_from: Option<ExecutionId>,
    /// Newest attempt, 0 if none.
    pub attempt: u32,
}

/// A cache key with what went into it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CacheRecord {
    /// Lowercase hex SHA-256, byte-exact as KFP's.
    pub fingerprint: String,
    /// What went into it.
    pub parts: CacheParts,
    /// Why an earlier result under the same key was not taken over, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
}

/// The parts of a cache key by KFP's names (`containerSpec`, `inputParameterValues`, …), as the text of a JSON object.
/// Runs of 10,000 tasks hold one for each, hardly anybody reads them, and most of the text is the same for all tasks of
/// a component: it is kept in three pieces, of which such tasks share the outer ones.
#[derive(Debug, Clone)]
pub struct CacheParts([Arc<str>; 3]);

impl CacheParts {
    /// From the text of a JSON object.
    pub fn from_json(text: &str) -> Self {
        Self::from_pieces([Arc::default(), text.into(), Arc::default()])
    }

    /// From pieces of the text of a JSON object.
    pub fn from_pieces(pieces: [Arc<str>; 3]) -> Self {
        Self(pieces)
    }

    /// The parts one by one; none if the text is not an object.
    pub fn read(&self) -> Map<String, Value> {
        serde_json::from_str(&self.to_string()).unwrap_or_default()
    }
}

impl fmt::Display for CacheParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| f.write_str(piece))
    }
}

impl PartialEq for CacheParts {
    fn eq(&self, other: &Self) -> bool {
        let bytes = |parts: &Self| parts.0.clone().map(|piece| piece.as_bytes().to_vec()).concat();
        bytes(self) == bytes(other)
    }
}

impl Eq for CacheParts {}

impl Serialize for CacheParts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CacheParts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::from_json(&text))
    }
}

impl From<&Map<String, Value>> for CacheParts {
    fn from(parts: &Map<String, Value>) -> Self {
        Self::from_json(&serde_json::to_string(parts).unwrap_or_default())
    }
}

/// When what happened to an attempt.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AttemptPhases {
    /// The task was known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// Upstream tasks had ended and inputs were resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready: Option<Timestamp>,
    /// A slot was free.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admitted: Option<Timestamp>,
    /// The process was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// Its packages were in place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub installed: Option<Timestamp>,
    /// User code ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_code_finished: Option<Timestamp>,
    /// Outputs were in the store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uploaded: Option<Timestamp>,
    /// The attempt ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished: Option<Timestamp>,
}

impl AttemptPhases {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// One try of a task.
#[derive(Debug, Clone, PartialEq)]
pub struct AttemptRecord {
    /// Identity.
    pub id: AttemptId,
    /// The task's number.
    pub execution_id: ExecutionId,
    /// State.
    pub status: TaskStatus,
    /// When what happened.
    pub phases: AttemptPhases,
    /// Why it failed.
    pub error: Option<Failure>,
}

/// An artifact with where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct ArtifactRecord {
    /// The artifact.
    pub artifact: Arc<Artifact>,
    /// Output name it was made under.
    pub name: String,
    /// Creation.
    pub created_at: Timestamp,
    /// Run that made it.
    pub run_id: RunId,
}

/// Direction of a link between execution and artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkDirection {
    /// The execution used it.
    Input,
    /// The execution made it (or took it over).
    Output,
}

/// An execution used or made an artifact: an event of ML Metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactLink {
    /// The execution.
    pub execution_id: ExecutionId,
    /// The artifact.
    pub artifact_id: ArtifactId,
    /// Used or made.
    pub direction: LinkDirection,
    /// Input or output name.
    pub name: String,
    /// Place in the list under this name.
    pub index: u32,
}
