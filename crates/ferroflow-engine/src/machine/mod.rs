//! The transitions: what an event does to a run.
//!
//! Consequences are worked off from a queue instead of by recursion, so that a chain of 100,000 skipped tasks needs no
//! deep stack. Each task is looked at once when it becomes ready and once when it ends: no rescans.

mod attempt;
mod group;
mod import;
mod retry;
mod run;
mod task;

use std::collections::VecDeque;

use ferroflow_model::Timestamp;

use crate::event::{Command, IdBlock, IdSource, RunEvent, StoredEvent};
use crate::fault::EngineFault;
use crate::state::{Index, RunState};

pub(crate) use run::earliest_end;

/// Version of stored events.
const EVENT_VERSION: u32 = 1;

/// What is still to be done about one event.
#[derive(Debug, Clone, Copy)]
enum Work {
    /// Nothing upstream of this task is left to wait for.
    Ready(Index),
    /// The task has ended.
    Ended(Index),
    /// All children of this group have ended.
    Close(Index),
}

/// One application of an event.
struct Machine<'a> {
    state: &'a mut RunState,
    now: Timestamp,
    ids: &'a mut dyn IdSource,
    out: &'a mut Vec<Command>,
    work: VecDeque<Work>,
}

impl RunState {
    /// Applies one event at a time `now`; what follows is appended to `out`. Events that come too late, twice, or for
    /// attempts that are not the live one change nothing. Returns the event as it is to be stored.
    ///
    /// After a fault the state must not be used any more.
    pub fn apply(
        &mut self,
        event: RunEvent,
        now: Timestamp,
        ids: &mut dyn IdSource,
        out: &mut Vec<Command>,
    ) -> Result<StoredEvent, EngineFault> {
        let mut taken = Recorder { source: ids, blocks: Vec::new() };
        self.step(&event, now, &mut taken, out)?;
        Ok(StoredEvent { version: EVENT_VERSION, at: now, blocks: taken.blocks, event })
    }

    /// Applies a stored event once more, to the same effect; its commands are dropped and its changes count as seen.
    pub fn replay(&mut self, stored: &StoredEvent) -> Result<(), EngineFault> {
        if stored.version != EVENT_VERSION {
            let reason = format!("it has version {}, this program reads {EVENT_VERSION}", stored.version);
            return Err(EngineFault::Unreadable { what: "event", reason });
        }
        let mut ids = Recorded(stored.blocks.iter());
        self.step(&stored.event, stored.at, &mut ids, &mut Vec::new())?;
        self.take_changes();
        Ok(())
    }

    fn step(
        &mut self,
        event: &RunEvent,
        now: Timestamp,
        ids: &mut dyn IdSource,
        out: &mut Vec<Command>,
    ) -> Result<(), EngineFault> {
        let mut machine = Machine { state: self, now, ids, out, work: VecDeque::new() };
        match event {
            RunEvent::Started => machine.start_run()?,
            RunEvent::CacheAnswered { task, hit } => machine.cache_answered(task, hit.as_ref())?,
            RunEvent::CacheRefused { task, reason } => machine.cache_refused(task, reason)?,
            RunEvent::AttemptAdmitted { task, attempt } => machine.attempt_admitted(task, *attempt)?,
            RunEvent::AttemptEnded { task, attempt, outcome, phases } => {
                machine.attempt_ended(task, *attempt, outcome, phases)?;
            }
            RunEvent::TimeReached => machine.time_reached()?,
            RunEvent::TerminateRequested => machine.terminate()?,
            RunEvent::RetryRequested => machine.retry()?,
            RunEvent::RetryFromRequested { task } => machine.retry_from(task)?,
        }
        machine.settle()
    }
}

impl Machine<'_> {
    /// Works off all consequences.
    fn settle(mut self) -> Result<(), EngineFault> {
        while let Some(work) = self.work.pop_front() {
            match work {
                Work::Ready(index) => self.ready(index)?,
                Work::Ended(index) => self.ended(index)?,
                Work::Close(index) => self.close(index)?,
            }
        }
        Ok(())
    }
}

/// Hands numbers on and notes them.
struct Recorder<'a> {
    source: &'a mut dyn IdSource,
    blocks: Vec<IdBlock>,
}

impl IdSource for Recorder<'_> {
    fn next_block(&mut self) -> IdBlock {
        let block = self.source.next_block();
        self.blocks.push(block);
        block
    }
}

/// Numbers that an event was given when it first happened.
struct Recorded<'a>(std::slice::Iter<'a, IdBlock>);

impl IdSource for Recorded<'_> {
    fn next_block(&mut self) -> IdBlock {
        // An event asks for the same blocks each time, so they cannot run out.
        self.0.next().copied().unwrap_or_default()
    }
}
