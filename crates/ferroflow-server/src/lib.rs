//! KFP's API v2beta1 over REST and gRPC, ML Metadata, uploads, logs, and the web page: one port.
//!
//! Translates between clients and the ports; decides nothing about runs, keeps no records, and knows no database.
//! Begin with [`serve`]; a request goes through [`serve`] → `guard` → `rest` or `grpc` → `calls` → `v2beta1`.

mod artifact_places;
mod calls;
mod ferroflow_v1;
mod grpc;
mod guard;
mod logs;
mod metrics;
mod page;
mod pods;
mod rest;
pub mod results;
mod serve;
mod settings;
mod status;
pub mod tasks;
mod tls;
mod v1beta1;
mod v2beta1;
mod web;

use std::sync::Arc;

use ferroflow_metadata::Metadata;
use ferroflow_ports::{
    ArtifactStore, Clock, Executor, PackageFetcher, RunControl, ScheduleControl, Store, SystemFacts,
};

pub use page::PageTokenKey;
pub use serve::{ServeError, ServerOptions, check_listen, serve};
pub use settings::{PluginLimits, ServiceSettings};
pub use tls::{Tls, TlsError};
pub use v2beta1::experiment::ensure_default_experiment;
pub use v2beta1::run_details::pod_name;
pub use v2beta1::samples::{Sample, SampleError, load_sample};

/// Everything that the API stands on. Clones share it.
#[derive(Clone)]
pub struct Services {
    /// Records.
    pub store: Arc<dyn Store>,
    /// The same records as ML Metadata, and what its clients write.
    pub metadata: Metadata,
    /// Bytes of artifacts.
    pub artifacts: Arc<dyn ArtifactStore>,
    /// Fetches pipelines that are imported by URL.
    pub packages: Arc<dyn PackageFetcher>,
    /// The life of runs.
    pub runs: Arc<dyn RunControl>,
    /// Makes recurring runs run.
    pub schedules: Arc<dyn ScheduleControl>,
    /// Logs of tasks.
    pub executor: Arc<dyn Executor>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What the installation is made of.
    pub system: Arc<dyn SystemFacts>,
    /// Signs page tokens; the same for the life of a data directory.
    pub page_tokens: PageTokenKey,
    /// What was set for them.
    pub settings: Arc<ServiceSettings>,
    /// What `healthz` says about this build.
    pub build: BuildInfo,
}

/// Where this binary comes from.
#[derive(Debug, Clone)]
pub struct BuildInfo {
    /// Commit, or `unknown`.
    pub commit_sha: String,
    /// Version, or `unknown`.
    pub tag_name: String,
}
