//! `/apis/ferroflow/v1`: what KFP's API does not tell, shaped for screens. Reads only, but for `retry` and edits of
//! recurring runs.
//!
//! One file for each resource, with its handlers; [`wire`] is the contract, `docs/reference/ferroflow-v1.md` the list of
//! addresses. The parts that decide something are pure: [`graph`] with [`graph_layout`], [`timeline`], [`cache_parts`],
//! [`log_order`], [`traceback`], [`version_diff`], [`table`], [`metadata_filter`]. Every answer is bounded. Begin with
//! [`OwnApi::answer`].

mod archive;
mod artifact;
mod cache_parts;
mod catalog;
mod compare;
pub(crate) mod content;
mod convert;
mod feed;
mod graph;
mod graph_layout;
mod graphs;
mod home;
mod lineage;
mod log;
mod log_index;
mod log_order;
mod matrix;
mod metadata_filter;
mod newest;
mod parquet;
pub(crate) mod preview;
mod query;
mod recent;
mod retry;
mod run;
mod run_log;
mod stream;
mod structure;
mod table;
mod task;
mod timeline;
mod traceback;
mod trends;
mod version_diff;
mod wire;

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use hyper::{HeaderMap, StatusCode};
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use self::feed::ChangeLog;
use self::graphs::GraphShelf;
use self::log_index::LogShelf;
use self::query::Query;
pub(crate) use self::retry::{BODY_BYTES as RETRY_BODY_BYTES, retry};
use self::run_log::RunLogs;
pub(crate) use self::task::explain_cache;
use crate::Services;
use crate::rest::answer::{Answer, answer};
use crate::status::ApiError;

/// Longest body of an edit: arguments may be long texts.
pub(crate) const EDIT_BODY_BYTES: usize = 4 * 1024 * 1024;

/// Streams that may be open at once, all kinds together.
const MOST_STREAMS: usize = 256;

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Bootstrap,
    Home,
    Search,
    System,
    Runs,
    RunFacets,
    RunMetrics,
    RunOverview,
    RunState,
    RunGraph,
    RunTimeline,
    RunArtifacts,
    RunStream,
    Compare,
    Tasks,
    Task,
    TaskCache,
    Log,
    LogSearch,
    LogRaw,
    LogStream,
    RunLog,
    RunLogSearch,
    RunLogRaw,
    RunLogStream,
    Pipelines,
    Matrix,
    VersionGraph,
    VersionDiff,
    Experiments,
    RecurringLastRuns,
    Artifacts,
    Artifact,
    ArtifactPreview,
    ArtifactContent,
    ArtifactLineage,
    Stream,
}

/// Addresses below the prefix, all for GET. `runs/{run_id}` itself is served by `results`.
pub(crate) const ROUTES: &[(&str, Call)] = &[
    ("/apis/ferroflow/v1/bootstrap", Call::Bootstrap),
    ("/apis/ferroflow/v1/home", Call::Home),
    ("/apis/ferroflow/v1/search", Call::Search),
    ("/apis/ferroflow/v1/system", Call::System),
    ("/apis/ferroflow/v1/runs", Call::Runs),
    ("/apis/ferroflow/v1/runs/facets", Call::RunFacets),
    ("/apis/ferroflow/v1/runs/metrics", Call::RunMetrics),
    ("/apis/ferroflow/v1/runs/{run_id}/overview", Call::RunOverview),
    ("/apis/ferroflow/v1/runs/{run_id}/state", Call::RunState),
    ("/apis/ferroflow/v1/runs/{run_id}/graph", Call::RunGraph),
    ("/apis/ferroflow/v1/runs/{run_id}/timeline", Call::RunTimeline),
    ("/apis/ferroflow/v1/runs/{run_id}/artifacts", Call::RunArtifacts),
    ("/apis/ferroflow/v1/runs/{run_id}/stream", Call::RunStream),
    ("/apis/ferroflow/v1/runs/{run_id}/log", Call::RunLog),
    ("/apis/ferroflow/v1/runs/{run_id}/log/search", Call::RunLogSearch),
    ("/apis/ferroflow/v1/runs/{run_id}/log/raw", Call::RunLogRaw),
    ("/apis/ferroflow/v1/runs/{run_id}/log/stream", Call::RunLogStream),
    ("/apis/ferroflow/v1/compare", Call::Compare),
    ("/apis/ferroflow/v1/tasks", Call::Tasks),
    ("/apis/ferroflow/v1/runs/{run_id}/tasks/{task}", Call::Task),
    ("/apis/ferroflow/v1/runs/{run_id}/tasks/{task}/cache", Call::TaskCache),
    ("/apis/ferroflow/v1/runs/{run_id}/tasks/{task}/log", Call::Log),
    ("/apis/ferroflow/v1/runs/{run_id}/tasks/{task}/log/search", Call::LogSearch),
    ("/apis/ferroflow/v1/runs/{run_id}/tasks/{task}/log/raw", Call::LogRaw),
    ("/apis/ferroflow/v1/runs/{run_id}/tasks/{task}/log/stream", Call::LogStream),
    ("/apis/ferroflow/v1/pipelines", Call::Pipelines),
    ("/apis/ferroflow/v1/pipelines/{pipeline_id}/matrix", Call::Matrix),
    ("/apis/ferroflow/v1/versions/{version_id}/graph", Call::VersionGraph),
    ("/apis/ferroflow/v1/versions/{version_id}/diff", Call::VersionDiff),
    ("/apis/ferroflow/v1/experiments", Call::Experiments),
    ("/apis/ferroflow/v1/recurringruns/last_runs", Call::RecurringLastRuns),
    ("/apis/ferroflow/v1/artifacts", Call::Artifacts),
    ("/apis/ferroflow/v1/artifacts/{artifact_id}", Call::Artifact),
    ("/apis/ferroflow/v1/artifacts/{artifact_id}/preview", Call::ArtifactPreview),
    ("/apis/ferroflow/v1/artifacts/{artifact_id}/content", Call::ArtifactContent),
    ("/apis/ferroflow/v1/artifacts/{artifact_id}/lineage", Call::ArtifactLineage),
    ("/apis/ferroflow/v1/stream", Call::Stream),
];

