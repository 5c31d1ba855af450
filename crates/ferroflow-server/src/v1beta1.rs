//! KFP's first API, as far as its old page and probes still read it: lists and single things, templates, removals.
//!
//! Answers are made from those of v2beta1, so nothing is decided here. Everything else of v1beta1 is refused with a
//! word about v2beta1. There is no gRPC for it.

use ferroflow_proto::v2beta1 as wire;
use serde_json::{Map, Value, json};

use crate::Services;
use crate::status::ApiError;
use crate::v2beta1::{experiment, parse_id, pipeline, recurring_run, run, version};

/// What may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Authorize,
    ListPipelines,
    GetPipeline,
    GetPipelineByName,
    DeletePipeline,
    PipelineTemplate,
    ListVersions,
    GetVersion,
    DeleteVersion,
    VersionTemplate,
    ListExperiments,
    GetExperiment,
    ListRuns,
    GetRun,
    ListJobs,
    GetJob,
}

/// Method, path and call.
pub(crate) const ROUTES: [(&str, &str, Call); 16] = [
    ("GET", "/apis/v1beta1/auth", Call::Authorize),
    ("GET", "/apis/v1beta1/pipelines", Call::ListPipelines),
    ("GET", "/apis/v1beta1/pipelines/{id}", Call::GetPipeline),
    ("GET", "/apis/v1beta1/namespaces/{namespace}/pipelines/{name}", Call::GetPipelineByName),
    ("DELETE", "/apis/v1beta1/pipelines/{id}", Call::DeletePipeline),
    ("GET", "/apis/v1beta1/pipelines/{id}/templates", Call::PipelineTemplate),
    ("GET", "/apis/v1beta1/pipeline_versions", Call::ListVersions),
    ("GET", "/apis/v1beta1/pipeline_versions/{version_id}", Call::GetVersion),
    ("DELETE", "/apis/v1beta1/pipeline_versions/{version_id}", Call::DeleteVersion),
    ("GET", "/apis/v1beta1/pipeline_versions/{version_id}/templates", Call::VersionTemplate),
    ("GET", "/apis/v1beta1/experiments", Call::ListExperiments),
    ("GET", "/apis/v1beta1/experiments/{id}", Call::GetExperiment),
    ("GET", "/apis/v1beta1/runs", Call::ListRuns),
    ("GET", "/apis/v1beta1/runs/{run_id}", Call::GetRun),
    ("GET", "/apis/v1beta1/jobs", Call::ListJobs),
    ("GET", "/apis/v1beta1/jobs/{id}", Call::GetJob),
];

/// A path's fields and the parameters behind it.
pub(crate) struct Question<'a> {
    /// Value of a field of the path, empty if it has none of this name.
    pub(crate) field: &'a (dyn Fn(&str) -> String + Sync),
    /// Value of a parameter, empty if it was not given.
    pub(crate) parameter: &'a (dyn Fn(&str) -> String + Sync),
}

impl Question<'_> {
    fn page_size(&self) -> Result<i32, ApiError> {
        match (self.parameter)("page_size").as_str() {
            "" => Ok(0),
            text => text.parse().map_err(|_| ApiError::invalid("`page_size` must be a number")),
        }
    }

    /// The filter with the name that v2beta1 has for operations.
    fn filter(&self) -> String {
        let text = (self.parameter)("filter");
        let Ok(Value::Object(mut filter)) = serde_json::from_str(&text) else { return text };
        let predicates = filter.get_mut("predicates").and_then(Value::as_array_mut);
        for predicate in predicates.into_iter().flatten().filter_map(Value::as_object_mut) {
            if let Some(operation) = predicate.remove("op") {
                predicate.insert("operation".to_owned(), operation);
            }
        }
        Value::Object(filter).to_string()
    }

    /// Id of the thing that a list belongs to, if it is of this type.
    fn owner(&self, key: &str, wanted: &str) -> String {
        let kind = (self.parameter)(&format!("{key}.type"));
        if kind.eq_ignore_ascii_case(wanted) { (self.parameter)(&format!("{key}.id")) } else { String::new() }
    }
}

