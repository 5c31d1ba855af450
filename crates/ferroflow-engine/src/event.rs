//! The two vocabularies of the engine: events come in, commands go out.
//!
//! An event is a fact and is stored; a command is an intention, and doing it twice does no harm.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ferroflow_model::record::{
    ArtifactLink, ArtifactRecord, AttemptPhases, AttemptRecord, CacheRecord, Failure, TaskRecord,
};
use ferroflow_model::{AttemptId, ExecutionId, Outputs, RunId, RunStatus, TaskPath, Timestamp};
use ferroflow_spec::ir::ArtifactType;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::semantics::Semantics;

/// A fact about a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEvent {
    /// The run may begin.
    Started,
    /// The store answered [`Command::LookUpCache`].
    CacheAnswered {
        /// The task.
        task: TaskPath,
        /// What was found.
        hit: Option<CacheHit>,
    },
    /// The store found a result, but it may not be taken over: for the task as if nothing was found.
    CacheRefused {
        /// The task.
        task: TaskPath,
        /// Why, as the end of a sentence.
        reason: String,
    },
    /// A slot was free for the attempt of a [`Command::StartAttempt`]: it is being started.
    AttemptAdmitted {
        /// The task.
        task: TaskPath,
        /// Number of the attempt; anything else than the live one is dropped.
        attempt: u32,
    },
    /// An attempt ended.
    AttemptEnded {
        /// The task.
        task: TaskPath,
        /// Number of the attempt; reports of earlier ones are dropped.
        attempt: u32,
        /// How it ended.
        outcome: AttemptOutcome,
        /// What the executor knows of when what happened.
        #[serde(default, skip_serializing_if = "AttemptPhases::is_empty")]
        phases: AttemptPhases,
    },
    /// The time of [`crate::RunState::next_wake`] has come.
    TimeReached,
    /// A client wants the run to end. The second time it does not want to wait for exit tasks any more.
    TerminateRequested,
    /// A client wants the failed part to run again.
    RetryRequested,
    /// A client wants a task, everything downstream of it, and the failed part to run again.
    RetryFromRequested {
        /// The task.
        task: TaskPath,
    },
}

/// Numbers that a run may give to its tasks and artifacts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdBlock {
    /// The first of them.
    pub first: i64,
    /// How many.
    pub count: i64,
}

/// Where the engine gets further numbers from when a block is used up.
pub trait IdSource {
    /// A block that nobody else was given; not empty.
    fn next_block(&mut self) -> IdBlock;
}

/// An event with all that is needed to apply it once more to the same effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredEvent {
    /// Version of this form.
    #[serde(rename = "v")]
    pub version: u32,
    /// When it happened.
    pub at: Timestamp,
    /// Blocks of numbers that were taken, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<IdBlock>,
    /// What happened.
    pub event: RunEvent,
}

/// What the state of a run begins with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunSettings {
    /// What tasks may know of their run.
    pub identity: RunIdentity,
    /// Arguments after macros, checked and normalised; defaults are filled in by the engine.
    pub arguments: Map<String, Value>,
    /// Whether tasks may take over earlier results.
    pub caching: bool,
    /// The first numbers that the run may give away.
    pub ids: IdBlock,
    /// How it behaves where that can be chosen.
    #[serde(default)]
    pub semantics: Semantics,
}

/// What has changed since the last look, as rows: each task and attempt once, in its present form.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// Change of the run itself.
    pub run: Option<RunChange>,
    /// Tasks, new or changed.
    pub tasks: Vec<TaskRecord>,
    /// Attempts, new or changed.
    pub attempts: Vec<AttemptRecord>,
    /// New artifacts.
    pub artifacts: Vec<ArtifactRecord>,
    /// New links between executions and artifacts.
    pub links: Vec<ArtifactLink>,
    /// New results that later tasks may take over.
    pub cacheable: Vec<CacheableResult>,
}

/// Change of a run's row; absent parts stay.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunChange {
    /// New state and since when.
    pub status: Option<(Timestamp, RunStatus)>,
    /// When it ended; the inner `None` clears it (retry).
    pub finished_at: Option<Option<Timestamp>>,
    /// Why it failed; the inner `None` clears it.
    pub error: Option<Option<Failure>>,
    /// Outputs of the pipeline.
    pub outputs: Option<Outputs>,
}

