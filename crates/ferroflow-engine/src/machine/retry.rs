//! A client wants a part of a run to run again.
//!
//! What succeeded stays, and so does what was skipped for its condition. Everything that failed, was stopped, or was
//! skipped behind a failure is pending again, in the same place and with its history. From a task on means that this
//! task and all that is downstream of it is done again too, however it had ended: groups among them begin anew, with
//! the same task instances, and the groups around them go on.

use std::collections::HashSet;

use ferroflow_model::record::Failure;
use ferroflow_model::{Outputs, RunStatus, TaskPath, TaskStatus};

use super::{Machine, Work};
use crate::fault::EngineFault;
use crate::state::{Group, Index, Node, Place, ROOT, RunState, Stage};

/// Task instances that a retry is about.
#[derive(Default)]
struct Wanted {
    /// Done again, with all they hold.
    again: HashSet<Index>,
    /// Groups that go on because something in them is done again.
    around: HashSet<Index>,
}

impl Machine<'_> {
    pub(super) fn retry(&mut self) -> Result<(), EngineFault> {
        if !matches!(self.state.status, RunStatus::Failed | RunStatus::Canceled) {
            return Ok(());
        }
        self.reopen_run(&Wanted::default())
    }

    pub(super) fn retry_from(&mut self, task: &TaskPath) -> Result<(), EngineFault> {
        if !self.state.status.is_terminal() {
            return Ok(());
        }
        let Some(index) = self.state.find(task) else { return Ok(()) };
        let wanted = self.downstream_of(index)?;
        self.reopen_run(&wanted)
    }

    /// The task, everything downstream of it, and whatever is downstream of the groups around it.
    fn downstream_of(&self, index: Index) -> Result<Wanted, EngineFault> {
        let mut wanted = Wanted::default();
        wanted.again.insert(index);
        let mut at = index;
        loop {
            let node = self.state.node(at)?;
            if let Place::Task(task) = node.place {
                let group = self.state.node(node.parent)?;
                let mut left = vec![task];
                while let Some(task) = left.pop() {
                    for downstream in &self.state.plan.task(group.component, task)?.downstream {
                        if wanted.again.insert(group.group.first + downstream) {
                            left.push(*downstream);
                        }
                    }
                }
            }
            if node.place == Place::Root {
                return Ok(wanted);
            }
            at = node.parent;
            wanted.around.insert(at);
        }
    }

    fn reopen_run(&mut self, wanted: &Wanted) -> Result<(), EngineFault> {
        self.state.began_at = Some(self.now);
        self.state.terminated_at = None;
        self.state.is_overdue = false;
        self.state.is_hard_stop = false;
        self.set_run_status(RunStatus::Running);
        let change = self.run_change();
        change.finished_at = Some(None);
        change.error = Some(None);
        if self.state.nodes.is_empty() {
            // It was terminated before it had begun.
            self.state.status = RunStatus::Pending;
            return self.start_run();
        }
        // Groups come before what they hold.
        let mut open = vec![ROOT];
        let mut next = 0;
        while let Some(index) = open.get(next).copied() {
            next += 1;
            let group = self.state.node(index)?.group;
            if wanted.again.contains(&index) {
                // What it holds is looked at when it begins.
                self.renew(index)?;
                continue;
            }
            self.reopen(index)?;
            if group.is_stale {
                continue;
            }
            for child in group.children() {
                let is_wanted = wanted.again.contains(&child) || wanted.around.contains(&child);
                if is_wanted || self.is_to_run_again(child)? {
                    open.push(child);
                }
            }
        }
        for index in open {
            self.count_anew(index)?;
        }
        self.work.push_back(Work::Ready(ROOT));
        Ok(())
    }

    /// Whether a task of a group that goes on is pending again.
    fn is_to_run_again(&self, index: Index) -> Result<bool, EngineFault> {
        let node = self.state.node(index)?;
        Ok(match node.status {
            TaskStatus::Failed | TaskStatus::Canceled => true,
            TaskStatus::Skipped => node.is_blocked,
            _ => false,
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
        node.cache = None;
        Ok(())
    }

    /// As if it had never begun, but for its number, its attempts and its history.
    fn renew(&mut self, index: Index) -> Result<(), EngineFault> {
        self.reopen(index)?;
        let node = self.state.node_mut(index)?;
        node.is_redone = true;
        node.started_at = None;
        node.outputs = Outputs::default();
        node.cached_from = None;
        node.group.is_stale = node.group.is_made;
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

    /// The children of a group that begins anew: those it had, and new ones if it had fewer. Waiting is told by
    /// `waiting`, as they are pending again.
    pub(super) fn renew_children(
        &mut self,
        index: Index,
        count: u32,
        make: impl Fn(&RunState, u32) -> Result<super::run::Child, EngineFault>,
    ) -> Result<Group, EngineFault> {
        let old = self.state.node(index)?.group;
        let known = old.count + old.spare;
        let mut first = old.first;
        if count > known {
            first = self.length();
            for child in 0..known {
                self.move_to_end(old.first + child)?;
            }
            self.append_children(index, known..count, &make)?;
        }
        for child in 0..count.min(known) {
            self.renew(first + child)?;
            let (_, _, _, waiting) = make(self.state, child)?;
            self.state.node_mut(first + child)?.waiting = waiting;
        }
        for child in count..known {
            self.discard(first + child, "the loop has no such pass any more")?;
        }
        let spare = known.saturating_sub(count);
        Ok(Group { first, count, spare, open: count, is_made: true, ..Group::default() })
    }

    /// Moves a task instance to the end of the list, so that others can stand beside it.
    fn move_to_end(&mut self, from: Index) -> Result<(), EngineFault> {
        let to = self.length();
        let old = self.state.node(from)?;
        let mut gone = Node::new(old.id, old.parent, old.component, Place::Gone, old.kind, old.created_at);
        gone.status = TaskStatus::Skipped;
        gone.stage = Stage::Nothing;
        gone.ended_at = Some(self.now);
        let place = self.state.nodes.get_mut(from as usize);
        let place = place.ok_or(EngineFault::Inconsistent("a task is missing"))?;
        let mut moved = std::mem::replace(place, gone);
        moved.is_listed = false;
        let group = moved.group;
        self.state.nodes.push(moved);
        for child in group.first..group.first + group.count + group.spare {
            let child = self.state.nodes.get_mut(child as usize);
            child.ok_or(EngineFault::Inconsistent("a task is missing"))?.parent = to;
        }
        Ok(())
    }

    /// What a group held that does not begin again counts as skipped.
    pub(super) fn discard_children(&mut self, index: Index) -> Result<(), EngineFault> {
        for child in self.state.node(index)?.group.children() {
            self.discard(child, "the group around it did not run again")?;
        }
        Ok(())
    }

    fn discard(&mut self, index: Index, reason: &str) -> Result<(), EngineFault> {
        let mut left = vec![index];
        while let Some(index) = left.pop() {
            let now = self.now;
            let node = self.state.node_mut(index)?;
            node.set_status(TaskStatus::Skipped, now);
            node.stage = Stage::Nothing;
            node.ended_at = Some(now);
            node.error = Some(Failure::new(reason));
            node.outputs = Outputs::default();
            node.cached_from = None;
            node.group.is_stale = node.group.is_made;
            left.extend(node.group.children());
        }
        Ok(())
    }
}
