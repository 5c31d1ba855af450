//! One task of a run, and why its results were or were not taken over.

use ferroflow_model::TaskStatus;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{ArtifactRow, FailureNote, Millis, Segment, TaskState, Traceback};

/// One try of a task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct TaskAttempt {
    /// 1 for the first.
    pub(crate) attempt: u32,
    /// State.
    pub(crate) state: TaskStatus,
    /// What it did when, without gaps.
    pub(crate) segments: Vec<Segment>,
    /// Why it failed.
    pub(crate) error: Option<FailureNote>,
}

/// Artifacts under one name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct NamedArtifacts {
    /// Name of the input or output.
    pub(crate) name: String,
    /// The artifacts; most names stand for exactly one.
    pub(crate) artifacts: Vec<ArtifactRow>,
}

/// Parameters and artifacts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct TaskValues {
    /// Parameter values by name.
    pub(crate) parameters: Map<String, Value>,
    /// Artifacts by name.
    pub(crate) artifacts: Vec<NamedArtifacts>,
}

/// Where an input comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct InputSource {
    /// Name of the input.
    pub(crate) input: String,
    /// Path of the task that made it; `null` if it is an input of the pipeline or a constant.
    pub(crate) task: Option<String>,
    /// Name of that task's output, or of the pipeline's (group's) input; empty for a constant.
    pub(crate) name: String,
}

/// What a task runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct TaskProgram {
    /// Key of the component.
    pub(crate) component: String,
    /// Image; empty if it is no container.
    pub(crate) image: String,
    /// Program and words, with placeholders as written.
    pub(crate) command: Vec<String>,
    /// Names of environment variables; their values are not shown.
    pub(crate) env_names: Vec<String>,
    /// Resources as written.
    pub(crate) resources: Value,
    /// Source of a lightweight Python component; `null` if it is another kind.
    pub(crate) python_source: Option<String>,
    /// Attempts beyond the first.
    pub(crate) max_retries: u32,
    /// Condition as written; empty if none.
    pub(crate) condition: String,
    /// Whether results may be taken over from the cache.
    pub(crate) caching: bool,
}

/// A task with all that is known of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct TaskDetail {
    /// Id of the run.
    pub(crate) run_id: String,
    /// State and times.
    pub(crate) state: TaskState,
    /// Number among executions, as ML Metadata knows it.
    pub(crate) execution_id: i64,
    /// The name under which KFP's API knows its log; `null` for groups.
    pub(crate) log_node: Option<String>,
    /// Whether there is user code that could write a log.
    pub(crate) has_log: bool,
    /// What it runs; `null` for the pipeline itself and for iterations.
    pub(crate) program: Option<TaskProgram>,
    /// What it was given.
    pub(crate) inputs: TaskValues,
    /// Where that comes from.
    pub(crate) input_sources: Vec<InputSource>,
    /// What it made.
    pub(crate) outputs: TaskValues,
    /// All attempts, the oldest first.
    pub(crate) attempts: Vec<TaskAttempt>,
    /// The last traceback in the log of the newest attempt, for failed tasks.
    pub(crate) traceback: Option<Traceback>,
    /// Where cached results come from.
    pub(crate) cached_from: Option<ExecutionRef>,
}

/// A task as a row of a list over runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct TaskRow {
    /// The run.
    pub(crate) run: super::Named,
    /// Number among executions, as ML Metadata knows it.
    pub(crate) execution_id: i64,
    /// Task key; of an iteration that of its loop.
    pub(crate) name: String,
    /// State and times.
    pub(crate) state: TaskState,
    /// Cache key; `null` if none was made.
    pub(crate) fingerprint: Option<String>,
    /// What it was given.
    pub(crate) inputs: TaskValues,
    /// What it made.
    pub(crate) outputs: TaskValues,
}

/// One page of tasks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct TaskPage {
    /// The rows, the newest first.
    pub(crate) tasks: Vec<TaskRow>,
    /// Token of the next page, empty on the last one.
    pub(crate) next_page_token: String,
}

/// An execution of a task in some run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ExecutionRef {
    /// Number.
    pub(crate) execution_id: i64,
    /// The run; `null` if it was removed.
    pub(crate) run: Option<super::Named>,
    /// Id of the task.
    pub(crate) task_id: Option<String>,
    /// Path of the task.
    pub(crate) path: Option<String>,
    /// Its end.
    pub(crate) ended_at: Option<Millis>,
    /// How long it took.
    pub(crate) duration_ms: Option<Millis>,
}

/// How the cache was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CacheOutcome {
    /// Results were taken over.
    Hit,
    /// Nothing was under the key.
    Miss,
    /// The task (or the run) does not use the cache, or no look-up was made yet.
    Unused,
}

/// One part of the key that is not the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct CacheDifference {
    /// Which part, such as `input parameter depth`, `image`, `command`, `input artifact data`.
    pub(crate) part: String,
    /// Value of the earlier execution; `null` if it had none.
    pub(crate) then: Value,
    /// Value now; `null` if there is none.
    pub(crate) now: Value,
}

/// Why the results of a task were or were not taken over.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct CacheExplanation {
    /// How the cache was used.
    pub(crate) outcome: CacheOutcome,
    /// One sentence for people.
    pub(crate) reason: String,
    /// The key; `null` if none was made.
    pub(crate) fingerprint: Option<String>,
    /// Hit: the execution that made the results. Miss: the nearest earlier one with another key, if any.
    pub(crate) compared_with: Option<ExecutionRef>,
    /// Time that was saved by a hit.
    pub(crate) saved_ms: Option<Millis>,
    /// Parts that differ, the deciding ones first; empty for hits.
    pub(crate) differences: Vec<CacheDifference>,
    /// All parts of the key by KFP's names.
    pub(crate) parts: Map<String, Value>,
}
