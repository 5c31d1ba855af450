//! Questions that screens ask: joined, bounded, one look at the records each. Nothing here changes anything.
//!
//! Lists of ids are answered in one go, whatever their number; ids that are not there are left out.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use ferroflow_model::list::{ListQuery, Page, Predicate};
use ferroflow_model::record::{
    ArtifactLink, ArtifactRecord, AttemptRecord, CacheRecord, Failure, LinkDirection, Pipeline, Run,
    TaskRecord,
};
use ferroflow_model::{
    ArtifactId, ExecutionId, RunId, RunStatus, TaskId, TaskKind, TaskPath, TaskStatus, Timestamp,
};
use serde_json::{Map, Value};

use crate::error::PortError;

type Result<T> = std::result::Result<T, PortError>;

/// Scalar metrics under one output of a task.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskMetrics {
    /// The task.
    pub path: TaskPath,
    /// Name of the output.
    pub output: String,
    /// The metrics, as user code wrote them.
    pub values: Map<String, Value>,
}

/// A run with what stands beside it in lists.
#[derive(Debug, Clone, PartialEq)]
pub struct RunView {
    /// The row.
    pub run: Run,
    /// Name of its experiment; `None` if that was removed.
    pub experiment: Option<String>,
    /// Name of its pipeline for people; `None` if that was removed or never stored.
    pub pipeline: Option<String>,
    /// Name of its pipeline version for people; `None` if that was removed or never stored.
    pub version: Option<String>,
    /// Containers and importers by state.
    pub tasks: BTreeMap<TaskStatus, u64>,
    /// Artifacts of type `system.Metrics` that its tasks made or took over.
    pub metrics: Vec<TaskMetrics>,
}

/// A run in short.
#[derive(Debug, Clone, PartialEq)]
pub struct RunBrief {
    /// Identity.
    pub id: RunId,
    /// Name for people.
    pub display_name: String,
    /// `pipelineInfo.name`.
    pub pipeline_name: String,
    /// State.
    pub status: RunStatus,
    /// Creation.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<Failure>,
}

/// A value with how often it occurs and a name for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueCount {
    /// The value.
    pub value: String,
    /// What to show for it; empty if the value says it all, or nothing is known.
    pub label: String,
    /// How often.
    pub count: u64,
}

/// Counts over the newest runs of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFacetCounts {
    /// Runs looked at.
    pub runs: u64,
    /// By state.
    pub states: Vec<ValueCount>,
    /// By `pipelineInfo.name`, the 50 most frequent.
    pub pipelines: Vec<ValueCount>,
    /// By experiment id with its name, the 50 most frequent.
    pub experiments: Vec<ValueCount>,
}

/// What runs have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunsOf {
    /// An experiment, by id; runs in the archive are left out.
    Experiment,
    /// A stored pipeline, by id.
    Pipeline,
    /// A recurring run, by id.
    RecurringRun,
}

/// Runs as screens list them.
#[async_trait]
pub trait RunViews: Send + Sync {
    /// A page. Keys are `id`, `name`, `state`, `storage_state`, `experiment_id`, `pipeline_name`, `created_at`,
    /// `finished_at`, `duration` (seconds), and, not to sort by, `pipeline_id`, `version_id` and `recurring_run_id`. Counts 10,001 rows at
    /// most. `InvalidArgument` for another key.
    async fn run_views(&self, query: ListQuery) -> Result<Page<RunView>>;
    /// Some runs, in the order of `ids`.
    async fn run_views_of(&self, ids: &[RunId]) -> Result<Vec<RunView>>;
    /// Counts over the newest `most` runs that fulfil the conditions; keys as in [`Self::run_views`].
    async fn run_facets(&self, predicates: Vec<Predicate>, most: u32) -> Result<RunFacetCounts>;
    /// Median duration of the last 20 well-ended runs, by `pipelineInfo.name`; names without any are left out.
    async fn typical_durations(&self, pipelines: &[String]) -> Result<BTreeMap<String, Duration>>;
    /// The newest runs of each of these ids, at most `most` of each, the newest first.
    async fn last_runs(
        &self,
        of: RunsOf,
        ids: &[String],
        most: u32,
    ) -> Result<BTreeMap<String, Vec<RunBrief>>>;
    /// The newest runs outside the archive since a time, at most `most`, the newest first.
    async fn runs_since(&self, since: Timestamp, most: u32) -> Result<Vec<RunBrief>>;
    /// Text that is the same for runs whose pipeline JSON is. `NotFound`.
    async fn spec_digest(&self, run: RunId) -> Result<String>;
}

