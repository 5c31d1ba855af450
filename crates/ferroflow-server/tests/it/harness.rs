//! A server on an ephemeral port, and a client that sends exactly what it is told to.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use ferroflow_artifacts::{WebFetcher, WebRules};
use ferroflow_engine::schedule::{Schedule, Zone};
use ferroflow_engine::{IdBlock, RunIdentity, TaskAttempt};
use ferroflow_metadata::Metadata;
use ferroflow_model::record::{Run, StateChange, TaskRecord};
use ferroflow_model::recurring::{Tick, Trigger};
use ferroflow_model::{
    AttemptId, Inputs, Outputs, RecurringRunId, RunId, RunStatus, StorageState, Timestamp,
};
use ferroflow_ports::executor::Report;
use ferroflow_ports::store::{NewRun, RunCommit, RunSettings, RunUpdate};
use ferroflow_ports::{
    Clock, ErrorKind, Executor, Fact, PortError, RunControl, ScheduleControl, Store, SubmitRun, SystemFacts,
};
use ferroflow_server::{BuildInfo, PageTokenKey, ServerOptions, Services, ensure_default_experiment, serve};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

/// Stops when dropped.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) logs: Arc<Logs>,
    pub(crate) schedules: Arc<Schedules>,
    folder: tempfile::TempDir,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
}

