//! Keeps records. Every write is durable (to the level the store was opened with) when its future answers `Ok`.
//!
//! One small trait for each resource; [`Store`] is all of them together.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use ferroflow_engine::CacheHit;
pub use ferroflow_engine::RunSettings;
use ferroflow_model::list::{ListQuery, Page};
use ferroflow_model::record::{
    ArtifactLink, ArtifactRecord, AttemptRecord, CacheRecord, Experiment, Failure, Pipeline, PipelineVersion,
    Run, StateChange, TaskRecord,
};
use ferroflow_model::{
    AttemptId, ExecutionId, ExperimentId, Outputs, PipelineId, PipelineVersionId, RunId, RunStatus,
    StorageState, Timestamp,
};
use futures_util::future::BoxFuture;

use crate::change::ChangeFeed;
use crate::error::PortError;
use crate::recurring::RecurringRunStore;
use crate::view::Views;

type Result<T> = std::result::Result<T, PortError>;

/// Experiments.
#[async_trait]
pub trait ExperimentStore: Send + Sync {
    /// Adds one. `AlreadyExists` if the name is taken.
    async fn create_experiment(&self, experiment: Experiment) -> Result<()>;
    /// `NotFound` if there is none.
    async fn experiment(&self, id: ExperimentId) -> Result<Experiment>;
    /// The experiment of this name, if any.
    async fn experiment_by_name(&self, name: &str) -> Result<Option<Experiment>>;
    /// A page. `InvalidArgument` for an unknown key or an ill-typed predicate.
    async fn list_experiments(&self, query: ListQuery) -> Result<Page<Experiment>>;
    /// Archives (with all its runs) or unarchives (alone). `NotFound`.
    async fn set_experiment_storage(&self, id: ExperimentId, state: StorageState) -> Result<()>;
    /// Removes it; its runs stay. `NotFound`.
    async fn delete_experiment(&self, id: ExperimentId) -> Result<()>;
}

/// Pipelines and versions.
#[async_trait]
pub trait PipelineStore: Send + Sync {
    /// Adds a pipeline, with its first version if given, in one transaction. `AlreadyExists` if a name is taken.
    async fn create_pipeline(&self, pipeline: Pipeline, version: Option<PipelineVersion>) -> Result<()>;
    /// Adds a version. `NotFound` without the pipeline, `AlreadyExists` if the name is taken in it.
    async fn create_pipeline_version(&self, version: PipelineVersion) -> Result<()>;
    /// `NotFound` if there is none.
    async fn pipeline(&self, id: PipelineId) -> Result<Pipeline>;
    /// The pipeline of this name, if any.
    async fn pipeline_by_name(&self, name: &str) -> Result<Option<Pipeline>>;
    /// `NotFound` if there is none.
    async fn pipeline_version(&self, id: PipelineVersionId) -> Result<PipelineVersion>;
    /// The newest version: greatest creation time, then id. `NotFound` if the pipeline has none.
    async fn latest_pipeline_version(&self, id: PipelineId) -> Result<PipelineVersion>;
    /// A page. `InvalidArgument` for an unknown key.
    async fn list_pipelines(&self, query: ListQuery) -> Result<Page<Pipeline>>;
    /// A page of the versions of a pipeline. `NotFound` without the pipeline.
    async fn list_pipeline_versions(&self, id: PipelineId, query: ListQuery)
    -> Result<Page<PipelineVersion>>;
    /// Changes display name and tags where given. `NotFound`.
    async fn update_pipeline(
        &self,
        id: PipelineId,
        display_name: Option<String>,
        tags: Option<BTreeMap<String, String>>,
    ) -> Result<Pipeline>;
    /// Changes display name and tags where given. `NotFound`.
    async fn update_pipeline_version(
        &self,
        id: PipelineVersionId,
        display_name: Option<String>,
        tags: Option<BTreeMap<String, String>>,
    ) -> Result<PipelineVersion>;
    /// Removes a pipeline; `FailedPrecondition` if it has versions and `cascade` is not set. `NotFound`.
    async fn delete_pipeline(&self, id: PipelineId, cascade: bool) -> Result<()>;
    /// Removes a version; runs keep their reference. `NotFound`.
    async fn delete_pipeline_version(&self, id: PipelineVersionId) -> Result<()>;
}

