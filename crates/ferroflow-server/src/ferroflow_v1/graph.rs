//! Draws a pipeline: which boxes and frames there are, and what flows between them; [`graph_layout`] gives them places.
//!
//! A graph follows from the pipeline file and the question alone, never from a run, so that states can change without
//! anything moving. Begin with [`draw`].

use std::collections::{BTreeMap, BTreeSet};

use ferroflow_spec::ir::{ArtifactSource, Component, Dag, Executor, ParameterSource, Task, TriggerStrategy};

use super::graph_layout::{Extent, Frame, Gaps, lay_out};
use super::structure::{ANY_ITERATION, Structure, dag_of, join, upstream};
use super::wire::{Direction, FlowKind, Graph, GraphEdge, GraphFlow, GraphGroup, GraphNode, NodeKind, Point};

/// More nodes than this are not drawn: groups stay closed instead.
const MOST_NODES: usize = 5000;

const GAPS: Gaps = Gaps { layers: 64.0, boxes: 20.0, arrows: 10.0 };
/// Between a frame and what is in it.
const PADDING: f64 = 16.0;
const HEADER: f64 = 36.0;
/// Loops have their strip in the head.
const LOOP_HEADER: f64 = 72.0;

/// What is asked for.
#[derive(Debug, Clone)]
pub(super) struct View {
    /// Paths of open groups; a lone `*` opens everything.
    pub(super) open: BTreeSet<String>,
    /// Which way it runs.
    pub(super) direction: Direction,
    /// Whether artifacts are nodes.
    pub(super) shows_artifacts: bool,
}

impl View {
    fn opens_all(&self) -> bool {
        self.open.contains(ANY_ITERATION)
    }

    /// Whether and how a loop is open.
    fn of_loop(&self, path: &str) -> Opening {
        let begin = format!("{path}/");
        let mut below = self.open.range(begin.clone()..).take_while(|open| open.starts_with(&begin));
        let chosen = below.find_map(|open| open.get(begin.len()..)?.split('/').next()?.parse().ok());
        match chosen {
            Some(index) => Opening::Pass(index),
            None => self.of_group(path),
        }
    }

    /// Whether a group is open.
    fn of_group(&self, path: &str) -> Opening {
        if self.opens_all() || self.open.contains(path) { Opening::Whole } else { Opening::Closed }
    }
}

/// How a group is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opening {
    Closed,
    /// All of a group; a loop without a chosen pass.
    Whole,
    /// A pass of a loop.
    Pass(u32),
}

/// Draws it. `version` is the text that stands for this pipeline and view.
pub(super) fn draw(structure: &Structure, view: &View, version: String) -> Graph {
    let mut artist = Artist { structure, view, nodes: 0, kept_closed: 0, openable: Vec::new() };
    let empty = Dag::default();
    let root = structure.root().unwrap_or(&empty);
    let drawing = artist.dag(root, "", None, 1);
    let mut openable = artist.openable;
    openable.sort_unstable();
    Graph {
        version,
        direction: view.direction,
        width: drawing.width,
        height: drawing.height,
        nodes: drawing.nodes,
        groups: drawing.groups,
        edges: drawing.edges,
        openable,
        task_count: structure.task_count(root),
        kept_closed: artist.kept_closed,
    }
}

/// A frame with everything in it; its corner is at 0, 0.
struct Drawing {
    width: f64,
    height: f64,
    nodes: Vec<GraphNode>,
    groups: Vec<GraphGroup>,
    edges: Vec<GraphEdge>,
}

impl Drawing {
    fn shift(&mut self, x: f64, y: f64) {
        for node in &mut self.nodes {
            node.x += x;
            node.y += y;
        }
        for group in &mut self.groups {
            group.x += x;
            group.y += y;
        }
        for point in self.edges.iter_mut().flat_map(|edge| &mut edge.points) {
            point.x += x;
            point.y += y;
        }
    }
}

/// A box of a frame.
enum Item {
    Closed(GraphNode),
    Open(GraphGroup, Drawing),
}

impl Item {
    fn id(&self) -> &str {
        match self {
            Self::Closed(node) => &node.id,
            Self::Open(group, _) => &group.id,
        }
    }

    fn size(&self) -> (f64, f64) {
        match self {
            Self::Closed(node) => (node.width, node.height),
            Self::Open(group, _) => (group.width, group.height),
        }
    }
}

struct Artist<'a> {
    structure: &'a Structure,
    view: &'a View,
    nodes: usize,
    kept_closed: u32,
    openable: Vec<String>,
}

