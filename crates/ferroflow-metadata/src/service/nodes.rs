//! Calls about artifacts, executions and contexts of one kind.

use ferroflow_ports::metadata::Narrowing;
use ferroflow_proto::ml_metadata as wire;
use wire::{Artifact, Context, Execution};

use super::{Metadata, Result};
use crate::list;
use crate::node::Mask;

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
