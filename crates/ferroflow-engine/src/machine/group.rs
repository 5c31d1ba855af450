//! Groups: DAGs, loops and the passes of loops.

use std::sync::Arc;

use ferroflow_model::record::Failure;
use ferroflow_model::{TaskKind, TaskStatus};
use ferroflow_spec::ir::Iterator as LoopOver;

use super::{Machine, Work};
use crate::fault::EngineFault;
use crate::items::{Items, loop_items};
use crate::outputs;
use crate::plan::Body;
use crate::state::{Index, Place, Stage};

impl Machine<'_> {
    /// Makes the tasks of a DAG and starts those that wait for nothing.
    pub(super) fn open(&mut self, index: Index) -> Result<(), EngineFault> {
        self.link_inputs(index)?;
        let component = self.state.node(index)?.component;
        let plan = Arc::clone(&self.state.plan);
        let dag = plan.dag(component)?;
        let count = u32::try_from(dag.tasks.len()).unwrap_or(u32::MAX);
        let group = self.make_children(index, count, |state, child| {
            let task = plan.task(component, child)?;
            let kind = match &state.plan.component(task.component)?.body {
                Body::Dag(_) if task.task.iterator.is_some() => TaskKind::Loop,
                Body::Dag(_) => TaskKind::Dag,
                Body::Container(_) => TaskKind::Container,
                Body::Importer(_) => TaskKind::Importer,
            };
            let waiting = u32::try_from(task.upstream.len()).unwrap_or(u32::MAX);
            Ok((Place::Task(child), task.component, kind, waiting))
        })?;
        self.begin(index, group)?;
        for (child, task) in group.children().zip(&dag.tasks) {
            if task.upstream.is_empty() {
                self.work.push_back(Work::Ready(child));
            }
        }
        Ok(())
    }

    fn begin(&mut self, index: Index, group: crate::state::Group) -> Result<(), EngineFault> {
        let now = self.now;
        let node = self.state.node_mut(index)?;
        node.group = group;
        node.stage = Stage::Children;
        node.started_at = Some(now);
        node.set_status(TaskStatus::Running, now);
        if group.count == 0 {
            self.work.push_back(Work::Close(index));
        }
        Ok(())
    }

    /// Makes the passes of a loop and starts as many as may run at once.
    pub(super) fn open_loop(&mut self, index: Index) -> Result<(), EngineFault> {
        let node = self.state.node(index)?;
        let component = node.component;
        let Some(iterator) = self.state.task_plan(node).and_then(|plan| plan.task.iterator.as_ref()) else {
            return Err(EngineFault::Inconsistent("a loop has nothing to run over"));
        };
        let items = match loop_items(iterator, &node.inputs) {
            Ok(items) => items,
            Err(message) => return self.end(index, TaskStatus::Failed, Some(Failure::new(message))),
        };
        let Ok(count) = u32::try_from(items.len()) else {
            return Err(EngineFault::Inconsistent("a loop has more passes than can be counted"));
        };
        self.link_inputs(index)?;
        let group = self.make_children(index, count, |_, child| {
            Ok((Place::Iteration(child), component, TaskKind::Iteration, 0))
        })?;
        self.hand_out(index, group.children(), items)?;
        self.begin(index, group)?;
        self.start_passes(index)
    }

    /// Gives each pass its item in place of the list.
    fn hand_out(
        &mut self,
        index: Index,
        passes: std::ops::Range<Index>,
        items: Items,
    ) -> Result<(), EngineFault> {
        let node = self.state.node(index)?;
        let iterator = self.state.task_plan(node).and_then(|plan| plan.task.iterator.clone());
        let Some(iterator) = iterator else { return Ok(()) };
        let mut shared = node.inputs.clone();
        // Kept only for those who look at the whole list, since it is stored with each pass.
        if let Some(list) = crate::items::list_input(&iterator)
            && !self.state.plan.dag(node.component)?.reads(list)
        {
            shared.parameters.remove(list);
            shared.artifacts.remove(list);
        }
        let (LoopOver::Parameter { item_input, .. } | LoopOver::Artifact { item_input, .. }) = &iterator;
        for (pass, item) in passes.zip(items.into_items()) {
            let pass = self.state.node_mut(pass)?;
            pass.inputs = shared.clone();
            item.put(item_input, &mut pass.inputs);
        }
        Ok(())
    }

    /// Starts passes as long as the limit of the loop allows.
    pub(super) fn start_passes(&mut self, index: Index) -> Result<(), EngineFault> {
        let node = self.state.node(index)?;
        let limit = self.state.task_plan(node).map_or(0, |plan| plan.task.parallelism_limit);
        loop {
            let group = self.state.node(index)?.group;
            if group.next >= group.count || (limit > 0 && group.running >= limit) {
                return Ok(());
            }
            let pass = group.first + group.next;
            let waits = self.state.node(pass)?.status == TaskStatus::Pending;
            let group = &mut self.state.node_mut(index)?.group;
            group.next += 1;
            if waits {
                group.running += 1;
                self.work.push_back(Work::Ready(pass));
            }
        }
    }

    /// A pass of this loop has ended.
    pub(super) fn pass_ended(&mut self, index: Index) -> Result<(), EngineFault> {
        let node = self.state.nodes.get_mut(index as usize);
        let group = &mut node.ok_or(EngineFault::Inconsistent("a loop is missing"))?.group;
        group.running = group.running.saturating_sub(1);
        if self.state.is_called_off(index) { Ok(()) } else { self.start_passes(index) }
    }

    /// All children have ended: so does the group.
    pub(super) fn close(&mut self, index: Index) -> Result<(), EngineFault> {
        let node = self.state.node(index)?;
        if node.status.is_terminal() || node.group.open > 0 {
            return Ok(());
        }
        if let Some(child) = node.group.failed {
            let error = self.failure_of(child)?;
            return self.end(index, TaskStatus::Failed, Some(error));
        }
        if node.group.has_canceled {
            return self.end(index, TaskStatus::Canceled, None);
        }
        let outputs = outputs::of_group(self.state, index)?;
        self.state.node_mut(index)?.outputs = outputs;
        self.end(index, TaskStatus::Succeeded, None)
    }

    /// What a group says of the child that made it fail: where it was, and why.
    fn failure_of(&self, child: Index) -> Result<Failure, EngineFault> {
        let node = self.state.node(child)?;
        let error = node.error.clone().unwrap_or_else(|| Failure::new("it failed"));
        if node.group.failed.is_some() {
            return Ok(error);
        }
        Ok(Failure {
            message: format!("task `{}` failed: {}", self.state.path(child), error.message),
            ..error
        })
    }
}
