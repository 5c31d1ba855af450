//! The calls, one function each. All but writes look at one state of the tables.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use ferroflow_ports::metadata::{LinkEnd, LinkKind, MetadataStore, MetadataTables, Narrowing};
use ferroflow_ports::{Clock, ErrorKind, PortError};
use ferroflow_proto::ml_metadata as wire;
use wire::{Artifact, Context, Execution};

use crate::node::{Mask, Node};
use crate::put::{self, Stored, Writing};
use crate::put_type::{self, Allowed};
use crate::types::NodeType;
use crate::{filter, lineage, list, types, view};

type Result<T> = std::result::Result<T, PortError>;

/// ML Metadata over a store.
#[derive(Clone)]
pub struct Metadata {
    store: Arc<dyn MetadataStore>,
    clock: Arc<dyn Clock>,
}

fn invalid(message: impl Into<String>) -> PortError {
    PortError::new(ErrorKind::InvalidArgument, message)
}

fn not_found(message: impl Into<String>) -> PortError {
    PortError::new(ErrorKind::NotFound, message)
}

impl Metadata {
    /// Over a store; the clock tells when something was written.
    pub fn new(store: Arc<dyn MetadataStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl Fn(&dyn MetadataTables) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (place, work) = placed(move |tables: &mut dyn MetadataTables| work(tables));
        self.store.read_metadata(work).await?;
        taken(&place)
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Writing<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let now = self.clock.now();
        let (place, work) = placed(move |tables: &mut dyn MetadataTables| work(&mut Writing { tables, now }));
        self.store.write_metadata(work).await?;
        taken(&place)
    }

    async fn put_nodes<N: Stored>(&self, nodes: Vec<N>, mask: Mask) -> Result<Vec<i64>> {
        self.write(move |writing| nodes.iter().map(|node| writing.put(node, &mask)).collect()).await
    }

    async fn put_one_type<T: NodeType>(
        &self,
        given: Option<T>,
        allowed: Allowed,
        all_fields_match: bool,
        can_delete: bool,
    ) -> Result<i64> {
        old_flags(all_fields_match, can_delete)?;
        let given = given.ok_or_else(|| invalid("the type is missing"))?;
        self.write(move |writing| put_type::put(writing.tables, &given, allowed)).await
    }

    async fn nodes_of_type<N: Stored>(
        &self,
        name: String,
        version: String,
        options: Option<wire::ListOperationOptions>,
    ) -> Result<(Vec<N>, Option<String>)> {
        self.read(move |tables| {
            let narrowing = filter::of_type(tables, N::KIND, &name, &version)?;
            list::page(tables, narrowing, options.as_ref())
        })
        .await
    }

    async fn node_by_name<N: Stored>(
        &self,
        type_name: String,
        version: String,
        name: String,
    ) -> Result<Option<N>> {
        self.read(move |tables| {
            let id = types::id_of(tables, N::KIND, &type_name, &version)?;
            put::by_type_and_name(tables, id, &name)
        })
        .await
    }

    async fn by_external_ids<N: Stored>(&self, ids: Vec<String>) -> Result<Vec<N>> {
        no_empty(&ids)?;
        let found: Vec<N> = self.read(move |tables| put::by_external_ids(tables, &ids)).await?;
        if found.is_empty() {
            return Err(not_found(format!("no {}s have these external ids", N::WORD)));
        }
        Ok(found)
    }

    async fn types_by_external_ids<T: NodeType>(&self, ids: Vec<String>) -> Result<Vec<T>> {
        no_empty(&ids)?;
        let all: Vec<T> = self.read(types::all).await?;
        let has = |found: &T| found.parts().external_id.is_some_and(|id| ids.iter().any(|other| other == id));
        let found: Vec<T> = all.into_iter().filter(has).collect();
        if found.is_empty() {
            return Err(not_found("no types have these external ids"));
        }
        Ok(found)
    }

    async fn one_type<T: NodeType>(&self, name: String, version: String) -> Result<T> {
        let key = name.clone();
        let found = self.read(move |tables| types::by_name(tables, &key, &version)).await?;
        found.ok_or_else(|| not_found(format!("there is no type `{name}`")))
    }

