//! What must never happen. A fault ends its run as failed; other runs and the process go on.

/// An inconsistency between a run's state, its events and its pipeline: a defect, or a damaged store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineFault {
    /// The pipeline names something that it does not hold, although it was checked.
    #[error("the pipeline refers to {what} `{name}`, which it does not hold")]
    Dangling {
        /// Kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// The state points outside itself.
    #[error("the state of the run is inconsistent: {0}")]
    Inconsistent(&'static str),
    /// A snapshot or stored event cannot be read.
    #[error("the stored {what} of the run cannot be read: {reason}")]
    Unreadable {
        /// `snapshot` or `event`.
        what: &'static str,
        /// Why.
        reason: String,
    },
}
