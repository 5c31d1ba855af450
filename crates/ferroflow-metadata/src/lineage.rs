//! Walks from nodes over events: what came from what.

use std::collections::{BTreeMap, BTreeSet};

use ferroflow_ports::metadata::{LinkEnd, LinkKind, MetadataTables, NodeKind};
use ferroflow_ports::{ErrorKind, PortError};
use ferroflow_proto::ml_metadata::lineage_graph_query_options::QueryNodes;
use ferroflow_proto::ml_metadata::lineage_subgraph_query_options::{
    Direction, EndingNodes, StartingNodes as Start, StartingNodesOneOf,
};
use ferroflow_proto::ml_metadata::{
    Artifact, Association, Attribution, Context, Event, Execution, LineageGraph, LineageGraphQueryOptions,
    LineageSubgraphQueryOptions, event,
};

use crate::list;
use crate::node::{Mask, Node};
use crate::types;
use crate::view;

type Result<T> = std::result::Result<T, PortError>;

/// Nodes in one answer; more would be no use to anybody, and cost memory.
const MOST_NODES: usize = 100_000;

/// Hops where a request names none.
const DEFAULT_HOPS: i64 = 100;

fn invalid(message: impl Into<String>) -> PortError {
    PortError::new(ErrorKind::InvalidArgument, message)
}

/// What was reached.
#[derive(Default)]
struct Reached {
    artifacts: BTreeSet<i64>,
    executions: BTreeSet<i64>,
    /// By execution, artifact and type.
    events: BTreeMap<(i64, i64, i32, String), Event>,
}

/// Where a walk stops.
struct Stops {
    hops: i64,
    direction: Direction,
    artifacts: Option<Ending>,
    executions: Option<Ending>,
    most_nodes: usize,
}

struct Ending {
    filter: String,
    is_included: bool,
}

impl Ending {
    fn new(nodes: Option<&EndingNodes>) -> Option<Self> {
        let nodes = nodes?;
        let filter = nodes.filter_query().to_owned();
        (!filter.is_empty()).then(|| Self { filter, is_included: nodes.include_ending_nodes() })
    }
}

