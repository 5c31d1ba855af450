//! Writes nodes and edges. Each call is one transaction: all of it stands, or nothing.

use ferroflow_model::Timestamp;
use ferroflow_ports::metadata::{FIRST_WRITTEN_ID, LinkKind, MetadataTables, NodeKind, WrittenEvent};
use ferroflow_ports::{ErrorKind, PortError};
use ferroflow_proto::ml_metadata::{
    Artifact, ArtifactType, Context, ContextType, Event, Execution, ExecutionType, event,
    put_execution_request, put_lineage_subgraph_request,
};
use prost::Message;

use crate::node::{Mask, Node, millis};
use crate::types::{self, NodeType};
use crate::view;

type Result<T> = std::result::Result<T, PortError>;

/// A node with the messages of its types.
pub(crate) trait Stored: Node {
    type Type: NodeType;
}

impl Stored for Artifact {
    type Type = ArtifactType;
}

impl Stored for Execution {
    type Type = ExecutionType;
}

impl Stored for Context {
    type Type = ContextType;
}

fn invalid(message: impl Into<String>) -> PortError {
    PortError::new(ErrorKind::InvalidArgument, message)
}

/// One transaction that writes.
pub(crate) struct Writing<'a> {
    pub(crate) tables: &'a mut dyn MetadataTables,
    pub(crate) now: Timestamp,
}

