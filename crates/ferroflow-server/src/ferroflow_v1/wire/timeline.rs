//! When what happened in a run, and which chain of tasks decided how long it took.

use ferroflow_model::{TaskKind, TaskStatus};
use serde::Serialize;

use super::Millis;

/// What an attempt does for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    /// Upstream tasks have not ended, or the next retry is not due.
    Wait,
    /// No slot is free.
    Queue,
    /// The process is being prepared.
    Start,
    /// Packages are being put in place.
    Setup,
    /// User code.
    Run,
    /// Outputs are brought to the store.
    Upload,
    /// The end is being noted.
    Finish,
}

/// One phase of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Segment {
    /// What it does.
    pub(crate) phase: Phase,
    /// Begin.
    pub(crate) from: Millis,
    /// End; `null` while it lasts.
    pub(crate) to: Option<Millis>,
}

/// One attempt on a row; all attempts of a task stand on the same row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct TimelineAttempt {
    /// 1 for the first.
    pub(crate) attempt: u32,
    /// State.
    pub(crate) state: TaskStatus,
    /// Phases without gaps; their lengths sum to the time of the attempt.
    pub(crate) segments: Vec<Segment>,
}

/// One task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct TimelineRow {
    /// Id of the task.
    pub(crate) task_id: String,
    /// Path.
    pub(crate) path: String,
    /// Path of the task that holds it.
    pub(crate) parent: Option<String>,
    /// Name for people.
    pub(crate) display_name: String,
    /// What it is; groups and loops have rows too, without attempts.
    pub(crate) kind: TaskKind,
    /// State.
    pub(crate) state: TaskStatus,
    /// When it became known.
    pub(crate) created_at: Millis,
    /// Begin of work.
    pub(crate) started_at: Option<Millis>,
    /// End.
    pub(crate) ended_at: Option<Millis>,
    /// Attempts, the oldest first.
    pub(crate) attempts: Vec<TimelineAttempt>,
    /// Whether it is on the chain that decided how long the run took.
    pub(crate) is_critical: bool,
    /// How much later it could have ended without making the run longer; `null` if it has not ended.
    pub(crate) slack_ms: Option<Millis>,
}

/// A link of the deciding chain.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct CriticalStep {
    /// Id of the task.
    pub(crate) task_id: String,
    /// Path.
    pub(crate) path: String,
    /// Name for people.
    pub(crate) display_name: String,
    /// From the end of the step before it (or the begin of the run).
    pub(crate) from: Millis,
    /// Its end (or now).
    pub(crate) to: Millis,
    /// Share of the whole chain, 0 to 1.
    pub(crate) share: f64,
}

/// A run over time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Timeline {
    /// Id of the run.
    pub(crate) run_id: String,
    /// Creation of the run.
    pub(crate) from: Millis,
    /// End of the run; `null` while it has not ended.
    pub(crate) to: Option<Millis>,
    /// The server's time, to which running phases are drawn.
    pub(crate) now: Millis,
    /// All tasks but the pipeline itself, in order of begin.
    pub(crate) rows: Vec<TimelineRow>,
    /// The deciding chain, the first step first.
    pub(crate) critical_path: Vec<CriticalStep>,
    /// Length of the chain.
    pub(crate) critical_ms: Millis,
}
