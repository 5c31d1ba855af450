//! Tells of what was committed, as it becomes visible to readers.

use std::sync::Arc;

use ferroflow_model::{ExperimentId, PipelineId, RecurringRunId, RunId};
use futures_util::stream::BoxStream;

use crate::store::RunCommit;

/// What happened to a thing of which no more is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// It is new.
    Created,
    /// Something about it is another.
    Updated,
    /// It is gone.
    Deleted,
}

/// Something that was committed.
#[derive(Debug, Clone)]
pub enum Change {
    /// A step of a run.
    Step(Arc<RunCommit>),
    /// A run outside its steps: accepted, moved to or from the archive, removed.
    Run(RunId, Happening),
    /// An experiment. One that moves to the archive takes its runs along.
    Experiment(ExperimentId, Happening),
    /// A pipeline or a version of it; `None` if only the version is known.
    Pipeline(Option<PipelineId>, Happening),
    /// A recurring run; also when it has made a run. One whose experiment goes away or into the archive is disabled
    /// with it, untold.
    RecurringRun(RecurringRunId, Happening),
    /// The listener was too slow and has missed something.
    Lost,
}

/// Everything that is committed from the moment of the call, in the order of commits.
///
/// A change is told after readers can see it: listen first, then read, then follow, and nothing is missed. The stream
/// ends with the store. Listeners that do not keep up are told [`Change::Lost`] and never hold up writers.
pub trait ChangeFeed: Send + Sync {
    /// Begins to listen.
    fn changes(&self) -> BoxStream<'static, Change>;
}
