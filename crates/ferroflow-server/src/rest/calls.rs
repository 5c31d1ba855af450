//! From the name of a call to its handler, with JSON on both sides.

use ferroflow_proto::rest::Route;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::encode;
use crate::Services;
use crate::status::{ApiError, Code};
use crate::v2beta1::{CallContext, experiment, pipeline, recurring_run, run, version};

/// Calls the handler of `route`. Calls that later releases build answer `Unimplemented`.
pub(super) async fn call(
    services: &Services,
    route: &'static Route,
    message: Value,
    context: CallContext,
) -> Result<Value, ApiError> {
    // Boxed: the state of one call is the largest of all, and most are small.
    match route.service {
        "PipelineService" => Box::pin(pipeline_call(services, route.rpc, message, context)).await,
        "ExperimentService" => Box::pin(experiment_call(services, route.rpc, message)).await,
        "RunService" => Box::pin(run_call(services, route.rpc, message)).await,
        "RecurringRunService" => Box::pin(recurring_run_call(services, route.rpc, message)).await,
        _ => Err(Unknown),
    }
    .unwrap_or_else(|Unknown| Err(not_built(route)))
}

/// A service has no handler of this name.
struct Unknown;

type Called = Result<Result<Value, ApiError>, Unknown>;

fn not_built(route: &Route) -> ApiError {
    let text = format!("the call `{}.{}` is not built", route.service, route.rpc);
    ApiError::new(Code::Unimplemented, text)
}

async fn experiment_call(services: &Services, name: &str, message: Value) -> Called {
    Ok(match name {
        "CreateExperiment" => typed(message, |request| experiment::create(services, request)).await,
        "GetExperiment" => typed(message, |request| experiment::get(services, request)).await,
        "ListExperiments" => typed(message, |request| experiment::list(services, request)).await,
        "ArchiveExperiment" => empty(message, |request| experiment::archive(services, request)).await,
        "UnarchiveExperiment" => empty(message, |request| experiment::unarchive(services, request)).await,
        "DeleteExperiment" => empty(message, |request| experiment::delete(services, request)).await,
        _ => return Err(Unknown),
    })
}

async fn pipeline_call(services: &Services, name: &str, message: Value, context: CallContext) -> Called {
    Ok(match name {
        "CreatePipeline" => typed(message, |request| pipeline::create(services, request)).await,
        "GetPipeline" => typed(message, |request| pipeline::get(services, request)).await,
        "GetPipelineByName" => typed(message, |request| pipeline::get_by_name(services, request)).await,
        "ListPipelines" => typed(message, |request| pipeline::list(services, request)).await,
        "UpdatePipeline" => typed(message, |request| pipeline::update(services, request, context)).await,
        "DeletePipeline" => empty(message, |request| pipeline::delete(services, request)).await,
        "CreatePipelineAndVersion" => {
            typed(message, |request| async { pipeline::create_with_version(request) }).await
        }
        "CreatePipelineVersion" => typed(message, |request| version::create(services, request)).await,
        "GetPipelineVersion" => typed(message, |request| version::get(services, request)).await,
        "ListPipelineVersions" => typed(message, |request| version::list(services, request)).await,
        "UpdatePipelineVersion" => {
            typed(message, |request| version::update(services, request, context)).await
        }
        "DeletePipelineVersion" => empty(message, |request| version::delete(services, request)).await,
        _ => return Err(Unknown),
    })
}

async fn run_call(services: &Services, name: &str, message: Value) -> Called {
    Ok(match name {
        "CreateRun" => typed(message, |request| run::create(services, request)).await,
        "GetRun" => typed(message, |request| run::get(services, request)).await,
        "ListRuns" => typed(message, |request| run::list(services, request)).await,
        "ArchiveRun" => empty(message, |request| run::archive(services, request)).await,
        "UnarchiveRun" => empty(message, |request| run::unarchive(services, request)).await,
        "TerminateRun" => empty(message, |request| run::terminate(services, request)).await,
        "RetryRun" => empty(message, |request| run::retry(services, request)).await,
        "DeleteRun" => empty(message, |request| run::delete(services, request)).await,
        _ => return Err(Unknown),
    })
}

async fn recurring_run_call(services: &Services, name: &str, message: Value) -> Called {
    Ok(match name {
        "CreateRecurringRun" => typed(message, |request| recurring_run::create(services, request)).await,
        "GetRecurringRun" => typed(message, |request| recurring_run::get(services, request)).await,
        "ListRecurringRuns" => typed(message, |request| recurring_run::list(services, request)).await,
        "EnableRecurringRun" => empty(message, |request| recurring_run::enable(services, request)).await,
        "DisableRecurringRun" => empty(message, |request| recurring_run::disable(services, request)).await,
        "DeleteRecurringRun" => empty(message, |request| recurring_run::delete(services, request)).await,
        _ => return Err(Unknown),
    })
}

async fn typed<Request: DeserializeOwned, Response: Serialize>(
    message: Value,
    handler: impl AsyncFnOnce(Request) -> Result<Response, ApiError>,
) -> Result<Value, ApiError> {
    encode(&handler(decode(message)?).await?)
}

/// For calls that answer `google.protobuf.Empty`.
async fn empty<Request: DeserializeOwned>(
    message: Value,
    handler: impl AsyncFnOnce(Request) -> Result<(), ApiError>,
) -> Result<Value, ApiError> {
    handler(decode(message)?).await?;
    Ok(Value::Object(Map::new()))
}

fn decode<Request: DeserializeOwned>(message: Value) -> Result<Request, ApiError> {
    serde_json::from_value(message)
        .map_err(|error| ApiError::invalid(format!("the request cannot be read: {error}")))
}