/// A result that later tasks may take over.
#[derive(Debug, Clone, PartialEq)]
pub struct CacheableResult {
    /// The key with its parts.
    pub key: CacheRecord,
    /// The execution that made it.
    pub execution_id: ExecutionId,
    /// When.
    pub created_at: Timestamp,
    /// The results.
    pub outputs: Outputs,
}

/// Results of an earlier execution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CacheHit {
    /// The execution that made them.
    pub execution_id: ExecutionId,
    /// The results, with the ids of the artifacts as they were.
    pub outputs: Outputs,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum AttemptOutcome {
    /// User code succeeded and its outputs are in the store.
    Succeeded {
        /// What it made.
        outputs: ProducedOutputs,
    },
    /// It failed; the retry policy applies.
    Failed {
        /// Why.
        error: Failure,
    },
    /// It was stopped on request.
    Stopped,
    /// Whoever watched it is gone and it was stopped unseen: it runs again, whatever the retry policy says.
    Lost {
        /// Why, for the record.
        reason: String,
    },
}

/// Outputs as an executor reports them: artifacts have no number yet.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ProducedOutputs {
    /// Parameter values; `null` is a value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, Value>,
    /// Artifacts by output name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub artifacts: BTreeMap<String, Vec<ProducedArtifact>>,
}

/// An artifact that user code made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ProducedArtifact {
    /// Where the bytes are.
    pub uri: String,
    /// As user code wrote it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// Type that user code chose instead of the declared one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_title: Option<String>,
    /// Local path that user code chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_path: Option<String>,
}

/// An intention of the engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// Ask the store whether this work was done before; answered by [`RunEvent::CacheAnswered`].
    LookUpCache {
        /// The task.
        task: TaskPath,
        /// The key.
        fingerprint: String,
    },
    /// Start an attempt as soon as a slot is free; answered by [`RunEvent::AttemptEnded`].
    /// What to start follows from the state: see [`crate::RunState::attempt`].
    StartAttempt {
        /// The attempt.
        id: AttemptId,
    },
    /// Stop an attempt; answered by [`RunEvent::AttemptEnded`].
    StopAttempt {
        /// The attempt.
        id: AttemptId,
    },
    /// The run has ended; nothing of it is alive.
    Finish {
        /// Its final state.
        status: RunStatus,
    },
}

/// Everything an executor needs to run one attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskAttempt {
    /// Identity.
    pub id: AttemptId,
    /// Number of the task among executions.
    pub execution_id: ExecutionId,
    /// Task key.
    pub task_name: String,
    /// The run.
    pub run: Arc<RunIdentity>,
    /// What to run; placeholders not yet replaced.
    pub container: Arc<ferroflow_spec::ir::ContainerSpec>,
    /// `KubernetesExecutorConfig` JSON, `Null` if none.
    pub kubernetes: Arc<Value>,
    /// Resolved inputs; component defaults are in place.
    pub inputs: Arc<ferroflow_model::Inputs>,
    /// Declared output parameters.
    pub output_parameters: BTreeMap<String, ferroflow_spec::ir::ParameterType>,
    /// Declared output artifacts.
    pub output_artifacts: BTreeMap<String, DeclaredArtifact>,
    /// URI of the folder that the outputs go to, without a final slash; each output artifact is at `<task root>/<name>`.
    pub task_root: String,
    /// Longest time user code may run.
    pub timeout: Option<Duration>,
}

/// An output artifact as the component declares it.
#[derive(Debug, Clone, PartialEq)]
pub struct DeclaredArtifact {
    /// Type.
    pub artifact_type: ArtifactType,
    /// Metadata from the component.
    pub metadata: Map<String, Value>,
    /// Whether a list was declared.
    pub is_list: bool,
}

/// What tasks may know of their run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunIdentity {
    /// Identity.
    pub id: RunId,
    /// Display name.
    pub display_name: String,
    /// `pipelineInfo.name`.
    pub pipeline_name: String,
    /// Kubernetes-style object name.
    pub resource_name: String,
    /// URI of the folder of this run: `<pipeline root>/<pipeline name>/<run id>`.
    pub root: String,
    /// Creation.
    pub created_at: ferroflow_model::Timestamp,
    /// Slot of the schedule, else creation.
    pub scheduled_at: ferroflow_model::Timestamp,
}
