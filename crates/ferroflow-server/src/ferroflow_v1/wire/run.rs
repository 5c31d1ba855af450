//! Runs in lists, and one run.

use ferroflow_model::{RunStatus, StorageState, TaskKind, TaskStatus};
use serde::Serialize;
use serde_json::{Map, Value};

use super::Millis;

/// An id with the name that people know.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Named {
    /// Id.
    pub(crate) id: String,
    /// Name for people.
    pub(crate) name: String,
}

/// The stored pipeline that a run was made from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct VersionRef {
    /// The pipeline.
    pub(crate) pipeline_id: String,
    /// The version.
    pub(crate) version_id: String,
    /// Name of the pipeline; `null` if it was removed.
    pub(crate) pipeline_name: Option<String>,
    /// Name of the version; `null` if it was removed.
    pub(crate) version_name: Option<String>,
}

/// How many tasks with user code (and importers) are in which state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct TaskCounts {
    /// Waiting.
    pub(crate) pending: u64,
    /// At work.
    pub(crate) running: u64,
    /// Ended well.
    pub(crate) succeeded: u64,
    /// Results taken over.
    pub(crate) cached: u64,
    /// Not needed.
    pub(crate) skipped: u64,
    /// Ended badly.
    pub(crate) failed: u64,
    /// Stopped.
    pub(crate) canceled: u64,
}

/// Why something failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FailureNote {
    /// One sentence.
    pub(crate) message: String,
    /// Exit code of user code.
    pub(crate) exit_code: Option<i32>,
    /// Signal that ended user code.
    pub(crate) signal: Option<i32>,
}

/// A run as a row of a list, with the names of what it belongs to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct RunRow {
    /// Id.
    pub(crate) run_id: String,
    /// Name for people.
    pub(crate) display_name: String,
    /// Free text.
    pub(crate) description: String,
    /// State.
    pub(crate) state: RunStatus,
    /// In the archive or not.
    pub(crate) storage_state: StorageState,
    /// The experiment; its name is empty if it was removed.
    pub(crate) experiment: Named,
    /// Name in the pipeline file.
    pub(crate) pipeline_name: String,
    /// The stored version; `null` if the pipeline came with the run.
    pub(crate) version: Option<VersionRef>,
    /// The schedule that made it; `null` if a person or program did.
    pub(crate) recurring_run_id: Option<String>,
    /// Creation.
    pub(crate) created_at: Millis,
    /// End.
    pub(crate) finished_at: Option<Millis>,
    /// From creation to end; `null` while it has not ended.
    pub(crate) duration_ms: Option<Millis>,
    /// Why it failed.
    pub(crate) error: Option<FailureNote>,
    /// Tasks by state.
    pub(crate) task_counts: TaskCounts,
    /// Arguments as sent.
    pub(crate) parameters: Map<String, Value>,
    /// Scalar metrics by `<task path>.<metric>`, at most 32.
    pub(crate) metrics: Map<String, Value>,
}

/// One page of runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct RunPage {
    /// The rows.
    pub(crate) runs: Vec<RunRow>,
    /// Runs on all pages together; 10,001 if there are more than 10,000.
    pub(crate) total_size: u64,
    /// Token of the next page, empty on the last one.
    pub(crate) next_page_token: String,
    /// Median duration of the last 20 well-ended runs by `pipeline_name`, of the pipelines on this page.
    pub(crate) typical_ms: std::collections::BTreeMap<String, Millis>,
}

/// One metric over runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct MetricSeries {
    /// `<task path>.<metric>`.
    pub(crate) name: String,
    /// A number for each run, in the order of the runs; `null` where the run has none.
    pub(crate) values: Vec<Option<f64>>,
}

/// Scalar metrics of the newest runs that match a filter.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct MetricTrends {
    /// The runs, the newest first; also those without metrics.
    pub(crate) runs: Vec<super::RunDot>,
    /// The metrics that are numbers; those of the newest run first.
    pub(crate) series: Vec<MetricSeries>,
    /// Whether metrics were left out, since there are more than 500.
    pub(crate) is_cut: bool,
}

/// How many runs have one value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FacetCount {
    /// The value: a state, an id, a name.
    pub(crate) value: String,
    /// What to show for it.
    pub(crate) label: String,
    /// Runs with it.
    pub(crate) count: u64,
}

/// Counts for the filter bar, over the newest runs that match the filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct RunFacets {
    /// Runs looked at, at most 10,000.
    pub(crate) runs: u64,
    /// By state.
    pub(crate) states: Vec<FacetCount>,
    /// By name in the pipeline file; the 50 most frequent.
    pub(crate) pipelines: Vec<FacetCount>,
    /// By experiment id; the 50 most frequent.
    pub(crate) experiments: Vec<FacetCount>,
}

