//! A client wants the failed part of a run to run again.
//!
//! What succeeded stays, and so does what was skipped for its condition. Everything that failed, was stopped, or was
//! skipped behind a failure is pending again, in the same place and with its history.

use ferroflow_model::{RunStatus, TaskStatus};

use super::{Machine, Work};
use crate::fault::EngineFault;
use crate::state::{Index, Place, ROOT, Stage};

impl Machine<'_> {
    pub(super) fn retry(&mut self) -> Result<(), EngineFault> {
        if self.state.status != RunStatus::Failed {
            return Ok(());
        }
        self.state.terminated_at = None;
        self.set_run_status(RunStatus::Running);
        let change = self.run_change();
        change.finished_at = Some(None);
        change.error = Some(None);
        if self.state.nodes.is_empty() {
            // It was terminated before it had begun.
            self.state.status = RunStatus::Pending;
            return self.start_run();
        }
        // Parents stand before their children.
        for index in 0..self.length() {
            if self.is_to_run_again(index)? {
                self.reopen(index)?;
            }
        }
        for index in 0..self.length() {
            if !self.state.node(index)?.status.is_terminal() {
                self.count_anew(index)?;
            }
        }
        self.work.push_back(Work::Ready(ROOT));
        Ok(())
    }

    fn is_to_run_again(&self, index: Index) -> Result<bool, EngineFault> {
        let node = self.state.node(index)?;
        if node.place != Place::Root && self.state.node(node.parent)?.status.is_terminal() {
            return Ok(false);
        }
        Ok(match node.status {
            TaskStatus::Failed | TaskStatus::Canceled => true,
            TaskStatus::Skipped => node.is_blocked,
            // A run may be terminated after its last task had succeeded.
            _ => node.place == Place::Root,
        })
    }

    fn reopen(&mut self, index: Index) -> Result<(), EngineFault> {
        let now = self.now;
        let node = self.state.node_mut(index)?;
        node.set_status(TaskStatus::Pending, now);
        node.stage = Stage::Upstream;
        node.ended_at = None;
        node.error = None;
        node.failures = 0;
        node.losses = 0;
        node.is_blocked = false;
        Ok(())
    }

    /// What a reopened node waits for, and what is open in it.
    fn count_anew(&mut self, index: Index) -> Result<(), EngineFault> {
        let node = self.state.node(index)?;
        let (mut waiting, mut is_blocked) = (0, false);
        if let (Place::Task(_), Some(plan)) = (node.place, self.state.task_plan(node)) {
            let first = self.state.node(node.parent)?.group.first;
            for upstream in &plan.upstream {
                let status = self.state.node(first + upstream)?.status;
                if !status.is_terminal() {
                    waiting += 1;
                } else if !status.is_success() {
                    is_blocked = true;
                }
            }
        }
        let mut open = 0;
        for child in node.group.children() {
            open += u32::from(!self.state.node(child)?.status.is_terminal());
        }
        let node = self.state.node_mut(index)?;
        node.waiting = waiting;
        node.is_blocked = is_blocked;
        node.group.open = open;
        node.group.next = 0;
        node.group.running = 0;
        node.group.failed = None;
        node.group.has_canceled = false;
        Ok(())
    }

    /// A group whose children were made before goes on with those that are pending again.
    pub(super) fn resume(&mut self, index: Index) -> Result<(), EngineFault> {
        let now = self.now;
        let node = self.state.node_mut(index)?;
        node.stage = Stage::Children;
        node.set_status(TaskStatus::Running, now);
        let group = node.group;
        let is_loop = node.kind == ferroflow_model::TaskKind::Loop;
        if group.open == 0 {
            self.work.push_back(Work::Close(index));
        } else if is_loop {
            self.start_passes(index)?;
        } else {
            for child in group.children() {
                let child_node = self.state.node(child)?;
                if child_node.status == TaskStatus::Pending && child_node.waiting == 0 {
                    self.work.push_back(Work::Ready(child));
                }
            }
        }
        Ok(())
    }
}
