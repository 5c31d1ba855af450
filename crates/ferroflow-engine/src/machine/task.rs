//! A task instance from "nothing left to wait for" to its end.

use ferroflow_model::record::{ArtifactLink, Failure, LinkDirection};
use ferroflow_model::{Inputs, TaskKind, TaskPath, TaskStatus};
use ferroflow_spec::ir::TriggerStrategy;

use super::{Machine, Work};
use crate::cache;
use crate::event::{CacheHit, Command};
use crate::fault::EngineFault;
use crate::inputs;
use crate::semantics::Switch;
use crate::state::{Index, Node, Place, RunState, Stage};

impl Machine<'_> {
    /// Everything upstream has ended: the task starts, or is skipped, or fails for want of inputs.
    pub(super) fn ready(&mut self, index: Index) -> Result<(), EngineFault> {
        let node = self.state.node(index)?;
        if node.status.is_terminal() {
            return Ok(());
        }
        let group = node.group;
        if self.state.is_called_off(index) {
            return self.end(index, TaskStatus::Canceled, None);
        }
        if group.is_made && !group.is_stale {
            return self.resume(index);
        }
        if let Place::Task(_) = node.place {
            if let Some(reason) = self.reason_to_skip(index)? {
                return self.end(index, TaskStatus::Skipped, Some(Failure::new(reason)));
            }
            match inputs::resolve(self.state, index)? {
                Ok(resolved) => self.state.node_mut(index)?.inputs = resolved,
                Err(message) => return self.end(index, TaskStatus::Failed, Some(Failure::new(message))),
            }
            match self.condition_holds(index)? {
                Ok(true) => {}
                Ok(false) => {
                    let reason = Failure::new("its condition was false");
                    return self.end(index, TaskStatus::Skipped, Some(reason));
                }
                Err(message) => return self.end(index, TaskStatus::Failed, Some(Failure::new(message))),
            }
        }
        match self.state.node(index)?.kind {
            TaskKind::Root | TaskKind::Dag | TaskKind::Iteration => self.open(index),
            TaskKind::Loop => self.open_loop(index),
            TaskKind::Container => self.start_container(index),
            TaskKind::Importer => self.import(index),
        }
    }

    /// Why the task does not run, if an upstream task has not done what it must.
    fn reason_to_skip(&self, index: Index) -> Result<Option<String>, EngineFault> {
        let node = self.state.node(index)?;
        let Some(plan) = self.state.task_plan(node) else { return Ok(None) };
        if !node.is_blocked {
            return Ok(None);
        }
        let takes_all = plan.task.trigger == TriggerStrategy::AllCompleted;
        let takes_skipped = !self.state.semantics.has(Switch::SkippedBlocksExit);
        let parent = self.state.node(node.parent)?;
        for upstream in &plan.upstream {
            let status = self.state.node(parent.group.first + upstream)?.status;
            let is_taken = takes_all && (takes_skipped || status != TaskStatus::Skipped);
            if !status.is_success() && !is_taken {
                let name = &self.state.plan.task(parent.component, *upstream)?.name;
                let did = if status == TaskStatus::Skipped { "was skipped" } else { "did not succeed" };
                return Ok(Some(format!("task `{name}` before it {did}")));
            }
        }
        if takes_all { Ok(None) } else { Err(EngineFault::Inconsistent("a task is blocked by nothing")) }
    }

    fn condition_holds(&self, index: Index) -> Result<Result<bool, String>, EngineFault> {
        let node = self.state.node(index)?;
        let plan = self.state.task_plan(node);
        Ok(plan.map_or(Ok(true), |plan| plan.condition.holds(&node.inputs.parameters)))
    }

    /// Asks the store for an earlier result, or starts the first attempt.
    fn start_container(&mut self, index: Index) -> Result<(), EngineFault> {
        self.link_inputs(index)?;
        let kubernetes = match inputs::kubernetes(self.state, index)? {
            Ok(settings) => settings,
            Err(reason) => return self.end(index, TaskStatus::Failed, Some(Failure::new(reason))),
        };
        let node = self.state.node(index)?;
        let caching = self.state.task_plan(node).map(|plan| &plan.task.caching);
        let Some(caching) = caching.filter(|caching| caching.enabled && self.state.caching) else {
            return self.start_attempt(index);
        };
        let component = self.state.plan.component(node.component)?;
        if !cache::may_be_reused(component, &node.inputs) {
            return self.start_attempt(index);
        }
        let claims = cache::claims(&kubernetes, &node.inputs, &self.state.identity);
        let mut record = cache::key(component, &node.inputs, &caching.key, &claims, &self.state.semantics);
        if node.is_redone {
            record.refusal = Some("a retry wants the task to run again".to_owned());
            self.state.node_mut(index)?.cache = Some(Box::new(record));
            return self.start_attempt(index);
        }
        self.out.push(Command::LookUpCache {
            task: self.state.path(index),
            fingerprint: record.fingerprint.clone(),
        });
        let node = self.state.node_mut(index)?;
        node.cache = Some(Box::new(record));
        node.stage = Stage::Cache;
        Ok(())
    }

    pub(super) fn cache_answered(
        &mut self,
        task: &TaskPath,
        hit: Option<&CacheHit>,
    ) -> Result<(), EngineFault> {
        let Some(index) = self.state.find(task) else { return Ok(()) };
        if self.state.node(index)?.stage != Stage::Cache {
            return Ok(());
        }
        if self.state.node(index)?.kind == TaskKind::Importer {
            return self.import_answered(index, hit);
        }
        let Some(hit) = self.whole(index, hit)? else { return self.start_attempt(index) };
        let execution = hit.execution_id;
        let outputs = hit.outputs.clone();
        let node = self.state.node_mut(index)?;
        node.cached_from = Some(execution);
        node.outputs = outputs;
        node.started_at = Some(self.now);
        self.link_outputs(index)?;
        self.end(index, TaskStatus::Cached, None)
    }

    pub(super) fn cache_refused(&mut self, task: &TaskPath, reason: &str) -> Result<(), EngineFault> {
        let Some(index) = self.state.find(task) else { return Ok(()) };
        if self.state.node(index)?.stage != Stage::Cache {
            return Ok(());
        }
        if let Some(record) = &mut self.state.node_mut(index)?.cache {
            record.refusal = Some(reason.to_owned());
        }
        self.cache_answered(task, None)
    }

    /// The hit, if it holds all that the component promises.
    pub(super) fn whole<'h>(
        &self,
        index: Index,
        hit: Option<&'h CacheHit>,
    ) -> Result<Option<&'h CacheHit>, EngineFault> {
        let component = self.state.plan.component(self.state.node(index)?.component)?;
        Ok(hit.filter(|hit| {
            component.output_parameters.keys().all(|name| hit.outputs.parameters.contains_key(name))
                && component.output_artifacts.keys().all(|name| hit.outputs.artifacts.contains_key(name))
        }))
    }

    pub(super) fn link_inputs(&mut self, index: Index) -> Result<(), EngineFault> {
        self.link(index, LinkDirection::Input, |node| &node.inputs)
    }

    pub(super) fn link_outputs(&mut self, index: Index) -> Result<(), EngineFault> {
        self.link(index, LinkDirection::Output, |node| &node.outputs)
    }

    /// Notes that an execution used or made artifacts.
    fn link(
        &mut self,
        index: Index,
        direction: LinkDirection,
        used: impl Fn(&Node) -> &Inputs,
    ) -> Result<(), EngineFault> {
        let RunState { nodes, unseen, .. } = &mut *self.state;
        let node = nodes.get(index as usize).ok_or(EngineFault::Inconsistent("a task is missing"))?;
        for (name, list) in &used(node).artifacts {
            let links = (0..).zip(list).map(|(position, artifact)| ArtifactLink {
                execution_id: node.id,
                artifact_id: artifact.id,
                direction,
                name: name.clone(),
                index: position,
            });
            unseen.links.extend(links);
        }
        Ok(())
    }

    /// Ends a task instance.
    pub(super) fn end(
        &mut self,
        index: Index,
        status: TaskStatus,
        error: Option<Failure>,
    ) -> Result<(), EngineFault> {
        let now = self.now;
        let node = self.state.node_mut(index)?;
        node.set_status(status, now);
        node.stage = Stage::Nothing;
        node.ended_at = Some(now);
        node.error = error;
        if node.group.is_stale {
            self.discard_children(index)?;
        }
        self.work.push_back(Work::Ended(index));
        Ok(())
    }

    /// Tells those who wait for the task, and its group, that it has ended.
    pub(super) fn ended(&mut self, index: Index) -> Result<(), EngineFault> {
        let node = self.state.node(index)?;
        let (status, parent, place) = (node.status, node.parent, node.place);
        let is_success = status.is_success();
        match place {
            Place::Root => {
                self.finish();
                return Ok(());
            }
            Place::Task(task) => {
                let group = self.state.node(parent)?;
                let (component, first) = (group.component, group.group.first);
                let plan = std::sync::Arc::clone(&self.state.plan);
                for downstream in &plan.task(component, task)?.downstream {
                    // Not `node_mut`: what others wait for is not in the rows.
                    let child = first + downstream;
                    let waiting = self.state.nodes.get_mut(child as usize);
                    let waiting = waiting.ok_or(EngineFault::Inconsistent("a waiting task is missing"))?;
                    waiting.waiting = waiting.waiting.saturating_sub(1);
                    waiting.is_blocked |= !is_success;
                    if waiting.waiting == 0 {
                        self.work.push_back(Work::Ready(child));
                    }
                }
            }
            Place::Iteration(_) => self.pass_ended(parent)?,
            Place::Gone => return Ok(()),
        }
        let counts = self.state.counts_for_group(self.state.node(index)?);
        let group = self.state.nodes.get_mut(parent as usize);
        let group = &mut group.ok_or(EngineFault::Inconsistent("a group is missing"))?.group;
        group.open = group.open.saturating_sub(1);
        match status {
            TaskStatus::Failed if counts => {
                group.failed.get_or_insert(index);
            }
            TaskStatus::Canceled => group.has_canceled = true,
            _ => {}
        }
        if group.open == 0 {
            self.work.push_back(Work::Close(parent));
        }
        Ok(())
    }
}
