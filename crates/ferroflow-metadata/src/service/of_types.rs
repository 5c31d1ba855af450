//! Calls about types.

use ferroflow_proto::ml_metadata as wire;

use super::{Metadata, Result, old_flags};
use crate::put_type::{self, Allowed};
use crate::types;

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
}
