//! Lineage among a million artifacts, and ML Metadata over gRPC, of the real binary.
//!
//! `cargo bench -p ferroflow-server --bench lineage [-- BINARY [RUNS]]`, after a release build. Runs of a hundred tasks
//! with ten artifacts each are put into the store; each task uses two artifacts of the task before it, and one of the
//! run before. Then a client asks for the lineage of artifacts here and there, another one for all artifacts of a run
//! that has 10,000, and clients of ML Metadata write executions: one, then 32 at once.

#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]
#![expect(clippy::cast_precision_loss, reason = "figures for people need few digits")]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ferroflow_model::record::{ArtifactLink, ArtifactRecord, LinkDirection, StateChange, TaskRecord};
use ferroflow_model::{
    Artifact, ArtifactId, ExecutionId, Inputs, Outputs, RunId, RunStatus, TaskId, TaskKind, TaskPath,
    TaskStatus, Timestamp,
};
use ferroflow_ports::store::{RunCommit, RunStore as _, RunUpdate};
use ferroflow_proto::ml_metadata as wire;
use ferroflow_store::{Options, SqliteStore};
use hyper::Method;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use serde_json::json;
use support::{Client, Fallible, millis, start, the_binary, wanted};
use tokio::net::TcpStream;
use tower::Service;

const RUNS: i64 = 1000;
const TASKS: i64 = 100;
const ARTIFACTS: i64 = 10;
/// Artifacts of the last run.
const MANY: i64 = 10_000;
/// First number that is given away here.
const FIRST: i64 = 1_000_000;
const DEPTH: u32 = 3;
const QUESTIONS: i64 = 2000;
const WRITERS: usize = 32;
const WRITES: usize = 640;

fn main() -> Fallible<()> {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let binary = the_binary(arguments.next());
    let runs = arguments.next().map_or(Ok(RUNS), |text| text.parse())?;
    let folder = tempfile::tempdir_in(".")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let (mut server, address) = start(&binary, folder.path())?;
    let made = runtime.block_on(make_runs(&address, runs + 1))?;
    server.kill()?;
    server.wait()?;
    let begin = Instant::now();
    runtime.block_on(fill(&folder.path().join("data/ferroflow.db"), &made))?;
    println!("{} artifacts put in {:.0} s", runs * TASKS * ARTIFACTS + MANY, begin.elapsed().as_secs_f64());
    let (mut server, address) = start(&binary, folder.path())?;
    let measured = runtime.block_on(async {
        lineage(&address, runs * TASKS * ARTIFACTS).await?;
        let last = made.last().ok_or("no run")?;
        context(&address, last).await?;
        writers(&address).await
    });
    server.kill()?;
    server.wait()?;
    measured
}

async fn make_runs(address: &str, runs: i64) -> Fallible<Vec<RunId>> {
    let mut client = Client::open(address).await?;
    let mut made = Vec::new();
    for _ in 0..runs {
        let run = client.json(Method::POST, "/apis/v2beta1/runs", Some(wanted())).await?;
        made.push(run["run_id"].as_str().unwrap_or_default().parse()?);
    }
    Ok(made)
}

async fn fill(path: &Path, runs: &[RunId]) -> Fallible<()> {
    let store = SqliteStore::open(path, Options { durability: ferroflow_store::Durability::Relaxed })?;
    let (last, others) = runs.split_last().ok_or("no runs")?;
    let mut next = FIRST;
    let mut before: Option<i64> = None;
    for run in others {
        let mut commit = commit_of(*run);
        for number in 0..TASKS {
            let made = next + number * ARTIFACTS;
            let used = (number > 0).then_some([made - 1, made - 2]).into_iter().flatten();
            let used = used.chain(before.map(|before| before + number * ARTIFACTS));
            add_task(&mut commit, number, made, ARTIFACTS, used.collect());
        }
        before = Some(next);
        next += TASKS * ARTIFACTS;
        store.commit(commit).await?;
    }
    let mut commit = commit_of(*last);
    add_task(&mut commit, 0, next, MANY, Vec::new());
    commit.ids_taken_below = Some(next + MANY);
    store.commit(commit).await?;
    Ok(())
}

fn commit_of(run: RunId) -> RunCommit {
    // Ended, so that the next server does not take it up.
    let ended = StateChange { state: RunStatus::Succeeded, at: Timestamp::from_seconds(1_700_000_000) };
    let run_row = RunUpdate { status: Some(ended), ..RunUpdate::default() };
    RunCommit { run: Some(run_row), ..RunCommit::empty(run, 1) }
}