/// A run as it is accepted.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// The row; the store fills `pipeline_context_id` and `run_context_id`.
    pub run: Run,
    /// JSON text of the pipeline (bare or wrapped, as the API shows it), kept for inline runs and for recovery.
    pub spec_json: Arc<str>,
    /// JSON of [`RunSettings`]: what the engine's state begins with.
    pub settings: String,
}

/// A run that has not ended, as recovery finds it.
#[derive(Debug, Clone)]
pub struct StoredRun {
    /// The row.
    pub run: Run,
    /// JSON text of the pipeline.
    pub spec_json: Arc<str>,
    /// JSON of [`RunSettings`].
    pub settings: String,
    /// The newest snapshot: sequence number of the last event in it, and its bytes.
    pub snapshot: Option<(u64, Vec<u8>)>,
    /// Events after the snapshot (or all), in order: sequence number and JSON text.
    pub events: Vec<(u64, String)>,
    /// Commands that were neither performed nor made pointless, in the order they were stored: key and JSON text.
    pub outbox: Vec<(String, String)>,
}

/// A run as answers show it.
#[derive(Debug, Clone, PartialEq)]
pub struct WholeRun {
    /// The row.
    pub run: Run,
    /// Its tasks, in order of number.
    pub tasks: Vec<TaskRecord>,
    /// JSON text of the pipeline, if it is not one of a version.
    pub spec_json: Option<Arc<str>>,
}

/// A change of a run's row. Absent parts stay.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunUpdate {
    /// New state, appended to the history when it differs from the last entry.
    pub status: Option<StateChange<RunStatus>>,
    /// When it ended; the inner `None` clears it (retry).
    pub finished_at: Option<Option<Timestamp>>,
    /// Why it failed; the inner `None` clears it.
    pub error: Option<Option<Failure>>,
    /// Outputs of the pipeline.
    pub outputs: Option<Outputs>,
}

/// A result that later tasks may take over.
#[derive(Debug, Clone, PartialEq)]
pub struct CacheEntry {
    /// The key with its parts.
    pub key: CacheRecord,
    /// Name of the pipeline: results are shared between its runs only.
    pub pipeline_name: String,
    /// The execution that made it.
    pub execution_id: ExecutionId,
    /// When.
    pub created_at: Timestamp,
    /// The results.
    pub outputs: Outputs,
    /// URIs of artifacts among them that have content: without it, the result is worth nothing.
    pub contents: Vec<String>,
}

/// An earlier result as the cache holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptResult {
    /// The result.
    pub hit: CacheHit,
    /// When it was made.
    pub created_at: Timestamp,
    /// URIs of artifacts among it that had content then.
    pub contents: Vec<String>,
}

/// One step of a run, stored whole or not at all.
#[derive(Debug, Clone)]
pub struct RunCommit {
    /// The run.
    pub run_id: RunId,
    /// Sequence number of the first event in `events`; `Aborted` if it is not the next one (somebody else wrote).
    /// The first event of a run has number 1.
    pub first_seq: u64,
    /// Events as JSON text, in order.
    pub events: Vec<String>,
    /// Change of the run's row.
    pub run: Option<RunUpdate>,
    /// Task rows, new or changed (whole rows).
    pub tasks: Vec<TaskRecord>,
    /// Attempt rows, new or changed (whole rows).
    pub attempts: Vec<AttemptRecord>,
    /// New artifacts.
    pub artifacts: Vec<ArtifactRecord>,
    /// New links between executions and artifacts.
    pub links: Vec<ArtifactLink>,
    /// New cache entries.
    pub cache_entries: Vec<CacheEntry>,
    /// Commands to remember: key and JSON text. They are put after those of `outbox_done` are taken away.
    pub outbox_put: Vec<(String, String)>,
    /// Keys of commands that are done or pointless.
    pub outbox_done: Vec<String>,
    /// A snapshot that includes all `events`.
    pub snapshot: Option<Vec<u8>>,
    /// Numbers below this one are given away (in blocks, to runs); `None` if no block was taken.
    pub ids_taken_below: Option<i64>,
}

