//! Runs attempts somewhere and reports how they ended.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use ferroflow_engine::{AttemptOutcome, TaskAttempt};
use ferroflow_model::record::{AttemptPhases, LinkDirection};
use ferroflow_model::{AttemptId, RunId, Timestamp};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, future};

use crate::error::PortError;

/// What an executor says about an attempt.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// The process runs. May be left out for attempts that end at once.
    Started {
        /// The attempt.
        id: AttemptId,
        /// When.
        at: Timestamp,
    },
    /// The attempt ended; comes exactly once per attempt until acknowledged, and again after a restart if it was not.
    Ended {
        /// The attempt.
        id: AttemptId,
        /// How.
        outcome: AttemptOutcome,
        /// When what happened (only what the executor knows).
        phases: AttemptPhases,
    },
}

/// Artifacts of an attempt that are on their way from or to a store elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactCopy {
    /// The attempt.
    pub id: AttemptId,
    /// Inputs come, outputs go.
    pub direction: LinkDirection,
    /// Bytes that were copied.
    pub copied_bytes: u64,
    /// Bytes of all files that were begun.
    pub known_bytes: u64,
}

/// Runs attempts. All calls are idempotent by attempt id.
#[async_trait]
pub trait Executor: Send + Sync {
    /// Starts the attempt unless it was started before (then nothing happens: it is adopted, its report will come).
    /// Returns once the attempt is in safe hands, which outlive this process. Long preparation (installing packages)
    /// goes on after the return. An error means that the attempt was not started and never will be by this call:
    /// the caller treats it as failed with this message.
    async fn ensure_started(&self, attempt: TaskAttempt) -> Result<(), PortError>;

    /// Asks the attempt's whole process group to end: TERM, then KILL after `grace`. Ends in a report
    /// [`AttemptOutcome::Stopped`] unless it ended otherwise first. An attempt that nobody knows is reported as stopped.
    async fn ensure_stopped(&self, id: &AttemptId, grace: Duration) -> Result<(), PortError>;

    /// The next report. Only one caller. Cancelling the call loses nothing. `None` when the executor has shut down.
    async fn next_report(&self) -> Option<Report>;

    /// The report of this attempt's end is stored for good: the executor may forget the attempt and clear its scratch
    /// folders. Its log stays.
    async fn acknowledge(&self, id: &AttemptId);

    /// What is being copied for a run at this moment.
    fn copies(&self, _run: RunId) -> Vec<ArtifactCopy> {
        Vec::new()
    }

    /// Forgets logs and folders of a deleted run.
    async fn forget_run(&self, run: RunId) -> Result<(), PortError>;

    /// The attempt's log from its first byte. With `follow` the stream ends when the attempt has ended.
    /// `NotFound` if there is no log.
    async fn logs(
        &self,
        id: &AttemptId,
        follow: bool,
    ) -> Result<BoxStream<'static, Result<Bytes, PortError>>, PortError>;

    /// As [`Self::logs`] from byte `from` on; nothing if the log is shorter and nobody follows.
    async fn logs_from(
        &self,
        id: &AttemptId,
        from: u64,
        follow: bool,
    ) -> Result<BoxStream<'static, Result<Bytes, PortError>>, PortError> {
        Ok(behind(self.logs(id, follow).await?, from))
    }

    /// Lets go: running attempts go on without this process. Idempotent.
    async fn detach(&self);
}

/// What comes after the first `skip` bytes of a stream.
pub fn behind(
    stream: BoxStream<'static, Result<Bytes, PortError>>,
    mut skip: u64,
) -> BoxStream<'static, Result<Bytes, PortError>> {
    let rest = stream.filter_map(move |piece| {
        let rest = piece.map(|mut bytes| {
            let passed = usize::try_from(skip).unwrap_or(usize::MAX).min(bytes.len());
            skip -= passed as u64;
            bytes.split_off(passed)
        });
        let is_passed = rest.as_ref().is_ok_and(Bytes::is_empty);
        future::ready((!is_passed).then_some(rest))
    });
    rest.boxed()
}
