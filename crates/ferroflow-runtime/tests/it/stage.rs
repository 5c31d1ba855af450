//! A data folder, a machine, and runtimes that come and go.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use bytes::Bytes;
use ferroflow_model::record::{Experiment, PipelineSource, Run};
use ferroflow_model::{ExperimentId, RunId, RunStatus, StorageState, TaskStatus, Timestamp};
use ferroflow_ports::artifact::StoredObject;
use ferroflow_ports::store::{ExperimentStore, RunStore};
use ferroflow_ports::{ArtifactStore, Clock, PortError, RunControl, SubmitRun};
use ferroflow_runtime::{Runtime, RuntimeOptions, RuntimePorts};
use ferroflow_spec::document;
use ferroflow_store::{Durability, Options, SqliteStore};
use futures_util::stream::BoxStream;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use crate::gated_store::{GatedStore, Gatekeeper};
use crate::machine::{Link, Machine};

pub(crate) struct Stage {
    pub(crate) machine: Arc<Machine>,
    pub(crate) disk: Arc<SqliteStore>,
    pub(crate) gate: Arc<Gatekeeper>,
    pub(crate) options: RuntimeOptions,
    pub(crate) clock: Arc<dyn Clock>,
    _folder: TempDir,
}

pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Timestamp::default().plus(since)
    }
}

/// Only its root matters.
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

pub(crate) const EXPERIMENT: ExperimentId = ExperimentId(Uuid::from_u128(1));

impl Stage {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ferroflow.db");
        let disk = Arc::new(SqliteStore::open(&path, Options { durability: Durability::Relaxed }).unwrap());
        let experiment = Experiment {
            id: EXPERIMENT,
            display_name: "Default".to_owned(),
            description: String::new(),
            created_at: Timestamp::default(),
            last_run_created_at: Timestamp::default(),
            storage_state: StorageState::Available,
        };
        disk.create_experiment(experiment).await.unwrap();
        Self {
            machine: Arc::new(Machine::new()),
            gate: Arc::new(Gatekeeper::new()),
            disk,
            options: RuntimeOptions { parallelism: 2, ..RuntimeOptions::default() },
            clock: Arc::new(SystemClock),
            _folder: folder,
        }
    }

    /// A runtime on the folder, as after a start of the server.
    pub(crate) async fn start(&self) -> Arc<Runtime> {
        let store = Arc::new(GatedStore::new(Arc::clone(&self.disk), Arc::clone(&self.gate)));
        // What the former server had asked for is written now, or never.
        self.disk.set_experiment_storage(EXPERIMENT, StorageState::Available).await.unwrap();
        let ports = RuntimePorts {
            store,
            executor: Arc::new(Link::new(Arc::clone(&self.machine))),
            artifacts: Arc::new(Folder),
            clock: Arc::clone(&self.clock),
        };
        Runtime::start(ports, self.options.clone()).await.unwrap()
    }

    pub(crate) async fn run(&self, id: RunId) -> Run {
        self.disk.run(id).await.unwrap()
    }

    pub(crate) async fn states(&self, id: RunId) -> Vec<&'static str> {
        self.run(id).await.history.iter().map(|entry| entry.state.as_str()).collect()
    }

    pub(crate) async fn task(&self, id: RunId, path: &str) -> TaskStatus {
        let tasks = self.disk.tasks_of(&[id]).await.unwrap();
        tasks.iter().find(|task| task.path.as_str() == path).unwrap().status
    }

    /// After the end of a run nothing is left to be done or acknowledged.
    pub(crate) async fn check_clean(&self, id: RunId) {
        let stored = self.disk.load_run(id).await.unwrap();
        assert_eq!(stored.outbox, []);
        assert_eq!(self.disk.running_attempts().await.unwrap(), []);
        self.machine.until("acknowledgements", |inner| inner.attempts.is_empty()).await;
    }
}

/// A pipeline of tasks with what each waits for. A name that ends in `=` has the same cache key in every pipeline.
pub(crate) fn pipeline(tasks: &[(&str, &[&str])]) -> Value {
    let work = |(name, upstream): &(&str, &[&str])| {
        let key = if name.ends_with('=') { "same" } else { name };
        let task = json!({
            "taskInfo": {"name": name},
            "componentRef": {"name": "comp-work"},
            "dependentTasks": upstream,
            "cachingOptions": {"enableCache": name.ends_with('=')},
            "inputs": {"parameters": {"key": {"runtimeValue": {"constant": key}}}},
        });
        ((*name).to_owned(), task)
    };
    json!({
        "pipelineInfo": {"name": "sample"},
        "schemaVersion": "2.1.0",
        "sdkVersion": "kfp-2.17.0",
        "root": {"dag": {"tasks": tasks.iter().map(work).collect::<Map<_, _>>()}},
        "components": {"comp-work": {
            "executorLabel": "exec-work",
            "inputDefinitions": {"parameters": {"key": {"parameterType": "STRING"}}},
        }},
        "deploymentSpec": {"executors": {"exec-work": {"container": {"image": "alpine", "command": ["true"]}}}},
    })
}

pub(crate) fn request(pipeline: &Value) -> SubmitRun {
    let document = document::from_json(pipeline).unwrap_or_else(|problems| panic!("{problems}"));
    SubmitRun {
        display_name: "a run".to_owned(),
        description: String::new(),
        experiment_id: EXPERIMENT,
        source: PipelineSource::Inline,
        spec_json: document.wire_text().into(),
        spec: Arc::new(document.spec),
        sent_arguments: Map::new(),
        arguments: Map::new(),
        pipeline_root: String::new(),
        service_account: "pipeline-runner".to_owned(),
        plugins_input: Map::new(),
        added_to: None,
    }
}

pub(crate) async fn submit(runtime: &Runtime, tasks: &[(&str, &[&str])]) -> RunId {
    runtime.submit(request(&pipeline(tasks))).await.unwrap().id
}

pub(crate) async fn ended(runtime: &Runtime, id: RunId) -> RunStatus {
    let wait = runtime.wait(id);
    tokio::time::timeout(Duration::from_secs(30), wait).await.expect("the run does not end").unwrap()
}

/// Three tasks, one after the other.
pub(crate) const CHAIN: &[(&str, &[&str])] = &[("a", &[]), ("b", &["a"]), ("c", &["b"])];
