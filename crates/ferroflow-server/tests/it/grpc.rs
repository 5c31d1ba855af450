//! gRPC on the port of REST: every call of the protos, ML Metadata, errors, gRPC-web, and the guard.

use ferroflow_proto::{ml_metadata, rpc, v2beta1};
use http_body_util::BodyExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use serde_json::json;
use tokio::net::TcpStream;
use tonic::Status;
use tonic::codegen::http::uri::PathAndQuery;
use tower::Service;

use crate::harness::{TestServer, hello_file};

/// A connection of HTTP/2 as tonic wants it.
#[derive(Clone)]
struct Channel {
    sender: hyper::client::conn::http2::SendRequest<tonic::body::Body>,
    address: std::net::SocketAddr,
}

impl Channel {
    async fn open(server: &TestServer) -> Self {
        let stream = TcpStream::connect(server.address).await.unwrap();
        let (sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self { sender, address: server.address }
    }

    async fn call<Request, Response>(&self, path: &str, request: Request) -> Result<Response, Status>
    where
        Request: Message + Send + Sync + 'static,
        Response: Message + Default + Send + Sync + 'static,
    {
        let mut client = tonic::client::Grpc::new(self.clone());
        client.ready().await.unwrap();
        let codec = tonic_prost::ProstCodec::default();
        let path: PathAndQuery = path.parse().unwrap();
        Ok(client.unary(tonic::Request::new(request), path, codec).await?.into_inner())
    }

    async fn api<Request, Response>(&self, call: &str, request: Request) -> Result<Response, Status>
    where
        Request: Message + Send + Sync + 'static,
        Response: Message + Default + Send + Sync + 'static,
    {
        self.call(&format!("/kubeflow.pipelines.backend.api.v2beta1.{call}"), request).await
    }
}

impl Service<hyper::Request<tonic::body::Body>> for Channel {
    type Response = hyper::Response<hyper::body::Incoming>;
    type Error = hyper::Error;
    type Future = futures_util::future::BoxFuture<'static, Result<Self::Response, hyper::Error>>;

    fn poll_ready(
        &mut self,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), hyper::Error>> {
        self.sender.poll_ready(context)
    }