/// A task without its values.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskBrief {
    /// Number among executions.
    pub execution_id: ExecutionId,
    /// Place in the run.
    pub path: TaskPath,
    /// The group that holds it; `None` for the root.
    pub parent: Option<ExecutionId>,
    /// Name for people.
    pub display_name: String,
    /// What it is.
    pub kind: TaskKind,
    /// State.
    pub status: TaskStatus,
    /// Newest attempt, 0 if none.
    pub attempt: u32,
    /// When the engine knew of it.
    pub created_at: Timestamp,
    /// When work on it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Which pass of the loop, for iterations.
    pub iteration_index: Option<u32>,
    /// How many passes, for loops.
    pub iteration_count: Option<u32>,
    /// Input parameters, for iterations only.
    pub item_inputs: Option<Map<String, Value>>,
    /// Why it failed or was skipped.
    pub error: Option<Failure>,
    /// Execution whose results were taken over.
    pub cached_from: Option<ExecutionId>,
}

/// How a task is named in a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskKey {
    /// By identity.
    Id(TaskId),
    /// By place.
    Path(TaskPath),
}

/// An execution with the run it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct ExecutionView {
    /// Number.
    pub execution_id: ExecutionId,
    /// The run.
    pub run_id: RunId,
    /// Name of the run.
    pub run_name: String,
    /// Place in the run.
    pub path: TaskPath,
    /// What it is.
    pub kind: TaskKind,
    /// State.
    pub status: TaskStatus,
    /// When work on it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// Tasks as screens show them.
#[async_trait]
pub trait TaskViews: Send + Sync {
    /// All tasks of a run without their values, in order of number. Empty if there is no such run.
    async fn task_briefs(&self, run: RunId) -> Result<Vec<TaskBrief>>;
    /// The same for several runs, containers and importers only, at most `most` in all.
    async fn leaf_briefs(&self, runs: &[RunId], most: u32) -> Result<BTreeMap<RunId, Vec<TaskBrief>>>;
    /// One task whole. `NotFound`.
    async fn task(&self, run: RunId, key: TaskKey) -> Result<TaskRecord>;
    /// Tasks over runs, with the names of their runs, the newest first.
    async fn tasks(&self, query: TaskQuery) -> Result<Vec<(TaskRecord, String)>>;
    /// Attempts of one task, the oldest first.
    async fn attempts_of_task(&self, task: &TaskRecord) -> Result<Vec<AttemptRecord>>;
    /// Executions by number.
    async fn executions(&self, ids: &[ExecutionId]) -> Result<Vec<ExecutionView>>;
    /// Earlier executions of the same task (by name) in the last 20 runs of the same pipeline (by name) that have a
    /// cache key, the newest first.
    async fn earlier_keys(
        &self,
        pipeline_name: &str,
        task_name: &str,
        before: ExecutionId,
    ) -> Result<Vec<(ExecutionView, CacheRecord)>>;
}

/// Which tasks a list shows; the newest come first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskQuery {
    /// Only those of this run.
    pub run: Option<RunId>,
    /// Only those of runs whose `pipelineInfo.name` this is.
    pub pipeline_name: Option<String>,
    /// Only with this task key.
    pub name: Option<String>,
    /// Only of this kind.
    pub kind: Option<TaskKind>,
    /// Only in this state.
    pub status: Option<TaskStatus>,
    /// Only with a smaller number.
    pub before: Option<ExecutionId>,
    /// Most rows wanted, 1 to 1,000.
    pub limit: u32,
}

/// How a value in the metadata of an artifact is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// The same number, text, or `true` and `false`.
    Equal,
    /// Another value; artifacts without the key do not fulfil it.
    NotEqual,
    /// A smaller number.
    Less,
    /// A number that is not greater.
    LessOrEqual,
    /// A greater number.
    Greater,
    /// A number that is not smaller.
    GreaterOrEqual,
    /// A text that holds this one, whatever the case.
    Contains,
}

/// What the metadata of an artifact must say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataCondition {
    /// Which entry, at the top.
    pub key: String,
    /// What its value must be, as text; `None` if it must only be there.
    pub value: Option<(Comparison, String)>,
}