/// Answers a call.
pub(crate) async fn answer(
    services: &Services,
    call: Call,
    question: Question<'_>,
) -> Result<Value, ApiError> {
    match call {
        Call::Authorize => Ok(json!({})),
        Call::ListPipelines | Call::GetPipeline | Call::GetPipelineByName | Call::DeletePipeline => {
            Box::pin(pipelines(services, call, question)).await
        }
        Call::PipelineTemplate
        | Call::ListVersions
        | Call::GetVersion
        | Call::DeleteVersion
        | Call::VersionTemplate => Box::pin(versions(services, call, question)).await,
        Call::ListExperiments | Call::GetExperiment => Box::pin(experiments(services, call, question)).await,
        Call::ListRuns | Call::GetRun => Box::pin(runs(services, call, question)).await,
        Call::ListJobs | Call::GetJob => Box::pin(jobs(services, call, question)).await,
    }
}

async fn pipelines(services: &Services, call: Call, question: Question<'_>) -> Result<Value, ApiError> {
    let id = (question.field)("id");
    match call {
        Call::DeletePipeline => {
            // The first API removed versions along with their pipeline.
            let request = wire::DeletePipelineRequest { pipeline_id: id, cascade: true };
            pipeline::delete(services, request).await?;
            Ok(json!({}))
        }
        Call::GetPipeline => {
            let request = wire::GetPipelineRequest { pipeline_id: id };
            pipeline_json(services, pipeline::get(services, request).await?).await
        }
        Call::GetPipelineByName => {
            let name = (question.field)("name");
            let request = wire::GetPipelineByNameRequest { name, ..Default::default() };
            pipeline_json(services, pipeline::get_by_name(services, request).await?).await
        }
        _ => {
            let request = wire::ListPipelinesRequest {
                page_token: (question.parameter)("page_token"),
                page_size: question.page_size()?,
                sort_by: (question.parameter)("sort_by"),
                filter: question.filter(),
                ..Default::default()
            };
            let page = pipeline::list(services, request).await?;
            let mut items = Vec::with_capacity(page.pipelines.len());
            for found in page.pipelines {
                items.push(pipeline_json(services, found).await?);
            }
            Ok(list("pipelines", items, page.total_size, page.next_page_token))
        }
    }
}

/// The latest version is the default one: nobody sets another any more.
async fn pipeline_json(services: &Services, found: wire::Pipeline) -> Result<Value, ApiError> {
    let id = parse_id(pipeline::WHAT, &found.pipeline_id)?;
    let latest = match services.store.latest_pipeline_version(id).await {
        Ok(latest) => Some(version_json(&version::to_wire(latest))),
        Err(_) => None,
    };
    Ok(without_empty(json!({
        "id": found.pipeline_id,
        "created_at": time(found.created_at.as_ref()),
        "name": Some(found.display_name).filter(|name| !name.is_empty()).unwrap_or(found.name),
        "description": found.description,
        "default_version": latest,
    })))
}

async fn versions(services: &Services, call: Call, question: Question<'_>) -> Result<Value, ApiError> {
    let id = (question.field)("version_id");
    match call {
        Call::PipelineTemplate => {
            let id = parse_id(pipeline::WHAT, &(question.field)("id"))?;
            Ok(template(&services.store.latest_pipeline_version(id).await?.source))
        }
        Call::VersionTemplate => {
            Ok(template(&services.store.pipeline_version(parse_id(version::WHAT, &id)?).await?.source))
        }
        Call::DeleteVersion => {
            let request =
                wire::DeletePipelineVersionRequest { pipeline_version_id: id, ..Default::default() };
            version::delete(services, request).await?;
            Ok(json!({}))
        }
        Call::GetVersion => {
            let request = wire::GetPipelineVersionRequest { pipeline_version_id: id, ..Default::default() };
            Ok(version_json(&version::get(services, request).await?))
        }
        _ => {
            let pipeline_id = question.owner("resource_key", "PIPELINE");
            if pipeline_id.is_empty() {
                let text = "name the pipeline: `resource_key.type=PIPELINE` and `resource_key.id`";
                return Err(ApiError::invalid(text));
            }
            let request = wire::ListPipelineVersionsRequest {
                pipeline_id,
                page_token: (question.parameter)("page_token"),
                page_size: question.page_size()?,
                sort_by: (question.parameter)("sort_by"),
                filter: question.filter(),
            };
            let page = version::list(services, request).await?;
            let items = page.pipeline_versions.iter().map(version_json).collect();
            Ok(list("versions", items, page.total_size, page.next_page_token))
        }
    }
}

