//! Runs side by side.

use ferroflow_model::TaskStatus;
use serde::Serialize;
use serde_json::Value;

use super::{ArtifactRow, Millis, RunRow};

/// One thing over all runs; lists are as long as the list of runs, in its order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct CompareRow {
    /// Name: of a parameter, `<task path>.<metric>`, `<task path>.<output>`, or `image`, `command` with the path.
    pub(crate) name: String,
    /// Values; `null` where there is none.
    pub(crate) values: Vec<Value>,
    /// Whether not all are the same.
    pub(crate) differs: bool,
}

/// One task over all runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct CompareTask {
    /// Path.
    pub(crate) path: String,
    /// Name for people.
    pub(crate) display_name: String,
    /// States; `null` where the run has no such task.
    pub(crate) states: Vec<Option<TaskStatus>>,
    /// Times from start to end; `null` where it did not end.
    pub(crate) durations_ms: Vec<Option<Millis>>,
}

/// One output artifact over all runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct CompareArtifacts {
    /// Path of the task that made it.
    pub(crate) path: String,
    /// Name of the output.
    pub(crate) name: String,
    /// Type in the first run that has it.
    pub(crate) artifact_type: String,
    /// Artifacts of each run; most are one or none.
    pub(crate) artifacts: Vec<Vec<ArtifactRow>>,
}

/// Runs side by side.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Comparison {
    /// The runs, in the order asked for.
    pub(crate) runs: Vec<RunRow>,
    /// Text that is the same where the pipeline file is, for each run.
    pub(crate) structure_versions: Vec<String>,
    /// Parameters with the values they have, defaults included.
    pub(crate) parameters: Vec<CompareRow>,
    /// Scalar metrics.
    pub(crate) metrics: Vec<CompareRow>,
    /// Output parameters of tasks.
    pub(crate) outputs: Vec<CompareRow>,
    /// Images and commands of tasks; only rows that differ.
    pub(crate) programs: Vec<CompareRow>,
    /// Tasks.
    pub(crate) tasks: Vec<CompareTask>,
    /// Output artifacts.
    pub(crate) artifacts: Vec<CompareArtifacts>,
}
