//! Which channels each group needs from outside: a hole is punched through every wall between a producer and a user.

use super::{Flow, Node};
use crate::CompileError;
use crate::graph::{Comparison, Form, GroupKind, Operand};

impl Flow<'_> {
    pub(super) fn find_needs(&mut self) -> Result<(), CompileError> {
        for (place, task) in self.graph.tasks.iter().enumerate() {
            let node = Node::Task(place);
            for channel in self.used_with_conditions(place) {
                let producer = self.producer(self.channel(channel)?)?;
                if task.is_exit_task {
                    if producer.is_some() {
                        return Err(CompileError::Topology(format!(
                            "exit task {} cannot use what other tasks make, because it runs even if they fail: pass constants, inputs of the pipeline or a PipelineTaskFinalStatus",
                            task.shown()
                        )));
                    }
                    continue;
                }
                let way = match producer {
                    Some(producer) => self.apart(producer, node).1.to_vec(),
                    None => self.path(node).to_vec(),
                };
                self.pass_through(channel, &way)?;
            }
            self.pass_to_groups(node)?;
        }
        Ok(())
    }

    /// Channels of a task and of all conditions around it.
    pub(super) fn used_with_conditions(&self, task: usize) -> Vec<usize> {
        let mut all = self.used.get(task).cloned().unwrap_or_default();
        for node in self.path(Node::Task(task)) {
            if let Some(GroupKind::Condition { comparisons, .. }) = self.kind(*node) {
                all.extend(operands(comparisons).filter(|channel| !self.is_key_of_constants(*channel)));
            }
        }
        all
    }

    /// What groups themselves use: loops take their lists, and conditions on a key of an item take the key, for which
    /// walls between it and the loop let the item through.
    fn pass_to_groups(&mut self, task: Node) -> Result<(), CompileError> {
        let path = self.path(task).to_vec();
        for (place, node) in path.iter().enumerate() {
            let around = path.get(..place).unwrap_or_default();
            match self.kind(*node) {
                Some(GroupKind::Condition { comparisons, .. }) => {
                    for channel in operands(comparisons) {
                        if self.is_key_of_constants(channel) {
                            self.pass_through(channel, around)?;
                        }
                    }
                }
                Some(GroupKind::ForLoop { item, .. }) => {
                    if let Form::LoopItem(Some(list)) | Form::LoopArtifact(list) = self.channel(*item)?.form {
                        let producer = self.producer(self.channel(list)?)?;
                        let shared =
                            producer.map_or(0, |producer| path.len() - self.apart(producer, task).1.len());
                        self.pass_through(list, around.get(shared..).unwrap_or_default())?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The list, its item, the key of the item that is a list again, its item, and so on to the channel; a loop over
    /// constants begins with its item.
    fn sources(&self, channel: usize) -> Result<Vec<usize>, CompileError> {
        let mut sources = Vec::new();
        let mut next = Some(channel);
        while let Some(current) = next {
            sources.push(current);
            next = match &self.channel(current)?.form {
                Form::LoopItem(source) => *source,
                Form::LoopArtifact(source) | Form::LoopKey(source, _) => Some(*source),
                _ => None,
            };
        }
        sources.reverse();
        Ok(sources)
    }

    fn is_key_of_constants(&self, channel: usize) -> bool {
        let form = |channel: usize| self.channels.get(channel).map(|channel| &channel.form);
        match form(channel) {
            Some(Form::LoopKey(item, _)) => matches!(form(*item), Some(Form::LoopItem(None))),
            _ => false,
        }
    }

    /// From the outermost group inwards: a loop turns the list into its item, so only the item goes further. Keys are
    /// taken where they are used, so that items pass for them.
    fn pass_through(&mut self, channel: usize, way: &[Node]) -> Result<(), CompileError> {
        let sources = self.sources(channel)?;
        let from_constants = matches!(
            sources.first().map(|first| self.channel(*first)).transpose()?.map(|first| &first.form),
            Some(Form::LoopItem(None))
        );
        // The place of what passes now; none before the loop over constants.
        let mut current = if from_constants { None } else { Some(0) };
        for node in way {
            let next = self.item_after(&sources, current, *node, way)?;
            let is_own = from_constants && next.is_some();
            if let Some(passing) = current.and_then(|place| sources.get(place)).filter(|_| !is_own) {
                self.need(*node, *passing)?;
            }
            current = next.or(current);
        }
        Ok(())
    }

    /// The place of the item that the group, if it is a loop, makes of what has come so far.
    fn item_after(
        &self,
        sources: &[usize],
        current: Option<usize>,
        node: Node,
        way: &[Node],
    ) -> Result<Option<usize>, CompileError> {
        let Some(GroupKind::ForLoop { item: made, .. }) = self.kind(node) else { return Ok(None) };
        let begin = current.map_or(0, |place| place + 1);
        for (place, source) in sources.iter().enumerate().skip(begin).take(2) {
            let channel = self.channel(*source)?;
            if !matches!(channel.form, Form::LoopItem(_) | Form::LoopArtifact(_)) {
                continue;
            }
            // Items that were found by marks are known by their names only, which loops over one list share.
            let is_of = |node: &Node| matches!(self.kind(*node), Some(GroupKind::ForLoop { item, .. }) if item == source);
            let is_made = source == made
                || (channel.full_name() == self.channel(*made)?.full_name() && !way.iter().any(is_of));
            return Ok(is_made.then_some(place));
        }
        Ok(None)
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