    async fn contexts_of<N: Node>(&self, id: i64) -> Result<Vec<Context>> {
        let kind = match N::KIND {
            ferroflow_ports::metadata::NodeKind::Artifact => LinkKind::Attribution,
            _ => LinkKind::Association,
        };
        let contexts = self.read(move |tables| linked(tables, kind, LinkEnd::Node, &[id])).await?;
        match contexts.into_values().next() {
            Some(contexts) => Ok(contexts),
            None => Err(not_found(format!("no contexts found for {} {id}", N::WORD))),
        }
    }

    async fn relatives(&self, ids: Vec<i64>, end: LinkEnd) -> Result<BTreeMap<i64, Vec<Context>>> {
        self.read(move |tables| linked(tables, LinkKind::Parent, end, &ids)).await
    }
}

/// Where a piece of work leaves its result.
type Place<T> = Arc<Mutex<Option<T>>>;

fn placed<T: Send + 'static>(
    work: impl Fn(&mut dyn MetadataTables) -> Result<T> + Send + 'static,
) -> (Place<T>, ferroflow_ports::metadata::MetadataWork) {
    let place = Place::default();
    let result = Arc::clone(&place);
    let work = Box::new(move |tables: &mut dyn MetadataTables| {
        let found = work(tables)?;
        *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
        Ok(())
    });
    (place, work)
}

fn taken<T>(place: &Place<T>) -> Result<T> {
    let found = place.lock().unwrap_or_else(PoisonError::into_inner).take();
    found.ok_or_else(|| PortError::new(ErrorKind::Internal, "the work on metadata left no result"))
}

/// Contexts at the other end of edges, by the known end.
fn linked(
    tables: &dyn MetadataTables,
    kind: LinkKind,
    end: LinkEnd,
    ids: &[i64],
) -> Result<BTreeMap<i64, Vec<Context>>> {
    let mut others: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for (node, context) in tables.links(kind, end, ids)? {
        let (own, other) = if end == LinkEnd::Node { (node, context) } else { (context, node) };
        others.entry(own).or_default().push(other);
    }
    others.into_iter().map(|(own, other)| Ok((own, view::nodes(tables, &other)?))).collect()
}

fn no_empty(ids: &[String]) -> Result<()> {
    if ids.iter().any(String::is_empty) {
        return Err(invalid("`external_ids` holds an empty one"));
    }
    Ok(())
}

/// Two flags of old clients whose other values nobody supports.
fn old_flags(all_fields_match: bool, can_delete: bool) -> Result<()> {
    let refuse = |field: &str| {
        Err(PortError::new(ErrorKind::Unimplemented, format!("`{field}` is deprecated; leave it out")))
    };
    match (all_fields_match, can_delete) {
        (false, _) => refuse("all_fields_match"),
        (_, true) => refuse("can_delete_fields"),
        _ => Ok(()),
    }
}

/// Calls about types of one kind.
macro_rules! type_calls {
    ($type:ident, $field:ident, $fields:ident, $put:ident, $put_request:ident, $put_response:ident,
     $get:ident, $get_request:ident, $get_response:ident,
     $all:ident, $all_request:ident, $all_response:ident,
     $by_id:ident, $by_id_request:ident, $by_id_response:ident,
     $by_external:ident, $by_external_request:ident, $by_external_response:ident) => {
        impl Metadata {
            /// Adds a type, or what it has more than the stored one.
            pub async fn $put(&self, request: wire::$put_request) -> Result<wire::$put_response> {
                let allowed = Allowed { add: request.can_add_fields(), omit: request.can_omit_fields() };
                let (all_fields_match, can_delete) =
                    (request.all_fields_match(), request.can_delete_fields());
                let id = self.put_one_type(request.$field, allowed, all_fields_match, can_delete).await?;
                Ok(wire::$put_response { type_id: Some(id) })
            }

            /// A type by name and version. `NotFound`.
            pub async fn $get(&self, request: wire::$get_request) -> Result<wire::$get_response> {
                let (name, version) = (request.type_name().to_owned(), request.type_version().to_owned());
                Ok(wire::$get_response { $field: Some(self.one_type(name, version).await?) })
            }

            /// All types of the kind.
            pub async fn $all(&self, _: wire::$all_request) -> Result<wire::$all_response> {
                Ok(wire::$all_response { $fields: self.read(types::all).await? })
            }

            /// Types by number; unknown ones are left out.
            pub async fn $by_id(&self, request: wire::$by_id_request) -> Result<wire::$by_id_response> {
                let found = self.read(move |tables| types::by_id(tables, &request.type_ids)).await?;
                Ok(wire::$by_id_response { $fields: found })
            }

            /// Types by external name. `NotFound` if there is none at all.
            pub async fn $by_external(
                &self,
                request: wire::$by_external_request,
            ) -> Result<wire::$by_external_response> {
                let found = self.types_by_external_ids::<wire::$type>(request.external_ids).await?;
                Ok(wire::$by_external_response { $fields: found })
            }
        }
    };
}

