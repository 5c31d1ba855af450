//! Values that every floor shares: ids, states, times, artifacts, and the records that are stored and shown.
//!
//! No behaviour beyond conversion and naming; no I/O, clock or randomness. Begin with [`id`] and [`record`].

pub mod artifact;
pub mod id;
pub mod list;
pub mod record;
pub mod recurring;
pub mod state;
pub mod time;

pub use artifact::{Artifact, Inputs, Outputs, Parameters};
pub use id::{
    ArtifactId, AttemptId, ExecutionId, ExperimentId, PipelineId, PipelineVersionId, RecurringRunId, RunId,
    TaskId, TaskPath,
};
pub use state::{RunStatus, StorageState, TaskKind, TaskStatus};
pub use time::Timestamp;
