//! Finds runs that have been kept long enough.

use async_trait::async_trait;
use ferroflow_model::{RunId, Timestamp};

use crate::error::PortError;

/// Questions of whoever removes old runs. Only runs that have ended are ever named.
#[async_trait]
pub trait RetentionStore: Send + Sync {
    /// Runs outside the archive that ended before a time, the oldest first, at most `most`.
    async fn runs_ended_before(&self, before: Timestamp, most: u32) -> Result<Vec<RunId>, PortError>;
    /// Runs that were put into the archive, and ended, before a time; the oldest first, at most `most`.
    async fn runs_archived_before(&self, before: Timestamp, most: u32) -> Result<Vec<RunId>, PortError>;
}
