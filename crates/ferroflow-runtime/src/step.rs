//! What has happened to a run since its last commit was asked for; becomes the next commit.
//!
//! Holds no decisions: it collects, and forgets commands that were done before they were ever stored.

use std::collections::{HashMap, HashSet};

use ferroflow_engine::{CacheableResult, Changes, Command, RunChange, StoredEvent};
use ferroflow_model::record::StateChange;
use ferroflow_model::{AttemptId, RunId, RunStatus, Timestamp};
use ferroflow_ports::store::{CacheEntry, RunCommit, RunUpdate};

use crate::request::Reply;

/// A step that is being filled.
#[derive(Default)]
pub(crate) struct Step {
    events: Vec<String>,
    changes: Changes,
    /// Whether changes were taken in more than once, so that a row may be there twice.
    is_mixed: bool,
    /// States that the run went through, oldest first. `changes` holds the last one only, the history shows all.
    statuses: Vec<(Timestamp, RunStatus)>,
    puts: Vec<Option<(String, String)>>,
    put_places: HashMap<String, usize>,
    done: Vec<String>,
    ids_taken_below: Option<i64>,
    /// Whether an attempt succeeded since changes were last taken in: there may be results for the cache among them.
    pub(crate) may_hold_results: bool,
    /// Reports that this step makes durable.
    pub(crate) acknowledge: Vec<AttemptId>,
    /// Clients who wait for this step.
    pub(crate) replies: Vec<Reply<()>>,
}

impl Step {
    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
            && self.puts.is_empty()
            && self.done.is_empty()
            && self.acknowledge.is_empty()
            && self.replies.is_empty()
            && self.changes.run.is_none()
    }

    /// Number of events in it.
    pub(crate) fn event_count(&self) -> usize {
        self.events.len()
    }

    pub(crate) fn add_event(
        &mut self,
        event: &StoredEvent,
        ids_taken_below: Option<i64>,
    ) -> serde_json::Result<()> {
        self.events.push(serde_json::to_string(event)?);
        if ids_taken_below.is_some() {
            self.ids_taken_below = ids_taken_below;
        }
        Ok(())
    }

    /// Takes in changed rows, newer than those that are there.
    pub(crate) fn absorb(&mut self, changes: Changes) {
        self.may_hold_results = false;
        let held = &mut self.changes;
        if held.tasks.is_empty() && held.attempts.is_empty() {
            held.tasks = changes.tasks;
            held.attempts = changes.attempts;
        } else if !changes.tasks.is_empty() || !changes.attempts.is_empty() {
            self.is_mixed = true;
            held.tasks.extend(changes.tasks);
            held.attempts.extend(changes.attempts);
        }
        held.artifacts.extend(changes.artifacts);
        held.links.extend(changes.links);
        held.cacheable.extend(changes.cacheable);
        if let Some(change) = changes.run {
            self.change_run(change);
        }
    }

    /// The run has gone into another state.
    pub(crate) fn note_status(&mut self, at: Timestamp, status: RunStatus) {
        self.statuses.push((at, status));
    }

    /// Changes the run's row.
    pub(crate) fn change_run(&mut self, change: RunChange) {
        let Some(held) = &mut self.changes.run else {
            self.changes.run = Some(change);
            return;
        };
        if change.status.is_some() {
            held.status = change.status;
        }
        if change.finished_at.is_some() {
            held.finished_at = change.finished_at;
        }
        if change.error.is_some() {
            held.error = change.error;
        }
        if change.outputs.is_some() {
            held.outputs = change.outputs;
        }
    }

    /// Remembers a command until it is done.
    pub(crate) fn put(&mut self, key: String, command: &Command) -> serde_json::Result<()> {
        let json = serde_json::to_string(command)?;
        self.put_places.insert(key.clone(), self.puts.len());
        self.puts.push(Some((key, json)));
        Ok(())
    }

    /// A command is done or pointless.
    pub(crate) fn finish(&mut self, key: String) {
        match self.put_places.remove(&key).and_then(|place| self.puts.get_mut(place)) {
            Some(put) => *put = None,
            None => self.done.push(key),
        }
    }

    /// The commits, to be asked for one right after the other; the last one holds everything but states passed through.
    pub(crate) fn into_commits(
        mut self,
        run: RunId,
        first_seq: u64,
        pipeline: &str,
    ) -> (Vec<RunCommit>, RunCommit) {
        let empty = |update| RunCommit { run: update, ..RunCommit::empty(run, first_seq) };
        self.statuses.pop();
        let passed = self.statuses.into_iter().map(|status| {
            empty(Some(RunUpdate { status: Some(state_change(status)), ..RunUpdate::default() }))
        });
        let passed = passed.collect();
        if self.is_mixed {
            keep_last(&mut self.changes.tasks, |task| task.execution_id);
            keep_last(&mut self.changes.attempts, |attempt| (attempt.execution_id, attempt.id.attempt));
        }
        let entry = |CacheableResult { key, execution_id, created_at, outputs }| CacheEntry {
            key,
            pipeline_name: pipeline.to_owned(),
            execution_id,
            created_at,
            outputs,
            contents: Vec::new(),
        };
        let commit = RunCommit {
            events: self.events,
            tasks: self.changes.tasks,
            attempts: self.changes.attempts,
            artifacts: self.changes.artifacts,
            links: self.changes.links,
            cache_entries: self.changes.cacheable.into_iter().map(entry).collect(),
            outbox_put: self.puts.into_iter().flatten().collect(),
            outbox_done: self.done,
            ids_taken_below: self.ids_taken_below,
            ..empty(self.changes.run.map(update))
        };
        (passed, commit)
    }
}

fn state_change<S>((at, state): (Timestamp, S)) -> StateChange<S> {
    StateChange { at, state }
}

fn update(change: RunChange) -> RunUpdate {
    RunUpdate {
        status: change.status.map(state_change),
        finished_at: change.finished_at,
        error: change.error,
        outputs: change.outputs,
    }
}

/// Of rows with the same key only the last one stays.
fn keep_last<T, K: std::hash::Hash + Eq>(rows: &mut Vec<T>, key: impl Fn(&T) -> K) {
    let mut seen = HashSet::with_capacity(rows.len());
    rows.reverse();
    rows.retain(|row| seen.insert(key(row)));
    rows.reverse();
}
