//! Recurring runs: what is to run again and again, when, and how far that has come.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::{ExperimentId, PipelineId, PipelineVersionId, RecurringRunId};
use crate::record::Failure;
use crate::time::Timestamp;

/// How often something runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cadence {
    /// One run, as soon as possible.
    Once,
    /// At equal distances.
    Interval {
        /// Seconds from one run to the next, at least 1.
        seconds: u64,
    },
    /// By the calendar.
    Cron {
        /// As the client wrote it.
        expression: String,
    },
}

/// When something runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// How often.
    pub cadence: Cadence,
    /// Not before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Timestamp>,
    /// Not after; a run at this very time is still made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Timestamp>,
}

/// What a recurring run is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecurringSource {
    /// A stored version, the same each time.
    Version {
        /// The pipeline.
        pipeline_id: PipelineId,
        /// The version.
        version_id: PipelineVersionId,
    },
    /// The version that is the newest at each time.
    Latest {
        /// The pipeline.
        pipeline_id: PipelineId,
    },
    /// The spec sent with the request.
    Inline {
        /// JSON text of the pipeline (bare or wrapped), as the API shows it.
        spec_json: Arc<str>,
    },
}

/// A schedule with what it starts.
#[derive(Debug, Clone, PartialEq)]
pub struct RecurringRun {
    /// Identity.
    pub id: RecurringRunId,
    /// Experiment of its runs.
    pub experiment_id: ExperimentId,
    /// Name for people; not unique.
    pub display_name: String,
    /// Free text.
    pub description: String,
    /// Namespace that answers show.
    pub namespace: String,
    /// What runs are made from.
    pub source: RecurringSource,
    /// Arguments as sent, macros and all; an object.
    pub arguments: Map<String, Value>,
    /// Pipeline root of the request, empty if not given.
    pub pipeline_root: String,
    /// Service account of its runs; empty for the default one.
    pub service_account: String,
    /// Most runs of it that are alive at once, at least 1.
    pub max_concurrency: u32,
    /// When.
    pub trigger: Trigger,
    /// Whether slots that were missed are passed over, all but the last.
    pub no_catchup: bool,
    /// Whether it makes runs at all.
    pub is_enabled: bool,
    /// Creation.
    pub created_at: Timestamp,
    /// When a client last changed it.
    pub updated_at: Timestamp,
    /// How many runs it has made; the next one has the number above.
    pub fired: u64,
    /// Slot of the last run.
    pub last_slot: Option<Timestamp>,
    /// Why the run that is due cannot be made; cleared by the next one that is.
    pub error: Option<Failure>,
    /// What was sent for plugins, by name: kept, shown, and handed on to the runs.
    pub plugins_input: Map<String, Value>,
}

/// What makes a run one of a schedule. Its slot is the time that the run is scheduled at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    /// The schedule.
    pub recurring_run_id: RecurringRunId,
    /// Number among the runs of the schedule, 1 for the first; 0 for one that a client added.
    pub index: u64,
}