type_calls!(
    ArtifactType,
    artifact_type,
    artifact_types,
    put_artifact_type,
    PutArtifactTypeRequest,
    PutArtifactTypeResponse,
    get_artifact_type,
    GetArtifactTypeRequest,
    GetArtifactTypeResponse,
    get_artifact_types,
    GetArtifactTypesRequest,
    GetArtifactTypesResponse,
    get_artifact_types_by_id,
    GetArtifactTypesByIdRequest,
    GetArtifactTypesByIdResponse,
    get_artifact_types_by_external_ids,
    GetArtifactTypesByExternalIdsRequest,
    GetArtifactTypesByExternalIdsResponse
);

type_calls!(
    ExecutionType,
    execution_type,
    execution_types,
    put_execution_type,
    PutExecutionTypeRequest,
    PutExecutionTypeResponse,
    get_execution_type,
    GetExecutionTypeRequest,
    GetExecutionTypeResponse,
    get_execution_types,
    GetExecutionTypesRequest,
    GetExecutionTypesResponse,
    get_execution_types_by_id,
    GetExecutionTypesByIdRequest,
    GetExecutionTypesByIdResponse,
    get_execution_types_by_external_ids,
    GetExecutionTypesByExternalIdsRequest,
    GetExecutionTypesByExternalIdsResponse
);

type_calls!(
    ContextType,
    context_type,
    context_types,
    put_context_type,
    PutContextTypeRequest,
    PutContextTypeResponse,
    get_context_type,
    GetContextTypeRequest,
    GetContextTypeResponse,
    get_context_types,
    GetContextTypesRequest,
    GetContextTypesResponse,
    get_context_types_by_id,
    GetContextTypesByIdRequest,
    GetContextTypesByIdResponse,
    get_context_types_by_external_ids,
    GetContextTypesByExternalIdsRequest,
    GetContextTypesByExternalIdsResponse
);

/// Calls about nodes of one kind.
macro_rules! node_calls {
    ($node:ident, $nodes:ident, $put:ident, $put_request:ident, $put_response:ident, $ids:ident,
     $list:ident, $list_request:ident, $list_response:ident,
     $by_type:ident, $by_type_request:ident, $by_type_response:ident,
     $by_name:ident, $by_name_request:ident, $by_name_response:ident, $field:ident, $name:ident,
     $by_external:ident, $by_external_request:ident, $by_external_response:ident) => {
        impl Metadata {
            /// Adds nodes, or changes those whose numbers are given. All or none.
            pub async fn $put(&self, request: wire::$put_request) -> Result<wire::$put_response> {
                let mask = Mask::new(request.update_mask.as_ref());
                Ok(wire::$put_response { $ids: self.put_nodes(request.$nodes, mask).await? })
            }

            /// A page of all nodes of the kind.
            pub async fn $list(&self, request: wire::$list_request) -> Result<wire::$list_response> {
                let ($nodes, next) = self
                    .read(move |tables| list::page(tables, Narrowing::All, request.options.as_ref()))
                    .await?;
                Ok(wire::$list_response { $nodes, next_page_token: next })
            }

            /// A page of nodes of one type; empty for an unknown type.
            pub async fn $by_type(&self, request: wire::$by_type_request) -> Result<wire::$by_type_response> {
                let (name, version) = (request.type_name().to_owned(), request.type_version().to_owned());
                let ($nodes, next) = self.nodes_of_type(name, version, request.options).await?;
                Ok(wire::$by_type_response { $nodes, next_page_token: next })
            }

            /// The node of this type and name, if there is one.
            pub async fn $by_name(&self, request: wire::$by_name_request) -> Result<wire::$by_name_response> {
                let (type_name, version) =
                    (request.type_name().to_owned(), request.type_version().to_owned());
                let found = self.node_by_name(type_name, version, request.$name().to_owned()).await?;
                Ok(wire::$by_name_response { $field: found })
            }

            /// Nodes by external name. `NotFound` if there is none at all.
            pub async fn $by_external(
                &self,
                request: wire::$by_external_request,
            ) -> Result<wire::$by_external_response> {
                let found: Vec<$node> = self.by_external_ids(request.external_ids).await?;
                Ok(wire::$by_external_response { $nodes: found })
            }
        }
    };
}

