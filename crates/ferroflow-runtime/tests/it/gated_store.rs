//! The real store behind a gate at which steps can be held up or turned away.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use ferroflow_model::list::{ListQuery, Page};
use ferroflow_model::record::{ArtifactRecord, AttemptRecord, Run, TaskRecord};
use ferroflow_model::{AttemptId, ExperimentId, RunId, StorageState};
use ferroflow_ports::store::{KeptResult, NewRun, RunCommit, RunStore, StoredRun, WholeRun};
use ferroflow_ports::{ErrorKind, PortError};
use ferroflow_store::SqliteStore;
use futures_util::future::BoxFuture;
use tokio::sync::watch;

type Result<T> = std::result::Result<T, PortError>;

/// What happens to a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    Open,
    /// So many steps pass; the others are never written nor answered.
    Passes(usize),
    /// Steps and new runs are refused.
    Fails(ErrorKind),
}

/// Who decides what passes. Servers come and go; only the newest one may write.
pub(crate) struct Gatekeeper {
    gate: Mutex<(Gate, usize)>,
    refusals: watch::Sender<usize>,
    questions: AtomicUsize,
}

/// The store as one server sees it.
pub(crate) struct GatedStore {
    inner: Arc<SqliteStore>,
    keeper: Arc<Gatekeeper>,
    number: usize,
}

impl Gatekeeper {
    pub(crate) fn new() -> Self {
        Self { gate: (Gate::Open, 0).into(), refusals: watch::Sender::new(0), questions: AtomicUsize::new(0) }
    }

    fn lock(&self) -> MutexGuard<'_, (Gate, usize)> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on; refusals are counted anew.
    pub(crate) fn set(&self, gate: Gate) {
        self.lock().0 = gate;
        self.refusals.send_replace(0);
    }

    /// Waits until so many writes were held up or turned away.
    pub(crate) async fn until_refused(&self, count: usize) {
        let mut refusals = self.refusals.subscribe();
        let wait = refusals.wait_for(|refused| *refused >= count);
        tokio::time::timeout(Duration::from_secs(20), wait).await.expect("no write was refused").unwrap();
    }

    /// How often the cache was asked.
    pub(crate) fn questions(&self) -> usize {
        self.questions.load(Ordering::Relaxed)
    }
}

impl GatedStore {
    /// For a new server; steps of former ones are lost from now on.
    pub(crate) fn new(inner: Arc<SqliteStore>, keeper: Arc<Gatekeeper>) -> Self {
        let number = {
            let mut gate = keeper.lock();
            gate.1 += 1;
            gate.1
        };
        Self { inner, keeper, number }
    }

    /// The gate as a step finds it.
    fn pass(&self) -> Gate {
        let mut gate = self.keeper.lock();
        if gate.1 != self.number {
            return Gate::Passes(0);
        }
        let found = gate.0;
        if let Gate::Passes(left @ 1..) = &mut gate.0 {
            *left -= 1;
            return Gate::Open;
        }
        drop(gate);
        if found != Gate::Open {
            self.keeper.refusals.send_modify(|refused| *refused += 1);
        }
        found
    }
}

#[async_trait]
impl RunStore for GatedStore {
    async fn create_run(&self, run: NewRun, ids_taken_below: i64) -> Result<Run> {
        let gate = self.keeper.lock().0;
        match gate {
            Gate::Fails(kind) => Err(PortError::new(kind, "the disk is full")),
            _ => self.inner.create_run(run, ids_taken_below).await,
        }
    }
    fn commit(&self, commit: RunCommit) -> BoxFuture<'static, Result<()>> {
        match self.pass() {
            Gate::Open => self.inner.commit(commit),
            Gate::Passes(_) => Box::pin(std::future::pending()),
            Gate::Fails(kind) => Box::pin(async move { Err(PortError::new(kind, "the disk is full")) }),
        }
    }
    async fn next_free_id(&self) -> Result<i64> {
        self.inner.next_free_id().await
    }
    async fn unfinished_runs(&self) -> Result<Vec<RunId>> {
        self.inner.unfinished_runs().await
    }
    async fn load_run(&self, id: RunId) -> Result<StoredRun> {
        self.inner.load_run(id).await
    }
    async fn run(&self, id: RunId) -> Result<Run> {
        self.inner.run(id).await
    }
    async fn run_spec(&self, id: RunId) -> Result<Arc<str>> {
        self.inner.run_spec(id).await
    }

    async fn whole_run(&self, id: RunId) -> Result<WholeRun> {
        self.inner.whole_run(id).await
    }

    async fn whole_runs(&self, runs: Vec<Run>) -> Result<Vec<WholeRun>> {
        self.inner.whole_runs(runs).await
    }
    async fn list_runs(&self, experiment: Option<ExperimentId>, query: ListQuery) -> Result<Page<Run>> {
        self.inner.list_runs(experiment, query).await
    }
    async fn tasks_of(&self, runs: &[RunId]) -> Result<Vec<TaskRecord>> {
        self.inner.tasks_of(runs).await
    }
    async fn attempts_of(&self, run: RunId) -> Result<Vec<AttemptRecord>> {
        self.inner.attempts_of(run).await
    }
    async fn artifacts_of(&self, run: RunId) -> Result<Vec<ArtifactRecord>> {
        self.inner.artifacts_of(run).await
    }
    async fn set_run_storage(&self, id: RunId, state: StorageState) -> Result<()> {
        self.inner.set_run_storage(id, state).await
    }
    async fn delete_run(&self, id: RunId) -> Result<()> {
        self.inner.delete_run(id).await
    }
    async fn find_cached(&self, pipeline_name: &str, fingerprint: &str) -> Result<Option<KeptResult>> {
        self.keeper.questions.fetch_add(1, Ordering::Relaxed);
        self.inner.find_cached(pipeline_name, fingerprint).await
    }
    async fn running_attempts(&self) -> Result<Vec<AttemptId>> {
        self.inner.running_attempts().await
    }
}
