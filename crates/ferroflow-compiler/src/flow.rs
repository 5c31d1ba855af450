//! What flows between groups: which inputs each group needs, which outputs it brings out, and what waits for what.
//!
//! Each of the three is a pass over the tasks; a task's path is the list of groups around it, ending with itself.

mod needs;
mod order;
mod outputs;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

pub(crate) use needs::operands;
pub(crate) use outputs::Surfaced;

use crate::CompileError;
use crate::graph::{Argument, Channel, Form, Graph, Group, GroupKind, Task};

/// A member of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Node {
    Group(usize),
    Task(usize),
}

/// What flows in one pipeline.
#[derive(Debug)]
pub(crate) struct Flow<'g> {
    pub(crate) graph: &'g Graph,
    /// The channels of the graph, then those that were found by their marks. Collected ones change their names here.
    pub(crate) channels: Vec<Channel>,
    /// Channels of each task.
    pub(crate) used: Vec<Vec<usize>>,
    /// Channels that each group needs from outside, besides those of its own loop and condition.
    pub(crate) needs: Vec<Vec<usize>>,
    /// What each group brings out, by name.
    pub(crate) outputs: Vec<BTreeMap<String, Surfaced>>,
    /// What the pipeline gives.
    pub(crate) results: Vec<(String, Surfaced)>,
    order_of_groups: Vec<BTreeSet<String>>,
    order_of_tasks: Vec<BTreeSet<String>>,
    names: HashMap<&'g str, Node>,
    paths: HashMap<Node, Vec<Node>>,
    needed: HashSet<(usize, String)>,
    /// Items of loops and their keys, by mark.
    items: HashMap<String, usize>,
}

impl<'g> Flow<'g> {
    pub(crate) fn of(graph: &'g Graph) -> Result<Self, CompileError> {
        let mut channels = graph.channels.clone();
        let items = items(&channels);
        let used = graph.tasks.iter().map(|task| used_channels(task, &items, &mut channels)).collect();
        let mut flow = Self {
            graph,
            channels,
            used,
            needs: vec![Vec::new(); graph.groups.len()],
            outputs: vec![BTreeMap::new(); graph.groups.len()],
            results: Vec::new(),
            order_of_groups: vec![BTreeSet::new(); graph.groups.len()],
            order_of_tasks: vec![BTreeSet::new(); graph.tasks.len()],
            names: HashMap::new(),
            paths: HashMap::new(),
            needed: HashSet::new(),
            items,
        };
        flow.lay_paths(0, &mut Vec::new());
        for (place, task) in graph.tasks.iter().enumerate() {
            flow.names.insert(&task.name, Node::Task(place));
        }
        flow.use_settings()?;
        flow.check_results()?;
        flow.find_needs()?;
        flow.surface_outputs()?;
        flow.find_order()?;
        Ok(flow)
    }

    /// Values in settings of containers have to reach the task, too. Those of tasks beside it are there already, and KFP
    /// does not say that they are waited for.
    fn use_settings(&mut self) -> Result<(), CompileError> {
        for (place, task) in self.graph.tasks.iter().enumerate() {
            for (_, text) in crate::task::settings_with_marks(task) {
                for found in crate::marks::find(&text) {
                    let producer = self.producer(&found)?;
                    let is_beside = producer.is_some_and(|producer| {
                        let around = |node: Node| self.path(node).split_last().map(|(_, around)| around);
                        around(producer) == around(Node::Task(place))
                    });
                    if is_beside {
                        continue;
                    }
                    let channel = self.items.get(&found.mark()).copied().unwrap_or_else(|| {
                        self.channels.push(found);
                        self.channels.len() - 1
                    });
                    if let Some(used) = self.used.get_mut(place) {
                        used.push(channel);
                    }
                }
            }
        }
        Ok(())
    }

    fn lay_paths(&mut self, group: usize, path: &mut Vec<Node>) {
        path.push(Node::Group(group));
        self.paths.insert(Node::Group(group), path.clone());
        let graph = self.graph;
        let Some(found) = graph.groups.get(group) else { return };
        self.names.insert(&found.name, Node::Group(group));
        for task in &found.tasks {
            path.push(Node::Task(*task));
            self.paths.insert(Node::Task(*task), path.clone());
            path.pop();
        }
        for child in &found.groups {
            self.lay_paths(*child, path);
        }
        path.pop();
    }

    /// Groups around a node, from the pipeline inwards, then itself; empty for exit tasks.
    fn path(&self, node: Node) -> &[Node] {
        self.paths.get(&node).map(Vec::as_slice).unwrap_or_default()
    }

