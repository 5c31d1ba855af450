//! The step of a run becomes durable, or waits until the store can take it.
//!
//! One commit of a run is under way at most, so commits cannot overtake each other, a failed one can be asked for again,
//! and what happens meanwhile is stored together.

use std::sync::Arc;
use std::time::Duration;

use ferroflow_engine::Changes;
use ferroflow_model::record::Failure;
use ferroflow_model::{Outputs, RunId, TaskStatus};
use ferroflow_ports::{ErrorKind, PortError};

use crate::active::{ActiveRun, Flight, Ghost, Phase, Slot, lookup_key};
use crate::cache;
use crate::event_loop::{Core, EventLoop};
use crate::perform;
use crate::request::answer;

/// A step with this many events does not wait for the cache any longer.
pub(crate) const MOST_HELD_EVENTS: usize = 1024;

/// Events after which a snapshot is worth its cost, whatever the size of the run.
const SNAPSHOT_EVENTS: u64 = 2048;

/// Likewise for each task. A task without trouble has three, so that most runs end before a snapshot of them, which
/// takes as much memory again as the run.
const SNAPSHOT_EVENTS_PER_TASK: u64 = 4;

/// First and longest wait before a failed commit is tried again.
const COMMIT_RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

impl Core {
    /// Asks for the commit of the run's step, unless one is under way or answers of the cache are about to join it.
    pub(crate) fn flush(&mut self, run: &mut ActiveRun, is_urgent: bool) {
        let is_held = run.lookups.unstored > 0 && run.step.event_count() < MOST_HELD_EVENTS;
        if run.flight.is_some() || run.step.is_empty() || (is_held && !is_urgent) {
            return;
        }
        if let Err(error) = store_lookups(run) {
            self.fail(run, &error.to_string());
        }
        run.absorb_changes();
        let mut step = std::mem::take(&mut run.step);
        let acknowledge = std::mem::take(&mut step.acknowledge);
        let replies = std::mem::take(&mut step.replies);
        let count = step.event_count() as u64;
        let (passed, mut commit) = step.into_commits(run.id, run.next_seq, &run.pipeline_name);
        run.next_seq += count;
        run.since_snapshot += count;
        for entry in &mut commit.cache_entries {
            let outputs = entry.outputs.artifacts.values().flatten();
            entry.contents = cache::contents(&*self.ports.artifacts, outputs);
        }
        let tasks = run.state.task_count() as u64;
        if run.phase == Phase::Live
            && run.since_snapshot > SNAPSHOT_EVENTS.max(SNAPSHOT_EVENTS_PER_TASK * tasks)
        {
            commit.snapshot = Some(run.state.snapshot());
            run.since_snapshot = 0;
        }
        let commit = Arc::new(commit);
        run.flight = Some(Flight { commit: Arc::clone(&commit), acknowledge, replies, failures: 0 });
        let call = perform::commit(&self.ports.store, passed, commit);
        self.call(call);
    }
}

/// Questions that are still open go into the outbox with this step.
fn store_lookups(run: &mut ActiveRun) -> serde_json::Result<()> {
    if run.lookups.unstored == 0 {
        return Ok(());
    }
    run.lookups.unstored = 0;
    for (task, lookup) in run.lookups.open.iter_mut().filter(|(_, lookup)| !lookup.is_stored) {
        lookup.is_stored = true;
        let command = ferroflow_engine::Command::LookUpCache {
            task: task.clone(),
            fingerprint: lookup.fingerprint.clone(),
        };
        run.step.put(lookup_key(task), &command)?;
    }
    Ok(())
}

impl EventLoop {
    /// The store has answered a commit.
    pub(crate) fn committed(&mut self, id: RunId, result: Result<(), PortError>) {
        let Some(Slot::Active(run)) = self.runs.get_mut(&id) else { return };
        match result {
            Ok(()) => self.core.durable(run),
            Err(error) => match error.kind {
                ErrorKind::Aborted | ErrorKind::NotFound => self.fence(id, &error),
                ErrorKind::InvalidArgument | ErrorKind::AlreadyExists if run.phase != Phase::Faulted => {
                    self.core.refused(run, &error);
                }
                _ => self.core.stall(run, &error),
            },
        }
    }

    /// A commit that failed is tried again.
    pub(crate) fn commit_due(&mut self, id: RunId) {
        let Some(Slot::Active(run)) = self.runs.get_mut(&id) else { return };
        let Some(flight) = &run.flight else { return };
        let call = perform::commit(&self.core.ports.store, Vec::new(), Arc::clone(&flight.commit));
        self.core.call(call);
    }

