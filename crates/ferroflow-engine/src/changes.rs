//! From what has changed to rows.

use ferroflow_model::record::{AttemptRecord, Failure, TaskRecord};
use ferroflow_model::{TaskId, TaskKind, TaskStatus, Timestamp};

use crate::event::Changes;
use crate::state::{Index, Node, Place, ROOT, RunState, Stage};

impl RunState {
    /// What has changed since the last call, each row once and in its present form.
    pub fn take_changes(&mut self) -> Changes {
        let mut unseen = std::mem::take(&mut self.unseen);
        let mut tasks = Vec::with_capacity(unseen.nodes.len());
        let mut attempts = unseen.attempts;
        for index in &unseen.nodes {
            let Some(node) = self.nodes.get_mut(*index as usize) else { continue };
            node.is_listed = false;
            let attempt_is_new = std::mem::take(&mut node.attempt_is_new);
            let Some(node) = self.nodes.get(*index as usize).filter(|node| node.place != Place::Gone) else {
                continue;
            };
            tasks.push(self.task_record(*index, node));
            if attempt_is_new && node.stage.has_attempt() {
                let status =
                    if node.stage == Stage::Slot { TaskStatus::Pending } else { TaskStatus::Running };
                attempts.extend(self.attempt_record(*index, status, None));
            }
        }
        // The list is used again, so that a chain of steps needs no new one each time.
        unseen.nodes.clear();
        self.unseen.nodes = std::mem::take(&mut unseen.nodes);
        Changes {
            run: unseen.run,
            tasks,
            attempts,
            artifacts: unseen.artifacts,
            links: unseen.links,
            cacheable: unseen.cacheable,
        }
    }

    /// The rows of all tasks in their present form, changed or not, in the order in which they were made.
    pub fn task_records(&self) -> impl Iterator<Item = TaskRecord> {
        let nodes = (0..).zip(&self.nodes).filter(|(_, node)| node.place != Place::Gone);
        nodes.map(|(index, node)| self.task_record(index, node))
    }

    /// Ends everything, with this reason: the run cannot go on. The state is good for nothing after this but its rows.
    pub fn abandon(&mut self, now: Timestamp, reason: &str) {
        for index in 0..Index::try_from(self.nodes.len()).unwrap_or(Index::MAX) {
            let Some(node) = self.nodes.get(index as usize).filter(|node| !node.status.is_terminal()) else {
                continue;
            };
            if node.stage.has_attempt() {
                let error = Some(Failure::new(reason));
                self.unseen.attempts.extend(self.attempt_record(index, TaskStatus::Canceled, error));
            }
            let Ok(node) = self.node_mut(index) else { continue };
            let status = if index == ROOT { TaskStatus::Failed } else { TaskStatus::Canceled };
            node.set_status(status, now);
            node.stage = Stage::Nothing;
            node.ended_at = Some(now);
            node.error = Some(Failure::new(reason));
            node.attempt_is_new = false;
        }
    }

    fn task_record(&self, index: Index, node: &Node) -> TaskRecord {
        let path = self.path(index);
        let plan = self.task_plan(node);
        let name = plan.map_or_else(String::new, |plan| plan.name.clone());
        let display_name = match plan {
            None => "root".to_owned(),
            Some(plan) if plan.task.display_name.is_empty() => plan.name.clone(),
            Some(plan) => plan.task.display_name.clone(),
        };
        TaskRecord {
            execution_id: node.id,
            id: TaskId::derive(self.identity.id, &path),
            run_id: self.identity.id,
            path,
            parent: match node.place {
                Place::Root => None,
                _ => self.nodes.get(node.parent as usize).map(|parent| parent.id),
            },
            name,
            display_name,
            kind: node.kind,
            iteration_index: match node.place {
                Place::Iteration(number) => Some(number),
                _ => None,
            },
            iteration_count: (node.kind == TaskKind::Loop && node.group.is_made).then_some(node.group.count),
            status: node.status,
            history: node.history.clone(),
            created_at: node.created_at,
            started_at: node.started_at,
            ended_at: node.ended_at,
            inputs: node.inputs.clone(),
            outputs: node.outputs.clone(),
            error: node.error.clone(),
            cache: node.cache.as_deref().cloned(),
            cached_from: node.cached_from,
            attempt: node.attempt,
        }
    }

    /// The row of a node's newest attempt.
    pub(crate) fn attempt_record(
        &self,
        index: Index,
        status: TaskStatus,
        error: Option<Failure>,
    ) -> Option<AttemptRecord> {
        let node = self.nodes.get(index as usize)?;
        let phases = node.phases.as_deref().cloned().unwrap_or_default();
        Some(AttemptRecord { id: self.attempt_id(index).ok()?, execution_id: node.id, status, phases, error })
    }
}