    fn call(&mut self, mut request: hyper::Request<tonic::body::Body>) -> Self::Future {
        let path = request.uri().path_and_query().unwrap().clone();
        *request.uri_mut() = format!("http://{}{path}", self.address).parse().unwrap();
        Box::pin(self.sender.send_request(request))
    }
}

#[tokio::test]
async fn every_call_of_the_protos_has_a_handler() {
    let server = TestServer::start().await;
    let channel = Channel::open(&server).await;
    // What means nothing on a server that runs pipelines itself.
    let not_served = ["DummyFilterService", "ReportService", "VisualizationService"];
    for route in ferroflow_proto::rest::ROUTES {
        let call = format!("{}/{}", route.service, route.rpc);
        let answer = channel.api::<(), ()>(&call, ()).await;
        let is_unknown = answer.is_err_and(|status| status.code() == tonic::Code::Unimplemented);
        assert_eq!(is_unknown, not_served.contains(&route.service), "{call}");
    }
    let unknown = channel.api::<(), ()>("RunService/Nothing", ()).await.unwrap_err();
    assert_eq!(unknown.code(), tonic::Code::Unimplemented);
}

#[tokio::test]
async fn what_grpc_makes_rest_shows() {
    let server = TestServer::start().await;
    let channel = Channel::open(&server).await;
    let experiment = v2beta1::Experiment { display_name: "by gRPC".to_owned(), ..Default::default() };
    let request = v2beta1::CreateExperimentRequest { experiment: Some(experiment) };
    let made: v2beta1::Experiment = channel.api("ExperimentService/CreateExperiment", request).await.unwrap();
    let shown =
        server.call(&format!("GET /apis/v2beta1/experiments/{}", made.experiment_id), None).await.json();
    assert_eq!(shown, serde_json::to_value(&made).unwrap());
    let request = v2beta1::ListExperimentsRequest { page_size: 10, ..Default::default() };
    let listed: v2beta1::ListExperimentsResponse =
        channel.api("ExperimentService/ListExperiments", request).await.unwrap();
    assert_eq!(listed.total_size, 2);
    let request = v2beta1::DeleteExperimentRequest { experiment_id: made.experiment_id.clone() };
    channel.api::<_, ()>("ExperimentService/DeleteExperiment", request).await.unwrap();
    assert_eq!(
        server.call(&format!("GET /apis/v2beta1/experiments/{}", made.experiment_id), None).await.status,
        404
    );
}

/// One call: the request as JSON, the answer as a message.
macro_rules! ask {
    ($channel:expr, $call:literal, $request:ident => $answer:ty, $json:expr) => {{
        let request: v2beta1::$request = serde_json::from_value($json).unwrap();
        let answer: Result<$answer, Status> = $channel.api($call, request).await;
        answer.unwrap_or_else(|status| panic!("{}: {status}", $call))
    }};
}

#[tokio::test]
async fn every_served_call_is_made_by_a_client() {
    use v2beta1::{
        Experiment, ListExperimentsResponse, ListPipelineVersionsResponse, ListPipelinesResponse,
        ListRecurringRunsResponse, ListRunsResponse, Pipeline, PipelineVersion, RecurringRun, Run,
    };
    let server = TestServer::start().await;
    let channel = Channel::open(&server).await;
    let health: v2beta1::GetHealthzResponse = channel.api("HealthzService/GetHealthz", ()).await.unwrap();
    assert_eq!(health.pipeline_store, "database");
    ask!(channel, "AuthService/Authorize", AuthorizeRequest => (), json!({ "resources": "VIEWERS", "verb": "GET" }));

    let new = json!({ "experiment": { "display_name": "e" } });
    let experiment =
        ask!(channel, "ExperimentService/CreateExperiment", CreateExperimentRequest => Experiment, new);
    let id = json!({ "experiment_id": experiment.experiment_id });
    let got =
        ask!(channel, "ExperimentService/GetExperiment", GetExperimentRequest => Experiment, id.clone());
    assert_eq!(got, experiment);
    ask!(channel, "ExperimentService/ArchiveExperiment", ArchiveExperimentRequest => (), id.clone());
    ask!(channel, "ExperimentService/UnarchiveExperiment", UnarchiveExperimentRequest => (), id.clone());
    let page = ask!(channel, "ExperimentService/ListExperiments", ListExperimentsRequest => ListExperimentsResponse, json!({}));
    assert_eq!(page.total_size, 2);

    let new = json!({ "pipeline": { "name": "p", "tags": { "team": "a" } } });
    let pipeline = ask!(channel, "PipelineService/CreatePipeline", CreatePipelineRequest => Pipeline, new);
    let number = &pipeline.pipeline_id;
    let id = json!({ "pipeline_id": number });
    let got = ask!(channel, "PipelineService/GetPipeline", GetPipelineRequest => Pipeline, id.clone());
    let named = ask!(channel, "PipelineService/GetPipelineByName", GetPipelineByNameRequest => Pipeline, json!({ "name": "p" }));
    assert_eq!((&got, &named), (&pipeline, &pipeline));
    let page = ask!(channel, "PipelineService/ListPipelines", ListPipelinesRequest => ListPipelinesResponse, json!({}));
    assert_eq!(page.pipelines, std::slice::from_ref(&pipeline));
    let change = json!({ "pipeline": { "pipeline_id": number, "display_name": "shown" } });
    let changed = ask!(channel, "PipelineService/UpdatePipeline", UpdatePipelineRequest => Pipeline, change);
    assert_eq!(changed.display_name, "shown");

    let path = format!("/pipelines/upload_version?pipelineid={number}&name=v1");
    let version = server.upload(&path, "p.yaml", &hello_file()).await.json();
    let version = version["pipeline_version_id"].as_str().unwrap();
    let id = json!({ "pipeline_id": number, "pipeline_version_id": version });
    let got = ask!(channel, "PipelineService/GetPipelineVersion", GetPipelineVersionRequest => PipelineVersion, id.clone());
    assert_eq!(got.name, "v1");
    let page = ask!(channel, "PipelineService/ListPipelineVersions", ListPipelineVersionsRequest => ListPipelineVersionsResponse, json!({ "pipeline_id": number }));
    assert_eq!(page.pipeline_versions, [got]);
    let change = json!({ "pipeline_version": { "pipeline_id": number, "pipeline_version_id": version, "display_name": "first" } });
    let changed = ask!(channel, "PipelineService/UpdatePipelineVersion", UpdatePipelineVersionRequest => PipelineVersion, change);
    assert_eq!(changed.display_name, "first");
    // Imports meet their rules here as they do by REST.
    let import = json!({ "pipeline_id": number, "pipeline_version": { "pipeline_id": number, "package_url": { "pipeline_url": "https://127.0.0.1/p.yaml" } } });
    let request: v2beta1::CreatePipelineVersionRequest = serde_json::from_value(import).unwrap();
    let refused = channel.api::<_, PipelineVersion>("PipelineService/CreatePipelineVersion", request).await;
    assert_eq!(refused.unwrap_err().code(), tonic::Code::InvalidArgument);
    let import = json!({ "pipeline": { "name": "q" }, "pipeline_version": { "package_url": { "pipeline_url": "https://127.0.0.1/p.yaml" } } });
    let request: v2beta1::CreatePipelineAndVersionRequest = serde_json::from_value(import).unwrap();
    let refused = channel.api::<_, Pipeline>("PipelineService/CreatePipelineAndVersion", request).await;
    assert_eq!(refused.unwrap_err().code(), tonic::Code::InvalidArgument);

    let new = json!({ "run": { "display_name": "r", "pipeline_version_reference": id } });
    let run = ask!(channel, "RunService/CreateRun", CreateRunRequest => Run, new);
    let run_id = json!({ "run_id": run.run_id });
    assert_eq!(ask!(channel, "RunService/GetRun", GetRunRequest => Run, run_id.clone()), run);
    ask!(channel, "RunService/ArchiveRun", ArchiveRunRequest => (), run_id.clone());
    ask!(channel, "RunService/UnarchiveRun", UnarchiveRunRequest => (), run_id.clone());
    ask!(channel, "RunService/TerminateRun", TerminateRunRequest => (), run_id.clone());
    let page = ask!(channel, "RunService/ListRuns", ListRunsRequest => ListRunsResponse, json!({}));
    assert_eq!(page.runs[0].state(), v2beta1::RuntimeState::Canceling);
    let request: v2beta1::RetryRunRequest = serde_json::from_value(run_id.clone()).unwrap();
    let refused = channel.api::<_, ()>("RunService/RetryRun", request).await;
    assert_eq!(refused.unwrap_err().code(), tonic::Code::Aborted);
    ask!(channel, "RunService/DeleteRun", DeleteRunRequest => (), run_id.clone());

    let new = json!({ "recurring_run": {
        "display_name": "nightly", "mode": "DISABLE", "max_concurrency": "1", "pipeline_version_reference": id,
        "trigger": { "cron_schedule": { "cron": "0 30 1 * * ?" } },
    } });
    let made = ask!(channel, "RecurringRunService/CreateRecurringRun", CreateRecurringRunRequest => RecurringRun, new);
    let id = json!({ "recurring_run_id": made.recurring_run_id });
    ask!(channel, "RecurringRunService/EnableRecurringRun", EnableRecurringRunRequest => (), id.clone());
    let got = ask!(channel, "RecurringRunService/GetRecurringRun", GetRecurringRunRequest => RecurringRun, id.clone());
    assert_eq!(got.status(), v2beta1::recurring_run::Status::Enabled);
    ask!(channel, "RecurringRunService/DisableRecurringRun", DisableRecurringRunRequest => (), id.clone());
    let page = ask!(channel, "RecurringRunService/ListRecurringRuns", ListRecurringRunsRequest => ListRecurringRunsResponse, json!({}));
    assert_eq!(page.recurring_runs[0].status(), v2beta1::recurring_run::Status::Disabled);
    ask!(channel, "RecurringRunService/DeleteRecurringRun", DeleteRecurringRunRequest => (), id);

    let id = json!({ "pipeline_id": number, "pipeline_version_id": version });
    ask!(channel, "PipelineService/DeletePipelineVersion", DeletePipelineVersionRequest => (), id);
    ask!(channel, "PipelineService/DeletePipeline", DeletePipelineRequest => (), json!({ "pipeline_id": number }));
    let id = json!({ "experiment_id": experiment.experiment_id });
    ask!(channel, "ExperimentService/DeleteExperiment", DeleteExperimentRequest => (), id);
}

#[tokio::test]
async fn errors_carry_the_short_text_as_a_detail() {
    let server = TestServer::start().await;
    let channel = Channel::open(&server).await;
    let request = v2beta1::GetRunRequest { run_id: uuid::Uuid::nil().to_string(), ..Default::default() };
    let failed = channel.api::<_, v2beta1::Run>("RunService/GetRun", request).await.unwrap_err();
    assert_eq!(failed.code(), tonic::Code::NotFound);
    assert!(failed.message().starts_with("ResourceNotFoundError: "), "{}", failed.message());
    let whole = rpc::Status::decode(failed.details()).unwrap();
    let short = rpc::Status::decode(whole.details[0].value.as_slice()).unwrap();
    assert_eq!((whole.code, short.code), (5, 5));
    assert_eq!(format!("ResourceNotFoundError: {}", short.message), whole.message);
}

#[tokio::test]
async fn metadata_is_on_the_same_port() {
    let server = TestServer::start().await;
    let channel = Channel::open(&server).await;
    let path = |call: &str| format!("/ml_metadata.MetadataStoreService/{call}");
    let types: ml_metadata::GetContextTypesResponse =
        channel.call(&path("GetContextTypes"), ml_metadata::GetContextTypesRequest::default()).await.unwrap();
    let names: Vec<&str> = types.context_types.iter().map(ml_metadata::ContextType::name).collect();
    assert!(names.contains(&"system.PipelineRun"), "{names:?}");
    let missing =
        ml_metadata::GetArtifactTypeRequest { type_name: Some("none".to_owned()), ..Default::default() };
    let failed = channel
        .call::<_, ml_metadata::GetArtifactTypeResponse>(&path("GetArtifactType"), missing)
        .await
        .unwrap_err();
    assert_eq!(failed.code(), tonic::Code::NotFound);
}

#[tokio::test]
async fn health_and_reflection_answer() {
    let server = TestServer::start().await;
    let channel = Channel::open(&server).await;
    // The state SERVING is 1.
    let health: Vec<u8> = vec![0x08, 0x01];
    let answer: v2beta1::GetHealthzResponse = channel.api("HealthzService/GetHealthz", ()).await.unwrap();
    assert_eq!(answer.pipeline_store, "database");
    let raw = channel.raw("/grpc.health.v1.Health/Check", &[]).await;
    assert_eq!(raw.get(5..), Some(health.as_slice()));
    // `list_services`, field 7 with an empty text.
    for version in ["v1", "v1alpha"] {
        let path = format!("/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo");
        let listed = channel.raw(&path, &[0x3a, 0x00]).await;
        let text = String::from_utf8_lossy(&listed);
        assert!(text.contains("kubeflow.pipelines.backend.api.v2beta1.RunService"), "{text}");
        assert!(text.contains("ml_metadata.MetadataStoreService"), "{text}");
    }
}

impl Channel {
    /// Bytes of the answer, with their frame.
    async fn raw(&self, path: &str, message: &[u8]) -> Vec<u8> {
        let request = hyper::Request::post(path)
            .header("content-type", "application/grpc")
            .body(tonic::body::Body::new(http_body_util::Full::new(frame(message))))
            .unwrap();
        let answer = Service::call(&mut self.clone(), request).await.unwrap();
        answer.into_body().collect().await.unwrap().to_bytes().to_vec()
    }
}

fn frame(message: &[u8]) -> bytes::Bytes {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0], length.as_slice(), message].concat().into()
}