impl Writing<'_> {
    /// Adds a node, or changes the one whose number it has. Returns its number.
    pub(crate) fn put<N: Stored>(&mut self, given: &N, mask: &Mask) -> Result<i64> {
        match given.common().id {
            Some(id) => self.update(id, given, mask),
            None => self.create(given),
        }
    }

    fn create<N: Stored>(&mut self, given: &N) -> Result<i64> {
        let common = given.common();
        let type_id =
            common.type_id.ok_or_else(|| invalid(format!("`type_id` of the {} is missing", N::WORD)))?;
        let node_type = types::by_id::<N::Type>(self.tables, &[type_id])?.pop().ok_or_else(|| {
            let message = format!("there is no {} type with `type_id` {type_id}", N::WORD);
            PortError::new(ErrorKind::NotFound, message)
        })?;
        types::check_properties(node_type.parts().properties, common.properties, N::WORD)?;
        if N::KIND == NodeKind::Context && common.name.unwrap_or_default().is_empty() {
            return Err(invalid("`name` of the context is empty"));
        }
        if let Some(name) = common.name
            && self.is_name_of_row::<N>(type_id, name)?
        {
            let message = format!("there is a {} `{name}` of this type already", N::WORD);
            return Err(PortError::new(ErrorKind::AlreadyExists, message));
        }
        let id = self.tables.next_node_id(N::KIND)?;
        self.tables.put_node(N::KIND, &view::encode(given, id, self.now, self.now))?;
        Ok(id)
    }

    /// Whether a row of a run has this name already.
    fn is_name_of_row<N: Stored>(&self, type_id: i64, name: &str) -> Result<bool> {
        let found = by_type_and_name::<N>(&*self.tables, type_id, name)?;
        Ok(found.is_some_and(|node| node.common().id.is_some_and(|id| id < FIRST_WRITTEN_ID)))
    }

    fn update<N: Stored>(&mut self, id: i64, given: &N, mask: &Mask) -> Result<i64> {
        let shown = view::nodes::<N>(&*self.tables, &[id])?.pop();
        let shown = shown.ok_or_else(|| invalid(format!("there is no {} with `id` {id}", N::WORD)))?;
        let type_id = shown.common().type_id.unwrap_or_default();
        if let Some(other) = given.common().type_id
            && other != type_id
        {
            let message = format!("`type_id` {other} of {} {id} differs from the stored {type_id}", N::WORD);
            return Err(invalid(message));
        }
        let declared = types::by_id::<N::Type>(&*self.tables, &[type_id])?.pop();
        let written = self.tables.written(N::KIND, &[id])?.pop();
        let created_at = written.as_ref().map_or(self.now, |row| row.created_at);
        let mut node = match &written {
            Some(row) => view::decode::<N>(row)?,
            None => N::default(),
        };
        node.take_own(given, mask);
        let parts = node.common_mut();
        *parts.type_id = Some(type_id);
        if mask.has("external_id") {
            *parts.external_id = given.common().external_id.map(str::to_owned);
        }
        mask.apply("properties", parts.properties, given.common().properties);
        mask.apply("custom_properties", parts.custom_properties, given.common().custom_properties);
        if let Some(declared) = declared {
            types::check_properties(declared.parts().properties, node.common().properties, N::WORD)?;
        }
        if id < FIRST_WRITTEN_ID {
            only_what_differs(&mut node, &shown, written.is_some());
        }
        let is_changed = match &written {
            None => true,
            Some(row) => view::decode::<N>(row)?.encode_to_vec() != with_times(&node, row).encode_to_vec(),
        };
        if is_changed {
            self.tables.put_node(N::KIND, &view::encode(&node, id, created_at, self.now))?;
        }
        Ok(id)
    }

    /// Adds an event between two nodes that exist.
    pub(crate) fn put_event(&mut self, given: &Event) -> Result<()> {
        let artifact_id =
            given.artifact_id.ok_or_else(|| invalid("`artifact_id` of the event is missing"))?;
        let execution_id =
            given.execution_id.ok_or_else(|| invalid("`execution_id` of the event is missing"))?;
        self.must_exist::<Artifact>(artifact_id)?;
        self.must_exist::<Execution>(execution_id)?;
        let event_type = given.r#type.unwrap_or_default();
        if event_type == i32::from(event::Type::Unknown) {
            return Err(invalid("`type` of the event is missing"));
        }
        let mut event = given.clone();
        event.milliseconds_since_epoch.get_or_insert_with(|| millis(self.now));
        let body = event.encode_to_vec();
        self.tables.put_event(&WrittenEvent { artifact_id, execution_id, event_type, body })
    }

    fn must_exist<N: Node>(&self, id: i64) -> Result<()> {
        if view::nodes::<N>(&*self.tables, &[id])?.is_empty() {
            return Err(invalid(format!("there is no {} with `id` {id}", N::WORD)));
        }
        Ok(())
    }

    /// Makes a node a member of a context; nothing happens if it is one.
    pub(crate) fn put_member<N: Node>(&mut self, node: Option<i64>, context: Option<i64>) -> Result<()> {
        let kind = match N::KIND {
            NodeKind::Artifact => LinkKind::Attribution,
            NodeKind::Execution => LinkKind::Association,
            NodeKind::Context => LinkKind::Parent,
        };
        let context = context.ok_or_else(|| invalid("`context_id` is missing"))?;
        let node = node.ok_or_else(|| invalid(format!("`{}_id` is missing", N::WORD)))?;
        self.must_exist::<Context>(context)?;
        self.must_exist::<N>(node)?;
        self.tables.put_link(kind, node, context)?;
        Ok(())
    }

    /// Makes one context part of another. `AlreadyExists` if it is, `InvalidArgument` if that closes a circle.
    pub(crate) fn put_parent(&mut self, child: Option<i64>, parent: Option<i64>) -> Result<()> {
        let child = child.ok_or_else(|| invalid("`child_id` is missing"))?;
        let parent = parent.ok_or_else(|| invalid("`parent_id` is missing"))?;
        if child == parent {
            return Err(invalid(format!("context {child} cannot be its own parent")));
        }
        self.must_exist::<Context>(child)?;
        self.must_exist::<Context>(parent)?;
        let mut above = vec![parent];
        let mut seen = std::collections::HashSet::from([parent]);
        while !above.is_empty() {
            let links =
                self.tables.links(LinkKind::Parent, ferroflow_ports::metadata::LinkEnd::Node, &above)?;
            above = links.into_iter().map(|(_, parent)| parent).filter(|id| seen.insert(*id)).collect();
            if seen.contains(&child) {
                return Err(invalid(format!("context {parent} is below context {child} already: a circle")));
            }
        }
        if !self.tables.put_link(LinkKind::Parent, child, parent)? {
            let message = format!("context {parent} is a parent of context {child} already");
            return Err(PortError::new(ErrorKind::AlreadyExists, message));
        }
        Ok(())
    }

    /// Adds or changes contexts of an execution.
    fn put_contexts(&mut self, given: &[Context], reuse: bool, reuse_by_id: bool) -> Result<Vec<i64>> {
        let mut ids = Vec::with_capacity(given.len());
        for context in given {
            let known = match context.id {
                Some(id) if reuse_by_id => {
                    self.must_exist::<Context>(id)?;
                    Some(id)
                }
                None if reuse => {
                    let name = context.name.as_deref().unwrap_or_default();
                    let found = by_type_and_name::<Context>(
                        &*self.tables,
                        context.type_id.unwrap_or_default(),
                        name,
                    )?;
                    found.and_then(|context| context.id)
                }
                _ => None,
            };
            ids.push(match known {
                Some(id) => id,
                None => self.put(context, &Mask::default())?,
            });
        }
        Ok(ids)
    }

    /// Adds an artifact, or changes it; one with nothing but its number stays as it is.
    fn put_artifact(&mut self, given: &Artifact, reuse_by_external_id: bool) -> Result<i64> {
        if let Some(id) = given.id
            && *given == (Artifact { id: Some(id), ..Artifact::default() })
        {
            self.must_exist::<Artifact>(id)?;
            return Ok(id);
        }
        if reuse_by_external_id
            && given.id.is_none()
            && let Some(external_id) = given.external_id.as_deref().filter(|id| !id.is_empty())
        {
            let found = by_external_ids::<Artifact>(&*self.tables, &[external_id.to_owned()])?;
            if let Some(id) = found.first().and_then(|artifact| artifact.id) {
                let known = Artifact { id: Some(id), ..given.clone() };
                return self.put(&known, &Mask::default());
            }
        }
        self.put(given, &Mask::default())
    }

    /// An execution with its artifacts, events and contexts: their numbers.
    pub(crate) fn put_execution(
        &mut self,
        execution: &Execution,
        pairs: &[put_execution_request::ArtifactAndEvent],
        contexts: &[Context],
        options: put_execution_request::Options,
    ) -> Result<(i64, Vec<i64>, Vec<i64>)> {
        let execution_id = self.put(execution, &Mask::default())?;
        let mut artifact_ids = Vec::with_capacity(pairs.len());
        for pair in pairs {
            let reuse = options.reuse_artifact_if_already_exist_by_external_id();
            let mut artifact_id = match &pair.artifact {
                Some(artifact) => Some(self.put_artifact(artifact, reuse)?),
                None => None,
            };
            if let Some(event) = &pair.event {
                let mut event = event.clone();
                same(&mut event.execution_id, Some(execution_id), "execution_id")?;
                same(&mut event.artifact_id, artifact_id, "artifact_id")?;
                artifact_id = event.artifact_id;
                self.put_event(&event)?;
            }
            artifact_ids.extend(artifact_id);
        }
        let reuse_by_id = options.force_reuse_context();
        let context_ids =
            self.put_contexts(contexts, options.reuse_context_if_already_exist(), reuse_by_id)?;
        self.put_members(&[execution_id], &artifact_ids, &context_ids)?;
        Ok((execution_id, artifact_ids, context_ids))
    }

    fn put_members(&mut self, executions: &[i64], artifacts: &[i64], contexts: &[i64]) -> Result<()> {
        for context in contexts {
            for execution in executions {
                self.tables.put_link(LinkKind::Association, *execution, *context)?;
            }
            for artifact in artifacts {
                self.tables.put_link(LinkKind::Attribution, *artifact, *context)?;
            }
        }
        Ok(())
    }

    /// Several executions and artifacts with the events between them: numbers of all.
    pub(crate) fn put_subgraph(
        &mut self,
        executions: &[Execution],
        artifacts: &[Artifact],
        contexts: &[Context],
        edges: &[put_lineage_subgraph_request::EventEdge],
        options: put_lineage_subgraph_request::Options,
    ) -> Result<(Vec<i64>, Vec<i64>, Vec<i64>)> {
        let context_ids = self.put_contexts(contexts, options.reuse_context_if_already_exist(), false)?;
        let reuse = options.reuse_artifact_if_already_exist_by_external_id();
        let mut artifact_ids = Vec::with_capacity(artifacts.len());
        for artifact in artifacts {
            artifact_ids.push(self.put_artifact(artifact, reuse)?);
        }
        let mut execution_ids = Vec::with_capacity(executions.len());
        for execution in executions {
            execution_ids.push(self.put(execution, &Mask::default())?);
        }
        for edge in edges {
            let mut event =
                edge.event.clone().ok_or_else(|| invalid("`event` of an event edge is missing"))?;
            let execution = chosen(&execution_ids, edge.execution_index, "execution_index")?;
            let artifact = chosen(&artifact_ids, edge.artifact_index, "artifact_index")?;
            same(&mut event.execution_id, execution, "execution_id")?;
            same(&mut event.artifact_id, artifact, "artifact_id")?;
            self.put_event(&event)?;
        }
        self.put_members(&execution_ids, &artifact_ids, &context_ids)?;
        Ok((execution_ids, artifact_ids, context_ids))
    }
}