/// A task that has made some artifacts, the first of which has the number `made`, as has the task.
fn add_task(commit: &mut RunCommit, number: i64, made: i64, count: i64, used: Vec<i64>) {
    let run_id = commit.run_id;
    let path = TaskPath::new(format!("step-{number}"));
    let at = Timestamp::from_seconds(1_700_000_000);
    let execution_id = ExecutionId(made);
    commit.tasks.push(TaskRecord {
        execution_id,
        id: TaskId::derive(run_id, &path),
        run_id,
        parent: None,
        name: path.to_string(),
        display_name: path.to_string(),
        path,
        kind: TaskKind::Container,
        iteration_index: None,
        iteration_count: None,
        status: TaskStatus::Succeeded,
        history: Vec::new(),
        created_at: at,
        started_at: Some(at),
        ended_at: Some(at),
        inputs: Inputs::default(),
        outputs: Outputs::default(),
        error: None,
        cache: None,
        cached_from: None,
        attempt: 1,
    });
    let link = |artifact: i64, direction, index: i64| ArtifactLink {
        execution_id,
        artifact_id: ArtifactId(artifact),
        direction,
        name: "model".to_owned(),
        index: u32::try_from(index).unwrap_or_default(),
    };
    commit.links.extend((0..).zip(used).map(|(index, artifact)| link(artifact, LinkDirection::Input, index)));
    for index in 0..count {
        let metadata = json!({ "display_name": "model", "framework": "scikit-learn", "accuracy": 0.875, "epoch": index });
        let artifact = Artifact {
            id: ArtifactId(made + index),
            schema_title: "system.Model".to_owned(),
            schema_version: "0.0.1".to_owned(),
            instance_schema: String::new(),
            uri: format!("s3://bucket/root/pipeline/{run_id}/step-{number}/model-{index}"),
            metadata: metadata.as_object().cloned().unwrap_or_default(),
            custom_path: None,
        };
        let name = "model".to_owned();
        commit.artifacts.push(ArtifactRecord { artifact: Arc::new(artifact), name, created_at: at, run_id });
        commit.links.push(link(made + index, LinkDirection::Output, index));
    }
}

async fn lineage(address: &str, artifacts: i64) -> Fallible<()> {
    let mut client = Client::open(address).await?;
    let (mut times, mut bytes) = (Vec::new(), 0);
    for question in 0..QUESTIONS {
        // Here and there, never twice the same.
        let artifact = FIRST + (question * 7919 * ARTIFACTS + question) % artifacts;
        let path = format!("/apis/ferroflow/v1/artifacts/{artifact}/lineage?depth={DEPTH}");
        let begin = Instant::now();
        bytes += client.bytes(Method::GET, &path, None).await?.len();
        times.push(begin.elapsed());
    }
    let (half, most) = percentiles(times);
    println!(
        "lineage of depth {DEPTH} among {artifacts} artifacts: p50 {:.1} ms, p99 {:.1} ms, {} KB; bound 50 ms",
        millis(half),
        millis(most),
        bytes / usize::try_from(QUESTIONS)? / 1000
    );
    Ok(())
}

fn percentiles(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    let at = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or_default();
    (at(50), at(99))
}

async fn context(address: &str, run: &RunId) -> Fallible<()> {
    let channel = Channel::open(address).await?;
    let request = wire::GetContextByTypeAndNameRequest {
        type_name: Some("system.PipelineRun".to_owned()),
        context_name: Some(run.to_string()),
        ..Default::default()
    };
    let found: wire::GetContextByTypeAndNameResponse =
        channel.call("GetContextByTypeAndName", request).await?;
    let context_id = found.context.and_then(|context| context.id);
    let mut times = Vec::new();
    let mut answer = wire::GetArtifactsByContextResponse::default();
    for _ in 0..30 {
        let request = wire::GetArtifactsByContextRequest { context_id, ..Default::default() };
        let begin = Instant::now();
        answer = channel.call("GetArtifactsByContext", request).await?;
        times.push(begin.elapsed());
    }
    let (half, _) = percentiles(times);
    let (mut encoding, mut decoding) = (Vec::new(), Vec::new());
    for _ in 0..30 {
        let begin = Instant::now();
        let bytes = answer.encode_to_vec();
        encoding.push(begin.elapsed());
        let begin = Instant::now();
        let read = wire::GetArtifactsByContextResponse::decode(&*bytes)?;
        decoding.push(begin.elapsed());
        assert_eq!(read.artifacts.len(), answer.artifacts.len());
    }
    let (encoding, decoding) = (percentiles(encoding).0, percentiles(decoding).0);
    println!(
        "GetArtifactsByContext with {} artifacts, {} KB: {:.1} ms, of which this client reads {:.1} ms; {:.1} x \
         the {:.1} ms to encode them; bound 2",
        answer.artifacts.len(),
        answer.encoded_len() / 1000,
        millis(half),
        millis(decoding),
        (half.saturating_sub(decoding)).as_secs_f64() / encoding.as_secs_f64(),
        millis(encoding)
    );
    Ok(())
}