impl Artist<'_> {
    fn dag(&mut self, dag: &Dag, prefix: &str, parent: Option<&str>, depth: u32) -> Drawing {
        self.nodes += dag.tasks.len();
        let mut items = Vec::new();
        let mut flows: BTreeMap<(String, String), Vec<GraphFlow>> = BTreeMap::new();
        for (key, task) in &dag.tasks {
            let Some(component) = self.structure.component(task) else { continue };
            let path = join(prefix, key);
            add_flows(task, prefix, &path, self.view.shows_artifacts, &mut flows);
            if self.view.shows_artifacts {
                for (name, output) in &component.output_artifacts {
                    let node = artifact_node(&path, name, &output.artifact_type.schema_title, parent);
                    let flow =
                        GraphFlow { kind: FlowKind::Artifact, output: name.clone(), input: String::new() };
                    flows.entry((path.clone(), node.id.clone())).or_default().push(flow);
                    items.push(Item::Closed(node));
                }
            }
            items.push(self.item(dag, task, component, path, parent, depth));
        }
        arrange(items, flows, self.view.direction)
    }

    fn item(
        &mut self,
        dag: &Dag,
        task: &Task,
        component: &Component,
        path: String,
        parent: Option<&str>,
        depth: u32,
    ) -> Item {
        let mut node = self.node(dag, task, component, path, parent);
        let Some(inner) = dag_of(component) else { return Item::Closed(node) };
        self.openable.push(node.id.clone());
        let is_loop = node.kind == NodeKind::Loop;
        let opening = if is_loop { self.view.of_loop(&node.id) } else { self.view.of_group(&node.id) };
        if opening == Opening::Closed {
            return Item::Closed(node);
        }
        if self.nodes + inner.tasks.len() > MOST_NODES {
            self.kept_closed = self.kept_closed.saturating_add(1);
            node.can_open = false;
            return Item::Closed(node);
        }
        let iteration = if let Opening::Pass(index) = opening { Some(index) } else { None };
        let index = iteration.map_or_else(|| ANY_ITERATION.to_owned(), |index| index.to_string());
        let prefix = if is_loop { join(&node.id, &index) } else { node.id.clone() };
        let mut drawing = self.dag(inner, &prefix, Some(&node.id), depth + 1);
        let header_height = if is_loop { LOOP_HEADER } else { HEADER };
        drawing.shift(PADDING, header_height);
        let group = GraphGroup {
            width: (drawing.width + 2.0 * PADDING).max(node.width),
            height: drawing.height + header_height + PADDING,
            id: node.id,
            parent: node.parent,
            label: node.label,
            kind: node.kind,
            x: 0.0,
            y: 0.0,
            header_height,
            depth,
            iteration,
            task_count: node.task_count,
            component: node.component,
            condition: node.condition,
        };
        Item::Open(group, drawing)
    }

    fn node(
        &self,
        dag: &Dag,
        task: &Task,
        component: &Component,
        id: String,
        parent: Option<&str>,
    ) -> GraphNode {
        let inner = dag_of(component);
        let kind = kind_of(self.structure, dag, task, component);
        let (width, height) = match kind {
            NodeKind::Loop => (220.0, 76.0),
            NodeKind::Group | NodeKind::Condition => (200.0, 56.0),
            NodeKind::ExitTask if inner.is_some() => (200.0, 56.0),
            NodeKind::Artifact => (148.0, 32.0),
            NodeKind::Task | NodeKind::Importer | NodeKind::ExitTask => (200.0, 44.0),
        };
        let key = id.rsplit('/').next().unwrap_or_default();
        GraphNode {
            label: if task.display_name.is_empty() { key.to_owned() } else { task.display_name.clone() },
            id,
            parent: parent.map(str::to_owned),
            kind,
            x: 0.0,
            y: 0.0,
            width,
            height,
            layer: 0,
            can_open: inner.is_some(),
            task_count: inner.map_or(1, |inner| self.structure.task_count(inner)),
            component: task.component.clone(),
            condition: task.condition.clone(),
            artifact_type: String::new(),
        }
    }
}

fn kind_of(structure: &Structure, dag: &Dag, task: &Task, component: &Component) -> NodeKind {
    let has_inner = dag_of(component).is_some();
    if task.iterator.is_some() {
        NodeKind::Loop
    } else if is_exit(dag, task) {
        NodeKind::ExitTask
    } else if has_inner && !task.condition.is_empty() {
        NodeKind::Condition
    } else if has_inner {
        NodeKind::Group
    } else if matches!(structure.executor(component), Some(Executor::Importer(_))) {
        NodeKind::Importer
    } else {
        NodeKind::Task
    }
}

/// An exit task runs whatever became of the group that it waits for, and nobody waits for it.
fn is_exit(dag: &Dag, task: &Task) -> bool {
    let waits_for_group = || {
        upstream(task)
            .into_iter()
            .filter_map(|key| dag.tasks.get(key))
            .any(|other| other.component.starts_with("comp-exit-handler"))
    };
    task.trigger == TriggerStrategy::AllCompleted && waits_for_group()
}