/// Whether an event says that the execution made the artifact.
fn is_output(event: &Event) -> bool {
    let made = [
        event::Type::Output,
        event::Type::DeclaredOutput,
        event::Type::InternalOutput,
        event::Type::PendingOutput,
    ];
    made.into_iter().any(|kind| event.r#type == Some(kind.into()))
}

/// `GetLineageSubgraph`.
pub(crate) fn subgraph(
    tables: &dyn MetadataTables,
    options: &LineageSubgraphQueryOptions,
    mask: &Mask,
) -> Result<LineageGraph> {
    let query = |start: &Start| match start.filter_query() {
        "" => Err(invalid("`filter_query` of the starting nodes is empty; say from where to start")),
        text => Ok(text.to_owned()),
    };
    let mut reached = Reached::default();
    match &options.starting_nodes {
        Some(StartingNodesOneOf::StartingArtifacts(start)) => {
            reached.artifacts = ids(&list::matching::<Artifact>(tables, &query(start)?, MOST_NODES)?);
        }
        Some(StartingNodesOneOf::StartingExecutions(start)) => {
            reached.executions = ids(&list::matching::<Execution>(tables, &query(start)?, MOST_NODES)?);
        }
        None => return Err(invalid("`starting_artifacts` or `starting_executions` is missing")),
    }
    let stops = Stops {
        hops: options.max_num_hops.unwrap_or(DEFAULT_HOPS),
        direction: match options.direction() {
            Direction::Unspecified => Direction::Bidirectional,
            direction => direction,
        },
        artifacts: Ending::new(options.ending_artifacts.as_ref()),
        executions: Ending::new(options.ending_executions.as_ref()),
        most_nodes: MOST_NODES,
    };
    if stops.hops < 0 {
        return Err(invalid("`max_num_hops` must be 0 or more"));
    }
    walk(tables, &mut reached, &stops)?;
    picture(tables, reached, mask)
}

/// `GetLineageGraph`, the older call: both ways from artifacts, with fewer ways to stop.
pub(crate) fn graph(tables: &dyn MetadataTables, options: &LineageGraphQueryOptions) -> Result<LineageGraph> {
    let Some(QueryNodes::ArtifactsOptions(artifacts)) = &options.query_nodes else {
        return Err(invalid("`artifacts_options` is missing"));
    };
    let most_nodes = usize::try_from(options.max_node_size()).unwrap_or_default().min(MOST_NODES);
    if most_nodes == 0 {
        return Err(invalid("`max_node_size` must be 1 or more"));
    }
    let (start, _) =
        list::page::<Artifact>(tables, ferroflow_ports::metadata::Narrowing::All, Some(artifacts))?;
    let mut reached = Reached { artifacts: ids(&start), ..Reached::default() };
    let conditions = options.stop_conditions.clone().unwrap_or_default();
    let boundary = |filter: &str| {
        // What lies beyond a boundary is left out, the boundary itself is shown.
        (!filter.is_empty()).then(|| Ending { filter: format!("NOT ({filter})"), is_included: false })
    };
    let stops = Stops {
        hops: conditions.max_num_hops.unwrap_or(DEFAULT_HOPS),
        direction: Direction::Bidirectional,
        artifacts: boundary(conditions.boundary_artifacts()),
        executions: boundary(conditions.boundary_executions()),
        most_nodes,
    };
    walk(tables, &mut reached, &stops)?;
    picture(tables, reached, &Mask::default())
}

fn ids<N: Node>(nodes: &[N]) -> BTreeSet<i64> {
    nodes.iter().filter_map(|node| node.common().id).collect()
}

/// Steps from artifacts to executions and back, one kind after the other, until nothing new comes.
fn walk(tables: &dyn MetadataTables, reached: &mut Reached, stops: &Stops) -> Result<()> {
    let mut artifacts: Vec<i64> = reached.artifacts.iter().copied().collect();
    let mut executions: Vec<i64> = reached.executions.iter().copied().collect();
    for _ in 0..stops.hops {
        if artifacts.is_empty() && executions.is_empty() {
            break;
        }
        // Upstream of an artifact is what made it; upstream of an execution is what it used.
        let from_artifacts = view::events::<Artifact>(tables, &artifacts)?;
        let to_executions = chosen(from_artifacts, stops.direction, true);
        let from_executions = view::events::<Execution>(tables, &executions)?;
        let to_artifacts = chosen(from_executions, stops.direction, false);
        executions = step::<Execution>(tables, reached, to_executions, stops.executions.as_ref())?;
        artifacts = step::<Artifact>(tables, reached, to_artifacts, stops.artifacts.as_ref())?;
        if reached.artifacts.len() + reached.executions.len() >= stops.most_nodes {
            break;
        }
    }
    Ok(())
}

fn chosen(events: Vec<Event>, direction: Direction, is_from_artifact: bool) -> Vec<Event> {
    let goes = |event: &Event| match direction {
        Direction::Upstream => is_output(event) == is_from_artifact,
        Direction::Downstream => is_output(event) != is_from_artifact,
        Direction::Bidirectional | Direction::Unspecified => true,
    };
    events.into_iter().filter(goes).collect()
}

/// Takes events and the nodes that they lead to. Returns the new ones to go on from.
fn step<N: Node>(
    tables: &dyn MetadataTables,
    reached: &mut Reached,
    events: Vec<Event>,
    ending: Option<&Ending>,
) -> Result<Vec<i64>> {
    let is_artifact = N::KIND == NodeKind::Artifact;
    let other = |event: &Event| if is_artifact { event.artifact_id } else { event.execution_id };
    let known = if is_artifact { &reached.artifacts } else { &reached.executions };
    let fresh: BTreeSet<i64> = events.iter().filter_map(other).filter(|id| !known.contains(id)).collect();
    let fresh: Vec<i64> = fresh.into_iter().collect();
    let mut at_end = BTreeSet::new();
    if let Some(ending) = ending
        && !fresh.is_empty()
    {
        let filter = crate::filter::Filter::parse(N::KIND, &ending.filter)?;
        at_end = ids(&filter.keep(tables, view::nodes::<N>(tables, &fresh)?)?);
    }
    let is_shown = |id: &i64| !at_end.contains(id) || ending.is_some_and(|ending| ending.is_included);
    let (taken, reached_events) = if is_artifact {
        (&mut reached.artifacts, &mut reached.events)
    } else {
        (&mut reached.executions, &mut reached.events)
    };
    taken.extend(fresh.iter().filter(|id| is_shown(id)));
    for event in events {
        if other(&event).is_some_and(|id| taken.contains(&id)) {
            let key = (
                event.execution_id.unwrap_or_default(),
                event.artifact_id.unwrap_or_default(),
                event.r#type.unwrap_or_default(),
                format!("{:?}", event.path),
            );
            reached_events.insert(key, event);
        }
    }
    Ok(fresh.into_iter().filter(|id| !at_end.contains(id)).collect())
}

/// The parts of the answer that were asked for.
fn picture(tables: &dyn MetadataTables, reached: Reached, mask: &Mask) -> Result<LineageGraph> {
    let artifact_ids: Vec<i64> = reached.artifacts.into_iter().collect();
    let execution_ids: Vec<i64> = reached.executions.into_iter().collect();
    let attributions = tables.links(LinkKind::Attribution, LinkEnd::Node, &artifact_ids)?;
    let associations = tables.links(LinkKind::Association, LinkEnd::Node, &execution_ids)?;
    let contexts: BTreeSet<i64> =
        attributions.iter().chain(&associations).map(|(_, context)| *context).collect();
    let contexts: Vec<i64> = contexts.into_iter().collect();
    let wants = |field: &str, types: &str| mask.has(field) || mask.has(types);
    let mut graph = LineageGraph::default();
    if wants("artifacts", "artifact_types") {
        graph.artifacts = view::nodes::<Artifact>(tables, &artifact_ids)?;
        graph.artifact_types = types::by_id(tables, &type_ids(&graph.artifacts))?;
    }
    if wants("executions", "execution_types") {
        graph.executions = view::nodes::<Execution>(tables, &execution_ids)?;
        graph.execution_types = types::by_id(tables, &type_ids(&graph.executions))?;
    }
    if wants("contexts", "context_types") {
        graph.contexts = view::nodes::<Context>(tables, &contexts)?;
        graph.context_types = types::by_id(tables, &type_ids(&graph.contexts))?;
    }
    graph.events = reached.events.into_values().collect();
    graph.attributions = attributions.into_iter().map(attribution).collect();
    graph.associations = associations.into_iter().map(association).collect();
    cut(&mut graph, mask);
    Ok(graph)
}

fn attribution((artifact, context): (i64, i64)) -> Attribution {
    Attribution { artifact_id: Some(artifact), context_id: Some(context), system_metadata: None }
}

fn association((execution, context): (i64, i64)) -> Association {
    Association { execution_id: Some(execution), context_id: Some(context), system_metadata: None }
}

/// Numbers of the types of nodes, each once.
pub(crate) fn type_ids<N: Node>(nodes: &[N]) -> Vec<i64> {
    let ids: BTreeSet<i64> = nodes.iter().filter_map(|node| node.common().type_id).collect();
    ids.into_iter().collect()
}

fn cut(graph: &mut LineageGraph, mask: &Mask) {
    macro_rules! keep {
        ($($field:ident),*) => {
            $(if !mask.has(stringify!($field)) {
                graph.$field.clear();
            })*
        };
    }
    keep!(
        artifacts,
        executions,
        contexts,
        artifact_types,
        execution_types,
        context_types,
        events,
        attributions,
        associations
    );
}
