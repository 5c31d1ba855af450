//! Graphs with places: the same for all runs of one pipeline file.

use serde::Serialize;

/// What a node or group stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NodeKind {
    /// User code.
    Task,
    /// Brings in an artifact.
    Importer,
    /// A pipeline inside the pipeline, or tasks with a common exit task.
    Group,
    /// Tasks that run if a condition holds.
    Condition,
    /// Tasks that run once for each item.
    Loop,
    /// Runs at the end, whatever happened.
    ExitTask,
    /// Something that a task makes.
    Artifact,
}

/// A point in pixels from the upper left corner of the whole graph.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Point {
    /// To the right.
    pub(crate) x: f64,
    /// Downwards.
    pub(crate) y: f64,
}

/// A box without inside: a task, an artifact, a closed group, or a loop (open or closed) as its strip.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct GraphNode {
    /// Path of the task; of artifacts `<path>#<output>`. Inside a loop that is open without a chosen pass, the index
    /// is `*`: `for-loop-2/*/train`.
    pub(crate) id: String,
    /// Id of the open group that it stands in; `null` at the top.
    pub(crate) parent: Option<String>,
    /// Name for people.
    pub(crate) label: String,
    /// What it stands for.
    pub(crate) kind: NodeKind,
    /// Left edge.
    pub(crate) x: f64,
    /// Upper edge.
    pub(crate) y: f64,
    /// Width.
    pub(crate) width: f64,
    /// Height.
    pub(crate) height: f64,
    /// Column (or row, from top to bottom) among its siblings.
    pub(crate) layer: u32,
    /// Whether it can be opened.
    pub(crate) can_open: bool,
    /// Tasks with user code inside, 1 for a task. Loops count one pass.
    pub(crate) task_count: u32,
    /// Key of the component; empty for artifacts.
    pub(crate) component: String,
    /// Condition as written; empty if none.
    pub(crate) condition: String,
    /// Type of an artifact, such as `system.Model`; empty for others.
    pub(crate) artifact_type: String,
}

/// An open group: a frame around its nodes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct GraphGroup {
    /// Path of the task.
    pub(crate) id: String,
    /// Id of the group around it; `null` at the top.
    pub(crate) parent: Option<String>,
    /// Name for people.
    pub(crate) label: String,
    /// What it stands for.
    pub(crate) kind: NodeKind,
    /// Left edge.
    pub(crate) x: f64,
    /// Upper edge.
    pub(crate) y: f64,
    /// Width.
    pub(crate) width: f64,
    /// Height.
    pub(crate) height: f64,
    /// Height of the head inside the frame; loops have room for their strip in it.
    pub(crate) header_height: f64,
    /// 1 at the top.
    pub(crate) depth: u32,
    /// Chosen pass of a loop; `null` if none was chosen, or it is no loop.
    pub(crate) iteration: Option<u32>,
    /// Tasks with user code inside. Loops count one pass.
    pub(crate) task_count: u32,
    /// Key of the component.
    pub(crate) component: String,
    /// Condition as written; empty if none.
    pub(crate) condition: String,
}

/// How something comes from one task to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FlowKind {
    /// A parameter value.
    Parameter,
    /// An artifact.
    Artifact,
    /// Nothing flows, one only waits for the other.
    Order,
}

/// What flows along an edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct GraphFlow {
    /// How.
    pub(crate) kind: FlowKind,
    /// Name of the output; empty for an order.
    pub(crate) output: String,
    /// Name of the input; empty for an order.
    pub(crate) input: String,
}

/// An edge between two nodes or groups of the same frame.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct GraphEdge {
    /// `<from>→<to>`.
    pub(crate) id: String,
    /// Node or group where it begins.
    pub(crate) from: String,
    /// Node or group where it ends.
    pub(crate) to: String,
    /// From the border of one to the border of the other; straight pieces or a smooth line through them.
    pub(crate) points: Vec<Point>,
    /// What flows.
    pub(crate) flows: Vec<GraphFlow>,
}

/// Which way the graph runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Direction {
    /// From left to right.
    Right,
    /// From top to bottom.
    Down,
}

/// A graph with places. Answers carry an `ETag`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Graph {
    /// The same text stands for the same graph.
    pub(crate) version: String,
    /// Which way it runs.
    pub(crate) direction: Direction,
    /// Width of everything.
    pub(crate) width: f64,
    /// Height of everything.
    pub(crate) height: f64,
    /// Nodes; those of a frame stand together, in order of layer and place.
    pub(crate) nodes: Vec<GraphNode>,
    /// Open groups, outer ones before inner ones.
    pub(crate) groups: Vec<GraphGroup>,
    /// Edges.
    pub(crate) edges: Vec<GraphEdge>,
    /// Paths of all groups that could be opened, open or not, in the form of `open`.
    pub(crate) openable: Vec<String>,
    /// Tasks with user code in the whole pipeline. Loops count one pass.
    pub(crate) task_count: u32,
    /// Groups that stayed closed although `open` named them, since the graph would have had more than 5,000 nodes.
    pub(crate) kept_closed: u32,
}
