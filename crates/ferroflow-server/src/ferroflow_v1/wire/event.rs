//! What streams of changes say. Each event's `data` is one of these as JSON; its SSE name is `kind`.

use ferroflow_model::RunStatus;
use serde::Serialize;

use super::{LogLine, RunHead, RunLogLine, TaskState};

/// A change of one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum RunChange {
    /// The run's own state.
    Run {
        /// The run.
        run: RunHead,
    },
    /// Tasks, new or changed, whole.
    Tasks {
        /// The tasks.
        tasks: Vec<TaskState>,
    },
    /// New artifacts were made: lists of them and metrics are out of date.
    Artifacts {
        /// How many.
        count: u64,
    },
    /// Artifacts on their way from and to stores elsewhere, once a second while there are any, and once when there are
    /// none any more.
    Copies {
        /// All of the run.
        copies: Vec<CopyState>,
    },
    /// The run was removed. The stream ends.
    Deleted {
        /// The run.
        run_id: String,
    },
    /// Changes may have been missed: read the state again, then go on with this stream.
    Reset {
        /// Why, for the log.
        reason: String,
    },
}

/// Artifacts of a task on their way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct CopyState {
    /// Path of the task.
    pub(crate) path: String,
    /// Whether outputs go to the store; else inputs come from there.
    pub(crate) is_output: bool,
    /// Bytes that were copied.
    pub(crate) copied_bytes: u64,
    /// Bytes of all files that were begun: the whole, once the last one is.
    pub(crate) known_bytes: u64,
}

/// How a row of a list changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RowChange {
    /// It is new.
    Created,
    /// Its state or place (archive) changed.
    Updated,
    /// Its tasks went on; at most one of these a second for each run.
    Progressed,
    /// It was removed.
    Deleted,
}

/// A change of what lists show. Read the rows named with `runs?ids=…`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum ListChange {
    /// A run.
    Run {
        /// Its id.
        run_id: String,
        /// How.
        change: RowChange,
        /// Its new state, if that changed.
        state: Option<RunStatus>,
    },
    /// Some experiment.
    Experiments {
        /// Its id.
        experiment_id: String,
        /// How.
        change: RowChange,
    },
    /// Some pipeline or version of it.
    Pipelines {
        /// Its id; empty if only the version is known.
        pipeline_id: String,
        /// How.
        change: RowChange,
    },
    /// Some recurring run; also when it has made a run. One whose experiment is archived or removed is told by that.
    RecurringRuns {
        /// Its id.
        recurring_run_id: String,
        /// How.
        change: RowChange,
    },
    /// Changes may have been missed: read the list again, then go on with this stream.
    Reset {
        /// Why, for the log.
        reason: String,
    },
}

/// What a followed log says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum LogChange {
    /// New lines, in order. The event's id is the number of the line after them.
    Lines {
        /// The lines.
        lines: Vec<LogLine>,
    },
    /// The attempt has ended and all lines were sent. The stream ends.
    End {
        /// Lines that the log has.
        total_lines: u64,
    },
}

/// What the followed log of a run says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum RunLogChange {
    /// New lines, in order. The event's id is the number of the line after them.
    Lines {
        /// The lines.
        lines: Vec<RunLogLine>,
    },
    /// The run has ended and all lines were sent. The stream ends.
    End {
        /// Lines that there are.
        total_lines: u64,
    },
}