node_calls!(
    Artifact,
    artifacts,
    put_artifacts,
    PutArtifactsRequest,
    PutArtifactsResponse,
    artifact_ids,
    get_artifacts,
    GetArtifactsRequest,
    GetArtifactsResponse,
    get_artifacts_by_type,
    GetArtifactsByTypeRequest,
    GetArtifactsByTypeResponse,
    get_artifact_by_type_and_name,
    GetArtifactByTypeAndNameRequest,
    GetArtifactByTypeAndNameResponse,
    artifact,
    artifact_name,
    get_artifacts_by_external_ids,
    GetArtifactsByExternalIdsRequest,
    GetArtifactsByExternalIdsResponse
);

node_calls!(
    Execution,
    executions,
    put_executions,
    PutExecutionsRequest,
    PutExecutionsResponse,
    execution_ids,
    get_executions,
    GetExecutionsRequest,
    GetExecutionsResponse,
    get_executions_by_type,
    GetExecutionsByTypeRequest,
    GetExecutionsByTypeResponse,
    get_execution_by_type_and_name,
    GetExecutionByTypeAndNameRequest,
    GetExecutionByTypeAndNameResponse,
    execution,
    execution_name,
    get_executions_by_external_ids,
    GetExecutionsByExternalIdsRequest,
    GetExecutionsByExternalIdsResponse
);

node_calls!(
    Context,
    contexts,
    put_contexts,
    PutContextsRequest,
    PutContextsResponse,
    context_ids,
    get_contexts,
    GetContextsRequest,
    GetContextsResponse,
    get_contexts_by_type,
    GetContextsByTypeRequest,
    GetContextsByTypeResponse,
    get_context_by_type_and_name,
    GetContextByTypeAndNameRequest,
    GetContextByTypeAndNameResponse,
    context,
    context_name,
    get_contexts_by_external_ids,
    GetContextsByExternalIdsRequest,
    GetContextsByExternalIdsResponse
);

impl Metadata {
    /// Adds types of several kinds at once.
    pub async fn put_types(&self, request: wire::PutTypesRequest) -> Result<wire::PutTypesResponse> {
        old_flags(request.all_fields_match(), request.can_delete_fields())?;
        let allowed = Allowed { add: request.can_add_fields(), omit: request.can_omit_fields() };
        self.write(move |writing| {
            Ok(wire::PutTypesResponse {
                artifact_type_ids: put_type::put_all(writing.tables, &request.artifact_types, allowed)?,
                execution_type_ids: put_type::put_all(writing.tables, &request.execution_types, allowed)?,
                context_type_ids: put_type::put_all(writing.tables, &request.context_types, allowed)?,
            })
        })
        .await
    }

    /// Adds events between nodes that exist.
    pub async fn put_events(&self, request: wire::PutEventsRequest) -> Result<wire::PutEventsResponse> {
        self.write(move |writing| request.events.iter().try_for_each(|event| writing.put_event(event)))
            .await?;
        Ok(wire::PutEventsResponse {})
    }

    /// An execution with its artifacts, events and contexts.
    pub async fn put_execution(
        &self,
        request: wire::PutExecutionRequest,
    ) -> Result<wire::PutExecutionResponse> {
        self.write(move |writing| {
            let execution = request.execution.as_ref().ok_or_else(|| invalid("`execution` is missing"))?;
            let options = request.options.unwrap_or_default();
            let (execution_id, artifact_ids, context_ids) = writing.put_execution(
                execution,
                &request.artifact_event_pairs,
                &request.contexts,
                options,
            )?;
            Ok(wire::PutExecutionResponse { execution_id: Some(execution_id), artifact_ids, context_ids })
        })
        .await
    }

    /// Several executions and artifacts with the events between them.
    pub async fn put_lineage_subgraph(
        &self,
        request: wire::PutLineageSubgraphRequest,
    ) -> Result<wire::PutLineageSubgraphResponse> {
        self.write(move |writing| {
            let (execution_ids, artifact_ids, context_ids) = writing.put_subgraph(
                &request.executions,
                &request.artifacts,
                &request.contexts,
                &request.event_edges,
                request.options.unwrap_or_default(),
            )?;
            Ok(wire::PutLineageSubgraphResponse { execution_ids, artifact_ids, context_ids })
        })
        .await
    }

