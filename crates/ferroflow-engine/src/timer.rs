//! When tasks are due for their next attempt.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use ferroflow_model::Timestamp;

use crate::state::Index;

/// Times in order. Entries of tasks that no longer wait are passed over by whoever takes them.
#[derive(Debug, Default)]
pub(crate) struct Timers(BinaryHeap<Reverse<(Timestamp, Index)>>);

impl Timers {
    pub(crate) fn add(&mut self, at: Timestamp, task: Index) {
        self.0.push(Reverse((at, task)));
    }

    /// Nobody waits any more.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether this task is to be woken at this time.
    pub(crate) fn holds(&self, at: Timestamp, task: Index) -> bool {
        self.0.iter().any(|Reverse(entry)| *entry == (at, task))
    }

    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }

    /// The first task that is due, with the time it was due at.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Option<(Timestamp, Index)> {
        if self.next()? > now {
            return None;
        }
        self.0.pop().map(|Reverse(entry)| entry)
    }
}