impl RunCommit {
    /// A step in which nothing happens.
    pub fn empty(run_id: RunId, first_seq: u64) -> Self {
        Self {
            run_id,
            first_seq,
            events: Vec::new(),
            run: None,
            tasks: Vec::new(),
            attempts: Vec::new(),
            artifacts: Vec::new(),
            links: Vec::new(),
            cache_entries: Vec::new(),
            outbox_put: Vec::new(),
            outbox_done: Vec::new(),
            snapshot: None,
            ids_taken_below: None,
        }
    }
}

/// Runs, and what belongs to them.
#[async_trait]
pub trait RunStore: Send + Sync {
    /// Adds a run; `NotFound` without its experiment. Touches the experiment's `last_run_created_at`.
    /// A run of a schedule is added together with the schedule's note that this run was made: `Aborted` unless the
    /// schedule is there, enabled, and has made as many runs as the number of this one says.
    /// The engine's first number block in `settings` is counted as taken.
    async fn create_run(&self, run: NewRun, ids_taken_below: i64) -> Result<Run>;
    /// Stores one step. The future may be awaited later; commits of one run are applied in the order of these calls.
    fn commit(&self, commit: RunCommit) -> BoxFuture<'static, Result<()>>;
    /// As [`Self::commit`], for callers who keep the step: to try again, or to show it once it is stored.
    fn commit_shared(&self, commit: Arc<RunCommit>) -> BoxFuture<'static, Result<()>> {
        self.commit(Arc::unwrap_or_clone(commit))
    }
    /// First number that no run has been given.
    async fn next_free_id(&self) -> Result<i64>;
    /// Runs that have not ended.
    async fn unfinished_runs(&self) -> Result<Vec<RunId>>;
    /// Everything needed to go on with a run (also an ended one, for a retry). `NotFound`.
    async fn load_run(&self, id: RunId) -> Result<StoredRun>;
    /// `NotFound` if there is none.
    async fn run(&self, id: RunId) -> Result<Run>;
    /// JSON text of the pipeline of a run. `NotFound`.
    async fn run_spec(&self, id: RunId) -> Result<Arc<str>>;
    /// A run and what belongs to it, as it is at one moment. `NotFound`.
    async fn whole_run(&self, id: RunId) -> Result<WholeRun>;
    /// The same of runs that were read before, without those that are gone since.
    async fn whole_runs(&self, runs: Vec<Run>) -> Result<Vec<WholeRun>>;
    /// A page, of one experiment if given. `InvalidArgument` for an unknown key.
    async fn list_runs(&self, experiment: Option<ExperimentId>, query: ListQuery) -> Result<Page<Run>>;
    /// All tasks of some runs, in order of number (one query, whatever the number of runs).
    async fn tasks_of(&self, runs: &[RunId]) -> Result<Vec<TaskRecord>>;
    /// All attempts of a run, in order of task and attempt.
    async fn attempts_of(&self, run: RunId) -> Result<Vec<AttemptRecord>>;
    /// All artifacts that a run made, in order of number.
    async fn artifacts_of(&self, run: RunId) -> Result<Vec<ArtifactRecord>>;
    /// Archives or unarchives; `FailedPrecondition` to unarchive inside an archived experiment. `NotFound`.
    async fn set_run_storage(&self, id: RunId, state: StorageState) -> Result<()>;
    /// Removes the run with its tasks, events and outbox. Artifacts and cache entries stay. `NotFound`.
    async fn delete_run(&self, id: RunId) -> Result<()>;
    /// The newest result under this key in this pipeline.
    async fn find_cached(&self, pipeline_name: &str, fingerprint: &str) -> Result<Option<KeptResult>>;
    /// Attempts whose row says that they run, over all runs (for the executor's recovery).
    async fn running_attempts(&self) -> Result<Vec<AttemptId>>;
}

/// All of it.
pub trait Store: ExperimentStore + PipelineStore + RunStore + RecurringRunStore + Views + ChangeFeed {}

impl<T: ExperimentStore + PipelineStore + RunStore + RecurringRunStore + Views + ChangeFeed> Store for T {}