fn template(source: &[u8]) -> Value {
    json!({ "template": String::from_utf8_lossy(source) })
}

fn version_json(found: &wire::PipelineVersion) -> Value {
    without_empty(json!({
        "id": found.pipeline_version_id,
        "name": Some(&found.display_name).filter(|name| !name.is_empty()).unwrap_or(&found.name),
        "created_at": time(found.created_at.as_ref()),
        "code_source_url": found.code_source_url,
        "package_url": found.package_url.as_ref().map(|url| json!({ "pipeline_url": url.pipeline_url })),
        "resource_references": [reference("PIPELINE", &found.pipeline_id, "OWNER")],
        "description": found.description,
    }))
}

async fn experiments(services: &Services, call: Call, question: Question<'_>) -> Result<Value, ApiError> {
    if call == Call::GetExperiment {
        let request = wire::GetExperimentRequest { experiment_id: (question.field)("id") };
        return Ok(experiment_json(&experiment::get(services, request).await?));
    }
    let request = wire::ListExperimentsRequest {
        page_token: (question.parameter)("page_token"),
        page_size: question.page_size()?,
        sort_by: (question.parameter)("sort_by"),
        filter: question.filter(),
        ..Default::default()
    };
    let page = experiment::list(services, request).await?;
    let items = page.experiments.iter().map(experiment_json).collect();
    Ok(list("experiments", items, page.total_size, page.next_page_token))
}

fn experiment_json(found: &wire::Experiment) -> Value {
    without_empty(json!({
        "id": found.experiment_id,
        "name": found.display_name,
        "description": found.description,
        "created_at": time(found.created_at.as_ref()),
        "storage_state": format!("STORAGESTATE_{}", found.storage_state().as_str_name()),
    }))
}

async fn runs(services: &Services, call: Call, question: Question<'_>) -> Result<Value, ApiError> {
    if call == Call::GetRun {
        let request = wire::GetRunRequest { run_id: (question.field)("run_id"), ..Default::default() };
        let found = run::get(services, request).await?;
        return Ok(json!({ "run": run_json(&found), "pipeline_runtime": {} }));
    }
    let request = wire::ListRunsRequest {
        experiment_id: question.owner("resource_reference_key", "EXPERIMENT"),
        page_token: (question.parameter)("page_token"),
        page_size: question.page_size()?,
        sort_by: (question.parameter)("sort_by"),
        filter: question.filter(),
        ..Default::default()
    };
    let page = run::list(services, request).await?;
    let items = page.runs.iter().map(run_json).collect();
    Ok(list("runs", items, page.total_size, page.next_page_token))
}

fn run_json(found: &wire::Run) -> Value {
    use wire::run::PipelineSource;
    let source = found.pipeline_source.as_ref();
    let references = match source {
        Some(PipelineSource::PipelineVersionReference(version)) => vec![
            reference("EXPERIMENT", &found.experiment_id, "OWNER"),
            reference("PIPELINE_VERSION", &version.pipeline_version_id, "CREATOR"),
        ],
        _ => vec![reference("EXPERIMENT", &found.experiment_id, "OWNER")],
    };
    let (pipeline_id, manifest) = match source {
        Some(PipelineSource::PipelineVersionReference(version)) => (version.pipeline_id.clone(), None),
        Some(PipelineSource::PipelineSpec(spec)) => (String::new(), serde_json::to_string(spec).ok()),
        _ => (String::new(), None),
    };
    without_empty(json!({
        "id": found.run_id,
        "name": found.display_name,
        "storage_state": format!("STORAGESTATE_{}", found.storage_state().as_str_name()),
        "description": found.description,
        "pipeline_spec": {
            "pipeline_id": pipeline_id,
            "pipeline_manifest": manifest,
            "runtime_config": found.runtime_config,
        },
        "resource_references": references,
        "service_account": found.service_account,
        "created_at": time(found.created_at.as_ref()),
        "scheduled_at": time(found.scheduled_at.as_ref()),
        "finished_at": time(found.finished_at.as_ref()),
        "status": status(found.state()),
        "error": found.error.as_ref().map(|error| error.message.as_str()),
    }))
}

