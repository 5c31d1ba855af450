//! Puts old runs into the archive, and removes runs that have been there long enough.
//!
//! Off unless somebody sets a time. Works in batches, so that others are not held up, and sleeps in between. Every step
//! may be done twice, so a restart needs nothing to be remembered.

use std::sync::Arc;
use std::time::Duration;

use ferroflow_model::{StorageState, Timestamp};
use ferroflow_ports::retention::RetentionStore;
use ferroflow_ports::{Clock, ErrorKind, PortError, RunControl, Store};
use tokio::task::JoinHandle;

/// How long runs are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionOptions {
    /// Runs that ended longer ago go into the archive; zero keeps them for ever.
    pub keep_runs: Duration,
    /// Runs that have been in the archive longer are removed; zero keeps them for ever.
    pub keep_archived_runs: Duration,
    /// Time from one look to the next.
    pub interval: Duration,
    /// Runs that are dealt with at once, 1 to 1,000.
    pub batch: u32,
}

impl RetentionOptions {
    /// Whether there is anything to do.
    pub fn is_on(&self) -> bool {
        !(self.keep_runs.is_zero() && self.keep_archived_runs.is_zero())
    }
}

/// What retention stands on.
#[derive(Clone)]
pub struct RetentionPorts {
    /// Finds old runs.
    pub old: Arc<dyn RetentionStore>,
    /// Archives them.
    pub store: Arc<dyn Store>,
    /// Removes them.
    pub runs: Arc<dyn RunControl>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

/// Looks after old runs until it is dropped.
pub struct Retention(JoinHandle<()>);

impl Retention {
    /// Begins with a look at once. Must be called inside a tokio runtime with timers.
    pub fn start(ports: RetentionPorts, options: RetentionOptions) -> Self {
        Self(tokio::spawn(async move {
            loop {
                if let Err(error) = look(&ports, &options).await {
                    tracing::warn!(%error, "old runs cannot be cleared away");
                }
                tokio::time::sleep(options.interval).await;
            }
        }))
    }
}

impl Drop for Retention {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Archives and removes what is old enough now. Runs that cannot be dealt with are left for the next time.
pub async fn look(ports: &RetentionPorts, options: &RetentionOptions) -> Result<(), PortError> {
    let now = ports.clock.now();
    let batch = options.batch.clamp(1, 1000);
    if let Some(before) = before(now, options.keep_runs) {
        loop {
            let runs = ports.old.runs_ended_before(before, batch).await?;
            for &run in &runs {
                ignore_missing(ports.store.set_run_storage(run, StorageState::Archived).await)?;
            }
            if runs.len() < batch as usize {
                break;
            }
        }
    }
    if let Some(before) = before(now, options.keep_archived_runs) {
        loop {
            let runs = ports.old.runs_archived_before(before, batch).await?;
            for &run in &runs {
                ignore_missing(ports.runs.delete(run).await)?;
            }
            if runs.len() < batch as usize {
                break;
            }
        }
    }
    Ok(())
}

/// Somebody else may have removed a run in the meantime.
fn ignore_missing(result: Result<(), PortError>) -> Result<(), PortError> {
    match result {
        Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn before(now: Timestamp, kept: Duration) -> Option<Timestamp> {
    let micros = i64::try_from(kept.as_micros()).ok().filter(|micros| *micros > 0)?;
    Some(Timestamp::from_micros(now.as_micros().saturating_sub(micros)))
}
