//! PipelineService, the half about versions.

use std::collections::BTreeMap;
use std::sync::Arc;

use ferroflow_model::list::Page;
use ferroflow_model::record::PipelineVersion;
use ferroflow_model::{PipelineId, PipelineVersionId};
use ferroflow_proto::v2beta1 as wire;
use ferroflow_spec::document::PipelineDocument;
use uuid::Uuid;

use super::pipeline::wanted_changes;
use super::wire_values::{time, to_struct, whole_number};
use super::{
    CallContext, MAX_VERSION_NAME_BYTES, check_description, check_name, check_tags, or_name_taken, parse_id,
    pipeline,
};
use crate::Services;
use crate::page::PageRequest;
use crate::rest::body::MAX_BODY_BYTES;
use crate::status::ApiError;

pub(crate) const WHAT: &str = "pipeline version";

/// What a client may choose about a new version.
pub(super) struct WantedVersion {
    pub(super) pipeline_id: PipelineId,
    pub(super) name: String,
    pub(super) display_name: String,
    pub(super) description: String,
    pub(super) code_source_url: String,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) source: Arc<[u8]>,
}

/// A checked new version; its source was read before.
pub(super) fn new_version(services: &Services, wanted: WantedVersion) -> Result<PipelineVersion, ApiError> {
    check_name(WHAT, &wanted.name, MAX_VERSION_NAME_BYTES)?;
    check_name(WHAT, &wanted.display_name, MAX_VERSION_NAME_BYTES)?;
    check_description(WHAT, &wanted.description)?;
    check_tags(&wanted.tags)?;
    Ok(PipelineVersion {
        id: PipelineVersionId(Uuid::new_v4()),
        pipeline_id: wanted.pipeline_id,
        name: wanted.name,
        display_name: wanted.display_name,
        description: wanted.description,
        created_at: services.clock.now(),
        code_source_url: wanted.code_source_url,
        package_url: String::new(),
        tags: wanted.tags,
        source: wanted.source,
    })
}

/// CreatePipelineVersion: its file is behind a URL. The pipeline must be named in the path and in the body; the path
/// decides.
pub(crate) async fn create(
    services: &Services,
    request: wire::CreatePipelineVersionRequest,
) -> Result<wire::PipelineVersion, ApiError> {
    let id = parse_id(pipeline::WHAT, &request.pipeline_id)?;
    services.store.pipeline(id).await?;
    let version = request.pipeline_version.unwrap_or_default();
    if version.pipeline_id.is_empty() {
        return Err(ApiError::invalid(
            "`pipeline_version.pipeline_id` is empty: name the pipeline there too",
        ));
    }
    let url = package_url(&version)?;
    let given = [&version.name, &version.display_name].into_iter().find(|name| !name.is_empty());
    let name = given.cloned().unwrap_or_else(|| file_name(&url).to_owned());
    let wanted = WantedVersion {
        pipeline_id: id,
        display_name: Some(version.display_name)
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| name.clone()),
        name: name.clone(),
        description: version.description,
        code_source_url: version.code_source_url,
        tags: version.tags.into_iter().collect(),
        source: fetch(services, &url).await?,
    };
    let mut made = new_version(services, wanted)?;
    made.package_url = url;
    let stored = services.store.create_pipeline_version(made.clone()).await;
    stored.map_err(|error| or_name_taken(error, WHAT, &name))?;
    Ok(to_wire(made))
}

/// The URL that a version is to be imported from.
pub(super) fn package_url(version: &wire::PipelineVersion) -> Result<String, ApiError> {
    let url = version.package_url.as_ref().map(|url| url.pipeline_url.clone()).unwrap_or_default();
    if url.is_empty() {
        let text = "`pipeline_version.package_url.pipeline_url` is empty: say from where to import, or upload a file";
        return Err(ApiError::invalid(text));
    }
    Ok(url)
}

