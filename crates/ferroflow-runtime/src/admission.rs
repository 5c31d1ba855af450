//! Gives free slots to attempts that wait, fair between runs.

use ferroflow_engine::RunEvent;

use crate::active::{ActiveRun, Phase, Slot, start_key};
use crate::event_loop::{Core, EventLoop};

impl EventLoop {
    /// Starts attempts until the slots or the attempts are used up.
    pub(crate) fn admit(&mut self) {
        for place in 0..self.core.dirty.len() {
            let Some(id) = self.core.dirty.get(place) else { break };
            if let Some(Slot::Active(run)) = self.runs.get_mut(id) {
                self.core.offer(run);
            }
        }
        while let Some(id) = self.core.slots.next() {
            let Some(Slot::Active(run)) = self.runs.get_mut(&id) else { continue };
            run.is_in_rotation = false;
            if self.core.may_start(run) {
                self.core.admit_one(run);
                self.core.offer(run);
            }
        }
    }
}

impl Core {
    /// Lets a run take part in the rotation if it has something to start.
    fn offer(&mut self, run: &mut ActiveRun) {
        if !run.is_in_rotation && self.may_start(run) {
            run.is_in_rotation = true;
            self.slots.enqueue(run.id);
        }
    }

    fn may_start(&self, run: &ActiveRun) -> bool {
        !run.queue.is_empty()
            && run.phase == Phase::Live
            && !run.is_stalled()
            && run.deleters.is_empty()
            && self.options.run_parallelism.is_none_or(|limit| run.running.len() < limit.max(1))
    }

    /// Starts the run's first attempt that is still wanted.
    fn admit_one(&mut self, run: &mut ActiveRun) {
        while let Some(id) = run.queue.pop_front() {
            let Some(attempt) = run.state.attempt(&id) else {
                run.step.finish(start_key(&id));
                continue;
            };
            self.slots.take();
            let event = RunEvent::AttemptAdmitted { task: id.path.clone(), attempt: id.attempt };
            run.running.insert(id);
            self.start(attempt);
            self.feed(run, event);
            return;
        }
        self.mark(run);
    }
}
