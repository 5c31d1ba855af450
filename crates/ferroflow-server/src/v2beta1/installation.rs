//! Calls about the installation: who may, and what it is.

use ferroflow_proto::v2beta1 as wire;

use crate::status::ApiError;

/// There are no users yet, so everybody who reaches the server may. `InvalidArgument` if the question names nothing.
pub(crate) fn authorize(request: &wire::AuthorizeRequest) -> Result<(), ApiError> {
    use wire::authorize_request::{Resources, Verb};
    if request.resources() == Resources::UnassignedResources {
        return Err(ApiError::invalid("`resources` is missing: say what is to be used"));
    }
    if request.verb() == Verb::UnassignedVerb {
        return Err(ApiError::invalid("`verb` is missing: say what is to be done"));
    }
    Ok(())
}

/// What clients ask before anything else.
pub(crate) fn health() -> wire::GetHealthzResponse {
    wire::GetHealthzResponse { multi_user: false, pipeline_store: "database".to_owned() }
}
