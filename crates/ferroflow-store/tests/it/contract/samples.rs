//! Records with something in every field.

use std::collections::BTreeMap;
use std::sync::Arc;

use ferroflow_engine::{IdBlock, RunIdentity};
use ferroflow_model::record::{
    ArtifactLink, ArtifactRecord, AttemptPhases, AttemptRecord, CacheRecord, Experiment, Failure,
    LinkDirection, Pipeline, PipelineSource, PipelineVersion, Run, StateChange, TaskRecord,
};
use ferroflow_model::{
    Artifact, ArtifactId, AttemptId, ExecutionId, ExperimentId, Inputs, Outputs, PipelineId,
    PipelineVersionId, RunId, RunStatus, StorageState, TaskId, TaskKind, TaskPath, TaskStatus, Timestamp,
};
use ferroflow_ports::Store;
use ferroflow_ports::store::{CacheEntry, NewRun, RunCommit, RunSettings};
use serde_json::{Map, Value, json};
use uuid::Uuid;

pub(crate) const NOON: Timestamp = Timestamp::from_micros(1_700_000_000_123_456);

/// The same id for the same number, so that order is known.
pub(crate) fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub(crate) fn seconds_later(seconds: i64) -> Timestamp {
    Timestamp::from_micros(NOON.as_micros() + seconds * 1_000_000)
}

pub(crate) fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

pub(crate) fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn experiment(number: u128) -> Experiment {
    Experiment {
        id: ExperimentId(uuid(number)),
        display_name: format!("experiment {number}"),
        description: "with 'quotes', \u{fffd} and 数据".to_owned(),
        created_at: NOON,
        last_run_created_at: Timestamp::default(),
        storage_state: StorageState::Available,
    }
}

pub(crate) fn pipeline(number: u128) -> Pipeline {
    Pipeline {
        id: PipelineId(uuid(number)),
        name: format!("pipeline-{number}"),
        display_name: format!("Pipeline {number}"),
        description: "d".to_owned(),
        created_at: NOON,
        tags: tags(&[("team", "search"), ("size", "")]),
    }
}

pub(crate) fn version(pipeline: u128, number: u128) -> PipelineVersion {
    PipelineVersion {
        id: PipelineVersionId(uuid(number)),
        pipeline_id: PipelineId(uuid(pipeline)),
        name: format!("v{number}"),
        display_name: format!("Version {number}"),
        description: String::new(),
        created_at: NOON,
        code_source_url: "https://example.com/code".to_owned(),
        package_url: String::new(),
        tags: tags(&[("stage", "test")]),
        source: Arc::from(&b"pipelineInfo: {name: x}\n# not \xff UTF-8\n"[..]),
    }
}