/// The last part of a URL's path.
pub(super) fn file_name(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

/// Fetches a file and reads it; the bytes of the document itself.
pub(super) async fn fetch(services: &Services, url: &str) -> Result<Arc<[u8]>, ApiError> {
    let file = services.packages.fetch(url, MAX_BODY_BYTES as u64).await?;
    let name = file_name(url).to_owned();
    // Reading a large file takes a while, so it must not hold up other requests.
    let read = tokio::task::spawn_blocking(move || ferroflow_spec::document::read(&name, &file));
    let document =
        read.await.map_err(ApiError::internal)?.map_err(|error| ApiError::invalid(error.to_string()))?;
    Ok(document.original.into())
}

/// GetPipelineVersion; the pipeline in the path does not matter.
pub(crate) async fn get(
    services: &Services,
    request: wire::GetPipelineVersionRequest,
) -> Result<wire::PipelineVersion, ApiError> {
    let id = parse_id(WHAT, &request.pipeline_version_id)?;
    Ok(to_wire(services.store.pipeline_version(id).await?))
}

/// ListPipelineVersions.
pub(crate) async fn list(
    services: &Services,
    request: wire::ListPipelineVersionsRequest,
) -> Result<wire::ListPipelineVersionsResponse, ApiError> {
    let id: PipelineId = parse_id(pipeline::WHAT, &request.pipeline_id)?;
    let page_request = PageRequest {
        scope: &format!("versions of {id}"),
        page_token: &request.page_token,
        page_size: request.page_size,
        sort_by: &request.sort_by,
        filter: &request.filter,
    };
    let query = page_request.read(&services.page_tokens)?;
    let Page { items, total, next } = services.store.list_pipeline_versions(id, query.clone()).await?;
    Ok(wire::ListPipelineVersionsResponse {
        pipeline_versions: items.into_iter().map(to_wire).collect(),
        next_page_token: page_request.next_token(&services.page_tokens, query, next),
        total_size: whole_number(total),
    })
}

/// UpdatePipelineVersion: display name and tags, where given.
pub(crate) async fn update(
    services: &Services,
    request: wire::UpdatePipelineVersionRequest,
    context: CallContext,
) -> Result<wire::PipelineVersion, ApiError> {
    let wire::PipelineVersion { pipeline_version_id, display_name, tags, .. } =
        request.pipeline_version.unwrap_or_default();
    let id = parse_id(WHAT, &pipeline_version_id)?;
    let (display_name, tags) = wanted_changes(WHAT, display_name, tags.into_iter().collect(), context)?;
    Ok(to_wire(services.store.update_pipeline_version(id, display_name, tags).await?))
}

/// DeletePipelineVersion; the pipeline in the path does not matter, runs keep their reference.
pub(crate) async fn delete(
    services: &Services,
    request: wire::DeletePipelineVersionRequest,
) -> Result<(), ApiError> {
    let id = parse_id(WHAT, &request.pipeline_version_id)?;
    Ok(services.store.delete_pipeline_version(id).await?)
}

/// A version whose stored source cannot be read any more stays in lists, with the error instead of the spec.
pub(crate) fn to_wire(version: PipelineVersion) -> wire::PipelineVersion {
    let mut message = wire::PipelineVersion {
        pipeline_id: version.pipeline_id.to_string(),
        pipeline_version_id: version.id.to_string(),
        display_name: version.display_name,
        description: version.description,
        created_at: Some(time(version.created_at)),
        code_source_url: version.code_source_url,
        name: version.name,
        tags: version.tags.into_iter().collect(),
        ..Default::default()
    };
    if !version.package_url.is_empty() {
        message.package_url = Some(wire::Url { pipeline_url: version.package_url });
    }
    match stored_document(&version.source) {
        Ok(document) => message.pipeline_spec = document.wire_json().as_object().map(to_struct),
        Err(error) => message.error = Some(error_message(&error)),
    }
    message
}

/// Reads the document of a stored version. It was checked when it came in, so a failure is a defect.
pub(crate) fn stored_document(source: &[u8]) -> Result<PipelineDocument, ApiError> {
    ferroflow_spec::document::read("pipeline.yaml", source).map_err(ApiError::internal)
}

fn error_message(error: &ApiError) -> ferroflow_proto::rpc::Status {
    ferroflow_proto::rpc::Status {
        code: error.code.number(),
        message: error.public_text().to_owned(),
        details: Vec::new(),
    }
}