/// An answer read whole.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: hyper::HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {:?}", self.body))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let records = open_store(folder.path());
        let store: Arc<dyn Store> = records.clone();
        let clock = Arc::new(StepClock(Mutex::new(1_700_000_000)));
        ensure_default_experiment(&*store, &*clock).await.unwrap();
        let logs = Arc::new(Logs::default());
        let schedules = Arc::new(Schedules::default());
        let services = Services {
            metadata: Metadata::new(records, clock.clone()),
            store: Arc::clone(&store),
            artifacts: open_artifacts(folder.path()),
            packages: Arc::new(WebFetcher::new(WebRules::default())),
            runs: Arc::new(StoredRuns { store: Arc::clone(&store), clock: Arc::clone(&clock) }),
            schedules: Arc::clone(&schedules) as Arc<dyn ScheduleControl>,
            executor: Arc::clone(&logs) as Arc<dyn Executor>,
            clock,
            system: Arc::new(OneFact),
            page_tokens: PageTokenKey([1; 32]),
            settings: Arc::default(),
            build: BuildInfo { commit_sha: "abc".to_owned(), tag_name: "0.1.0".to_owned() },
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let shutdown = async {
            let _ = stopped.await;
        };
        tokio::spawn(serve(listener, services, ServerOptions::default(), shutdown));
        Self { address, store, logs, schedules, folder, stop: Some(stop) }
    }

    /// Lets the server drain.
    pub(crate) fn stop(&mut self) {
        self.stop.take().map(|stop| stop.send(()));
    }

    /// A pipeline root that the artifact store serves.
    pub(crate) fn root(&self) -> String {
        format!("file://{}", self.folder.path().join("artifacts").display())
    }

    /// Sends a request with JSON, as the SDK does: its content type comes even without a body.
    pub(crate) async fn call(&self, line: &str, body: Option<Value>) -> Reply {
        let body = body.map_or_else(String::new, |value| value.to_string());
        self.send(line, &[("content-type", "application/json")], body).await
    }

    /// Sends a request with the headers given, and `Host` unless it is among them. `line` is `<method> <path>`.
    pub(crate) async fn send(&self, line: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Reply {
        let (parts, mut body) = self.open(line, headers, body).await;
        let mut whole = Vec::new();
        while let Some(frame) = body.frame().await {
            whole.extend_from_slice(frame.unwrap().data_ref().unwrap());
        }
        Reply { status: parts.status.as_u16(), headers: parts.headers, body: whole.into() }
    }

    /// Sends a request and leaves the body to be read.
    pub(crate) async fn open(
        &self,
        line: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> (hyper::http::response::Parts, hyper::body::Incoming) {
        let (method, path) = line.split_once(' ').unwrap();
        let path =
            path.strip_prefix('@').map_or_else(|| path.to_owned(), |rest| format!("/apis/v2beta1{rest}"));
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", self.address.to_string());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = request.body(Full::new(body.into())).unwrap();
        sender.send_request(request).await.unwrap().into_parts()
    }

    /// One row of a table: the request must be answered with this status, and with JSON that holds `expected`
    /// (`null` in it stands for a missing field). Returns the answer.
    pub(crate) async fn check(&self, line: &str, body: Option<Value>, status: u16, expected: Value) -> Value {
        let reply = self.call(line, body.clone()).await;
        assert_eq!(reply.status, status, "{line} {body:?} → {}", reply.text());
        let got = reply.json();
        assert_holds(&got, &expected, line);
        got
    }

    /// As [`Self::check`] for an error of KFP's gateway with this gRPC code.
    pub(crate) async fn check_error(
        &self,
        line: &str,
        body: Option<Value>,
        status: u16,
        code: i32,
    ) -> String {
        let expected = json!({ "code": code, "details": [{ "@type": "type.googleapis.com/google.rpc.Status", "code": code }] });
        let error = self.check(line, body, status, expected).await;
        let text = error["details"][0]["message"].as_str().unwrap().to_owned();
        assert!(error["message"].as_str().unwrap().ends_with(&text), "{error}");
        text
    }

    /// Uploads a file; `line` is the path with its query below the API.
    pub(crate) async fn upload(&self, path: &str, file_name: &str, file: &[u8]) -> Reply {
        let (content_type, body) = form("uploadfile", file_name, file);
        self.send(&format!("POST @{path}"), &[("content-type", &content_type)], body).await
    }

    /// Uploads a small pipeline; returns its id.
    pub(crate) async fn make_pipeline(&self, name: &str) -> String {
        let reply = self.upload(&format!("/pipelines/upload?name={name}"), "hello.yaml", &hello_file()).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()["pipeline_id"].as_str().unwrap().to_owned()
    }

    /// Starts a run of an inline pipeline; returns its id.
    pub(crate) async fn make_run(&self, name: &str) -> String {
        let run = self
            .check(
                "POST @/runs",
                Some(json!({ "display_name": name, "pipeline_spec": hello() })),
                200,
                json!({}),
            )
            .await;
        run["run_id"].as_str().unwrap().to_owned()
    }

    /// Stores a task of a run, as the runtime would.
    pub(crate) async fn put_task(&self, task: TaskRecord) {
        let commit = RunCommit { tasks: vec![task.clone()], ..commit_of(task.run_id) };
        self.store.commit(commit).await.unwrap();
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn open_store(folder: &Path) -> Arc<ferroflow_store::SqliteStore> {
    let path = folder.join("records.sqlite");
    Arc::new(ferroflow_store::SqliteStore::open(&path, ferroflow_store::Options::default()).unwrap())
}

fn open_artifacts(folder: &Path) -> Arc<dyn ferroflow_ports::ArtifactStore> {
    Arc::new(ferroflow_artifacts::LocalArtifacts::open(&folder.join("artifacts")).unwrap())
}

/// A multipart body with one file: content type and bytes.
pub(crate) fn form(field: &str, file_name: &str, file: &[u8]) -> (String, Vec<u8>) {
    let mut head = String::new();
    write!(
        head,
        "--frontier\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{file_name}\"\r\n"
    )
    .unwrap();
    head.push_str("Content-Type: application/octet-stream\r\n\r\n");
    let body = [head.as_bytes(), file, b"\r\n--frontier--\r\n"].concat();
    ("multipart/form-data; boundary=frontier".to_owned(), body)
}

/// Whether `got` holds all of `expected`; lists must have the same length.
pub(crate) fn assert_holds(got: &Value, expected: &Value, place: &str) {
    match (got, expected) {
        (Value::Object(got), Value::Object(expected)) => {
            for (key, wanted) in expected {
                let place = format!("{place}/{key}");
                match got.get(key) {
                    Some(found) => assert_holds(found, wanted, &place),
                    None => assert!(wanted.is_null(), "{place} is missing"),
                }
            }
        }
        (Value::Array(got), Value::Array(expected)) => {
            assert_eq!(got.len(), expected.len(), "{place}: {got:?}");
            for (index, (found, wanted)) in got.iter().zip(expected).enumerate() {
                assert_holds(found, wanted, &format!("{place}/{index}"));
            }
        }
        _ => assert_eq!(got, expected, "{place}"),
    }
}

/// A pipeline of one task with two inputs: `text` has a default, `count` (an integer) may be missing.
pub(crate) fn hello() -> Value {
    json!({
        "pipelineInfo": { "name": "hello" },
        "schemaVersion": "2.1.0",
        "sdkVersion": "kfp-2.17.0",
        "root": {
            "dag": { "tasks": { "say": {
                "taskInfo": { "name": "say" },
                "componentRef": { "name": "comp-say" },
                "cachingOptions": {},
                "inputs": { "parameters": { "text": { "componentInputParameter": "text" } } }
            } } },
            "inputDefinitions": { "parameters": {
                "text": { "parameterType": "STRING", "defaultValue": "hi" },
                "count": { "parameterType": "NUMBER_INTEGER", "isOptional": true }
            } }
        },
        "components": { "comp-say": {
            "executorLabel": "exec-say",
            "inputDefinitions": { "parameters": { "text": { "parameterType": "STRING" } } }
        } },
        "deploymentSpec": { "executors": { "exec-say": { "container": {
            "image": "python:3.11", "command": ["echo"], "args": ["{{$.inputs.parameters['text']}}"]
        } } } }
    })
}

/// The same as a file (JSON is YAML).
pub(crate) fn hello_file() -> Vec<u8> {
    hello().to_string().into_bytes()
}

/// Each look at it is a second later, so that orders by time are certain.
struct StepClock(Mutex<i64>);

impl Clock for StepClock {
    fn now(&self) -> Timestamp {
        let mut seconds = self.0.lock().unwrap();
        *seconds += 1;
        Timestamp::from_seconds(*seconds)
    }
}

/// A machine of which one thing is known.
struct OneFact;

impl SystemFacts for OneFact {
    fn facts(&self) -> Vec<Fact> {
        vec![Fact { group: "disk", name: "free", value: "1 GiB".to_owned() }]
    }
}

/// Judges schedules as the real one does, never fires, and knows which it was told to look at.
#[derive(Default)]
pub(crate) struct Schedules(Mutex<Vec<RecurringRunId>>);

impl Schedules {
    /// Those that it was told to look at since it was last asked.
    pub(crate) fn looked_at(&self) -> Vec<String> {
        self.0.lock().unwrap().drain(..).map(|id| id.to_string()).collect()
    }
}

impl ScheduleControl for Schedules {
    fn check(&self, trigger: &Trigger) -> Result<(), PortError> {
        let understood = Schedule::new(trigger, Timestamp::default(), true, &Zone::UTC);
        understood.map(drop).map_err(|error| PortError::new(ErrorKind::InvalidArgument, error.to_string()))
    }

    fn look_at(&self, id: RecurringRunId) {
        self.0.lock().unwrap().push(id);
    }
}

/// Keeps runs and changes their states on request, and never executes anything.
struct StoredRuns {
    store: Arc<dyn Store>,
    clock: Arc<StepClock>,
}

pub(crate) fn commit_of(run_id: RunId) -> RunCommit {
    RunCommit::empty(run_id, 1)
}

#[async_trait]
impl RunControl for StoredRuns {
    async fn submit(&self, request: SubmitRun) -> Result<Run, PortError> {
        let now = self.clock.now();
        let id = match request.added_to {
            Some(schedule) => RunId::added_to(schedule, &request.display_name),
            None => RunId(Uuid::new_v4()),
        };
        let pipeline_name = request.spec.name.clone();
        let run = Run {
            id,
            experiment_id: request.experiment_id,
            display_name: request.display_name.clone(),
            description: request.description,
            source: request.source,
            tick: request.added_to.map(|recurring_run_id| Tick { recurring_run_id, index: 0 }),
            pipeline_name: pipeline_name.clone(),
            resource_name: format!("{pipeline_name}-abcde"),
            arguments: request.sent_arguments,
            pipeline_root: request.pipeline_root,
            service_account: request.service_account,
            created_at: now,
            scheduled_at: now,
            finished_at: None,
            status: RunStatus::Pending,
            history: vec![StateChange { at: now, state: RunStatus::Pending }],
            storage_state: StorageState::Available,
            error: None,
            pipeline_context_id: 0,
            run_context_id: 0,
            outputs: Outputs::default(),
            plugins_input: request.plugins_input,
        };
        let identity = RunIdentity {
            id,
            display_name: request.display_name,
            pipeline_name,
            resource_name: run.resource_name.clone(),
            root: String::new(),
            created_at: now,
            scheduled_at: now,
        };
        let first = self.store.next_free_id().await?;
        let settings = RunSettings {
            identity,
            arguments: request.arguments,
            caching: true,
            ids: IdBlock { first, count: 100 },
            semantics: ferroflow_engine::Semantics::default(),
        };
        let settings = serde_json::to_string(&settings).unwrap();
        self.store.create_run(NewRun { run, spec_json: request.spec_json, settings }, first + 100).await
    }

    async fn terminate(&self, id: RunId) -> Result<(), PortError> {
        if self.store.run(id).await?.status.is_terminal() {
            return Err(PortError::new(ErrorKind::InvalidArgument, format!("run `{id}` has ended")));
        }
        let status = Some(StateChange { at: self.clock.now(), state: RunStatus::Canceling });
        self.store
            .commit(RunCommit { run: Some(RunUpdate { status, ..Default::default() }), ..commit_of(id) })
            .await
    }

    async fn retry(&self, id: RunId) -> Result<(), PortError> {
        self.store.run(id).await?;
        Err(PortError::new(ErrorKind::Aborted, format!("run `{id}` has not failed")))
    }

    async fn retry_from(&self, id: RunId, task: ferroflow_model::TaskPath) -> Result<(), PortError> {
        self.store.run(id).await?;
        Err(PortError::new(ErrorKind::Aborted, format!("run `{id}` is not run again from `{task}`")))
    }

    async fn delete(&self, id: RunId) -> Result<(), PortError> {
        self.store.delete_run(id).await
    }
}

/// Logs by attempt; `None` in one is an error while reading.
#[derive(Default)]
pub(crate) struct Logs(Mutex<BTreeMap<AttemptId, Vec<Option<Bytes>>>>);

impl Logs {
    pub(crate) fn put(&self, id: AttemptId, pieces: Vec<Option<Bytes>>) {
        self.0.lock().unwrap().insert(id, pieces);
    }
}

#[async_trait]
impl Executor for Logs {
    async fn ensure_started(&self, attempt: TaskAttempt) -> Result<(), PortError> {
        Err(PortError::new(ErrorKind::Unimplemented, format!("`{}` does not run here", attempt.id)))
    }

    async fn ensure_stopped(&self, _id: &AttemptId, _grace: Duration) -> Result<(), PortError> {
        Ok(())
    }

    async fn next_report(&self) -> Option<Report> {
        None
    }

    async fn acknowledge(&self, _id: &AttemptId) {}

    async fn forget_run(&self, _run: RunId) -> Result<(), PortError> {
        Ok(())
    }

    async fn logs(
        &self,
        id: &AttemptId,
        _follow: bool,
    ) -> Result<BoxStream<'static, Result<Bytes, PortError>>, PortError> {
        let pieces =
            self.0.lock().unwrap().get(id).cloned().ok_or_else(|| PortError::not_found("log", id))?;
        let broken = || PortError::new(ErrorKind::Internal, "the file vanished");
        Ok(stream::iter(pieces).map(move |piece| piece.ok_or_else(broken)).boxed())
    }

    async fn detach(&self) {}
}

/// A task row with everything empty but what tests look at.
pub(crate) fn task(run: &str, execution_id: i64, parent: Option<i64>, name: &str) -> TaskRecord {
    use ferroflow_model::{ExecutionId, TaskId, TaskKind, TaskPath, TaskStatus};
    let run_id: RunId = run.parse().unwrap();
    let path = TaskPath::new(name);
    TaskRecord {
        execution_id: ExecutionId(execution_id),
        id: TaskId::derive(run_id, &path),
        run_id,
        path,
        parent: parent.map(ExecutionId),
        name: name.to_owned(),
        display_name: name.to_owned(),
        kind: if parent.is_some() { TaskKind::Container } else { TaskKind::Root },
        iteration_index: None,
        iteration_count: None,
        status: TaskStatus::Running,
        history: vec![StateChange { at: Timestamp::from_seconds(1_700_000_100), state: TaskStatus::Running }],
        created_at: Timestamp::from_seconds(1_700_000_100),
        started_at: Some(Timestamp::from_micros(1_700_000_101_999_999)),
        ended_at: None,
        inputs: Inputs::default(),
        outputs: Outputs::default(),
        error: None,
        cache: None,
        cached_from: None,
        attempt: 0,
    }
}
