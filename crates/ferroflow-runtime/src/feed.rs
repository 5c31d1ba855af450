//! Gives a run an event and does what the engine commands in return.

use std::sync::Arc;

use ferroflow_engine::{AttemptOutcome, CacheHit, Command, RunChange, RunEvent, TaskAttempt};
use ferroflow_model::record::{AttemptPhases, Failure};
use ferroflow_model::{AttemptId, Outputs, RunStatus, TaskPath};
use futures_util::FutureExt;

use crate::active::{ActiveRun, PendingLookup, Phase, lookup_key, start_key, stop_key};
use crate::cache::{self, Answer, Question};
use crate::commit::MOST_HELD_EVENTS;
use crate::event_loop::Core;
use crate::id_block::RunIds;
use crate::perform;

/// Questions to the cache that one run may have open at the store.
const MOST_QUESTIONS: usize = 32;

impl Core {
    /// Applies an event, and those that follow from it at once.
    pub(crate) fn feed(&mut self, run: &mut ActiveRun, event: RunEvent) {
        self.events.push_back(event);
        self.feed_queued(run);
    }

    /// Applies the events that wait.
    pub(crate) fn feed_queued(&mut self, run: &mut ActiveRun) {
        while let Some(event) = self.events.pop_front() {
            if run.phase == Phase::Live {
                self.apply(run, event);
            }
        }
        self.mark(run);
    }

    fn apply(&mut self, run: &mut ActiveRun, event: RunEvent) {
        let is_success =
            matches!(&event, RunEvent::AttemptEnded { outcome: AttemptOutcome::Succeeded { .. }, .. });
        let status = run.state.status();
        let mut ids = RunIds { allocator: &self.ids, last_count: &mut run.last_block, taken_below: None };
        let mut commands = std::mem::take(&mut self.commands);
        let applied = run.state.apply(event, self.now, &mut ids, &mut commands);
        let taken_below = ids.taken_below;
        let kept = applied
            .map_err(|fault| fault.to_string())
            .and_then(|stored| run.step.add_event(&stored, taken_below).map_err(|error| error.to_string()));
        if let Err(fault) = kept {
            commands.clear();
            self.fail(run, &fault);
        }
        run.step.may_hold_results |= is_success;
        if run.phase == Phase::Live && run.state.status() != status {
            run.step.note_status(self.now, run.state.status());
        }
        for command in commands.drain(..) {
            if run.phase != Phase::Faulted {
                self.obey(run, &command);
            }
        }
        self.commands = commands;
    }

    fn obey(&mut self, run: &mut ActiveRun, command: &Command) {
        match command {
            Command::LookUpCache { task, fingerprint } => {
                let (task, fingerprint) = (task.clone(), fingerprint.clone());
                self.ask_cache(run, task, fingerprint);
            }
            Command::StartAttempt { id } => {
                if let Some((outcome, phases)) = run.early.remove(id) {
                    self.end_unadmitted(run, id.clone(), outcome, phases);
                } else {
                    run.queue.push_back(id.clone());
                    self.remember(run, start_key(id), command);
                }
            }
            Command::StopAttempt { id } => {
                if let Some(place) = run.queue.iter().position(|queued| queued == id) {
                    run.queue.remove(place);
                    run.step.finish(start_key(id));
                    if run.is_adopted {
                        // A former process may have started it without getting to note that.
                        self.stop(id.clone());
                    }
                    if run.state.attempt(id).is_some() {
                        self.events.push_back(ended(id, AttemptOutcome::Stopped, AttemptPhases::default()));
                    }
                } else if run.stopping.insert(id.clone()) {
                    self.remember(run, stop_key(id), command);
                    self.stop(id.clone());
                }
            }
            Command::Finish { status } => {
                tracing::info!(run = %run.id, status = status.as_str(), "run has ended");
                run.phase = Phase::Ended;
                for id in run.queue.drain(..) {
                    run.step.finish(start_key(&id));
                }
            }
        }
    }

    fn remember(&mut self, run: &mut ActiveRun, key: String, command: &Command) {
        if let Err(error) = run.step.put(key, command) {
            self.fail(run, &error.to_string());
        }
    }

    /// An attempt that nobody here had started has ended, before a crash or while it waits.
    pub(crate) fn end_unadmitted(
        &mut self,
        run: &mut ActiveRun,
        id: AttemptId,
        outcome: AttemptOutcome,
        phases: AttemptPhases,
    ) {
        run.step.finish(start_key(&id));
        self.events.push_back(RunEvent::AttemptAdmitted { task: id.path.clone(), attempt: id.attempt });
        self.events.push_back(ended(&id, outcome, phases));
        run.step.acknowledge.push(id);
    }

    fn ask_cache(&mut self, run: &mut ActiveRun, task: TaskPath, fingerprint: String) {
        if run.step.may_hold_results {
            run.absorb_changes();
        }
        if let Some(hit) = run.fresh.get(&fingerprint) {
            self.events.push_back(RunEvent::CacheAnswered { task, hit: Some(hit.clone()) });
            return;
        }
        run.lookups.unstored += 1;
        self.look_up(run, task, PendingLookup { fingerprint, is_stored: false });
    }

