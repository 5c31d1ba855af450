//! Calls by name, with encoded messages: what a transport needs.

use bytes::Bytes;
use ferroflow_ports::{ErrorKind, PortError};
use prost::Message;

use crate::Metadata;

impl Metadata {
    /// Answers the call of this name; `None` if there is no such call. Errors are those of the call, or
    /// `InvalidArgument` for bytes that are no request.
    pub async fn call(&self, rpc: &str, message: Bytes) -> Option<Result<Bytes, PortError>> {
        Some(match rpc {
            "PutArtifactType" => answer(message, |request| self.put_artifact_type(request)).await,
            "PutExecutionType" => answer(message, |request| self.put_execution_type(request)).await,
            "PutContextType" => answer(message, |request| self.put_context_type(request)).await,
            "PutTypes" => answer(message, |request| self.put_types(request)).await,
            "PutArtifacts" => answer(message, |request| self.put_artifacts(request)).await,
            "PutExecutions" => answer(message, |request| self.put_executions(request)).await,
            "PutEvents" => answer(message, |request| self.put_events(request)).await,
            "PutExecution" => answer(message, |request| self.put_execution(request)).await,
            "PutLineageSubgraph" => answer(message, |request| self.put_lineage_subgraph(request)).await,
            "PutContexts" => answer(message, |request| self.put_contexts(request)).await,
            "PutAttributionsAndAssociations" => {
                answer(message, |request| self.put_attributions_and_associations(request)).await
            }
            "PutParentContexts" => answer(message, |request| self.put_parent_contexts(request)).await,
            "GetArtifactType" => answer(message, |request| self.get_artifact_type(request)).await,
            "GetArtifactTypesByID" => answer(message, |request| self.get_artifact_types_by_id(request)).await,
            "GetArtifactTypes" => answer(message, |request| self.get_artifact_types(request)).await,
            "GetExecutionType" => answer(message, |request| self.get_execution_type(request)).await,
            "GetExecutionTypesByID" => {
                answer(message, |request| self.get_execution_types_by_id(request)).await
            }
            "GetExecutionTypes" => answer(message, |request| self.get_execution_types(request)).await,
            "GetContextType" => answer(message, |request| self.get_context_type(request)).await,
            "GetContextTypesByID" => answer(message, |request| self.get_context_types_by_id(request)).await,
            "GetContextTypes" => answer(message, |request| self.get_context_types(request)).await,
            "GetArtifacts" => answer(message, |request| self.get_artifacts(request)).await,
            "GetExecutions" => answer(message, |request| self.get_executions(request)).await,
            "GetContexts" => answer(message, |request| self.get_contexts(request)).await,
            "GetArtifactsByID" => answer(message, |request| self.get_artifacts_by_id(request)).await,
            "GetExecutionsByID" => answer(message, |request| self.get_executions_by_id(request)).await,
            "GetContextsByID" => answer(message, |request| self.get_contexts_by_id(request)).await,
            "GetArtifactsByType" => answer(message, |request| self.get_artifacts_by_type(request)).await,
            "GetExecutionsByType" => answer(message, |request| self.get_executions_by_type(request)).await,
            "GetContextsByType" => answer(message, |request| self.get_contexts_by_type(request)).await,
            "GetArtifactByTypeAndName" => {
                answer(message, |request| self.get_artifact_by_type_and_name(request)).await
            }
            "GetExecutionByTypeAndName" => {
                answer(message, |request| self.get_execution_by_type_and_name(request)).await
            }
            "GetContextByTypeAndName" => {
                answer(message, |request| self.get_context_by_type_and_name(request)).await
            }
            "GetArtifactsByURI" => answer(message, |request| self.get_artifacts_by_uri(request)).await,
            "GetEventsByExecutionIDs" => {
                answer(message, |request| self.get_events_by_execution_ids(request)).await
            }
            "GetEventsByArtifactIDs" => {
                answer(message, |request| self.get_events_by_artifact_ids(request)).await
            }
            "GetArtifactsByExternalIds" => {
                answer(message, |request| self.get_artifacts_by_external_ids(request)).await
            }
            "GetExecutionsByExternalIds" => {
                answer(message, |request| self.get_executions_by_external_ids(request)).await
            }
            "GetContextsByExternalIds" => {
                answer(message, |request| self.get_contexts_by_external_ids(request)).await
            }
            "GetArtifactTypesByExternalIds" => {
                answer(message, |request| self.get_artifact_types_by_external_ids(request)).await
            }
            "GetExecutionTypesByExternalIds" => {
                answer(message, |request| self.get_execution_types_by_external_ids(request)).await
            }
            "GetContextTypesByExternalIds" => {
                answer(message, |request| self.get_context_types_by_external_ids(request)).await
            }
            "GetContextsByArtifact" => {
                answer(message, |request| self.get_contexts_by_artifact(request)).await
            }
            "GetContextsByExecution" => {
                answer(message, |request| self.get_contexts_by_execution(request)).await
            }
            "GetParentContextsByContext" => {
                answer(message, |request| self.get_parent_contexts_by_context(request)).await
            }
            "GetChildrenContextsByContext" => {
                answer(message, |request| self.get_children_contexts_by_context(request)).await
            }
            "GetParentContextsByContexts" => {
                answer(message, |request| self.get_parent_contexts_by_contexts(request)).await
            }
            "GetChildrenContextsByContexts" => {
                answer(message, |request| self.get_children_contexts_by_contexts(request)).await
            }
            "GetArtifactsByContext" => {
                answer(message, |request| self.get_artifacts_by_context(request)).await
            }
            "GetExecutionsByContext" => {
                answer(message, |request| self.get_executions_by_context(request)).await
            }
            "GetLineageGraph" => answer(message, |request| self.get_lineage_graph(request)).await,
            "GetLineageSubgraph" => answer(message, |request| self.get_lineage_subgraph(request)).await,
            _ => return None,
        })
    }
}

async fn answer<Request, Response, Answering>(
    message: Bytes,
    handler: impl FnOnce(Request) -> Answering,
) -> Result<Bytes, PortError>
where
    Request: Message + Default,
    Response: Message,
    Answering: Future<Output = Result<Response, PortError>>,
{
    let request = Request::decode(message).map_err(|error| {
        PortError::new(ErrorKind::InvalidArgument, format!("the request cannot be read: {error}"))
    })?;
    // Boxed: the state of one call is large, and there are many.
    Ok(Box::pin(handler(request)).await?.encode_to_vec().into())
}