fn artifact_node(path: &str, name: &str, artifact_type: &str, parent: Option<&str>) -> GraphNode {
    GraphNode {
        id: artifact_id(path, name),
        parent: parent.map(str::to_owned),
        label: name.to_owned(),
        kind: NodeKind::Artifact,
        x: 0.0,
        y: 0.0,
        width: 148.0,
        height: 32.0,
        layer: 0,
        can_open: false,
        task_count: 0,
        component: String::new(),
        condition: String::new(),
        artifact_type: artifact_type.to_owned(),
    }
}

fn artifact_id(path: &str, name: &str) -> String {
    format!("{path}#{name}")
}

/// Everything that flows into a task from its DAG.
fn add_flows(
    task: &Task,
    prefix: &str,
    path: &str,
    shows_artifacts: bool,
    flows: &mut BTreeMap<(String, String), Vec<GraphFlow>>,
) {
    let mut add = |from: String, flow| flows.entry((from, path.to_owned())).or_default().push(flow);
    let mut orders = upstream(task);
    for (name, input) in &task.parameters {
        if let ParameterSource::TaskOutput(selector) = &input.source {
            orders.remove(selector.task.as_str());
            let (output, input) = (selector.output.clone(), name.clone());
            add(join(prefix, &selector.task), GraphFlow { kind: FlowKind::Parameter, output, input });
        }
    }
    for (name, source) in &task.artifacts {
        if let ArtifactSource::TaskOutput(selector) = source {
            orders.remove(selector.task.as_str());
            let from = join(prefix, &selector.task);
            let from = if shows_artifacts { artifact_id(&from, &selector.output) } else { from };
            let (output, input) = (selector.output.clone(), name.clone());
            add(from, GraphFlow { kind: FlowKind::Artifact, output, input });
        }
    }
    for key in orders {
        let flow = GraphFlow { kind: FlowKind::Order, output: String::new(), input: String::new() };
        add(join(prefix, key), flow);
    }
}

/// Gives the items of one frame their places.
fn arrange(
    mut items: Vec<Item>,
    flows: BTreeMap<(String, String), Vec<GraphFlow>>,
    direction: Direction,
) -> Drawing {
    let turn = |x: f64, y: f64| match direction {
        Direction::Right => Extent { along: x, across: y },
        Direction::Down => Extent { along: y, across: x },
    };
    let back = |extent: Extent| match direction {
        Direction::Right => Point { x: extent.along, y: extent.across },
        Direction::Down => Point { x: extent.across, y: extent.along },
    };
    let places: BTreeMap<&str, usize> =
        items.iter().enumerate().map(|(place, item)| (item.id(), place)).collect();
    let mut frame = Frame {
        boxes: items.iter().map(Item::size).map(|(width, height)| turn(width, height)).collect(),
        arrows: Vec::with_capacity(flows.len()),
    };
    let mut edges = Vec::with_capacity(flows.len());
    for ((from, to), flows) in flows {
        // A flow from what is not drawn is none.
        if let (Some(begin), Some(end)) = (places.get(from.as_str()), places.get(to.as_str())) {
            frame.arrows.push((*begin, *end));
            edges.push(GraphEdge { id: format!("{from}→{to}"), from, to, points: Vec::new(), flows });
        }
    }
    let layout = lay_out(&frame, GAPS);
    for (edge, route) in edges.iter_mut().zip(layout.routes) {
        edge.points = route.into_iter().map(back).collect();
    }
    let size = back(layout.size);
    let mut drawing = Drawing { width: size.x, height: size.y, nodes: Vec::new(), groups: Vec::new(), edges };
    let spots = layout.layers.iter().zip(&layout.ranks).zip(layout.corners);
    let mut placed: Vec<_> = spots.zip(items.drain(..)).collect();
    placed.sort_by_key(|(((layer, rank), _), _)| (**layer, **rank));
    for (((layer, _), corner), item) in placed {
        let corner = back(corner);
        match item {
            Item::Closed(node) => {
                drawing.nodes.push(GraphNode { x: corner.x, y: corner.y, layer: *layer, ..node });
            }
            Item::Open(group, mut inner) => {
                inner.shift(corner.x, corner.y);
                drawing.groups.push(GraphGroup { x: corner.x, y: corner.y, ..group });
                drawing.groups.append(&mut inner.groups);
                drawing.nodes.append(&mut inner.nodes);
                drawing.edges.append(&mut inner.edges);
            }
        }
    }
    drawing
}

#[cfg(test)]
mod tests;
