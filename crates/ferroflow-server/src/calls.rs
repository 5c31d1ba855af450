//! From the name of a call to its handler, whichever form the messages have.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::Services;
use crate::status::{ApiError, Code};
use crate::v2beta1::{CallContext, experiment, installation, pipeline, recurring_run, run, version};

/// A request or an answer. The answer has the form of the request.
#[derive(Debug)]
pub(crate) enum Message {
    /// As REST speaks it.
    Json(Value),
    /// As gRPC does.
    Binary(Bytes),
}

/// Calls the handler of a call of v2beta1. Calls that later releases build answer `Unimplemented`.
pub(crate) async fn call(
    services: &Services,
    service: &str,
    rpc: &str,
    message: Message,
    context: CallContext,
) -> Result<Message, ApiError> {
    // Boxed: the state of one call is the largest of all, and most are small.
    match service {
        "PipelineService" => Box::pin(pipeline_call(services, rpc, message, context)).await,
        "ExperimentService" => Box::pin(experiment_call(services, rpc, message)).await,
        "RunService" => Box::pin(run_call(services, rpc, message)).await,
        "RecurringRunService" => Box::pin(recurring_run_call(services, rpc, message)).await,
        "AuthService" | "HealthzService" => installation_call(rpc, message).await,
        _ => Err(Unknown),
    }
    .unwrap_or_else(|Unknown| Err(not_built(service, rpc)))
}

/// A service has no handler of this name.
struct Unknown;

type Called = Result<Result<Message, ApiError>, Unknown>;

/// Calls that mean nothing here say what to do instead.
fn not_built(service: &str, rpc: &str) -> ApiError {
    let way_out = match service {
        "ReportService" => ": this server runs pipelines itself, so no controller has to report",
        "VisualizationService" => ": artifacts are shown by the page and by `/apis/ferroflow/v1/artifacts`",
        _ => "",
    };
    ApiError::new(Code::Unimplemented, format!("the call `{service}.{rpc}` is not served{way_out}"))
}

async fn experiment_call(services: &Services, name: &str, message: Message) -> Called {
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

async fn pipeline_call(services: &Services, name: &str, message: Message, context: CallContext) -> Called {
    Ok(match name {
        "CreatePipeline" => typed(message, |request| pipeline::create(services, request)).await,
        "GetPipeline" => typed(message, |request| pipeline::get(services, request)).await,
        "GetPipelineByName" => typed(message, |request| pipeline::get_by_name(services, request)).await,
        "ListPipelines" => typed(message, |request| pipeline::list(services, request)).await,
        "UpdatePipeline" => typed(message, |request| pipeline::update(services, request, context)).await,
        "DeletePipeline" => empty(message, |request| pipeline::delete(services, request)).await,
        "CreatePipelineAndVersion" => {
            typed(message, |request| pipeline::create_with_version(services, request)).await
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

async fn run_call(services: &Services, name: &str, message: Message) -> Called {
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

async fn recurring_run_call(services: &Services, name: &str, message: Message) -> Called {
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

async fn installation_call(name: &str, message: Message) -> Called {
    Ok(match name {
        "Authorize" => empty(message, async |request| installation::authorize(&request)).await,
        "GetHealthz" => typed(message, async |(): ()| Ok(installation::health())).await,
        _ => return Err(Unknown),
    })
}

async fn typed<Request, Response>(
    message: Message,
    handler: impl AsyncFnOnce(Request) -> Result<Response, ApiError>,
) -> Result<Message, ApiError>
where
    Request: DeserializeOwned + prost::Message + Default,
    Response: Serialize + prost::Message,
{
    Ok(match message {
        Message::Json(value) => {
            let answer = handler(from_json(value)?).await?;
            Message::Json(serde_json::to_value(&answer).map_err(ApiError::internal)?)
        }
        Message::Binary(bytes) => Message::Binary(handler(from_binary(bytes)?).await?.encode_to_vec().into()),
    })
}

/// For calls that answer `google.protobuf.Empty`.
async fn empty<Request>(
    message: Message,
    handler: impl AsyncFnOnce(Request) -> Result<(), ApiError>,
) -> Result<Message, ApiError>
where
    Request: DeserializeOwned + prost::Message + Default,
{
    Ok(match message {
        Message::Json(value) => {
            handler(from_json(value)?).await?;
            Message::Json(Value::Object(Map::new()))
        }
        Message::Binary(bytes) => {
            handler(from_binary(bytes)?).await?;
            Message::Binary(Bytes::new())
        }
    })
}

fn from_json<Request: DeserializeOwned>(message: Value) -> Result<Request, ApiError> {
    serde_json::from_value(message)
        .map_err(|error| ApiError::invalid(format!("the request cannot be read: {error}")))
}

fn from_binary<Request: prost::Message + Default>(message: Bytes) -> Result<Request, ApiError> {
    Request::decode(message)
        .map_err(|error| ApiError::invalid(format!("the request cannot be read: {error}")))
}
