//! Pipelines: lists, tasks over runs, and two versions side by side.

use ferroflow_model::{RunStatus, StorageState, TaskStatus};
use serde::Serialize;
use serde_json::Value;

use super::{Millis, Named};

/// A run in short, for strips of dots.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct RunDot {
    /// Id.
    pub(crate) run_id: String,
    /// Name for people.
    pub(crate) display_name: String,
    /// State.
    pub(crate) state: RunStatus,
    /// Creation.
    pub(crate) created_at: Millis,
    /// From creation to end.
    pub(crate) duration_ms: Option<Millis>,
}

/// A pipeline as a row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct PipelineRow {
    /// Id.
    pub(crate) pipeline_id: String,
    /// Unique name.
    pub(crate) name: String,
    /// Name for people.
    pub(crate) display_name: String,
    /// Free text.
    pub(crate) description: String,
    /// Creation.
    pub(crate) created_at: Millis,
    /// The newest version; `null` if there is none.
    pub(crate) latest_version: Option<Named>,
    /// Creation of the newest version.
    pub(crate) latest_version_at: Option<Millis>,
    /// How many versions.
    pub(crate) version_count: u64,
    /// The last runs, at most 10, the newest first.
    pub(crate) last_runs: Vec<RunDot>,
}

/// One page of pipelines.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct PipelinePage {
    /// The rows.
    pub(crate) pipelines: Vec<PipelineRow>,
    /// Pipelines on all pages together.
    pub(crate) total_size: u64,
    /// Token of the next page, empty on the last one.
    pub(crate) next_page_token: String,
}

/// An experiment as a row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ExperimentRow {
    /// Id.
    pub(crate) experiment_id: String,
    /// Unique name.
    pub(crate) display_name: String,
    /// Free text.
    pub(crate) description: String,
    /// Creation.
    pub(crate) created_at: Millis,
    /// Creation of the newest run; `null` if there is none.
    pub(crate) last_run_created_at: Option<Millis>,
    /// In the archive or not.
    pub(crate) storage_state: StorageState,
    /// The last runs outside the archive, at most 5, the newest first.
    pub(crate) last_runs: Vec<RunDot>,
}

/// One page of experiments.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ExperimentPage {
    /// The rows.
    pub(crate) experiments: Vec<ExperimentRow>,
    /// Experiments on all pages together.
    pub(crate) total_size: u64,
    /// Token of the next page, empty on the last one.
    pub(crate) next_page_token: String,
}

/// The last runs of some recurring runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct LastRuns {
    /// By the id of the recurring run: at most 10, the newest first; none for an id that is not known.
    pub(crate) last_runs: std::collections::BTreeMap<String, Vec<RunDot>>,
}

/// One cell of the matrix.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct MatrixCell {
    /// Id of the task; of a loop's body that of the first pass that failed, else of the first.
    pub(crate) task_id: String,
    /// State; of a loop's body the worst of all passes.
    pub(crate) state: TaskStatus,
    /// Time from start to end; of a loop's body the longest.
    pub(crate) duration_ms: Option<Millis>,
    /// How many tasks it stands for: passes of loops.
    pub(crate) count: u32,
}

/// One task over runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct MatrixRow {
    /// Path with `*` in the place of iteration indexes.
    pub(crate) path: String,
    /// Name for people.
    pub(crate) display_name: String,
    /// A cell for each run, in the order of the runs; `null` where the run has no such task.
    pub(crate) cells: Vec<Option<MatrixCell>>,
    /// Median duration over the cells that ended well.
    pub(crate) median_ms: Option<Millis>,
}

/// Tasks over the last runs of a pipeline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Matrix {
    /// The runs, the newest first.
    pub(crate) runs: Vec<RunDot>,
    /// Tasks with user code, in order of their first appearance.
    pub(crate) rows: Vec<MatrixRow>,
    /// Whether rows were left out, since there are more than 500.
    pub(crate) is_cut: bool,
}

/// How a task differs between two versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DiffKind {
    /// Only in the newer one.
    Added,
    /// Only in the older one.
    Removed,
    /// In both, not the same.
    Changed,
}

/// One thing about a task or pipeline that is not the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct FieldDiff {
    /// What, such as `image`, `command`, `input depth`, `condition`, `caching`, `resources`.
    pub(crate) field: String,
    /// In the older one; `null` if it has none.
    pub(crate) before: Value,
    /// In the newer one; `null` if it has none.
    pub(crate) after: Value,
}

/// A task that is not the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct TaskDiff {
    /// Path without iteration indexes.
    pub(crate) path: String,
    /// How.
    pub(crate) kind: DiffKind,
    /// What, for changed ones.
    pub(crate) fields: Vec<FieldDiff>,
}

/// Two versions side by side.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct VersionDiff {
    /// The older one.
    pub(crate) before: Named,
    /// The newer one.
    pub(crate) after: Named,
    /// Whether both files mean the same.
    pub(crate) is_same: bool,
    /// Parameters and other things of the pipeline itself.
    pub(crate) pipeline: Vec<FieldDiff>,
    /// Tasks.
    pub(crate) tasks: Vec<TaskDiff>,
    /// Text of the older file, for a diff of lines.
    pub(crate) before_text: String,
    /// Text of the newer file.
    pub(crate) after_text: String,
}