    /// Asks the store, now or when earlier questions of this run are answered: a wide run must not stand in the way of
    /// whoever else reads.
    pub(crate) fn look_up(&mut self, run: &mut ActiveRun, task: TaskPath, lookup: PendingLookup) {
        run.lookups.open.insert(task.clone(), lookup);
        run.lookups.waiting.push_back(task);
        self.ask_next(run);
    }

    /// Asks as many of the questions that wait as may be open, and none while the step is full and cannot be stored yet:
    /// the rows of a wide run are not to be in memory twice.
    pub(crate) fn ask_next(&mut self, run: &mut ActiveRun) {
        let is_full = |run: &ActiveRun| run.flight.is_some() && run.step.event_count() >= MOST_HELD_EVENTS;
        while run.lookups.asked < MOST_QUESTIONS
            && !is_full(run)
            && let Some(task) = run.lookups.waiting.pop_front()
        {
            let Some(lookup) = run.lookups.open.get(&task) else { continue };
            run.lookups.asked += 1;
            let question = Question {
                pipeline: Arc::clone(&run.pipeline_name),
                run: run.id,
                is_import: run.state.is_importer(&task),
                task,
                fingerprint: lookup.fingerprint.clone(),
            };
            self.calls.push(cache::look_up(&self.ports, &self.options, self.now, question));
        }
    }

    /// The store has answered a question to the cache.
    pub(crate) fn answer_cache(&mut self, run: &mut ActiveRun, task: TaskPath, answer: Answer) {
        run.lookups.asked = run.lookups.asked.saturating_sub(1);
        let Some(lookup) = run.lookups.open.remove(&task) else { return };
        if lookup.is_stored {
            run.step.finish(lookup_key(&task));
        } else {
            run.lookups.unstored = run.lookups.unstored.saturating_sub(1);
        }
        // What this run made in the meantime is as good as what the store holds.
        let fresh = || fresh_result(run, &task, &lookup.fingerprint);
        let event = match answer {
            Answer::Hit(hit) => RunEvent::CacheAnswered { task, hit: Some(hit) },
            Answer::Nothing => {
                let hit = fresh();
                RunEvent::CacheAnswered { task, hit }
            }
            Answer::Refused(reason) => match fresh() {
                Some(hit) => RunEvent::CacheAnswered { task, hit: Some(hit) },
                None => RunEvent::CacheRefused { task, reason },
            },
        };
        self.feed(run, event);
        self.ask_next(run);
    }

    /// Hands an attempt to the executor. Most answer at once; the others are waited for with everything else.
    pub(crate) fn start(&mut self, attempt: TaskAttempt) {
        let mut call = perform::start(Arc::clone(&self.ports.executor), attempt);
        match (&mut call).now_or_never() {
            Some(done) => self.news.push_back(done),
            None => self.call(call),
        }
    }

    pub(crate) fn stop(&mut self, id: AttemptId) {
        self.call(perform::stop(Arc::clone(&self.ports.executor), id, self.options.stop_grace));
    }

    /// A defect, or a damaged store: the run ends as failed, whatever the engine thinks of it.
    pub(crate) fn fail(&mut self, run: &mut ActiveRun, message: &str) {
        tracing::error!(run = %run.id, message, "run fails by a defect");
        self.events.clear();
        run.phase = Phase::Faulted;
        run.state.abandon(self.now, message);
        run.absorb_changes();
        run.step.note_status(self.now, RunStatus::Failed);
        run.step.change_run(RunChange {
            status: Some((self.now, RunStatus::Failed)),
            finished_at: Some(Some(self.now)),
            error: Some(Some(Failure::new(message))),
            outputs: None::<Outputs>,
        });
        for id in run.queue.drain(..) {
            run.step.finish(start_key(&id));
        }
        for id in run.running.iter().filter(|id| !run.stopping.contains(id)) {
            self.calls.push(perform::stop(
                Arc::clone(&self.ports.executor),
                id.clone(),
                self.options.stop_grace,
            ));
        }
        self.mark(run);
    }
}

/// What this run has made under a key and not stored yet. Importers of the same thing may ask in one step, and are to
/// bring it in once.
fn fresh_result(run: &ActiveRun, task: &TaskPath, fingerprint: &str) -> Option<CacheHit> {
    let fresh = run.fresh.get(fingerprint).cloned();
    fresh.or_else(|| run.state.is_importer(task).then(|| run.state.unseen_result(fingerprint)).flatten())
}

/// The event of a report.
pub(crate) fn ended(id: &AttemptId, outcome: AttemptOutcome, phases: AttemptPhases) -> RunEvent {
    RunEvent::AttemptEnded { task: id.path.clone(), attempt: id.attempt, outcome, phases }
}