    /// The two paths without what they share at their beginnings.
    fn apart(&self, first: Node, second: Node) -> (&[Node], &[Node]) {
        let (first, second) = (self.path(first), self.path(second));
        let shared = first.iter().zip(second).take_while(|(first, second)| first == second).count();
        (first.get(shared..).unwrap_or_default(), second.get(shared..).unwrap_or_default())
    }

    pub(crate) fn group(&self, group: usize) -> Option<&'g Group> {
        self.graph.groups.get(group)
    }

    pub(crate) fn task(&self, task: usize) -> Option<&'g Task> {
        self.graph.tasks.get(task)
    }

    pub(crate) fn channel(&self, channel: usize) -> Result<&Channel, CompileError> {
        self.channels
            .get(channel)
            .ok_or_else(|| CompileError::Value(format!("channel {channel} is not in the graph")))
    }

    /// The item of a loop, or a key of one, that a channel found by its mark stands for.
    pub(crate) fn item_of(&self, found: &Channel) -> Option<&Channel> {
        self.items.get(&found.mark()).and_then(|item| self.channels.get(*item))
    }

    fn name(&self, node: Node) -> &'g str {
        match node {
            Node::Group(group) => self.group(group).map(|group| group.name.as_str()).unwrap_or_default(),
            Node::Task(task) => self.task(task).map(|task| task.name.as_str()).unwrap_or_default(),
        }
    }

    /// The name for messages.
    fn shown(&self, node: Node) -> String {
        match node {
            Node::Task(task) => self.task(task).map(Task::shown).unwrap_or_default(),
            Node::Group(_) => format!("'{}'", self.name(node)),
        }
    }

    fn kind(&self, node: Node) -> Option<&'g GroupKind> {
        match node {
            Node::Group(group) => self.group(group).map(|group| &group.kind),
            Node::Task(_) => None,
        }
    }

    /// The task or group that makes what comes out of a channel.
    fn producer(&self, channel: &Channel) -> Result<Option<Node>, CompileError> {
        let Some(name) = channel.producer.as_deref() else { return Ok(None) };
        self.names.get(name).copied().map(Some).ok_or_else(|| {
            CompileError::Value(format!(
                "output '{}' of '{name}' is used, but this pipeline has no such task: outputs cannot be carried from one pipeline into another, so return it from that pipeline and pass it as an argument",
                channel.name
            ))
        })
    }

    /// Names that a group or task waits for.
    pub(crate) fn order(&self, node: Node) -> impl Iterator<Item = &String> {
        let found = match node {
            Node::Group(group) => self.order_of_groups.get(group),
            Node::Task(task) => self.order_of_tasks.get(task),
        };
        found.into_iter().flatten()
    }

    /// Groups in the order in which KFP writes them: outer ones first.
    pub(crate) fn all_groups(&self) -> Vec<usize> {
        let mut all = Vec::new();
        let mut open = vec![0];
        while let Some(group) = open.pop() {
            all.push(group);
            open.extend(self.group(group).into_iter().flat_map(|group| group.groups.iter().rev()));
        }
        all
    }
}

/// The name of the Python class that makes a group.
pub(crate) fn class(kind: &GroupKind) -> &str {
    match kind {
        GroupKind::Pipeline => "Pipeline",
        GroupKind::Condition { class, .. } => class,
        GroupKind::ConditionBranches => "ConditionBranches",
        GroupKind::ForLoop { .. } => "ParallelFor",
        GroupKind::ExitHandler { .. } => "ExitHandler",
    }
}

fn items(channels: &[Channel]) -> HashMap<String, usize> {
    let is_item = |form: &Form| matches!(form, Form::LoopItem(_) | Form::LoopKey(..));
    let items = channels.iter().enumerate().filter(|(_, channel)| is_item(&channel.form));
    items.map(|(place, channel)| (channel.mark(), place)).collect()
}

/// Channels of arguments and settings; those that stand in text as marks become channels of their own.
fn used_channels(task: &Task, items: &HashMap<String, usize>, channels: &mut Vec<Channel>) -> Vec<usize> {
    let mut used = task.channels.clone();
    let mut found = Vec::new();
    for (_, argument) in &task.inputs {
        if let Argument::Constant(value) = argument {
            crate::marks::find_in(value, &mut found);
        }
    }
    for channel in found {
        if let Some(item) = items.get(&channel.mark()) {
            used.push(*item);
        } else {
            used.push(channels.len());
            channels.push(channel);
        }
    }
    used
}
