//! Finds artifacts that nothing refers to any more.

use std::time::Duration;

use async_trait::async_trait;
use ferroflow_model::{ArtifactId, RunId, Timestamp};

use crate::error::PortError;

/// An artifact whose run is gone, that no other run has used or taken over, that no cached result names, and that no
/// client of ML Metadata has tied to anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Garbage {
    /// Its number.
    pub id: ArtifactId,
    /// Where its bytes are.
    pub uri: String,
    /// The run that made it.
    pub run: RunId,
    /// When it was first found to be so.
    pub noticed_at: Timestamp,
}

/// Questions of whoever removes what is left of removed runs.
#[async_trait]
pub trait GarbageStore: Send + Sync {
    /// All garbage, in order of number, and notes what is new of it. Cached results older than `cache_max_age` are
    /// forgotten first.
    async fn notice_garbage(
        &self,
        now: Timestamp,
        cache_max_age: Option<Duration>,
    ) -> Result<Vec<Garbage>, PortError>;
    /// The same without changing anything: what is new is noticed now.
    async fn look_for_garbage(
        &self,
        now: Timestamp,
        cache_max_age: Option<Duration>,
    ) -> Result<Vec<Garbage>, PortError>;
    /// Forgets an artifact whose bytes are gone.
    async fn forget_garbage(&self, id: ArtifactId) -> Result<(), PortError>;
    /// Those of these runs of which neither a row nor an artifact is left.
    async fn unknown_runs(&self, runs: &[RunId]) -> Result<Vec<RunId>, PortError>;
}
