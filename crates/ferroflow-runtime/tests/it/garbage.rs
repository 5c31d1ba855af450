//! Garbage against a model: whatever happens in whatever order, what something refers to is there, and what nothing
//! refers to is gone after its grace.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use ferroflow_model::artifact::Artifact;
use ferroflow_model::record::{
    ArtifactLink, ArtifactRecord, CacheRecord, Experiment, LinkDirection, PipelineSource, Run, StateChange,
    TaskRecord,
};
use ferroflow_model::{
    ArtifactId, ExecutionId, ExperimentId, Inputs, Outputs, RunId, RunStatus, StorageState, TaskId, TaskKind,
    TaskPath, TaskStatus, Timestamp,
};
use ferroflow_ports::artifact::StoredObject;
use ferroflow_ports::garbage::GarbageStore;
use ferroflow_ports::store::{CacheEntry, ExperimentStore as _, NewRun, RunCommit, RunStore as _};
use ferroflow_ports::{ArtifactStore, PortError};
use ferroflow_runtime::garbage::{GarbageOptions, GarbagePorts, collect};
use ferroflow_store::{Durability, Options, SqliteStore};
use futures_util::stream::BoxStream;
use serde_json::Map;
use uuid::Uuid;

const GRACE: Duration = Duration::from_secs(100);
const MAX_AGE: Duration = Duration::from_secs(1000);
const EXPERIMENT: ExperimentId = ExperimentId(Uuid::from_u128(1));

/// Names of what is there.
#[derive(Default)]
struct Blobs(Mutex<BTreeSet<String>>);

impl Blobs {
    fn has(&self, uri: &str) -> bool {
        self.0.lock().unwrap().contains(uri)
    }
}

#[async_trait]
impl ArtifactStore for Blobs {
    fn default_root(&self) -> String {
        "/root".to_owned()
    }

    fn check_root(&self, _: &str) -> Result<(), PortError> {
        Ok(())
    }

    fn local_path(&self, _: &str) -> Option<PathBuf> {
        None
    }

    async fn list(&self, _: &str) -> Result<Vec<StoredObject>, PortError> {
        Ok(Vec::new())
    }

    async fn get(
        &self,
        uri: &str,
        _from: u64,
    ) -> Result<BoxStream<'static, Result<Bytes, PortError>>, PortError> {
        Err(PortError::not_found("artifact", uri))
    }

    async fn delete(&self, uri: &str) -> Result<(), PortError> {
        self.0.lock().unwrap().remove(uri);
        Ok(())
    }
}

/// The same numbers for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % sides
    }
}

/// A run that is there, and the artifacts that its task has made, used or taken over.
struct Alive {
    id: RunId,
    refers: Vec<Arc<Artifact>>,
}

struct World {
    store: Arc<SqliteStore>,
    blobs: Arc<Blobs>,
    now: Timestamp,
    next: i64,
    alive: Vec<Alive>,
}

impl World {
    async fn add_run(&mut self, dice: &mut Dice) {
        let number = self.next;
        self.next += 10;
        let id = RunId(Uuid::from_u128(u128::try_from(number).unwrap()));
        let run = run(id, self.now);
        self.store.create_run(new_run(run), self.next).await.unwrap();
        let key = dice.roll(3).to_string();
        let hit = self.store.find_cached("p", &key).await.unwrap();
        let mut commit = commit(id);
        let mut task = task(id, number + 1, self.now);
        let made = if let Some(found) = hit {
            let made = found.hit.outputs.artifacts["out"][0].clone();
            assert!(self.blobs.has(&made.uri), "a cached result names what is gone");
            made
        } else {
            let made = Arc::new(artifact(number + 2, &format!("/root/p/{id}/t/out")));
            self.blobs.0.lock().unwrap().insert(made.uri.clone());
            commit.artifacts.push(ArtifactRecord {
                artifact: Arc::clone(&made),
                name: "out".to_owned(),
                created_at: self.now,
                run_id: id,
            });
            made
        };
        task.outputs.artifacts = BTreeMap::from([("out".to_owned(), vec![Arc::clone(&made)])]);
        if hit_is_kept(dice) {
            commit.cache_entries.push(CacheEntry {
                key: CacheRecord { fingerprint: key, parts: (&Map::new()).into(), refusal: None },
                pipeline_name: "p".to_owned(),
                execution_id: task.execution_id,
                created_at: self.now,
                outputs: task.outputs.clone(),
                contents: vec![made.uri.clone()],
            });
        }
        let mut refers = vec![Arc::clone(&made)];
        commit.links.push(link(number + 1, made.id, LinkDirection::Output));
        // What another run has made is an input now and then.
        if let Some(other) = self.alive.get(dice.roll(self.alive.len().max(1)) * 2) {
            let used = Arc::clone(&other.refers[0]);
            commit.links.push(link(number + 1, used.id, LinkDirection::Input));
            refers.push(used);
        }
        commit.tasks.push(task);
        self.store.commit(commit).await.unwrap();
        self.alive.push(Alive { id, refers });
    }

