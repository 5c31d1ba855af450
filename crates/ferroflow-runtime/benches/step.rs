//! What the loop, the engine and the store take for a task, when user code takes nothing.
//!
//! `cargo bench -p ferroflow-runtime --bench step [-- FOLDER]`. Each row is a process of its own. Two attempts run at once.
//! They end the moment they are started, which shows what many tasks cost together, or after a millisecond on another
//! thread, which shows the cost of a step by itself. CPU is that of the whole process, from the submission to the end.

#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use async_trait::async_trait;
use bytes::Bytes;
use ferroflow_engine::{AttemptOutcome, ProducedOutputs, TaskAttempt};
use ferroflow_model::record::{AttemptPhases, Experiment, PipelineSource};
use ferroflow_model::{AttemptId, ExperimentId, RunId, RunStatus, StorageState, Timestamp};
use ferroflow_ports::artifact::StoredObject;
use ferroflow_ports::executor::Report;
use ferroflow_ports::store::ExperimentStore;
use ferroflow_ports::{ArtifactStore, Clock, Executor, PortError, RunControl, SubmitRun};
use ferroflow_runtime::{Runtime, RuntimeOptions, RuntimePorts};
use ferroflow_spec::document;
use ferroflow_store::{Durability, Options, SqliteStore};
use futures_util::stream::BoxStream;
use rustix::time::{ClockId, clock_gettime};
use serde_json::Map;
use tokio::sync::{Mutex, mpsc};
use uuid::Uuid;

const EXPERIMENT: ExperimentId = ExperimentId(Uuid::from_u128(1));

/// Pipelines: name, shape, size.
const PIPELINES: [(&str, Shape, u32); 5] = [
    ("chain of 50", Shape::Chain, 50),
    ("fan-out of 200", Shape::Fan, 200),
    ("chain of 2,000", Shape::Chain, 2_000),
    ("chain of 10,000", Shape::Chain, 10_000),
    ("fan-out of 10,000", Shape::Fan, 10_000),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Chain,
    Fan,
}

fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [folder, durability, caching, millis, row] = arguments.as_slice() {
        let row = PIPELINES.get(row.parse::<usize>()?).context("no such row")?;
        let durability = if durability == "synced" { Durability::Synced } else { Durability::Relaxed };
        let takes = Duration::from_millis(millis.parse()?);
        return tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_time()
            .build()?
            .block_on(measure(Path::new(folder), durability, caching == "true", takes, *row));
    }
    let folder = arguments.first().map_or_else(std::env::temp_dir, PathBuf::from);
    for (durability, caching, millis, rows) in [
        ("relaxed", "false", "1", &[0, 1, 2][..]),
        ("synced", "false", "1", &[0, 1, 2]),
        ("relaxed", "true", "1", &[0, 1, 2]),
        ("relaxed", "false", "0", &[0, 1, 3, 4]),
        ("relaxed", "true", "0", &[0, 1, 3, 4]),
    ] {
        println!("{durability}, caching {caching}, tasks of {millis} ms");
        for row in rows {
            let folder = tempfile::tempdir_in(&folder)
                .with_context(|| format!("no folder in {}", folder.display()))?;
            let row = row.to_string();
            let status = std::process::Command::new(std::env::current_exe()?)
                .arg(folder.path())
                .args([durability, caching, millis, &row])
                .status()?;
            anyhow::ensure!(status.success(), "the row failed");
        }
    }
    Ok(())
}

async fn measure(
    folder: &Path,
    durability: Durability,
    caching: bool,
    takes: Duration,
    (name, shape, size): (&str, Shape, u32),
) -> Result<()> {
    let store = Arc::new(SqliteStore::open(&folder.join("ferroflow.db"), Options { durability })?);
    store.create_experiment(experiment()).await?;
    let ports = RuntimePorts {
        store: Arc::clone(&store) as _,
        executor: Arc::new(Idler::new(takes)?),
        artifacts: Arc::new(Folder),
        clock: Arc::new(SystemClock),
    };
    let options = RuntimeOptions { parallelism: 2, caching, ..RuntimeOptions::default() };
    let runtime = Runtime::start(ports, options).await?;
    let request = request(&pipeline(shape, size))?;
    let parsed = memory("VmHWM:")?;
    let (begin, cpu, before) = (Instant::now(), cpu_time(), store.statistics());
    let id = runtime.submit(request).await?.id;
    let status = runtime.wait(id).await?;
    let (wall, cpu) = (begin.elapsed(), cpu_time().saturating_sub(cpu));
    anyhow::ensure!(status == RunStatus::Succeeded, "the run ended as {status:?}");
    let tasks = if shape == Shape::Fan { size + 1 } else { size };
    let per_task = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(tasks);
    println!(
        "  {name:18} {:>7.1} us wall, {:>6.1} us CPU per task; {:>5} commits; at most {} of memory, {parsed} of it before",
        per_task(wall),
        per_task(cpu),
        store.statistics().requests - before.requests,
        memory("VmHWM:")?,
    );
    runtime.shutdown().await;
    Ok(())
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.cast_unsigned(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

fn memory(name: &str) -> Result<String> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    Ok(status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("").trim().to_owned())
}

fn pipeline(shape: Shape, size: u32) -> String {
    let mut tasks = String::new();
    for number in 0..size {
        let upstream = match shape {
            Shape::Chain if number > 0 => format!("\"task-{}\"", number - 1),
            Shape::Chain | Shape::Fan => String::new(),
        };
        tasks += &task(&format!("task-{number}"), &upstream);
        tasks.push(',');
    }
    if shape == Shape::Fan {
        let all: Vec<_> = (0..size).map(|number| format!("\"task-{number}\"")).collect();
        tasks += &task("join", &all.join(","));
    } else {
        tasks.pop();
    }
    r#"{"pipelineInfo": {"name": "bench"}, "schemaVersion": "2.1.0", "sdkVersion": "kfp-2.17.0",
        "root": {"dag": {"tasks": {TASKS}}},
        "components": {"comp-work": {
            "executorLabel": "exec-work",
            "inputDefinitions": {"parameters": {"salt": {"parameterType": "STRING"}}}
        }},
        "deploymentSpec": {"executors": {"exec-work": {"container": {"image": "none", "command": ["/bin/true"]}}}}
    }"#
    .replace("TASKS", &tasks)
}

