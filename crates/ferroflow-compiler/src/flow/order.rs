//! What waits for what, and which tasks may lean on each other at all.

use std::collections::HashSet;

use super::{Flow, Node, class};
use crate::CompileError;
use crate::graph::GroupKind;

impl Flow<'_> {
    pub(super) fn find_order(&mut self) -> Result<(), CompileError> {
        for place in 0..self.graph.tasks.len() {
            let producers = self.producers_of(place)?;
            for upstream in self.waits_for(place)? {
                let data_comes = producers.contains(&upstream);
                let (before, after) = self.apart(upstream, Node::Task(place));
                let (Some(before), Some(after)) = (before.first().copied(), after.first().copied()) else {
                    return Err(CompileError::Topology(format!(
                        "task {} cannot wait for {}, which it is part of: move it out of there",
                        self.shown(Node::Task(place)),
                        self.shown(upstream)
                    )));
                };
                self.check_wall(before, upstream, place, data_comes)?;
                let name = self.name(before).to_owned();
                match after {
                    Node::Group(group) => self.order_of_groups.get_mut(group),
                    Node::Task(task) => self.order_of_tasks.get_mut(task),
                }
                .map(|order| order.insert(name));
            }
        }
        Ok(())
    }

    fn producers_of(&self, task: usize) -> Result<HashSet<Node>, CompileError> {
        let used = self.used.get(task).into_iter().flatten();
        used.filter_map(|channel| {
            self.channel(*channel).and_then(|channel| self.producer(channel)).transpose()
        })
        .collect()
    }

    fn waits_for(&self, task: usize) -> Result<Vec<Node>, CompileError> {
        let mut all = Vec::new();
        for channel in self.used_with_conditions(task) {
            all.extend(self.producer(self.channel(channel)?)?);
        }
        for name in self.task(task).into_iter().flat_map(|task| &task.after) {
            let node = self.names.get(name.as_str()).copied().ok_or_else(|| {
                CompileError::Value(format!(
                    "task or group '{name}', which is named in after(), is not part of this pipeline"
                ))
            })?;
            all.push(node);
        }
        let mut known = HashSet::new();
        all.retain(|node| known.insert(*node));
        Ok(all)
    }

    /// What is in a condition or an exit handler may never be; what is in a loop happens many times.
    fn check_wall(
        &self,
        before: Node,
        upstream: Node,
        task: usize,
        data_comes: bool,
    ) -> Result<(), CompileError> {
        if before == upstream {
            return Ok(());
        }
        let Some(kind) = self.kind(before) else { return Ok(()) };
        let (class, upstream) = (class(kind), self.shown(upstream));
        let shown = self.shown(Node::Task(task));
        let task = self.name(Node::Task(task));
        let leans = format!("task {shown} leans on task {upstream}, which is inside of a dsl.{class}");
        match kind {
            GroupKind::Condition { .. } | GroupKind::ExitHandler { .. } => {
                Err(CompileError::Topology(format!("{leans} and may never run: move '{task}' into it")))
            }
            GroupKind::ConditionBranches if data_comes => Err(CompileError::Topology(format!(
                "{leans} and may never run: join the results of all branches with dsl.OneOf"
            ))),
            GroupKind::ForLoop { .. } if data_comes => Err(CompileError::Topology(format!(
                "{leans} and runs once for each item: move '{task}' into the loop, or take all results with dsl.Collected"
            ))),
            _ => Ok(()),
        }
    }
}
