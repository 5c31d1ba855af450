//! Crashes: the state of the run is gone, and it goes on from what the store and the executor hold.

use ferroflow_engine::Command;
use ferroflow_model::TaskStatus;

use super::super::store::Batch;
use super::super::{Check, ensure};
use super::{Happening, Simulation, stop_key};

impl Simulation<'_> {
    /// The process dies and comes back. What was committed must be the state that was, if `is_committed`.
    pub(super) fn crash(&mut self, is_committed: bool) -> Check {
        self.report.crashes += 1;
        self.note(|| format!("        CRASH {} the commit", if is_committed { "after" } else { "before" }));
        let rebuilt = self.rebuild()?;
        if is_committed {
            self.check_same(&rebuilt)?;
        }
        self.state = rebuilt;
        self.store.rows.check_dump(&self.state)?;
        self.state.audit().map_err(|fault| format!("the rebuilt counters are wrong: {fault}"))?;
        self.rows = self.store.rows.clone();
        self.numbers = self.store.numbers();
        self.batch = Batch::default();
        self.acts.clear();
        self.heard.clear();
        self.waiting.clear();
        self.running.clear();
        self.marks = self.committed_marks.clone();
        // Clients who got no answer ask again.
        for request in std::mem::take(&mut self.requests) {
            let delay = self.random.below(1000);
            self.after(delay, request);
        }
        if self.store.events.is_empty() {
            self.after(0, Happening::Start);
        }
        for id in self.executor.unheard() {
            self.send_report(id);
        }
        self.perform_again()
    }

    /// Does once more what may not have been done.
    fn perform_again(&mut self) -> Check {
        let outbox: Vec<Command> = self.store.outbox.values().cloned().collect();
        for command in outbox {
            match command {
                Command::LookUpCache { task, .. } => self.look_up(task),
                Command::StopAttempt { id } => self.stop(id),
                Command::StartAttempt { id } if self.store.outbox.contains_key(&stop_key(&id)) => {}
                Command::StartAttempt { id } => {
                    ensure(self.state.attempt(&id).is_some(), || {
                        format!("{id} is to start, but is not live")
                    })?;
                    if self.rows.status_of(&id.path) == Some(TaskStatus::Running) {
                        self.running.insert(id.clone());
                        self.launch(&id)?;
                    } else {
                        self.waiting.push_back(id);
                    }
                }
                Command::Finish { .. } => {}
            }
        }
        Ok(())
    }
}
