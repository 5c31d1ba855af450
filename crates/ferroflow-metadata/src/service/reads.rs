//! Calls that look for things by number, by place and along edges.

use ferroflow_ports::metadata::{LinkEnd, Narrowing};
use ferroflow_proto::ml_metadata as wire;
use wire::{Artifact, Execution};

use super::{Metadata, Result, invalid};
use crate::node::Mask;
use crate::{lineage, list, types, view};

impl Metadata {
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
