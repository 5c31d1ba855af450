//! The home page, search, and the server itself.

use serde::Serialize;

use super::{Millis, RunDot, RunRow};

/// What the page must know before it shows anything.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Bootstrap {
    /// Version of the server.
    pub(crate) version: String,
    /// Commit it was built from.
    pub(crate) commit: String,
    /// Where tasks run: `local`.
    pub(crate) mode: String,
    /// Namespaces; empty if there are none to choose from.
    pub(crate) namespaces: Vec<String>,
    /// The server's time.
    pub(crate) now: Millis,
    /// Whether there is any run.
    pub(crate) has_runs: bool,
    /// Largest page.
    pub(crate) max_page_size: u32,
    /// Most runs in a comparison.
    pub(crate) max_compared_runs: u32,
}

/// Runs that failed in the same way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct FailureGroup {
    /// Name in the pipeline file.
    pub(crate) pipeline_name: String,
    /// The sentence they have in common.
    pub(crate) message: String,
    /// How many.
    pub(crate) count: u64,
    /// The newest one.
    pub(crate) latest: RunDot,
}

/// Runs of one pipeline over the last days.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Activity {
    /// Name in the pipeline file.
    pub(crate) pipeline_name: String,
    /// Its runs of the last 14 days, the oldest first, at most 200.
    pub(crate) runs: Vec<RunDot>,
}

/// The home page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Home {
    /// Runs that have not ended.
    pub(crate) running: u64,
    /// Failed in the last 24 hours.
    pub(crate) failed_day: u64,
    /// Ended well in the last 24 hours.
    pub(crate) succeeded_day: u64,
    /// Median duration of those.
    pub(crate) median_ms_day: Option<Millis>,
    /// The same of the 24 hours before.
    pub(crate) median_ms_day_before: Option<Millis>,
    /// Runs at work, at most 20.
    pub(crate) running_now: Vec<RunRow>,
    /// Median duration of earlier runs by `pipeline_name`, of those in `running_now`.
    pub(crate) typical_ms: std::collections::BTreeMap<String, Millis>,
    /// Failures of the last 7 days, the newest first, at most 20.
    pub(crate) needs_attention: Vec<FailureGroup>,
    /// Pipelines by their newest run, at most 20.
    pub(crate) activity: Vec<Activity>,
}

/// What a search found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HitKind {
    /// A run.
    Run,
    /// A pipeline.
    Pipeline,
    /// A version of a pipeline.
    Version,
    /// An experiment.
    Experiment,
    /// A task of a recent run.
    Task,
    /// An artifact.
    Artifact,
}

/// One thing that a search found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct SearchHit {
    /// What it is.
    pub(crate) kind: HitKind,
    /// Its id.
    pub(crate) id: String,
    /// What to show.
    pub(crate) title: String,
    /// Where it belongs: names of pipeline, experiment or run.
    pub(crate) subtitle: String,
    /// Id of the run (tasks, artifacts) or pipeline (versions) it belongs to; empty for others.
    pub(crate) parent_id: String,
    /// State of a run or task; `null` for others.
    pub(crate) state: Option<String>,
    /// Creation.
    pub(crate) created_at: Millis,
}

/// What a search found, the best first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct SearchResults {
    /// At most 8 of each kind.
    pub(crate) hits: Vec<SearchHit>,
}

/// How much of everything there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct StoreCounts {
    /// Runs.
    pub(crate) runs: u64,
    /// Runs that have not ended.
    pub(crate) unfinished_runs: u64,
    /// Attempts at work.
    pub(crate) running_attempts: u64,
    /// Attempts that wait for a slot.
    pub(crate) waiting_attempts: u64,
    /// Pipelines.
    pub(crate) pipelines: u64,
    /// Versions of pipelines.
    pub(crate) versions: u64,
    /// Experiments.
    pub(crate) experiments: u64,
    /// Artifacts.
    pub(crate) artifacts: u64,
    /// Results that the cache holds.
    pub(crate) cache_entries: u64,
}

/// A fact about the machine or the installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct SystemFact {
    /// Group, such as `storage`, `python`, `server`.
    pub(crate) group: String,
    /// What.
    pub(crate) name: String,
    /// The value for people.
    pub(crate) value: String,
}

/// The server itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct System {
    /// Version of the server.
    pub(crate) version: String,
    /// Commit it was built from.
    pub(crate) commit: String,
    /// When it began to serve.
    pub(crate) started_at: Millis,
    /// Its time.
    pub(crate) now: Millis,
    /// How much of everything there is.
    pub(crate) counts: StoreCounts,
    /// Bytes of the database with its log.
    pub(crate) database_bytes: u64,
    /// Where artifacts go.
    pub(crate) artifact_root: String,
    /// Open streams of changes.
    pub(crate) open_streams: u64,
    /// What else is known: disk, Python, slots.
    pub(crate) facts: Vec<SystemFact>,
}