pub(crate) fn run(number: u128, experiment: u128) -> Run {
    Run {
        id: RunId(uuid(number)),
        experiment_id: ExperimentId(uuid(experiment)),
        display_name: format!("run {number}"),
        description: "of a test".to_owned(),
        source: PipelineSource::Version {
            pipeline_id: PipelineId(uuid(7)),
            version_id: PipelineVersionId(uuid(8)),
        },
        tick: None,
        pipeline_name: "train".to_owned(),
        resource_name: "train-abcde".to_owned(),
        arguments: object(&json!({"rate": 0.1, "epochs": 3, "deep": {"list": [1, 2.5, null, "x"]}})),
        pipeline_root: "file:///tmp/root".to_owned(),
        service_account: "pipeline-runner".to_owned(),
        plugins_input: serde_json::from_str(r#"{"tracker":{"project":"p"}}"#).expect("JSON"),
        created_at: NOON,
        scheduled_at: seconds_later(-5),
        finished_at: None,
        status: RunStatus::Pending,
        history: vec![StateChange { at: NOON, state: RunStatus::Pending }],
        storage_state: StorageState::Available,
        error: None,
        pipeline_context_id: 0,
        run_context_id: 0,
        outputs: Outputs::default(),
    }
}

pub(crate) fn new_run(run: Run) -> NewRun {
    let settings = RunSettings {
        identity: RunIdentity {
            id: run.id,
            display_name: run.display_name.clone(),
            pipeline_name: run.pipeline_name.clone(),
            resource_name: run.resource_name.clone(),
            root: "file:///tmp/root/train".to_owned(),
            created_at: run.created_at,
            scheduled_at: run.scheduled_at,
        },
        arguments: run.arguments.clone(),
        caching: true,
        ids: IdBlock { first: 1, count: 100 },
        semantics: ferroflow_engine::Semantics::default(),
    };
    NewRun {
        run,
        spec_json: Arc::from(r#"{"pipelineInfo":{"name":"train"}}"#),
        settings: serde_json::to_string(&settings).expect("settings are JSON"),
    }
}

/// An experiment and one run in it, stored.
pub(crate) async fn stored_run(store: &dyn Store, number: u128) -> Run {
    let experiment_id = ExperimentId(uuid(1));
    if store.experiment(experiment_id).await.is_err() {
        store.create_experiment(experiment(1)).await.expect("a new experiment");
    }
    store.create_run(new_run(run(number, 1)), 100).await.expect("a new run")
}

pub(crate) fn step(run: RunId, first_seq: u64, events: &[&str]) -> RunCommit {
    let events = events.iter().map(|&event| event.to_owned()).collect();
    RunCommit { events, ..RunCommit::empty(run, first_seq) }
}

pub(crate) fn artifact(id: i64) -> Arc<Artifact> {
    Arc::new(Artifact {
        id: ArtifactId(id),
        schema_title: "system.Model".to_owned(),
        schema_version: "0.0.1".to_owned(),
        instance_schema: String::new(),
        uri: format!("file:///tmp/root/{id}"),
        metadata: object(&json!({"accuracy": 0.1 + 0.2, "tiny": 5e-324, "classes": ["a", "b"]})),
        custom_path: Some("/somewhere/else".to_owned()),
    })
}

pub(crate) fn outputs(artifact_id: i64) -> Outputs {
    Outputs {
        parameters: BTreeMap::from([
            ("sum".to_owned(), Arc::new(json!(1e300))),
            ("large".to_owned(), Arc::new(json!(i64::MAX))),
        ]),
        artifacts: BTreeMap::from([("model".to_owned(), vec![artifact(artifact_id)])]),
    }
}

pub(crate) fn task(run: RunId, execution: i64, path: &str) -> TaskRecord {
    let path = TaskPath::new(path);
    TaskRecord {
        execution_id: ExecutionId(execution),
        id: TaskId::derive(run, &path),
        run_id: run,
        path,
        parent: Some(ExecutionId(1)),
        name: "train".to_owned(),
        display_name: "Train it".to_owned(),
        kind: TaskKind::Container,
        iteration_index: Some(4),
        iteration_count: Some(9),
        status: TaskStatus::Failed,
        history: vec![
            StateChange { at: NOON, state: TaskStatus::Pending },
            StateChange { at: seconds_later(1), state: TaskStatus::Failed },
        ],
        created_at: NOON,
        started_at: Some(seconds_later(1)),
        ended_at: Some(seconds_later(2)),
        inputs: Inputs {
            parameters: BTreeMap::from([("rate".to_owned(), Arc::new(json!(0.3)))]),
            ..Inputs::default()
        },
        outputs: outputs(5),
        error: Some(Failure { message: "it exited".to_owned(), exit_code: Some(3), signal: None }),
        cache: Some(CacheRecord {
            fingerprint: "ab".repeat(32),
            parts: (&object(&json!({"containerSpec": {"image": "python:3.11"}}))).into(),
            refusal: None,
        }),
        cached_from: Some(ExecutionId(77)),
        attempt: 2,
    }
}

pub(crate) fn attempt(run: RunId, execution: i64, path: &str, attempt: u32) -> AttemptRecord {
    AttemptRecord {
        id: AttemptId { run, path: TaskPath::new(path), attempt },
        execution_id: ExecutionId(execution),
        status: TaskStatus::Running,
        phases: AttemptPhases {
            created: Some(NOON),
            ready: Some(seconds_later(1)),
            admitted: Some(seconds_later(2)),
            started: Some(seconds_later(3)),
            installed: Some(seconds_later(4)),
            user_code_finished: Some(seconds_later(5)),
            uploaded: Some(seconds_later(6)),
            finished: None,
        },
        error: Some(Failure::new("lost")),
    }
}

pub(crate) fn artifact_record(run: RunId, id: i64) -> ArtifactRecord {
    ArtifactRecord { artifact: artifact(id), name: "model".to_owned(), created_at: NOON, run_id: run }
}

pub(crate) fn link(execution: i64, artifact: i64) -> ArtifactLink {
    ArtifactLink {
        execution_id: ExecutionId(execution),
        artifact_id: ArtifactId(artifact),
        direction: LinkDirection::Output,
        name: "model".to_owned(),
        index: 0,
    }
}

pub(crate) fn cache_entry(execution: i64, created_at: Timestamp) -> CacheEntry {
    CacheEntry {
        key: CacheRecord { fingerprint: "ab".repeat(32), parts: (&Map::new()).into(), refusal: None },
        pipeline_name: "train".to_owned(),
        execution_id: ExecutionId(execution),
        created_at,
        outputs: outputs(execution),
        contents: vec![format!("/data/{execution}")],
    }
}
