//! The run as a whole: its start, its end, and the wish of a client to end it.

use std::sync::Arc;
use std::time::Duration;

use ferroflow_model::{RunStatus, TaskKind, TaskStatus, Timestamp};
use serde_json::Value;

use super::{Machine, Work};
use crate::event::{Command, RunChange};
use crate::fault::EngineFault;
use crate::plan;
use crate::semantics::Switch;
use crate::state::{Group, Index, Node, Place, ROOT, RunState, Stage};

/// What is particular to a child of a group: place, component, kind, and how many tasks it waits for.
pub(super) type Child = (Place, u32, TaskKind, u32);

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
        self.state.began_at = Some(self.now);
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
        match self.state.status {
            RunStatus::Canceling if !self.state.is_hard_stop => self.stop_hard(),
            RunStatus::Canceling => Ok(()),
            status if status.is_terminal() => Ok(()),
            _ => self.begin_to_end(false),
        }
    }

    /// Calls off all but exit tasks, which get their time.
    fn begin_to_end(&mut self, is_overdue: bool) -> Result<(), EngineFault> {
        self.state.terminated_at = Some(self.now);
        self.state.is_overdue = is_overdue;
        self.set_run_status(RunStatus::Canceling);
        let has_exit_task = (0..)
            .zip(&self.state.nodes)
            .any(|(index, node)| !node.status.is_terminal() && self.state.is_in_exit_task(index));
        self.state.is_hard_stop = !has_exit_task || self.state.semantics.exit_grace.is_zero();
        self.call_off()
    }

    /// The time of exit tasks is over.
    fn stop_hard(&mut self) -> Result<(), EngineFault> {
        self.state.is_hard_stop = true;
        self.call_off()
    }

    /// Stops attempts and ends tasks that are not to go on. Groups end when their children have.
    fn call_off(&mut self) -> Result<(), EngineFault> {
        self.state.timers.clear();
        for index in 0..self.length() {
            let node = self.state.node(index)?;
            if node.status.is_terminal() || (node.group.is_made && !node.group.is_stale) {
                continue;
            }
            if !self.state.is_called_off(index) {
                if let Stage::Backoff(at) = node.stage {
                    self.state.timers.add(at, index);
                }
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
        let now = self.now;
        while let Some((at, index)) = self.state.timers.take_due(now) {
            if self.state.node(index)?.stage == Stage::Backoff(at) {
                self.start_attempt(index)?;
            }
        }
        let is_due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        match self.state.status {
            RunStatus::Running if is_due(self.state.deadline()) => self.begin_to_end(true)?,
            RunStatus::Canceling if self.state.root_has_ended() => self.finish(),
            RunStatus::Canceling if !self.state.is_hard_stop && is_due(self.state.hard_stop_at()) => {
                self.stop_hard()?;
            }
            _ => {}
        }
        Ok(())
    }

    /// The root has ended: so does the run, unless it has to be seen in CANCELING a while longer.
    pub(super) fn finish(&mut self) {
        if self.state.earliest_end().is_some_and(|at| at > self.now) {
            return;
        }
        let reason = self.state.reason_of_end();
        let root = self.state.nodes.first();
        let root_status = root.map_or(TaskStatus::Canceled, |root| root.status);
        let is_canceled = self.state.semantics.has(Switch::TerminatedIsCanceled);
        let status = if reason.is_none() && root_status.is_success() {
            RunStatus::Succeeded
        } else if reason.is_some() && !self.state.is_overdue && is_canceled {
            RunStatus::Canceled
        } else {
            // Clients of KFP wait for ever on CANCELED.
            RunStatus::Failed
        };
        let error = reason.or_else(|| root.and_then(|root| root.error.clone()));
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

    /// Makes the children of a group, or takes those it had; `make` gives what is particular to each.
    pub(super) fn make_children(
        &mut self,
        group: Index,
        count: u32,
        make: impl Fn(&RunState, u32) -> Result<Child, EngineFault>,
    ) -> Result<Group, EngineFault> {
        if self.state.node(group)?.group.is_stale {
            return self.renew_children(group, count, make);
        }
        let first = self.length();
        self.append_children(group, 0..count, &make)?;
        Ok(Group { first, count, open: count, is_made: true, ..Group::default() })
    }

    pub(super) fn append_children(
        &mut self,
        group: Index,
        children: std::ops::Range<u32>,
        make: &impl Fn(&RunState, u32) -> Result<Child, EngineFault>,
    ) -> Result<(), EngineFault> {
        let first = self.length();
        if first.checked_add(children.end - children.start).is_none() {
            return Err(EngineFault::Inconsistent("the run has more tasks than can be counted"));
        }
        self.state.nodes.reserve(children.len());
        for (index, child) in (first..).zip(children) {
            let (place, component, kind, waiting) = make(self.state, child)?;
            let id = self.state.execution_id(self.ids);
            let mut node = Node::new(id, group, component, place, kind, self.now);
            node.waiting = waiting;
            node.is_listed = true;
            self.state.unseen.nodes.push(index);
            self.state.nodes.push(node);
        }
        Ok(())
    }
}
