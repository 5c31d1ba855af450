//! The run as a whole: its start, its end, and the wish of a client to end it.

use std::sync::Arc;
use std::time::Duration;

use ferroflow_model::record::Failure;
use ferroflow_model::{RunStatus, TaskKind, TaskStatus, Timestamp};
use serde_json::Value;

use super::{Machine, Work};
use crate::event::{Command, RunChange};
use crate::fault::EngineFault;
use crate::plan;
use crate::state::{Group, Index, Node, Place, ROOT, RunState, Stage};

/// A terminated run stays in CANCELING at least this long: clients poll for it.
const CANCELING_AT_LEAST: Duration = Duration::from_secs(2);

/// When a run may end that a client wanted to end at this time.
pub(crate) fn earliest_end(terminated_at: Timestamp) -> Timestamp {
    terminated_at.plus(CANCELING_AT_LEAST)
}

impl Machine<'_> {
    pub(super) fn start_run(&mut self) -> Result<(), EngineFault> {
        if self.state.status != RunStatus::Pending || !self.state.nodes.is_empty() {
            return Ok(());
        }
        self.set_run_status(RunStatus::Running);
        let id = self.state.execution_id(self.ids);
        let mut root = Node::new(id, ROOT, plan::ROOT, Place::Root, TaskKind::Root, self.now);
        let component = self.state.plan.component(plan::ROOT)?;
        for (name, input) in &component.input_parameters {
            let value = self.state.arguments.get(name).or(input.default_value.as_ref());
            root.inputs.parameters.insert(name.clone(), Arc::new(value.cloned().unwrap_or(Value::Null)));
        }
        self.state.nodes.push(root);
        self.work.push_back(Work::Ready(ROOT));
        Ok(())
    }

    pub(super) fn terminate(&mut self) -> Result<(), EngineFault> {
        let is_over = self.state.status.is_terminal() || self.state.status == RunStatus::Canceling;
        if is_over {
            return Ok(());
        }
        self.state.terminated_at = Some(self.now);
        self.set_run_status(RunStatus::Canceling);
        self.state.timers.clear();
        for index in 0..self.length() {
            let node = self.state.node(index)?;
            if node.status.is_terminal() || node.group.is_made {
                continue;
            }
            match node.stage {
                Stage::Attempt => self.out.push(Command::StopAttempt { id: self.state.attempt_id(index)? }),
                Stage::Slot => {
                    self.out.push(Command::StopAttempt { id: self.state.attempt_id(index)? });
                    self.close_attempt(index, TaskStatus::Canceled, None)?;
                    self.end(index, TaskStatus::Canceled, None)?;
                }
                _ => self.end(index, TaskStatus::Canceled, None)?,
            }
        }
        Ok(())
    }

    pub(super) fn time_reached(&mut self) -> Result<(), EngineFault> {
        while let Some((at, index)) = self.state.timers.take_due(self.now) {
            if self.state.node(index)?.stage == Stage::Backoff(at) {
                self.start_attempt(index)?;
            }
        }
        if self.state.status == RunStatus::Canceling && self.state.root_has_ended() {
            self.finish();
        }
        Ok(())
    }

    /// The root has ended: so does the run, unless it has to be seen in CANCELING a while longer.
    pub(super) fn finish(&mut self) {
        let terminated_at = self.state.terminated_at;
        if terminated_at.is_some_and(|at| earliest_end(at) > self.now) {
            return;
        }
        let root = self.state.nodes.first();
        let root_status = root.map_or(TaskStatus::Canceled, |root| root.status);
        let status = if terminated_at.is_none() && root_status.is_success() {
            RunStatus::Succeeded
        } else {
            // Clients of KFP wait for ever on CANCELED.
            RunStatus::Failed
        };
        let error = match terminated_at {
            Some(_) => Some(Failure::new("the run was terminated on request")),
            None => root.and_then(|root| root.error.clone()),
        };
        let outputs = root.map(|root| root.outputs.clone());
        self.set_run_status(status);
        let now = self.now;
        let change = self.run_change();
        change.finished_at = Some(Some(now));
        change.error = Some(error);
        change.outputs = outputs;
        self.out.push(Command::Finish { status });
    }

    pub(super) fn run_change(&mut self) -> &mut RunChange {
        self.state.unseen.run.get_or_insert_default()
    }

    pub(super) fn set_run_status(&mut self, status: RunStatus) {
        self.state.status = status;
        let now = self.now;
        self.run_change().status = Some((now, status));
    }

    pub(super) fn length(&self) -> Index {
        // The list cannot grow beyond what an index can name: `make_children` sees to it.
        Index::try_from(self.state.nodes.len()).unwrap_or(Index::MAX)
    }

    /// Appends the children of a group; `make` gives place, component and kind of each.
    pub(super) fn make_children(
        &mut self,
        group: Index,
        count: u32,
        make: impl Fn(&RunState, u32) -> Result<(Place, u32, TaskKind, u32), EngineFault>,
    ) -> Result<Group, EngineFault> {
        let first = self.length();
        if first.checked_add(count).is_none() {
            return Err(EngineFault::Inconsistent("the run has more tasks than can be counted"));
        }
        self.state.nodes.reserve(count as usize);
        for child in 0..count {
            let (place, component, kind, waiting) = make(self.state, child)?;
            let id = self.state.execution_id(self.ids);
            let mut node = Node::new(id, group, component, place, kind, self.now);
            node.waiting = waiting;
            node.is_listed = true;
            self.state.unseen.nodes.push(first + child);
            self.state.nodes.push(node);
        }
        Ok(Group { first, count, open: count, is_made: true, ..Group::default() })
    }
}
