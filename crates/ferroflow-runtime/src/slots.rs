//! How many attempts may run, and which run is next: round robin over runs that have something to start.
//!
//! Inside a run attempts start in the order in which they became ready. Whether an attempt is still wanted is not
//! known here.

use std::collections::VecDeque;

use ferroflow_model::RunId;

/// The slots of the server.
#[derive(Debug)]
pub(crate) struct Slots {
    limit: usize,
    /// May exceed the limit after a restart: attempts that run are adopted, not stopped.
    used: usize,
    /// Each run at most once.
    rotation: VecDeque<RunId>,
}

impl Slots {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit: limit.max(1), used: 0, rotation: VecDeque::new() }
    }

    /// Puts a run at the end of the rotation; the caller knows whether it is in already.
    pub(crate) fn enqueue(&mut self, run: RunId) {
        self.rotation.push_back(run);
    }

    /// The run that may start an attempt now; it leaves the rotation.
    pub(crate) fn next(&mut self) -> Option<RunId> {
        if self.used < self.limit { self.rotation.pop_front() } else { None }
    }

    pub(crate) fn take(&mut self) {
        self.used += 1;
    }

    pub(crate) fn release(&mut self) {
        self.used = self.used.saturating_sub(1);
    }
}
