//! A schedule in memory: when it is due, and what keeps it from firing.

use std::collections::HashSet;
use std::time::Duration;

use ferroflow_engine::schedule::{Schedule, next_due};
use ferroflow_model::{RunId, Timestamp};

/// First and longest wait before a run that cannot be made is tried again.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));

/// What the record of a schedule says about its next run.
pub(super) struct Plan {
    pub(super) schedule: Schedule,
    pub(super) max_concurrency: usize,
    /// Runs made so far.
    pub(super) fired: u64,
    pub(super) last_slot: Option<Timestamp>,
}

/// An enabled schedule, or one that is being looked at.
#[derive(Default)]
pub(super) struct Entry {
    /// `None` until its record has been read.
    pub(super) plan: Option<Plan>,
    /// Its record is being read, or a run of it is being made.
    pub(super) is_busy: bool,
    /// Its record is to be read.
    pub(super) is_stale: bool,
    /// Runs of it that are alive.
    pub(super) alive: HashSet<RunId>,
    /// Time for which the clockwork will wake for it.
    pub(super) alarm: Option<Timestamp>,
    failures: u32,
    /// After a failure.
    not_before: Option<Timestamp>,
    /// What is noted in the record about the failure.
    pub(super) noted: Option<String>,
}

/// What to do about a schedule.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Read its record.
    Read,
    /// Make run number `index` for this slot.
    Fire { index: u64, slot: Timestamp },
    /// Nothing before this time.
    Wait(Timestamp),
    /// Nothing before a run of it ends.
    Blocked,
    /// Nothing any more.
    Over,
}

impl Entry {
    /// What to do now.
    pub(super) fn next(&self, now: Timestamp) -> Next {
        if self.is_stale {
            return self.not_before.filter(|at| *at > now).map_or(Next::Read, Next::Wait);
        }
        let Some(plan) = &self.plan else { return Next::Over };
        let Some(slot) = next_due(&plan.schedule, plan.last_slot, now) else { return Next::Over };
        match self.not_before.map_or(slot, |at| at.max(slot)) {
            at if at > now => Next::Wait(at),
            _ if self.alive.len() >= plan.max_concurrency => Next::Blocked,
            _ => Next::Fire { index: plan.fired + 1, slot },
        }
    }

    /// The run was made.
    pub(super) fn fired(&mut self, index: u64, slot: Timestamp, run: RunId) {
        if let Some(plan) = &mut self.plan {
            (plan.fired, plan.last_slot) = (index, Some(slot));
        }
        self.alive.insert(run);
        (self.failures, self.not_before, self.noted) = (0, None, None);
    }

    /// The run cannot be made; it is tried again later.
    pub(super) fn failed(&mut self, now: Timestamp) {
        let wait = RETRY.0.saturating_mul(1 << self.failures.min(16)).min(RETRY.1);
        self.failures = self.failures.saturating_add(1);
        self.not_before = Some(now.plus(wait));
    }

    /// Its record was changed by a client: what kept it from firing may be gone.
    pub(super) fn try_at_once(&mut self) {
        (self.failures, self.not_before) = (0, None);
    }
}
