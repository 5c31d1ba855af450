//! Reports become events.
//!
//! A report may name an attempt that the run does not know: an attempt that was started ahead of its commit when this
//! process crashed. What it waits for is reported again too, since it was not acknowledged; so the report is kept until
//! the engine asks for the attempt, and the attempt never runs twice. Whatever is left of such reports goes when the
//! run ends.

use std::sync::Arc;

use ferroflow_engine::AttemptOutcome;
use ferroflow_model::record::{AttemptPhases, Failure};
use ferroflow_model::{AttemptId, RunId};
use ferroflow_ports::PortError;
use ferroflow_ports::executor::Report;

use crate::active::{ActiveRun, Phase, Slot, start_key, stop_key};
use crate::event_loop::{Core, EventLoop};
use crate::feed::ended;
use crate::perform;

impl EventLoop {
    /// Takes a report.
    pub(crate) fn observe(&mut self, report: Report) {
        match report {
            Report::Started { id, .. } => {
                if !self.runs.contains_key(&id.run) {
                    tracing::info!(attempt = %id, "stopping an attempt of an unknown run");
                    self.core.stop(id);
                }
            }
            Report::Ended { id, outcome, phases } => self.observe_end(id, outcome, phases),
        }
    }

    fn observe_end(&mut self, id: AttemptId, outcome: AttemptOutcome, phases: AttemptPhases) {
        match self.runs.get_mut(&id.run) {
            None => self.core.acknowledge(vec![id]),
            Some(Slot::Active(run)) => self.core.observe_end(run, id, outcome, phases),
            Some(Slot::Loading(loading)) => loading.reports.push(Report::Ended { id, outcome, phases }),
            Some(Slot::Ghost(ghost)) => {
                if ghost.alive.remove(&id) {
                    self.core.slots.release();
                }
                let run = id.run;
                self.core.acknowledge(vec![id]);
                self.lay_to_rest(run, Vec::new());
            }
            // Another server may need the report.
            Some(Slot::Fenced) => {}
        }
    }

    /// A ghost of which nothing is alive goes.
    pub(crate) fn lay_to_rest(&mut self, run: RunId, replies: Vec<crate::request::Reply<()>>) {
        if let Some(Slot::Ghost(ghost)) = self.runs.get(&run)
            && ghost.alive.is_empty()
        {
            let is_deleted = ghost.is_deleted;
            self.runs.remove(&run);
            if is_deleted {
                self.core.oblige(perform::forget(Arc::clone(&self.core.ports.executor), run, replies));
                return;
            }
        }
        for reply in replies {
            crate::request::answer(reply, Ok(()));
        }
    }

    /// The executor refused an attempt.
    pub(crate) fn not_started(&mut self, id: &AttemptId, error: &PortError) {
        let Some(Slot::Active(run)) = self.runs.get_mut(&id.run) else { return };
        if !run.running.contains(id) {
            return;
        }
        tracing::warn!(attempt = %id, %error, "attempt was not started");
        let error = Failure::new(format!("the task could not be started: {error}"));
        let phases = AttemptPhases { finished: Some(self.core.now), ..AttemptPhases::default() };
        self.core.end(run, id, AttemptOutcome::Failed { error }, phases);
    }
}

impl Core {
    fn observe_end(
        &mut self,
        run: &mut ActiveRun,
        id: AttemptId,
        outcome: AttemptOutcome,
        phases: AttemptPhases,
    ) {
        if run.phase != Phase::Live {
            if run.running.remove(&id) {
                self.slots.release();
            }
            run.early.insert(id, (outcome, phases));
            self.mark(run);
        } else if run.running.contains(&id) {
            run.step.acknowledge.push(id.clone());
            self.end(run, &id, outcome, phases);
        } else if let Some(place) = run.queue.iter().position(|queued| *queued == id) {
            run.queue.remove(place);
            self.end_unadmitted(run, id, outcome, phases);
            self.feed_queued(run);
        } else {
            run.early.insert(id, (outcome, phases));
        }
    }

    /// An attempt that holds a slot has ended.
    fn end(&mut self, run: &mut ActiveRun, id: &AttemptId, outcome: AttemptOutcome, phases: AttemptPhases) {
        if run.running.remove(id) {
            self.slots.release();
        }
        run.step.finish(start_key(id));
        if run.stopping.remove(id) {
            run.step.finish(stop_key(id));
        }
        self.feed(run, ended(id, outcome, phases));
    }

    pub(crate) fn acknowledge(&mut self, ids: Vec<AttemptId>) {
        if !ids.is_empty() {
            self.oblige(perform::acknowledge(Arc::clone(&self.ports.executor), ids));
        }
    }
}