    /// Somebody else wrote the run: nothing of it may be stored from here.
    fn fence(&mut self, id: RunId, error: &PortError) {
        tracing::error!(run = %id, %error, "letting go of a run that somebody else has written");
        let Some(Slot::Active(run)) = self.runs.insert(id, Slot::Fenced) else { return };
        for _ in &run.running {
            self.core.slots.release();
        }
        let replies = run.flight.into_iter().flat_map(|flight| flight.replies).chain(run.step.replies);
        for reply in replies.chain(run.deleters) {
            answer(reply, Err(PortError::new(error.kind, error.message.clone())));
        }
        for request in run.later {
            self.request(request);
        }
    }

    /// An ended run of which everything is stored leaves the memory.
    pub(crate) fn leave_if_over(&mut self, id: RunId) {
        let is_over = |run: &ActiveRun| matches!(run.phase, Phase::Ended | Phase::Faulted) && run.is_stored();
        if !matches!(self.runs.get(&id), Some(Slot::Active(run)) if is_over(run)) {
            return;
        }
        let Some(Slot::Active(run)) = self.runs.remove(&id) else { return };
        let run = *run;
        self.core.acknowledge(run.early.into_keys().collect());
        if !run.running.is_empty() {
            let ghost = Ghost { alive: run.running, is_deleted: false };
            self.runs.insert(id, Slot::Ghost(ghost));
        }
        drop(run.watchers);
        for waiter in run.waiters {
            let _ = waiter.send(());
        }
        for request in run.later {
            self.request(request);
        }
    }
}

impl Core {
    fn durable(&mut self, run: &mut ActiveRun) {
        let Some(flight) = run.flight.take() else { return };
        if flight.failures > 0 {
            tracing::info!(run = %run.id, "the store takes commits again");
        }
        self.acknowledge(flight.acknowledge);
        for reply in flight.replies {
            answer(reply, Ok(()));
        }
        for entry in &flight.commit.cache_entries {
            let is_same = |hit: &ferroflow_engine::CacheHit| hit.execution_id == entry.execution_id;
            if run.fresh.get(&entry.key.fingerprint).is_some_and(is_same) {
                run.fresh.remove(&entry.key.fingerprint);
            }
        }
        run.watchers.retain(|watcher| watcher.send(Arc::clone(&flight.commit)).is_ok());
        self.ask_next(run);
        self.mark(run);
    }

    /// The store cannot write now: running attempts go on, nothing new starts, nothing is acknowledged. Clients are
    /// told; what they asked for stays asked.
    fn stall(&mut self, run: &mut ActiveRun, error: &PortError) {
        let id = run.id;
        let Some(flight) = &mut run.flight else { return };
        if flight.failures == 0 {
            tracing::error!(run = %id, %error, "the store cannot take a commit, trying again until it can");
        }
        // A removal is given up; whoever asked for it knows.
        for reply in flight.replies.drain(..).chain(run.deleters.drain(..)) {
            answer(reply, Err(PortError::new(error.kind, error.message.clone())));
        }
        let (first, longest) = COMMIT_RETRY;
        let delay = first.saturating_mul(1 << flight.failures.min(10)).min(longest);
        flight.failures += 1;
        self.call(perform::wait_to_commit(id, delay));
    }

    /// The store will never take this commit: the run fails, without what was in it.
    fn refused(&mut self, run: &mut ActiveRun, error: &PortError) {
        let Some(flight) = run.flight.take() else { return };
        run.next_seq = flight.commit.first_seq;
        for reply in flight.replies {
            answer(reply, Err(PortError::new(error.kind, error.message.clone())));
        }
        let step = std::mem::take(&mut run.step);
        let reason = format!("the results of a task cannot be stored: {error}");
        let mut lost = run.state.take_changes();
        lost.tasks.extend(flight.commit.tasks.iter().cloned());
        lost.attempts.extend(flight.commit.attempts.iter().cloned());
        let ends = ends_of_lost(lost, &reason);
        run.step.replies = step.replies;
        run.step.acknowledge = flight.acknowledge.into_iter().chain(step.acknowledge).collect();
        run.step.absorb(ends);
        self.fail(run, &reason);
    }
}

/// What ended in a step that was not stored, without what it made; all else is ended with the run.
fn ends_of_lost(mut lost: Changes, reason: &str) -> Changes {
    lost.tasks.retain(|task| task.status.is_terminal());
    for task in &mut lost.tasks {
        if let Some(end) = task.history.last_mut() {
            end.state = TaskStatus::Failed;
        }
        task.status = TaskStatus::Failed;
        task.outputs = Outputs::default();
        task.error = Some(Failure::new(reason));
    }
    lost.attempts.retain(|attempt| attempt.status.is_terminal());
    Changes { tasks: lost.tasks, attempts: lost.attempts, ..Changes::default() }
}