/// One question: its path fields, its query and its headers.
pub(crate) struct Question<'q> {
    /// Fields of the path, decoded.
    pub(crate) fields: &'q [(&'static str, std::borrow::Cow<'q, str>)],
    /// Text after `?`.
    pub(crate) query: &'q str,
    /// Headers.
    pub(crate) headers: &'q HeaderMap,
}

impl Question<'_> {
    /// A field of the path, empty if the address has none of this name.
    fn field(&self, wanted: &str) -> &str {
        self.fields.iter().find(|(name, _)| *name == wanted).map_or("", |(_, value)| value)
    }

    fn query(&self, known: &[&str]) -> Result<Query, ApiError> {
        Query::read(self.query, known)
    }
}

/// The API with what it keeps between questions.
pub(crate) struct OwnApi {
    services: Services,
    graphs: GraphShelf,
    logs: LogShelf,
    run_logs: RunLogs,
    changes: Arc<ChangeLog>,
    streams: Arc<Semaphore>,
    stop: CancellationToken,
    started: Instant,
}

impl OwnApi {
    /// `stop` ends streams.
    pub(crate) fn new(services: Services, stop: CancellationToken) -> Self {
        Self {
            graphs: GraphShelf::default(),
            logs: LogShelf::default(),
            run_logs: RunLogs::new(services.clone()),
            changes: ChangeLog::new(Arc::clone(&services.store), stop.clone()),
            streams: Arc::new(Semaphore::new(MOST_STREAMS)),
            started: Instant::now(),
            services,
            stop,
        }
    }

    /// Answers one question.
    pub(crate) async fn answer(&self, call: Call, question: Question<'_>) -> Result<Answer, ApiError> {
        match call {
            Call::Bootstrap => json(&self.bootstrap(&question).await?),
            Call::Home => json(&self.home(&question).await?),
            Call::Search => json(&self.search(&question).await?),
            Call::System => json(&self.system(&question).await?),
            Call::Runs => json(&self.runs(&question).await?),
            Call::RunFacets => json(&self.run_facets(&question).await?),
            Call::RunMetrics => json(&self.run_metrics(&question).await?),
            Call::RunOverview => json(&Box::pin(self.run_overview(&question)).await?),
            Call::RunState => json(&self.run_state(&question).await?),
            Call::RunGraph => self.run_graph(&question).await,
            Call::RunTimeline => json(&self.run_timeline(&question).await?),
            Call::RunArtifacts => json(&self.run_artifacts(&question).await?),
            Call::RunStream => self.run_stream(&question).await,
            Call::Compare => json(&self.compare(&question).await?),
            Call::Tasks => json(&self.tasks(&question).await?),
            Call::Task => json(&Box::pin(self.task(&question)).await?),
            Call::TaskCache => json(&self.task_cache(&question).await?),
            Call::Log => json(&self.log(&question).await?),
            Call::LogSearch => json(&self.log_search(&question).await?),
            Call::LogRaw => self.log_raw(&question).await,
            Call::LogStream => self.log_stream(&question).await,
            Call::RunLog => json(&Box::pin(self.run_log(&question)).await?),
            Call::RunLogSearch => json(&Box::pin(self.run_log_search(&question)).await?),
            Call::RunLogRaw => self.run_log_raw(&question).await,
            Call::RunLogStream => self.run_log_stream(&question).await,
            Call::Pipelines => json(&self.pipelines(&question).await?),
            Call::Matrix => json(&self.matrix(&question).await?),
            Call::VersionGraph => self.version_graph(&question).await,
            Call::VersionDiff => json(&self.version_diff(&question).await?),
            Call::Experiments => json(&self.experiments(&question).await?),
            Call::RecurringLastRuns => json(&self.recurring_last_runs(&question).await?),
            Call::Artifacts => json(&self.artifacts(&question).await?),
            Call::Artifact => json(&self.artifact(&question).await?),
            Call::ArtifactPreview => json(&self.artifact_preview(&question).await?),
            Call::ArtifactContent => self.artifact_content(&question).await,
            Call::ArtifactLineage => json(&self.artifact_lineage(&question).await?),
            Call::Stream => self.list_stream(&question),
        }
    }
}

/// 200 with the JSON of an answer, without a detour over a tree of values.
fn json(value: &impl Serialize) -> Result<Answer, ApiError> {
    let bytes = serde_json::to_vec(value).map_err(ApiError::internal)?;
    Ok(answer(StatusCode::OK, "application/json", Bytes::from(bytes)))
}