/// Which artifacts a list shows; the newest come first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArtifactQuery {
    /// Only those that tasks of this run made or took over.
    pub run: Option<RunId>,
    /// Only those that this task made or took over.
    pub execution: Option<ExecutionId>,
    /// Only those made in runs whose `pipelineInfo.name` this is.
    pub pipeline_name: Option<String>,
    /// Only those made in runs of this experiment, by id.
    pub experiment: Option<String>,
    /// Only of this type.
    pub schema_title: Option<String>,
    /// Only of this name.
    pub name: Option<String>,
    /// Only with this in the name, whatever the case.
    pub text: Option<String>,
    /// Only where the metadata fulfils all of these.
    pub metadata: Vec<MetadataCondition>,
    /// Only with a smaller number.
    pub before: Option<ArtifactId>,
    /// Most rows wanted, 1 to 1,000.
    pub limit: u32,
}

/// An artifact with its maker.
#[derive(Debug, Clone, PartialEq)]
pub struct ArtifactView {
    /// The artifact.
    pub record: ArtifactRecord,
    /// Name of the run that made it; `None` if that was removed.
    pub run_name: Option<String>,
    /// Path of the task that made it, in that run.
    pub producer: Option<TaskPath>,
}

/// An execution that made, took over or used an artifact.
#[derive(Debug, Clone, PartialEq)]
pub struct ArtifactUseView {
    /// The link.
    pub link: ArtifactLink,
    /// The execution: a container or importer.
    pub execution: ExecutionView,
}

/// Artifacts as screens show them.
#[async_trait]
pub trait ArtifactViews: Send + Sync {
    /// One artifact. `NotFound`.
    async fn artifact_view(&self, id: ArtifactId) -> Result<ArtifactView>;
    /// Some artifacts, in order of number.
    async fn artifact_views_of(&self, ids: &[ArtifactId]) -> Result<Vec<ArtifactView>>;
    /// A list, the newest first.
    async fn artifact_views(&self, query: ArtifactQuery) -> Result<Vec<ArtifactView>>;
    /// Containers and importers that made, took over or used one of these artifacts, at most `most`.
    async fn artifact_uses(
        &self,
        ids: &[ArtifactId],
        direction: LinkDirection,
        most: u32,
    ) -> Result<Vec<ArtifactUseView>>;
    /// What these executions used and made.
    async fn links_of(&self, ids: &[ExecutionId]) -> Result<Vec<ArtifactLink>>;
}

/// What a search may find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundKind {
    /// A run.
    Run,
    /// A pipeline.
    Pipeline,
    /// A version of a pipeline.
    Version,
    /// An experiment.
    Experiment,
    /// A task, the newest of its name.
    Task,
    /// An artifact.
    Artifact,
}

/// Something found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub kind: FoundKind,
    /// Id; of a task its path.
    pub id: String,
    /// Name.
    pub title: String,
    /// Name of what it belongs to.
    pub subtitle: String,
    /// Id of what it belongs to: the run of a task or artifact, the pipeline of a version.
    pub parent_id: String,
    /// State of a run or task.
    pub state: Option<String>,
    /// Creation.
    pub created_at: Timestamp,
}

/// How much there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoreSize {
    /// Runs.
    pub runs: u64,
    /// Runs that have not ended.
    pub unfinished_runs: u64,
    /// Attempts at work.
    pub running_attempts: u64,
    /// Attempts that wait for a slot.
    pub waiting_attempts: u64,
    /// Pipelines.
    pub pipelines: u64,
    /// Versions.
    pub versions: u64,
    /// Experiments.
    pub experiments: u64,
    /// Artifacts.
    pub artifacts: u64,
    /// Results that later tasks may take over.
    pub cache_entries: u64,
    /// Bytes of the database.
    pub bytes: u64,
}

/// A pipeline with what stands beside it in lists.
#[derive(Debug, Clone, PartialEq)]
pub struct PipelineView {
    /// The pipeline.
    pub pipeline: Pipeline,
    /// The newest version: id, name for people, creation.
    pub latest: Option<(String, String, Timestamp)>,
    /// How many versions.
    pub versions: u64,
}

/// Everything else that screens ask.
#[async_trait]
pub trait CatalogViews: Send + Sync {
    /// A page of pipelines; keys are those of pipelines.
    async fn pipeline_views(&self, query: ListQuery) -> Result<Page<PipelineView>>;
    /// Things whose name holds the text (whatever the case) or whose id begins with it, at most `most` of each kind,
    /// the newest first. Looks at the newest 20,000 runs, tasks and artifacts.
    async fn search(&self, text: &str, most: u32) -> Result<Vec<Found>>;
    /// How much there is.
    async fn size(&self) -> Result<StoreSize>;
}

/// All questions of screens.
pub trait Views: RunViews + TaskViews + ArtifactViews + CatalogViews {}

impl<T: RunViews + TaskViews + ArtifactViews + CatalogViews> Views for T {}
