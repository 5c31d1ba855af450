//! Which channels each group needs from outside: a hole is punched through every wall between a producer and a user.

use std::collections::VecDeque;

use super::{Flow, Node};
use crate::CompileError;
use crate::graph::{Comparison, Form, GroupKind, Operand};

impl Flow<'_> {
    pub(super) fn find_needs(&mut self) -> Result<(), CompileError> {
        for (place, task) in self.graph.tasks.iter().enumerate() {
            let node = Node::Task(place);
            for channel in self.used_with_conditions(place) {
                let producer = self.producer(self.channel(channel)?)?;
                match producer {
                    Some(_) if task.is_exit_task => {
                        return Err(CompileError::Topology(format!(
                            "exit task '{}' cannot use what other tasks make, because it runs even if they fail: pass constants, inputs of the pipeline or a PipelineTaskFinalStatus",
                            task.name
                        )));
                    }
                    Some(producer) => {
                        let way = self.apart(producer, node).1.to_vec();
                        self.need_downwards(channel, &way)?;
                    }
                    None if task.is_exit_task => {}
                    None if self.comes_from_constants(channel)? => self.need_upwards(channel, node)?,
                    None => {
                        let way = self.path(node).to_vec();
                        self.need_downwards(channel, &way)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Channels of a task and of all conditions around it.
    pub(super) fn used_with_conditions(&self, task: usize) -> Vec<usize> {
        let mut all = self.used.get(task).cloned().unwrap_or_default();
        for node in self.path(Node::Task(task)) {
            if let Some(GroupKind::Condition { comparisons, .. }) = self.kind(*node) {
                all.extend(operands(comparisons));
            }
        }
        all
    }

    /// The channel and what it is taken from: key of an item, item, list, and so on outwards.
    fn sources(&self, channel: usize) -> Result<VecDeque<usize>, CompileError> {
        let mut sources = VecDeque::new();
        let mut next = Some(channel);
        while let Some(current) = next {
            sources.push_back(current);
            next = match &self.channel(current)?.form {
                Form::LoopItem(source) => *source,
                Form::LoopArtifact(source) | Form::LoopKey(source, _) => Some(*source),
                _ => None,
            };
        }
        Ok(sources)
    }

    fn comes_from_constants(&self, channel: usize) -> Result<bool, CompileError> {
        Ok(match &self.channel(channel)?.form {
            Form::LoopItem(source) => source.is_none(),
            Form::LoopKey(item, _) => matches!(self.channel(*item)?.form, Form::LoopItem(None)),
            _ => false,
        })
    }

    /// From the outermost group inwards: a loop turns the list into its item, so only the item goes further.
    fn need_downwards(&mut self, channel: usize, way: &[Node]) -> Result<(), CompileError> {
        let mut sources = self.sources(channel)?;
        for node in way {
            let Some(outermost) = sources.back().copied() else { break };
            self.need(*node, outermost)?;
            if self.is_supplied(*node, outermost)? {
                sources.pop_back();
            }
        }
        Ok(())
    }

    /// From the innermost group outwards, as far as the loop over constants that has the item.
    fn need_upwards(&mut self, channel: usize, node: Node) -> Result<(), CompileError> {
        let way: Vec<Node> = self.path(node).iter().rev().copied().collect();
        let mut sources = self.sources(channel)?;
        for node in way {
            let Some(innermost) = sources.front().copied() else { break };
            self.need(node, innermost)?;
            if self.is_supplied(node, innermost)? {
                sources.pop_front();
            }
        }
        Ok(())
    }

    /// Whether the group is the loop that supplies the channel: names tell, since an item is named after its list.
    fn is_supplied(&self, node: Node, channel: usize) -> Result<bool, CompileError> {
        let Some(GroupKind::ForLoop { item, .. }) = self.kind(node) else { return Ok(false) };
        Ok(self.channel(*item)?.full_name().contains(&self.channel(channel)?.full_name()))
    }

    /// Whether the channel is an item of constants that a loop further inwards has.
    pub(crate) fn is_of_inner_loop(&self, channel: usize, group: usize) -> Result<bool, CompileError> {
        if !self.comes_from_constants(channel)? {
            return Ok(false);
        }
        let name = &self.channel(channel)?.name;
        for node in self.path(Node::Group(group)) {
            if let Some(GroupKind::ForLoop { item, .. }) = self.kind(*node)
                && self.channel(*item)?.name.contains(name.as_str())
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn need(&mut self, node: Node, channel: usize) -> Result<(), CompileError> {
        // Nothing is passed to the pipeline itself but its arguments.
        if let Node::Group(group) = node
            && group != 0
            && self.needed.insert((group, self.channel(channel)?.mark()))
            && let Some(needs) = self.needs.get_mut(group)
        {
            needs.push(channel);
        }
        Ok(())
    }
}

/// Channels that comparisons look at.
pub(crate) fn operands(comparisons: &[Comparison]) -> impl Iterator<Item = usize> {
    comparisons.iter().flat_map(|comparison| [&comparison.left, &comparison.right]).filter_map(|operand| {
        match operand {
            Operand::Channel(channel) => Some(*channel),
            Operand::Constant(..) => None,
        }
    })
}