/// Each has a cache key of its own, so that look-ups are made and find nothing.
fn task(name: &str, upstream: &str) -> String {
    format!(
        r#""{name}": {{
            "taskInfo": {{"name": "{name}"}},
            "componentRef": {{"name": "comp-work"}},
            "dependentTasks": [{upstream}],
            "cachingOptions": {{"enableCache": true}},
            "inputs": {{"parameters": {{"salt": {{"runtimeValue": {{"constant": "{}"}}}}}}}}
        }}"#,
        Uuid::new_v4()
    )
}

fn request(pipeline: &str) -> Result<SubmitRun> {
    let document = document::read_text(pipeline).map_err(|problems| anyhow::anyhow!("{problems}"))?;
    Ok(SubmitRun {
        display_name: "bench".to_owned(),
        description: String::new(),
        experiment_id: EXPERIMENT,
        source: PipelineSource::Inline,
        spec_json: document.wire_text().into(),
        spec: Arc::new(document.spec),
        sent_arguments: Map::new(),
        arguments: Map::new(),
        pipeline_root: String::new(),
        service_account: String::new(),
        plugins_input: Map::new(),
        added_to: None,
    })
}

fn experiment() -> Experiment {
    Experiment {
        id: EXPERIMENT,
        display_name: "Default".to_owned(),
        description: String::new(),
        created_at: Timestamp::default(),
        last_run_created_at: Timestamp::default(),
        storage_state: StorageState::Available,
    }
}

struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::default().plus(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
    }
}

struct Folder;

#[async_trait]
impl ArtifactStore for Folder {
    fn default_root(&self) -> String {
        "/artifacts".to_owned()
    }
    fn check_root(&self, _: &str) -> Result<(), PortError> {
        Ok(())
    }
    fn local_path(&self, uri: &str) -> Option<PathBuf> {
        Some(uri.into())
    }
    async fn list(&self, _: &str) -> Result<Vec<StoredObject>, PortError> {
        Ok(Vec::new())
    }
    async fn get(
        &self,
        uri: &str,
        _from: u64,
    ) -> Result<BoxStream<'static, Result<Bytes, PortError>>, PortError> {
        Err(PortError::not_found("object", uri))
    }
    async fn delete(&self, _: &str) -> Result<(), PortError> {
        Ok(())
    }
}

/// Ends attempts at once, or after a while on threads of its own.
struct Idler {
    ended: mpsc::UnboundedSender<AttemptId>,
    reports: Mutex<mpsc::UnboundedReceiver<AttemptId>>,
    naps: Option<std::sync::mpsc::Sender<AttemptId>>,
}

impl Idler {
    fn new(takes: Duration) -> Result<Self> {
        let (ended, reports) = mpsc::unbounded_channel();
        let (naps, beds) = std::sync::mpsc::channel::<AttemptId>();
        let beds = Arc::new(std::sync::Mutex::new(beds));
        for _ in 0..2 {
            let (beds, ended) = (Arc::clone(&beds), ended.clone());
            std::thread::Builder::new().spawn(move || {
                let next = || beds.lock().ok()?.recv().ok();
                while let Some(id) = next() {
                    std::thread::sleep(takes);
                    let _ = ended.send(id);
                }
            })?;
        }
        Ok(Self { ended, reports: Mutex::new(reports), naps: (!takes.is_zero()).then_some(naps) })
    }
}

#[async_trait]
impl Executor for Idler {
    async fn ensure_started(&self, attempt: TaskAttempt) -> Result<(), PortError> {
        let _ = match &self.naps {
            Some(naps) => naps.send(attempt.id).is_ok(),
            None => self.ended.send(attempt.id).is_ok(),
        };
        Ok(())
    }
    async fn ensure_stopped(&self, _: &AttemptId, _: Duration) -> Result<(), PortError> {
        Ok(())
    }
    async fn next_report(&self) -> Option<Report> {
        let id = self.reports.lock().await.recv().await?;
        let outcome = AttemptOutcome::Succeeded { outputs: ProducedOutputs::default() };
        Some(Report::Ended { id, outcome, phases: AttemptPhases::default() })
    }
    async fn acknowledge(&self, _: &AttemptId) {}
    async fn forget_run(&self, _: RunId) -> Result<(), PortError> {
        Ok(())
    }
    async fn logs(
        &self,
        id: &AttemptId,
        _: bool,
    ) -> Result<BoxStream<'static, Result<Bytes, PortError>>, PortError> {
        Err(PortError::not_found("log", id))
    }
    async fn detach(&self) {}
}