    /// Makes artifacts and executions members of contexts; those that are stay so.
    pub async fn put_attributions_and_associations(
        &self,
        request: wire::PutAttributionsAndAssociationsRequest,
    ) -> Result<wire::PutAttributionsAndAssociationsResponse> {
        self.write(move |writing| {
            for link in &request.attributions {
                writing.put_member::<Artifact>(link.artifact_id, link.context_id)?;
            }
            for link in &request.associations {
                writing.put_member::<Execution>(link.execution_id, link.context_id)?;
            }
            Ok(wire::PutAttributionsAndAssociationsResponse {})
        })
        .await
    }

    /// Makes contexts part of others.
    pub async fn put_parent_contexts(
        &self,
        request: wire::PutParentContextsRequest,
    ) -> Result<wire::PutParentContextsResponse> {
        self.write(move |writing| {
            for link in &request.parent_contexts {
                writing.put_parent(link.child_id, link.parent_id)?;
            }
            Ok(wire::PutParentContextsResponse {})
        })
        .await
    }

    /// Artifacts by number, and their types if wanted; unknown ones are left out.
    pub async fn get_artifacts_by_id(
        &self,
        request: wire::GetArtifactsByIdRequest,
    ) -> Result<wire::GetArtifactsByIdResponse> {
        self.read(move |tables| {
            let artifacts: Vec<Artifact> = view::nodes(tables, &request.artifact_ids)?;
            let artifact_types = if request.populate_artifact_types() {
                types::by_id(tables, &lineage::type_ids(&artifacts))?
            } else {
                Vec::new()
            };
            Ok(wire::GetArtifactsByIdResponse { artifacts, artifact_types })
        })
        .await
    }

    /// Executions by number; unknown ones are left out.
    pub async fn get_executions_by_id(
        &self,
        request: wire::GetExecutionsByIdRequest,
    ) -> Result<wire::GetExecutionsByIdResponse> {
        let found = self.read(move |tables| view::nodes(tables, &request.execution_ids)).await?;
        Ok(wire::GetExecutionsByIdResponse { executions: found })
    }

    /// Contexts by number; unknown ones are left out.
    pub async fn get_contexts_by_id(
        &self,
        request: wire::GetContextsByIdRequest,
    ) -> Result<wire::GetContextsByIdResponse> {
        let found = self.read(move |tables| view::nodes(tables, &request.context_ids)).await?;
        Ok(wire::GetContextsByIdResponse { contexts: found })
    }

    /// Artifacts at these places.
    pub async fn get_artifacts_by_uri(
        &self,
        request: wire::GetArtifactsByUriRequest,
    ) -> Result<wire::GetArtifactsByUriResponse> {
        let uris = Narrowing::Uris(request.uris);
        let artifacts = self.read(move |tables| list::all(tables, uris.clone())).await?;
        Ok(wire::GetArtifactsByUriResponse { artifacts })
    }

    /// Events at these executions.
    pub async fn get_events_by_execution_ids(
        &self,
        request: wire::GetEventsByExecutionIDsRequest,
    ) -> Result<wire::GetEventsByExecutionIDsResponse> {
        let events =
            self.read(move |tables| view::events::<Execution>(tables, &request.execution_ids)).await?;
        Ok(wire::GetEventsByExecutionIDsResponse { events })
    }

    /// Events at these artifacts.
    pub async fn get_events_by_artifact_ids(
        &self,
        request: wire::GetEventsByArtifactIDsRequest,
    ) -> Result<wire::GetEventsByArtifactIDsResponse> {
        let events = self.read(move |tables| view::events::<Artifact>(tables, &request.artifact_ids)).await?;
        Ok(wire::GetEventsByArtifactIDsResponse { events })
    }

    /// Contexts that an artifact belongs to. `NotFound` if there is none.
    pub async fn get_contexts_by_artifact(
        &self,
        request: wire::GetContextsByArtifactRequest,
    ) -> Result<wire::GetContextsByArtifactResponse> {
        let contexts = self.contexts_of::<Artifact>(request.artifact_id()).await?;
        Ok(wire::GetContextsByArtifactResponse { contexts })
    }

    /// Contexts that an execution belongs to. `NotFound` if there is none.
    pub async fn get_contexts_by_execution(
        &self,
        request: wire::GetContextsByExecutionRequest,
    ) -> Result<wire::GetContextsByExecutionResponse> {
        let contexts = self.contexts_of::<Execution>(request.execution_id()).await?;
        Ok(wire::GetContextsByExecutionResponse { contexts })
    }

