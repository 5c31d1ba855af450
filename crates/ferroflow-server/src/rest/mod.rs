//! REST: HTTP requests become typed calls and typed answers become HTTP, after the annotations in the protos.
//!
//! Routes outside the protos (uploads, logs, health) and the page are served here too. Begin with [`Rest::answer`].

pub(crate) mod answer;
pub(crate) mod body;
mod route;
mod transcode;
mod uploads;

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use bytes::Bytes;
use futures_util::StreamExt;
use hyper::http::request::Parts;
use hyper::{Method, Request, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use self::answer::{Answer, error, json, plain_error};
use self::body::{BodyBudget, MAX_BODY_BYTES, drain, read_whole};
use self::route::{PathFields, Route};
use self::uploads::UploadKind;
use crate::artifact_places::{self, Place};
use crate::calls::{self, Message};
use crate::ferroflow_v1::{self, OwnApi, Question};
use crate::grpc::{self, Grpc};
use crate::guard::HostPolicy;
use crate::metrics::Metrics;
use crate::status::{ApiError, Code};
use crate::{Services, pods, v1beta1, web};

/// The REST server without its sockets.
pub(crate) struct Rest {
    services: Services,
    own: OwnApi,
    policy: HostPolicy,
    routes: Vec<Route<Target>>,
    budget: BodyBudget,
    grpc: Grpc,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
}

/// What serves a path.
#[derive(Debug, Clone, Copy)]
enum Target {
    /// A call of the protos.
    Call(&'static ferroflow_proto::rest::Route),
    Upload(UploadKind),
    Log,
    Results,
    Own(ferroflow_v1::Call),
    Retry,
    /// An edit of a recurring run.
    Edit,
    /// A call of KFP's first API.
    Old(v1beta1::Call),
    Health {
        names_store: bool,
    },
    Metrics,
    /// A file of an artifact by its place, as KFP's web server hands it out.
    ArtifactByQuery,
    ArtifactByPath,
    /// An output of a task, as KFP's first API hands it out.
    ReadArtifact,
    /// What KFP's web server asks a cluster, about the pod in the query.
    Pod(PodQuestion),
    /// The same answer to everybody.
    Fixed(&'static str),
    /// Parts of KFP's web server that there is nothing behind here.
    Absent(&'static str),
}

#[derive(Debug, Clone, Copy)]
enum PodQuestion {
    Itself,
    Events,
    Logs,
}

const NO_TENSORBOARD: &str =
    "TensorBoard is not started by this server: download the logs and start it yourself";
const NO_CLUSTER: &str = "this server runs in no cluster of a cloud, so it has no name and no project";

/// Routes that no proto knows.
const PLAIN_ROUTES: &[(Method, &str, Target)] = &[
    (Method::POST, "/apis/v2beta1/pipelines/upload", Target::Upload(UploadKind::Pipeline)),
    (Method::POST, "/apis/v2beta1/pipelines/upload_version", Target::Upload(UploadKind::Version)),
    (Method::POST, "/apis/v1beta1/pipelines/upload", Target::Upload(UploadKind::Pipeline)),
    (Method::POST, "/apis/v1beta1/pipelines/upload_version", Target::Upload(UploadKind::Version)),
    (Method::GET, "/apis/v1alpha1/runs/{run_id}/nodes/{node_id}/log", Target::Log),
    (Method::GET, "/apis/v1beta1/runs/{run_id}/nodes/{node_id}/log", Target::Log),
    (Method::GET, "/apis/v2beta1/runs/{run_id}/nodes/{node_id}/log", Target::Log),
    (Method::GET, "/apis/ferroflow/v1/runs/{run_id}", Target::Results),
    (Method::POST, "/apis/ferroflow/v1/runs/{run_id}:retry", Target::Retry),
    (Method::PATCH, "/apis/ferroflow/v1/recurringruns/{recurring_run_id}", Target::Edit),
    (Method::GET, "/apis/v1beta1/healthz", Target::Health { names_store: false }),
    (Method::GET, "/apis/v2beta1/healthz", Target::Health { names_store: true }),
    (Method::GET, "/apis/v2beta1/openapi.json", Target::Fixed(ferroflow_proto::OPENAPI)),
    (Method::GET, "/metrics", Target::Metrics),
    (Method::GET, "/artifacts/get", Target::ArtifactByQuery),
    (Method::GET, "/artifacts/{source}/{bucket}/{key=**}", Target::ArtifactByPath),
    (
        Method::GET,
        "/apis/v1beta1/runs/{run_id}/nodes/{node_id}/artifacts/{artifact_name}:read",
        Target::ReadArtifact,
    ),
    (
        Method::GET,
        "/apis/v2beta1/runs/{run_id}/nodes/{node_id}/artifacts/{artifact_name}:read",
        Target::ReadArtifact,
    ),
    (Method::GET, "/k8s/pod", Target::Pod(PodQuestion::Itself)),
    (Method::GET, "/k8s/pod/events", Target::Pod(PodQuestion::Events)),
    (Method::GET, "/k8s/pod/logs", Target::Pod(PodQuestion::Logs)),
    (Method::GET, "/visualizations/allowed", Target::Fixed("false")),
    (Method::GET, "/system/cluster-name", Target::Absent(NO_CLUSTER)),
    (Method::GET, "/system/project-id", Target::Absent(NO_CLUSTER)),
    (Method::GET, "/apps/tensorboard", Target::Absent(NO_TENSORBOARD)),
    (Method::POST, "/apps/tensorboard", Target::Absent(NO_TENSORBOARD)),
    (Method::DELETE, "/apps/tensorboard", Target::Absent(NO_TENSORBOARD)),
];

/// KFP's web server answers below this path too, and the SDK's links may point there.
const BASE: &str = "/pipeline";

impl Rest {
    /// `stop` ends followed logs.
    pub(crate) fn new(services: Services, policy: HostPolicy, stop: CancellationToken) -> Self {
        let plain = PLAIN_ROUTES
            .iter()
            .map(|(method, template, target)| Route::new(method.clone(), template, *target));
        let calls = ferroflow_proto::rest::ROUTES
            .iter()
            .filter_map(|call| Some(Route::new(call.method.parse().ok()?, call.path, Target::Call(call))));
        let old = v1beta1::ROUTES.into_iter().filter_map(|(method, template, call)| {
            Some(Route::new(method.parse().ok()?, template, Target::Old(call)))
        });
        let own = ferroflow_v1::ROUTES
            .iter()
            .map(|(template, call)| Route::new(Method::GET, template, Target::Own(*call)));
        let budget = BodyBudget::new();
        let metrics = Arc::<Metrics>::default();
        Self {
            own: OwnApi::new(services.clone(), stop.clone()),
            grpc: Grpc::new(services.clone(), budget.clone(), Arc::clone(&metrics)),
            metrics,
            services,
            policy,
            routes: plain.chain(own).chain(old).chain(calls).collect(),
            budget,
            stop,
        }
    }

    /// Answers one request; errors are answers too.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Answer {
        let (parts, body) = request.into_parts();
        if let Err(refusal) = self.policy.check(&parts) {
            return self.refuse(body, &refusal).await;
        }
        if grpc::is_grpc(&parts.headers) {
            return Box::pin(self.grpc.answer(Request::from_parts(parts, body))).await;
        }
        let path = local_path(parts.uri.path()).to_owned();
        if let Some(file) = web::file(&parts.method, &path, &parts.headers) {
            return file;
        }
        // HEAD is GET; the connection leaves the body out.
        let method = if parts.method == Method::HEAD { Method::GET } else { parts.method.clone() };
        let (route, fields) = match route::find(&self.routes, &method, &path) {
            Ok(found) => found,
            Err(missing) => return self.refuse(body, &explain_missing(missing, &path)).await,
        };
        let request = Request::from_parts(parts, body);
        match route.target {
            Target::Call(call) => {
                let begin = Instant::now();
                let answer = self.call(call, fields, request).await;
                self.metrics.note(call.service, call.rpc, begin.elapsed(), answer.is_err());
                answer.map_or_else(|failure| error(&failure), |value| json(&value))
            }
            Target::Upload(kind) => {
                let begin = Instant::now();
                let answer = uploads::serve(&self.services, &self.budget, kind, request).await;
                let has_failed = !answer.status().is_success();
                self.metrics.note_upload(kind == UploadKind::Version, begin.elapsed(), has_failed);
                answer
            }
            Target::Log => match self.log(&fields, request.uri().query()).await {
                Ok(log) => log,
                Err(failure) => plain_error(&failure, "Failed to read the log"),
            },
            Target::Results => match self.results(&fields).await {
                Ok(found) => json(&found),
                Err(failure) => error(&failure),
            },
            Target::Retry => match self.retry(&fields, request).await {
                Ok(()) => json(&json!({})),
                Err(failure) => error(&failure),
            },
            Target::Edit => match self.edit(&fields, request).await {
                Ok(edited) => json(&edited),
                Err(failure) => error(&failure),
            },
            Target::Old(call) => {
                let query = request.uri().query().unwrap_or_default();
                self.old(call, &fields, query).await.unwrap_or_else(|failure| error(&failure))
            }
            Target::Own(call) => self.own(call, &fields, &request.into_parts().0).await,
            Target::Health { names_store } => self.health(names_store),
            Target::Metrics => match self.metrics.text(&self.services).await {
                Ok(text) => answer::answer(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text),
                Err(failure) => error(&failure),
            },
            Target::ArtifactByQuery => {
                let query = request.uri().query().unwrap_or_default();
                let (source, bucket, key) =
                    (parameter(query, "source"), parameter(query, "bucket"), parameter(query, "key"));
                let place = Place { source: &source, bucket: &bucket, key: &key };
                let peek = Some(parameter(query, "peek")).filter(|peek| !peek.is_empty());
                let found = artifact_places::file(&self.services, &place, peek.as_deref()).await;
                found.unwrap_or_else(|failure| plain_error(&failure, "Failed to get the artifact"))
            }
            Target::ArtifactByPath => {
                let field = |name| field(&fields, name);
                let place = Place { source: field("source"), bucket: field("bucket"), key: field("key") };
                let found = artifact_places::file(&self.services, &place, None).await;
                found.unwrap_or_else(|failure| plain_error(&failure, "Failed to get the artifact"))
            }
            Target::ReadArtifact => {
                let field = |name| field(&fields, name);
                let (run, node, name) = (field("run_id"), field("node_id"), field("artifact_name"));
                let read = artifact_places::read(&self.services, run, node, name).await;
                read.map_or_else(|failure| error(&failure), |data| json(&data))
            }
            Target::Pod(question) => self
                .pod(question, request.uri().query().unwrap_or_default())
                .await
                .unwrap_or_else(|failure| plain_error(&failure, "Failed to read the pod")),
            Target::Fixed(text) => answer::answer(StatusCode::OK, "application/json", text),
            Target::Absent(why) => error(&ApiError::new(Code::Unimplemented, why)),
        }
    }

    /// Most clients read no answer before they have sent their body.
    async fn refuse(&self, body: Body, refusal: &ApiError) -> Answer {
        drain(body).await;
        error(refusal)
    }

    async fn call(
        &self,
        call: &'static ferroflow_proto::rest::Route,
        fields: PathFields<'_>,
        request: Request<Body>,
    ) -> Result<Value, ApiError> {
        let (parts, body) = request.into_parts();
        let (body, _permit) = self.budget.admit(body, MAX_BODY_BYTES).await?;
        let body = if call.body.is_some() { read_whole(body, MAX_BODY_BYTES).await? } else { Bytes::new() };
        let query = parts.uri.query().unwrap_or_default();
        let (message, context) = transcode::request(call, &fields, query, &body)?;
        drop(body);
        match calls::call(&self.services, call.service, call.rpc, Message::Json(message), context).await? {
            Message::Json(answer) => Ok(answer),
            Message::Binary(_) => Err(ApiError::internal("a call answers in another form than it was asked")),
        }
    }

    async fn log(&self, fields: &PathFields<'_>, query: Option<&str>) -> Result<Answer, ApiError> {
        let mut query = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        let follow = query.any(|(key, value)| key == "follow" && value == "true");
        self.log_of(field(fields, "run_id"), field(fields, "node_id"), follow).await
    }

    async fn pod(&self, question: PodQuestion, query: &str) -> Result<Answer, ApiError> {
        let wanted = |key: &str| parameter(query, key);
        let pod = wanted("podname");
        if pod.is_empty() {
            let missing = ApiError::invalid("the parameter `podname` is missing");
            if matches!(question, PodQuestion::Logs) {
                return Err(missing);
            }
            // KFP's web server has its own status for these two.
            let mut answer = plain_error(&missing, "Failed to read the pod");
            *answer.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            return Ok(answer);
        }
        match question {
            PodQuestion::Itself => Ok(json(&pods::pod(&self.services, &pod).await?)),
            PodQuestion::Events => Ok(json(&pods::events(&self.services, &pod).await?)),
            PodQuestion::Logs => {
                let run = match wanted("runid") {
                    run if run.is_empty() => pods::run_of(&self.services, &pod).await?,
                    run => run,
                };
                self.log_of(&run, &pod, false).await
            }
        }
    }

    async fn log_of(&self, run: &str, node: &str, follow: bool) -> Result<Answer, ApiError> {
        let stop = self.stop.child_token();
        let mut log = crate::logs::task_log(&self.services, run, node, follow, stop).await?;
        let pieces = futures_util::stream::poll_fn(move |context| log.poll_recv(context));
        let pieces = pieces.inspect(|piece| {
            if let Err(failure) = piece {
                tracing::error!(error = %failure, "log breaks off");
            }
        });
        Ok(answer::answer(StatusCode::OK, "text/plain; charset=utf-8", Body::from_stream(pieces)))
    }

    async fn old(
        &self,
        call: v1beta1::Call,
        fields: &PathFields<'_>,
        query: &str,
    ) -> Result<Answer, ApiError> {
        let parameter = |key: &str| parameter(query, key);
        let field = |name: &str| field(fields, name).to_owned();
        let question = v1beta1::Question { field: &field, parameter: &parameter };
        Ok(json(&v1beta1::answer(&self.services, call, question).await?))
    }

    async fn results(&self, fields: &PathFields<'_>) -> Result<Value, ApiError> {
        let id = crate::v2beta1::parse_id(crate::v2beta1::run::WHAT, field(fields, "run_id"))?;
        let found = crate::results::run_results(&*self.services.store, id).await?;
        serde_json::to_value(found).map_err(ApiError::internal)
    }

    async fn retry(&self, fields: &PathFields<'_>, request: Request<Body>) -> Result<(), ApiError> {
        let most = ferroflow_v1::RETRY_BODY_BYTES;
        let (body, _permit) = self.budget.admit(request.into_body(), most).await?;
        let body = read_whole(body, most).await?;
        ferroflow_v1::retry(&self.services, field(fields, "run_id"), &body).await
    }

    async fn edit(&self, fields: &PathFields<'_>, request: Request<Body>) -> Result<Value, ApiError> {
        let most = ferroflow_v1::EDIT_BODY_BYTES;
        let (body, _permit) = self.budget.admit(request.into_body(), most).await?;
        let body = read_whole(body, most).await?;
        let changes = serde_json::from_slice(&body)
            .map_err(|error| ApiError::invalid(format!("the body must be a JSON object: {error}")))?;
        let id = field(fields, "recurring_run_id");
        encode(&crate::v2beta1::recurring_run::edit(&self.services, id, changes).await?)
    }

    async fn own(&self, call: ferroflow_v1::Call, fields: &PathFields<'_>, request: &Parts) -> Answer {
        let question =
            Question { fields, query: request.uri.query().unwrap_or_default(), headers: &request.headers };
        self.own.answer(call, question).await.unwrap_or_else(|failure| error(&failure))
    }

    /// Every field is there, also the one that is false: the SDK insists on `multi_user`.
    fn health(&self, names_store: bool) -> Answer {
        let build = &self.services.build;
        // In the words of KFP's API server, and in those of its web server.
        let mut health = json!({
            "commit_sha": build.commit_sha,
            "tag_name": build.tag_name,
            "multi_user": false,
            "apiServerReady": true,
            "apiServerCommitHash": build.commit_sha,
            "apiServerTagName": build.tag_name,
            "apiServerMultiUser": false,
            "frontendCommitHash": build.commit_sha,
            "frontendTagName": build.tag_name,
            "pipelineStore": "database",
        });
        if let (true, Some(fields)) = (names_store, health.as_object_mut()) {
            fields.insert("pipeline_store".to_owned(), Value::from("database"));
        }
        json(&health)
    }
}

/// A field of the path, empty if the template has none of this name.
fn field<'p>(fields: &'p PathFields<'_>, wanted: &str) -> &'p str {
    fields.iter().find(|(name, _)| *name == wanted).map_or("", |(_, value)| &**value)
}

/// A parameter of a query, empty if it is not there.
fn parameter(query: &str, wanted: &str) -> String {
    let mut query = form_urlencoded::parse(query.as_bytes());
    query.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// The JSON of a message.
fn encode(message: &impl Serialize) -> Result<Value, ApiError> {
    serde_json::to_value(message).map_err(ApiError::internal)
}

/// The path without what may stand before it: links of the SDK begin with `//`, and everything is also below
/// [`BASE`].
fn local_path(path: &str) -> &str {
    let from_last_slash = |path: &str| path.len() - path.trim_start_matches('/').len();
    let path = path.get(from_last_slash(path).saturating_sub(1)..).unwrap_or(path);
    match path.strip_prefix(BASE) {
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => {
            rest.get(from_last_slash(rest).saturating_sub(1)..).unwrap_or(rest)
        }
        _ => path,
    }
}

fn explain_missing(missing: ApiError, path: &str) -> ApiError {
    let is_old = path.starts_with("/apis/v1beta1/") || path.starts_with("/apis/v1alpha1/");
    if missing.code == Code::NotFound && is_old {
        return ApiError::new(Code::Unimplemented, "this call of KFP's first API is not served: use v2beta1");
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::local_path;

    #[test]
    fn paths_before_the_path() {
        let rows = [
            ("/", "/"),
            ("//", "/"),
            ("///index.html", "/index.html"),
            ("/pipeline", "/"),
            ("/pipeline/", "/"),
            ("/pipeline//", "/"),
            ("//pipeline/app.js", "/app.js"),
            ("/pipelines", "/pipelines"),
            ("/pipeline/apis/v2beta1/runs", "/apis/v2beta1/runs"),
            ("/a/../b", "/a/../b"),
        ];
        for (path, expected) in rows {
            assert_eq!(local_path(path), expected, "{path}");
        }
    }
}