#[tokio::test]
async fn browsers_speak_grpc_web_but_only_from_here() {
    let server = TestServer::start().await;
    let host = server.address.to_string();
    let headers = |origin: &'static str| {
        [("content-type", "application/grpc-web+proto"), ("origin", origin), ("x-grpc-web", "1")]
    };
    let path = "POST /ml_metadata.MetadataStoreService/GetContextTypes";
    let own = format!("http://{host}");
    let own: &'static str = Box::leak(own.into_boxed_str());
    let answered = server.send(path, &headers(own), frame(&[])).await;
    assert_eq!(answered.status, 200);
    let text = answered.text();
    assert!(text.contains("system.Pipeline") && text.contains("grpc-status:0"), "{text}");
    let refused = server.send(path, &headers("http://evil.example"), frame(&[])).await;
    assert_eq!(refused.status, 403);
}

#[tokio::test]
async fn a_frame_that_is_too_long_is_refused_before_it_is_sent() {
    let server = TestServer::start().await;
    let channel = Channel::open(&server).await;
    let head = [&[0_u8], u32::MAX.to_be_bytes().as_slice(), b"x"].concat();
    let request = hyper::Request::post("/kubeflow.pipelines.backend.api.v2beta1.RunService/GetRun")
        .header("content-type", "application/grpc")
        .body(tonic::body::Body::new(http_body_util::Full::new(bytes::Bytes::from(head))))
        .unwrap();
    let answer = Service::call(&mut channel.clone(), request).await.unwrap();
    assert_eq!(answer.headers().get("grpc-status").unwrap(), "8");
    assert_eq!(server.call("GET /apis/v2beta1/healthz", None).await.json()["multi_user"], json!(false));
}