async fn writers(address: &str) -> Fallible<()> {
    let channel = Channel::open(address).await?;
    let kind = wire::ArtifactType { name: Some("Made".to_owned()), ..Default::default() };
    let request = wire::PutArtifactTypeRequest { artifact_type: Some(kind), ..Default::default() };
    let made: wire::PutArtifactTypeResponse = channel.call("PutArtifactType", request).await?;
    let kind = wire::ExecutionType { name: Some("Makes".to_owned()), ..Default::default() };
    let request = wire::PutExecutionTypeRequest { execution_type: Some(kind), ..Default::default() };
    let makes: wire::PutExecutionTypeResponse = channel.call("PutExecutionType", request).await?;
    let alone = put(address, 1, WRITES / 4, makes.type_id, made.type_id).await?;
    let crowd = put(address, WRITERS, WRITES, makes.type_id, made.type_id).await?;
    println!(
        "PutExecution, 1 client {alone:.0} /s, {WRITERS} clients {crowd:.0} /s: {:.1} x; bound 5",
        crowd / alone
    );
    Ok(())
}

/// Executions that some clients put in a second, each with an artifact.
async fn put(
    address: &str,
    clients: usize,
    times: usize,
    execution_type: Option<i64>,
    artifact_type: Option<i64>,
) -> Fallible<f64> {
    let mut open = Vec::new();
    for _ in 0..clients {
        open.push(Channel::open(address).await?);
    }
    let begin = Instant::now();
    let mut working = Vec::new();
    for channel in open {
        working.push(tokio::spawn(async move {
            for _ in 0..times / clients {
                let artifact = wire::Artifact {
                    type_id: artifact_type,
                    uri: Some("s3://b/k".to_owned()),
                    ..Default::default()
                };
                let event =
                    wire::Event { r#type: Some(wire::event::Type::Output.into()), ..Default::default() };
                let pair = wire::put_execution_request::ArtifactAndEvent {
                    artifact: Some(artifact),
                    event: Some(event),
                };
                let request = wire::PutExecutionRequest {
                    execution: Some(wire::Execution { type_id: execution_type, ..Default::default() }),
                    artifact_event_pairs: vec![pair],
                    ..Default::default()
                };
                let _: wire::PutExecutionResponse = channel.call("PutExecution", request).await?;
            }
            Fallible::Ok(())
        }));
    }
    for client in working {
        client.await??;
    }
    Ok(times as f64 / begin.elapsed().as_secs_f64())
}

/// A connection of HTTP/2 as tonic wants it.
#[derive(Clone)]
struct Channel {
    sender: hyper::client::conn::http2::SendRequest<tonic::body::Body>,
    address: String,
}

impl Channel {
    async fn open(address: &str) -> Fallible<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
            .initial_stream_window_size(16 << 20)
            .initial_connection_window_size(16 << 20)
            .handshake(TokioIo::new(stream))
            .await?;
        tokio::spawn(connection);
        Ok(Self { sender, address: address.to_owned() })
    }

    async fn call<Request, Response>(&self, call: &str, request: Request) -> Fallible<Response>
    where
        Request: Message + Send + Sync + 'static,
        Response: Message + Default + Send + Sync + 'static,
    {
        let mut client = tonic::client::Grpc::new(self.clone()).max_decoding_message_size(64 << 20);
        client.ready().await?;
        let codec = tonic_prost::ProstCodec::default();
        let path = format!("/ml_metadata.MetadataStoreService/{call}").parse()?;
        Ok(client.unary(tonic::Request::new(request), path, codec).await?.into_inner())
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
        let path = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
        match format!("http://{}{path}", self.address).parse() {
            Ok(uri) => *request.uri_mut() = uri,
            Err(error) => tracing::error!(%error, "an address that is none"),
        }
        Box::pin(self.sender.send_request(request))
    }
}
