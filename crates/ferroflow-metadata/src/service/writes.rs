//! Calls that write several things at once, and edges.

use ferroflow_proto::ml_metadata as wire;
use wire::{Artifact, Execution};

use super::{Metadata, Result, invalid};

impl Metadata {
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
}