    /// What a context is part of.
    pub async fn get_parent_contexts_by_context(
        &self,
        request: wire::GetParentContextsByContextRequest,
    ) -> Result<wire::GetParentContextsByContextResponse> {
        let found = self.relatives(vec![request.context_id()], LinkEnd::Node).await?;
        Ok(wire::GetParentContextsByContextResponse { contexts: found.into_values().flatten().collect() })
    }

    /// What is part of a context.
    pub async fn get_children_contexts_by_context(
        &self,
        request: wire::GetChildrenContextsByContextRequest,
    ) -> Result<wire::GetChildrenContextsByContextResponse> {
        let found = self.relatives(vec![request.context_id()], LinkEnd::Context).await?;
        Ok(wire::GetChildrenContextsByContextResponse { contexts: found.into_values().flatten().collect() })
    }

    /// What contexts are part of, by context.
    pub async fn get_parent_contexts_by_contexts(
        &self,
        request: wire::GetParentContextsByContextsRequest,
    ) -> Result<wire::GetParentContextsByContextsResponse> {
        use wire::get_parent_contexts_by_contexts_response::ParentContextsPerChild;
        let found = self.relatives(request.context_ids, LinkEnd::Node).await?;
        let contexts =
            found.into_iter().map(|(id, parent_contexts)| (id, ParentContextsPerChild { parent_contexts }));
        Ok(wire::GetParentContextsByContextsResponse { contexts: contexts.collect() })
    }

    /// What is part of contexts, by context.
    pub async fn get_children_contexts_by_contexts(
        &self,
        request: wire::GetChildrenContextsByContextsRequest,
    ) -> Result<wire::GetChildrenContextsByContextsResponse> {
        use wire::get_children_contexts_by_contexts_response::ChildrenContextsPerParent;
        let found = self.relatives(request.context_ids, LinkEnd::Context).await?;
        let contexts = found
            .into_iter()
            .map(|(id, children_contexts)| (id, ChildrenContextsPerParent { children_contexts }));
        Ok(wire::GetChildrenContextsByContextsResponse { contexts: contexts.collect() })
    }

    /// A page of the artifacts that belong to a context.
    pub async fn get_artifacts_by_context(
        &self,
        request: wire::GetArtifactsByContextRequest,
    ) -> Result<wire::GetArtifactsByContextResponse> {
        let context = Narrowing::Context(request.context_id());
        let (artifacts, next_page_token) =
            self.read(move |tables| list::page(tables, context.clone(), request.options.as_ref())).await?;
        Ok(wire::GetArtifactsByContextResponse { artifacts, next_page_token })
    }

    /// A page of the executions that belong to a context.
    pub async fn get_executions_by_context(
        &self,
        request: wire::GetExecutionsByContextRequest,
    ) -> Result<wire::GetExecutionsByContextResponse> {
        let context = Narrowing::Context(request.context_id());
        let (executions, next_page_token) =
            self.read(move |tables| list::page(tables, context.clone(), request.options.as_ref())).await?;
        Ok(wire::GetExecutionsByContextResponse { executions, next_page_token, transaction_options: None })
    }

    /// What artifacts came from and went into, both ways.
    pub async fn get_lineage_graph(
        &self,
        request: wire::GetLineageGraphRequest,
    ) -> Result<wire::GetLineageGraphResponse> {
        let options = request.options.ok_or_else(|| invalid("`options` is missing"))?;
        let subgraph = self.read(move |tables| lineage::graph(tables, &options)).await?;
        Ok(wire::GetLineageGraphResponse { subgraph: Some(subgraph) })
    }

    /// What the starting nodes came from, went into, or both; only the parts that the mask names.
    pub async fn get_lineage_subgraph(
        &self,
        request: wire::GetLineageSubgraphRequest,
    ) -> Result<wire::GetLineageSubgraphResponse> {
        let mask = Mask::new(request.read_mask.as_ref());
        let options = request
            .lineage_subgraph_query_options
            .ok_or_else(|| invalid("`lineage_subgraph_query_options` is missing"))?;
        let graph = self.read(move |tables| lineage::subgraph(tables, &options, &mask)).await?;
        Ok(wire::GetLineageSubgraphResponse { lineage_subgraph: Some(graph) })
    }
}
