//! What groups bring out: results of loops collected into lists, and results of whichever branch ran.

use std::collections::HashSet;

use super::{Flow, Node, class};
use crate::CompileError;
use crate::graph::{Channel, Form, GroupKind};

/// An output of a group, and where in the group it comes from.
#[derive(Debug, Clone)]
pub(crate) struct Surfaced {
    /// Its name at its producer.
    pub(crate) name: String,
    /// Task or group in the group.
    pub(crate) producer: String,
    pub(crate) kind: String,
    pub(crate) list: bool,
    pub(crate) is_artifact: bool,
    /// Instead of one producer: those of all branches, with the names of the outputs.
    pub(crate) branches: Option<Vec<(String, String)>>,
}

impl Surfaced {
    fn of(channel: &Channel) -> Self {
        Self {
            name: channel.name.clone(),
            producer: channel.producer.clone().unwrap_or_default(),
            kind: channel.kind.clone(),
            list: channel.list,
            is_artifact: channel.is_artifact(),
            branches: None,
        }
    }
}

impl Flow<'_> {
    pub(super) fn check_results(&self) -> Result<(), CompileError> {
        for (name, channel) in &self.graph.outputs {
            let channel = self.channel(*channel)?;
            if matches!(channel.form, Form::Collected(_)) {
                continue;
            }
            let Some(producer) = self.producer(channel)? else {
                return Err(CompileError::Value(format!(
                    "output '{name}' of the pipeline is not made by a task: return the output of a task"
                )));
            };
            let path = self.path(producer);
            let around = path.len().checked_sub(2).and_then(|place| path.get(place));
            if let Some(around) = around.filter(|around| **around != Node::Group(0))
                && let Some(kind) = self.kind(*around)
            {
                return Err(CompileError::Topology(format!(
                    "output '{name}' of the pipeline comes from inside of a dsl.{}, which may run never or many times: return what is made at the top level, or join it with dsl.OneOf or dsl.Collected",
                    class(kind)
                )));
            }
        }
        Ok(())
    }

    pub(super) fn surface_outputs(&mut self) -> Result<(), CompileError> {
        let mut surfaced = HashSet::new();
        for place in 0..self.graph.tasks.len() {
            for channel in self.used.get(place).cloned().unwrap_or_default() {
                let is_new = match self.channel(channel)?.form {
                    Form::Collected(_) | Form::OneOf(..) => surfaced.insert(channel),
                    _ => false,
                };
                if is_new {
                    self.surface(channel, Some(Node::Task(place)))?;
                }
            }
        }
        for (name, channel) in &self.graph.outputs {
            if matches!(self.channel(*channel)?.form, Form::Collected(_) | Form::OneOf(..))
                && surfaced.insert(*channel)
            {
                self.surface(*channel, None)?;
            }
            self.results.push((name.clone(), Surfaced::of(self.channel(*channel)?)));
        }
        Ok(())
    }

    fn surface(&mut self, channel: usize, consumer: Option<Node>) -> Result<(), CompileError> {
        match self.channel(channel)?.form.clone() {
            Form::OneOf(branches, group, _) => self.surface_branches(channel, &branches, group),
            _ => self.surface_collected(channel, consumer),
        }
    }

    /// From the loop outwards, each group hands the list on, until one stands beside the consumer.
    fn surface_collected(&mut self, channel: usize, consumer: Option<Node>) -> Result<(), CompileError> {
        let start = self.channel(channel)?.clone();
        let producer = self.producer(&start)?.ok_or_else(|| {
            CompileError::Topology(
                "dsl.Collected takes the output of a task in a loop, not an input".to_owned(),
            )
        })?;
        let way = match consumer {
            Some(consumer) => self.apart(producer, consumer).0.to_vec(),
            None => self.path(producer).get(1..).unwrap_or_default().to_vec(),
        };
        let groups = way.split_last().map(|(_, groups)| groups.to_vec()).unwrap_or_default();
        self.check_collected(&start, &groups, consumer)?;
        let name = start.input_name();
        let mut current = Surfaced::of(&start);
        if current.is_artifact {
            current.list = true;
        } else {
            "LIST".clone_into(&mut current.kind);
        }
        for node in groups.iter().rev() {
            let Node::Group(group) = *node else { continue };
            if let Some(outputs) = self.outputs.get_mut(group) {
                outputs.insert(name.clone(), current.clone());
            }
            current.name.clone_from(&name);
            self.name(*node).clone_into(&mut current.producer);
        }
        if let Some(channel) = self.channels.get_mut(channel) {
            (channel.name, channel.producer) = (current.name, Some(current.producer));
            (channel.kind, channel.list) = (current.kind, current.list);
        }
        Ok(())
    }

    fn check_collected(
        &self,
        start: &Channel,
        groups: &[Node],
        consumer: Option<Node>,
    ) -> Result<(), CompileError> {
        let what = format!(
            "dsl.Collected of output '{}' of task '{}'",
            start.name,
            start.producer.as_deref().unwrap_or_default()
        );
        let user = consumer
            .map_or_else(|| "the pipeline's output".to_owned(), |task| format!("task {}", self.shown(task)));
        let is_loop = |node: &Node| matches!(self.kind(*node), Some(GroupKind::ForLoop { .. }));
        let is_anything = if consumer.is_some() { groups.iter().any(is_loop) } else { !groups.is_empty() };
        if !is_anything {
            return Err(CompileError::Topology(format!(
                "{what} has nothing to collect for {user}: no dsl.ParallelFor is around the one that is not around the other"
            )));
        }
        match groups.first().filter(|_| consumer.is_some()).and_then(|outermost| self.kind(*outermost)) {
            Some(kind @ (GroupKind::Condition { .. } | GroupKind::ExitHandler { .. })) => {
                let class = class(kind);
                Err(CompileError::Topology(format!(
                    "{what} may never be there for {user}, because the loop is inside of a dsl.{class}: use it within the dsl.{class}"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Each branch hands its result on to the group of the branches, which gives whichever is there.
    fn surface_branches(
        &mut self,
        channel: usize,
        branches: &[usize],
        group: usize,
    ) -> Result<(), CompileError> {
        let mut given = Vec::new();
        for branch in branches {
            let mut current = Surfaced::of(self.channel(*branch)?);
            let name = self.channel(*branch)?.input_name();
            let Some(producer) = self.producer(self.channel(*branch)?)? else { continue };
            let path = self.path(producer).to_vec();
            let Some(place) = path.iter().position(|node| *node == Node::Group(group)) else {
                return Err(CompileError::Topology(format!(
                    "dsl.OneOf joins results of the branches of one decision, but task '{}' is not in them",
                    self.name(producer)
                )));
            };
            for node in path.get(place + 1..).unwrap_or_default().iter().rev().skip(1) {
                let Node::Group(inner) = *node else { continue };
                if let Some(outputs) = self.outputs.get_mut(inner) {
                    outputs.insert(name.clone(), current.clone());
                }
                current.name.clone_from(&name);
                self.name(*node).clone_into(&mut current.producer);
            }
            given.push((current.producer, current.name));
        }
        let mut joined = Surfaced::of(self.channel(channel)?);
        joined.branches = Some(given);
        if let Some(outputs) = self.outputs.get_mut(group) {
            outputs.insert(joined.name.clone(), joined);
        }
        Ok(())
    }
}