/// Keeps of a change to a row of a run what the row itself does not say. What only the engine may change is left out.
fn only_what_differs<N: Node>(node: &mut N, shown: &N, has_written: bool) {
    let shown = shown.common();
    let parts = node.common_mut();
    *parts.name = None;
    if !has_written {
        parts.properties.retain(|name, value| shown.properties.get(name) != Some(value));
        parts.custom_properties.retain(|name, value| shown.custom_properties.get(name) != Some(value));
    }
}

/// The node with the times of its row, to compare with what is stored.
fn with_times<N: Node>(node: &N, row: &ferroflow_ports::metadata::WrittenNode) -> N {
    let mut node = node.clone();
    let parts = node.common_mut();
    *parts.id = Some(row.id);
    *parts.created_ms = Some(millis(row.created_at));
    *parts.updated_ms = Some(millis(row.updated_at));
    node
}

/// Fills a number in, or sees that it is the same.
fn same(field: &mut Option<i64>, value: Option<i64>, name: &str) -> Result<()> {
    match (*field, value) {
        (Some(given), Some(known)) if given != known => {
            Err(invalid(format!("`{name}` {given} of the event is not that of its pair, {known}")))
        }
        _ => {
            *field = field.or(value);
            Ok(())
        }
    }
}

fn chosen(ids: &[i64], index: Option<i32>, name: &str) -> Result<Option<i64>> {
    let Some(index) = index else { return Ok(None) };
    let id = usize::try_from(index).ok().and_then(|index| ids.get(index));
    match id {
        Some(id) => Ok(Some(*id)),
        None => {
            Err(invalid(format!("`{name}` {index} is outside of the list of {} in the request", ids.len())))
        }
    }
}

/// The node of this type and name.
pub(crate) fn by_type_and_name<N: Node>(
    tables: &dyn MetadataTables,
    type_id: i64,
    name: &str,
) -> Result<Option<N>> {
    let found = crate::list::all::<N>(tables, ferroflow_ports::metadata::Narrowing::Name(name.to_owned()))?;
    Ok(found.into_iter().find(|node| node.common().type_id == Some(type_id)))
}

/// Nodes with one of these external names.
pub(crate) fn by_external_ids<N: Node>(tables: &dyn MetadataTables, ids: &[String]) -> Result<Vec<N>> {
    crate::list::all::<N>(tables, ferroflow_ports::metadata::Narrowing::ExternalIds(ids.to_vec()))
}
