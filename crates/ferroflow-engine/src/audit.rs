//! Counts once more what the counters of a state say.
//!
//! For the simulator and for tests: the machine itself trusts its counters.

use ferroflow_model::{RunStatus, TaskKind, TaskStatus};

use crate::fault::EngineFault;
use crate::state::{Index, Node, Place, RunState, Stage};

impl RunState {
    /// An error if a counter is wrong, or a task that could go on was forgotten. Takes time linear in tasks and edges.
    pub fn audit(&self) -> Result<(), EngineFault> {
        for (index, node) in (0..).zip(&self.nodes) {
            if node.status.is_terminal() {
                ensure(node.stage == Stage::Nothing, "a task that has ended still waits")?;
                ensure(node.ended_at.is_some(), "a task has ended at no time")?;
                continue;
            }
            ensure(!self.status.is_terminal(), "the run has ended before one of its tasks")?;
            ensure(node.stage != Stage::Nothing, "a task waits for nothing")?;
            ensure(node.ended_at.is_none(), "a task that has not ended has an end")?;
            self.audit_waiting(node)?;
            self.audit_group(node)?;
            self.audit_timer(index, node)?;
        }
        Ok(())
    }

    fn audit_waiting(&self, node: &Node) -> Result<(), EngineFault> {
        let (Place::Task(_), Some(plan)) = (node.place, self.task_plan(node)) else { return Ok(()) };
        let parent = self.node(node.parent)?;
        let (mut waiting, mut is_blocked) = (0, false);
        for upstream in &plan.upstream {
            let status = self.node(parent.group.first + upstream)?.status;
            waiting += u32::from(!status.is_terminal());
            is_blocked |= status.is_terminal() && !status.is_success();
        }
        ensure(node.waiting == waiting, "a task waits for the wrong number of others")?;
        ensure(node.is_blocked == is_blocked, "a task does not know how those before it ended")?;
        let is_forgotten =
            waiting == 0 && node.stage == Stage::Upstream && parent.status == TaskStatus::Running;
        ensure(!is_forgotten, "a task that could start was forgotten")
    }

    fn audit_group(&self, node: &Node) -> Result<(), EngineFault> {
        let group = node.group;
        if !group.is_made || node.stage == Stage::Upstream {
            return Ok(());
        }
        let (mut open, mut running, mut pending) = (0, 0, 0);
        let (mut has_failed, mut has_canceled) = (false, false);
        for child in group.children() {
            let child = self.node(child)?;
            let status = child.status;
            open += u32::from(!status.is_terminal());
            running += u32::from(status == TaskStatus::Running);
            pending += u32::from(status == TaskStatus::Pending);
            has_failed |= status == TaskStatus::Failed && self.counts_for_group(child);
            has_canceled |= status == TaskStatus::Canceled;
        }
        ensure(open > 0, "a group was forgotten whose tasks have all ended")?;
        ensure(group.open == open, "a group counts its open tasks wrongly")?;
        ensure(group.failed.is_some() == has_failed, "a group does not know that a task of it failed")?;
        ensure(group.has_canceled == has_canceled, "a group does not know that a task of it was canceled")?;
        if node.kind == TaskKind::Loop && self.status != RunStatus::Canceling && !group.is_stale {
            ensure(group.running == running, "a loop counts its running passes wrongly")?;
            let limit = self.task_plan(node).map_or(0, |plan| plan.task.parallelism_limit);
            ensure(limit == 0 || running <= limit, "a loop runs more passes at once than it may")?;
            let is_full = limit > 0 && running == limit;
            ensure(pending == 0 || is_full, "a loop does not start a pass that it could start")?;
        }
        Ok(())
    }

    fn audit_timer(&self, index: Index, node: &Node) -> Result<(), EngineFault> {
        let Stage::Backoff(at) = node.stage else { return Ok(()) };
        ensure(self.timers.holds(at, index), "a task waits for a time that will not come")
    }
}

fn ensure(holds: bool, otherwise: &'static str) -> Result<(), EngineFault> {
    if holds { Ok(()) } else { Err(EngineFault::Inconsistent(otherwise)) }
}