/// A parameter of a run with the value that it has.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct RunParameter {
    /// Name.
    pub(crate) name: String,
    /// Kind such as `NUMBER_INTEGER`.
    pub(crate) parameter_type: String,
    /// The value; `null` if there is neither an argument nor a default.
    pub(crate) value: Value,
    /// The default; `null` if there is none.
    pub(crate) default_value: Value,
    /// Whether the request said it.
    pub(crate) is_given: bool,
    /// Whether the value is another than the default.
    pub(crate) is_changed: bool,
    /// Whether it may be missing.
    pub(crate) is_optional: bool,
    /// Allowed values; empty means any.
    pub(crate) literals: Vec<Value>,
}

/// What the cache has saved in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct CacheSummary {
    /// Tasks whose results were taken over.
    pub(crate) reused: u64,
    /// Tasks with user code that have ended well.
    pub(crate) ended_well: u64,
    /// Time that the original executions took.
    pub(crate) saved_ms: Millis,
}

/// A failed task, with what its log says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct FailedTask {
    /// Id.
    pub(crate) task_id: String,
    /// Path.
    pub(crate) path: String,
    /// Name for people.
    pub(crate) display_name: String,
    /// Newest attempt.
    pub(crate) attempt: u32,
    /// Why.
    pub(crate) error: Option<FailureNote>,
    /// The last traceback in its log; `null` if there is none.
    pub(crate) traceback: Option<Traceback>,
}

/// A Python traceback found in a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Traceback {
    /// Its text, at most 16 KiB from its end.
    pub(crate) text: String,
    /// The last line: kind and message of the exception.
    pub(crate) exception: String,
    /// Line of the log where it begins; 0 is the first.
    pub(crate) from_line: u64,
}

/// A change of state.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct RunStateChange {
    /// When.
    pub(crate) at: Millis,
    /// New state.
    pub(crate) state: RunStatus,
}

/// One run: what stands above its tabs, and the overview.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct RunOverview {
    /// As in lists.
    pub(crate) run: RunRow,
    /// States over time.
    pub(crate) history: Vec<RunStateChange>,
    /// Service account.
    pub(crate) service_account: String,
    /// Pipeline root of the request, empty if not given.
    pub(crate) pipeline_root: String,
    /// All parameters of the pipeline with the values they have.
    pub(crate) parameters: Vec<RunParameter>,
    /// Output parameters of the pipeline.
    pub(crate) outputs: Map<String, Value>,
    /// Output artifacts of the pipeline.
    pub(crate) output_artifacts: Vec<super::ArtifactRow>,
    /// Tasks that failed by themselves, in order of their end; at most 10.
    pub(crate) failures: Vec<FailedTask>,
    /// The slowest tasks, at most 5.
    pub(crate) slowest: Vec<TaskState>,
    /// What the cache has saved.
    pub(crate) cache: CacheSummary,
    /// Changes when the structure (graph) would: the same for all runs of one pipeline file.
    pub(crate) structure_version: String,
}

/// What changes about a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct RunHead {
    /// Id.
    pub(crate) run_id: String,
    /// State.
    pub(crate) state: RunStatus,
    /// In the archive or not.
    pub(crate) storage_state: StorageState,
    /// Creation.
    pub(crate) created_at: Millis,
    /// End.
    pub(crate) finished_at: Option<Millis>,
    /// Why it failed.
    pub(crate) error: Option<FailureNote>,
}

/// What changes about a task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct TaskState {
    /// Id.
    pub(crate) task_id: String,
    /// Path; empty for the pipeline itself.
    pub(crate) path: String,
    /// Path of the task that holds it; `null` for the pipeline itself.
    pub(crate) parent: Option<String>,
    /// Name for people.
    pub(crate) display_name: String,
    /// What it is.
    pub(crate) kind: TaskKind,
    /// State.
    pub(crate) state: TaskStatus,
    /// Newest attempt, 0 if none.
    pub(crate) attempt: u32,
    /// When it became known.
    pub(crate) created_at: Millis,
    /// Begin of work.
    pub(crate) started_at: Option<Millis>,
    /// End.
    pub(crate) ended_at: Option<Millis>,
    /// Which pass of a loop, for iterations.
    pub(crate) iteration_index: Option<u32>,
    /// How many passes, for loops.
    pub(crate) iteration_count: Option<u32>,
    /// The item of the pass in short, for iterations.
    pub(crate) item: Option<String>,
    /// Why it failed or was skipped.
    pub(crate) error: Option<FailureNote>,
}

/// States of a run and its tasks at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct RunState {
    /// Send it as `cursor` to the stream: changes from here on.
    pub(crate) cursor: String,
    /// The run.
    pub(crate) run: RunHead,
    /// All tasks in order of number; the pipeline itself is the first.
    pub(crate) tasks: Vec<TaskState>,
}