    async fn collect(&self, dry_run: bool) {
        let ports = GarbagePorts {
            garbage: Arc::clone(&self.store) as Arc<dyn GarbageStore>,
            artifacts: Arc::clone(&self.blobs) as Arc<dyn ArtifactStore>,
        };
        let options =
            GarbageOptions { grace: GRACE, cache_max_age: Some(MAX_AGE), own_roots: Vec::new(), dry_run };
        let before = self.blobs.0.lock().unwrap().len();
        let collected = collect(&ports, &options, self.now).await.unwrap();
        assert_eq!(collected.problems, Vec::<String>::new());
        let gone = before - self.blobs.0.lock().unwrap().len();
        assert!(gone <= collected.removed.len() && (!dry_run || gone == 0));
    }

    fn check(&self) {
        for run in &self.alive {
            for artifact in &run.refers {
                assert!(self.blobs.has(&artifact.uri), "run {} has lost `{}`", run.id, artifact.uri);
            }
        }
    }

    fn pass(&mut self, seconds: i64) {
        self.now = Timestamp::from_micros(self.now.as_micros() + seconds * 1_000_000);
    }
}

fn hit_is_kept(dice: &mut Dice) -> bool {
    dice.roll(3) > 0
}

#[tokio::test]
async fn nothing_in_use_goes_and_nothing_else_stays() {
    for seed in 1..=40 {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { durability: Durability::Relaxed };
        let store = Arc::new(SqliteStore::open(&folder.path().join("db"), options).unwrap());
        store.create_experiment(experiment()).await.unwrap();
        let now = Timestamp::from_seconds(1_700_000_000);
        let mut world = World { store, blobs: Arc::default(), now, next: 10, alive: Vec::new() };
        let mut dice = Dice(0x9E37_79B9_7F4A_7C15 ^ seed);
        for _ in 0..60 {
            match dice.roll(6) {
                0 | 1 => world.add_run(&mut dice).await,
                2 if !world.alive.is_empty() => {
                    let run = world.alive.swap_remove(dice.roll(world.alive.len()));
                    world.store.delete_run(run.id).await.unwrap();
                }
                3 => world.collect(dice.roll(4) == 0).await,
                _ => world.pass(i64::try_from(dice.roll(120)).unwrap()),
            }
            world.check();
        }
        for run in std::mem::take(&mut world.alive) {
            world.store.delete_run(run.id).await.unwrap();
        }
        // Cached results get too old, what is left is noticed, and goes after its grace.
        world.pass(2000);
        world.collect(false).await;
        world.pass(101);
        world.collect(false).await;
        assert_eq!(*world.blobs.0.lock().unwrap(), BTreeSet::new(), "seed {seed}");
        for key in ["0", "1", "2"] {
            assert!(world.store.find_cached("p", key).await.unwrap().is_none(), "it names what is gone");
        }
    }
}

fn experiment() -> Experiment {
    Experiment {
        id: EXPERIMENT,
        display_name: "e".to_owned(),
        description: String::new(),
        created_at: Timestamp::from_seconds(1_700_000_000),
        last_run_created_at: Timestamp::default(),
        storage_state: StorageState::Available,
    }
}

fn run(id: RunId, now: Timestamp) -> Run {
    Run {
        id,
        experiment_id: EXPERIMENT,
        display_name: "r".to_owned(),
        description: String::new(),
        source: PipelineSource::Inline,
        tick: None,
        pipeline_name: "p".to_owned(),
        resource_name: "p-abcde".to_owned(),
        arguments: Map::new(),
        pipeline_root: String::new(),
        service_account: String::new(),
        plugins_input: Map::new(),
        created_at: now,
        scheduled_at: now,
        finished_at: Some(now),
        status: RunStatus::Succeeded,
        history: vec![StateChange { at: now, state: RunStatus::Succeeded }],
        storage_state: StorageState::Available,
        error: None,
        pipeline_context_id: 0,
        run_context_id: 0,
        outputs: Outputs::default(),
    }
}

fn new_run(run: Run) -> NewRun {
    NewRun { run, spec_json: Arc::from(r#"{"pipelineInfo":{"name":"p"}}"#), settings: "{}".to_owned() }
}

fn commit(run_id: RunId) -> RunCommit {
    RunCommit { events: vec!["{}".to_owned()], ..RunCommit::empty(run_id, 1) }
}

fn artifact(id: i64, uri: &str) -> Artifact {
    Artifact {
        id: ArtifactId(id),
        schema_title: "system.Artifact".to_owned(),
        schema_version: "0.0.1".to_owned(),
        instance_schema: String::new(),
        uri: uri.to_owned(),
        metadata: Map::new(),
        custom_path: None,
    }
}

fn link(execution: i64, artifact_id: ArtifactId, direction: LinkDirection) -> ArtifactLink {
    ArtifactLink {
        execution_id: ExecutionId(execution),
        artifact_id,
        direction,
        name: "out".to_owned(),
        index: 0,
    }
}

fn task(run_id: RunId, execution: i64, now: Timestamp) -> TaskRecord {
    let path = TaskPath::new("t");
    TaskRecord {
        execution_id: ExecutionId(execution),
        id: TaskId::derive(run_id, &path),
        run_id,
        path,
        parent: None,
        name: "t".to_owned(),
        display_name: "t".to_owned(),
        kind: TaskKind::Container,
        iteration_index: None,
        iteration_count: None,
        status: TaskStatus::Succeeded,
        history: Vec::new(),
        created_at: now,
        started_at: Some(now),
        ended_at: Some(now),
        inputs: Inputs::default(),
        outputs: Outputs::default(),
        error: None,
        cache: None,
        cached_from: None,
        attempt: 1,
    }
}