/// States in the words of the first API.
fn status(state: wire::RuntimeState) -> &'static str {
    match state {
        wire::RuntimeState::Unspecified => "",
        wire::RuntimeState::Pending => "Pending",
        wire::RuntimeState::Running => "Running",
        wire::RuntimeState::Succeeded => "Succeeded",
        wire::RuntimeState::Skipped => "Skipped",
        wire::RuntimeState::Failed | wire::RuntimeState::Canceled => "Failed",
        wire::RuntimeState::Canceling => "Terminating",
        wire::RuntimeState::Paused => "Paused",
    }
}

async fn jobs(services: &Services, call: Call, question: Question<'_>) -> Result<Value, ApiError> {
    if call == Call::GetJob {
        let request = wire::GetRecurringRunRequest { recurring_run_id: (question.field)("id") };
        return Ok(job_json(&recurring_run::get(services, request).await?));
    }
    let request = wire::ListRecurringRunsRequest {
        experiment_id: question.owner("resource_reference_key", "EXPERIMENT"),
        page_token: (question.parameter)("page_token"),
        page_size: question.page_size()?,
        sort_by: (question.parameter)("sort_by"),
        filter: question.filter(),
        ..Default::default()
    };
    let page = recurring_run::list(services, request).await?;
    let items = page.recurring_runs.iter().map(job_json).collect();
    Ok(list("jobs", items, page.total_size, page.next_page_token))
}

fn job_json(found: &wire::RecurringRun) -> Value {
    let is_enabled = found.status() == wire::recurring_run::Status::Enabled;
    without_empty(json!({
        "id": found.recurring_run_id,
        "name": found.display_name,
        "description": found.description,
        "resource_references": [reference("EXPERIMENT", &found.experiment_id, "OWNER")],
        "service_account": found.service_account,
        "max_concurrency": found.max_concurrency.to_string(),
        "trigger": found.trigger,
        "mode": if is_enabled { "ENABLED" } else { "DISABLED" },
        "created_at": time(found.created_at.as_ref()),
        "updated_at": time(found.updated_at.as_ref()),
        "status": if is_enabled { "Enabled" } else { "Disabled" },
        "enabled": is_enabled,
        "no_catchup": found.no_catchup,
    }))
}

fn reference(kind: &str, id: &str, relationship: &str) -> Value {
    json!({ "key": { "type": kind, "id": id }, "relationship": relationship })
}

fn time(at: Option<&ferroflow_proto::protobuf::Timestamp>) -> Value {
    at.and_then(|at| serde_json::to_value(at).ok()).unwrap_or_default()
}

fn list(name: &str, items: Vec<Value>, total: i32, next: String) -> Value {
    let fields = [(name, Value::from(items)), ("total_size", total.into()), ("next_page_token", next.into())];
    without_empty(Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
}

/// Without what is not set: proto JSON leaves it out.
fn without_empty(value: Value) -> Value {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Number(number) => number.as_i64() == Some(0),
        Value::Object(_) => false,
    };
    match value {
        Value::Object(fields) => {
            let kept = fields.into_iter().map(|(key, value)| (key, without_empty_inside(value)));
            Value::Object(kept.filter(|(_, value)| !is_empty(value)).collect::<Map<_, _>>())
        }
        other => other,
    }
}

fn without_empty_inside(value: Value) -> Value {
    if value.is_object() { without_empty(value) } else { value }
}
