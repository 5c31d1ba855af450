//! PipelineService, the half about pipelines. Versions are in [`super::version`], uploads in [`super::upload`].

use std::collections::BTreeMap;

use ferroflow_model::PipelineId;
use ferroflow_model::list::Page;
use ferroflow_model::record::Pipeline;
use ferroflow_proto::v2beta1 as wire;
use uuid::Uuid;

use super::version::{self, WantedVersion};
use super::wire_values::{time, whole_number};
use super::{
    CallContext, MAX_NAME_BYTES, check_description, check_name, check_tags, or_name_taken, parse_id,
};
use crate::Services;
use crate::page::PageRequest;
use crate::status::ApiError;

pub(crate) const WHAT: &str = "pipeline";

/// What a client may choose about a new pipeline.
pub(super) struct WantedPipeline {
    pub(super) name: String,
    pub(super) display_name: String,
    pub(super) description: String,
    pub(super) tags: BTreeMap<String, String>,
}

/// A checked new pipeline. `name` and `display_name` stand in for each other.
pub(super) fn new_pipeline(services: &Services, wanted: WantedPipeline) -> Result<Pipeline, ApiError> {
    let WantedPipeline { mut name, mut display_name, description, tags } = wanted;
    if name.is_empty() {
        name.clone_from(&display_name);
    }
    if display_name.is_empty() {
        display_name.clone_from(&name);
    }
    check_name(WHAT, &name, MAX_NAME_BYTES)?;
    check_name(WHAT, &display_name, MAX_NAME_BYTES)?;
    check_description(WHAT, &description)?;
    check_tags(&tags)?;
    let id = PipelineId(Uuid::new_v4());
    Ok(Pipeline { id, name, display_name, description, created_at: services.clock.now(), tags })
}

/// CreatePipeline: a pipeline without versions.
pub(crate) async fn create(
    services: &Services,
    request: wire::CreatePipelineRequest,
) -> Result<wire::Pipeline, ApiError> {
    let wire::Pipeline { name, display_name, description, tags, .. } = request.pipeline.unwrap_or_default();
    let tags = tags.into_iter().collect();
    let made = new_pipeline(services, WantedPipeline { name, display_name, description, tags })?;
    let stored = services.store.create_pipeline(made.clone(), None).await;
    stored.map_err(|error| or_name_taken(error, WHAT, &made.name))?;
    Ok(to_wire(made))
}

/// CreatePipelineAndVersion: a pipeline with its first version, whose file is behind a URL. The version is named and
/// described as the pipeline is; a pipeline without a name is named after the file.
pub(crate) async fn create_with_version(
    services: &Services,
    request: wire::CreatePipelineAndVersionRequest,
) -> Result<wire::Pipeline, ApiError> {
    let wire::Pipeline { mut name, display_name, description, tags, .. } =
        request.pipeline.unwrap_or_default();
    let version = request.pipeline_version.unwrap_or_default();
    let url = version::package_url(&version)?;
    if name.is_empty() && display_name.is_empty() {
        version::file_name(&url).clone_into(&mut name);
    }
    let wanted = WantedPipeline { name, display_name, description, tags: tags.into_iter().collect() };
    let made = new_pipeline(services, wanted)?;
    let wanted = WantedVersion {
        pipeline_id: made.id,
        name: made.name.clone(),
        display_name: made.display_name.clone(),
        description: made.description.clone(),
        code_source_url: String::new(),
        tags: version.tags.into_iter().collect(),
        source: version::fetch(services, &url).await?,
    };
    let mut version = version::new_version(services, wanted)?;
    version.package_url = url;
    let stored = services.store.create_pipeline(made.clone(), Some(version)).await;
    stored.map_err(|error| or_name_taken(error, WHAT, &made.name))?;
    Ok(to_wire(made))
}

/// GetPipeline.
pub(crate) async fn get(
    services: &Services,
    request: wire::GetPipelineRequest,
) -> Result<wire::Pipeline, ApiError> {
    Ok(to_wire(services.store.pipeline(parse_id(WHAT, &request.pipeline_id)?).await?))
}

/// GetPipelineByName.
pub(crate) async fn get_by_name(
    services: &Services,
    request: wire::GetPipelineByNameRequest,
) -> Result<wire::Pipeline, ApiError> {
    let found = services.store.pipeline_by_name(&request.name).await?;
    found.map(to_wire).ok_or_else(|| ApiError::not_found(WHAT, &request.name))
}

/// ListPipelines.
pub(crate) async fn list(
    services: &Services,
    request: wire::ListPipelinesRequest,
) -> Result<wire::ListPipelinesResponse, ApiError> {
    let page_request = PageRequest {
        scope: "pipelines",
        page_token: &request.page_token,
        page_size: request.page_size,
        sort_by: &request.sort_by,
        filter: &request.filter,
    };
    let query = page_request.read(&services.page_tokens)?;
    let Page { items, total, next } = services.store.list_pipelines(query.clone()).await?;
    Ok(wire::ListPipelinesResponse {
        pipelines: items.into_iter().map(to_wire).collect(),
        total_size: whole_number(total),
        next_page_token: page_request.next_token(&services.page_tokens, query, next),
    })
}

/// UpdatePipeline: display name and tags, where given.
pub(crate) async fn update(
    services: &Services,
    request: wire::UpdatePipelineRequest,
    context: CallContext,
) -> Result<wire::Pipeline, ApiError> {
    let wire::Pipeline { pipeline_id, display_name, tags, .. } = request.pipeline.unwrap_or_default();
    let id = parse_id(WHAT, &pipeline_id)?;
    let (display_name, tags) = wanted_changes(WHAT, display_name, tags.into_iter().collect(), context)?;
    Ok(to_wire(services.store.update_pipeline(id, display_name, tags).await?))
}

type Changes = (Option<String>, Option<BTreeMap<String, String>>);

pub(super) fn wanted_changes(
    what: &str,
    display_name: String,
    tags: BTreeMap<String, String>,
    context: CallContext,
) -> Result<Changes, ApiError> {
    check_tags(&tags)?;
    let display_name = Some(display_name).filter(|name| !name.is_empty());
    if let Some(name) = &display_name {
        check_name(what, name, MAX_NAME_BYTES)?;
    }
    let tags = Some(tags).filter(|tags| !tags.is_empty() || context.clear_tags);
    Ok((display_name, tags))
}

/// DeletePipeline: with its versions if `cascade` is set, else only if it has none.
pub(crate) async fn delete(
    services: &Services,
    request: wire::DeletePipelineRequest,
) -> Result<(), ApiError> {
    let id = parse_id(WHAT, &request.pipeline_id)?;
    Ok(services.store.delete_pipeline(id, request.cascade).await?)
}

pub(super) fn to_wire(pipeline: Pipeline) -> wire::Pipeline {
    wire::Pipeline {
        pipeline_id: pipeline.id.to_string(),
        display_name: pipeline.display_name,
        description: pipeline.description,
        created_at: Some(time(pipeline.created_at)),
        name: pipeline.name,
        tags: pipeline.tags.into_iter().collect(),
        ..Default::default()
    }
}
