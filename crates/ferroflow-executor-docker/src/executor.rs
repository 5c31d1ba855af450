//! The executor of tasks in containers: that of processes, and whoever clears up behind them.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use ferroflow_engine::{AttemptOutcome, TaskAttempt};
use ferroflow_executor_local::LocalExecutor;
use ferroflow_executor_local::container::container_name;
use ferroflow_model::{AttemptId, RunId};
use ferroflow_ports::executor::Report;
use ferroflow_ports::{Executor, PortError};
use futures_util::stream::BoxStream;
use tokio::sync::Mutex;

use crate::daemon::Daemon;
use crate::problem::DaemonError;

/// Runs attempts in containers, or in part as processes.
pub struct DockerExecutor {
    inner: Arc<LocalExecutor>,
    /// Where the daemon is.
    host: String,
    /// A report that was fetched but not handed over.
    pending: Mutex<Option<Report>>,
}

impl DockerExecutor {
    /// Around an executor that writes orders for the daemon at `host`. Removes containers of its data directory whose
    /// attempts have ended; those that it finds are gone soon after, not at the return.
    pub async fn start(inner: Arc<LocalExecutor>, host: String) -> Arc<Self> {
        let cleared = clear(&inner, &host).await;
        if let Err(error) = cleared {
            tracing::warn!(%error, "containers that may be left from before stay");
        }
        Arc::new(Self { inner, host, pending: Mutex::default() })
    }

    async fn remove(&self, id: &AttemptId) {
        let name = container_name(self.inner.data_dir(), id);
        let removed = async {
            let daemon = Daemon::reach(&self.host).await?;
            daemon.remove(&format!("{name}-packages")).await?;
            daemon.remove(&name).await
        };
        if let Err(error) = removed.await {
            tracing::warn!(%error, name, "the container of an attempt may be left");
        }
    }
}

/// Removes the containers of ended attempts. Those that are made from now on belong to attempts under way.
async fn clear(inner: &LocalExecutor, host: &str) -> Result<(), DaemonError> {
    let daemon = Daemon::reach(host).await?;
    let found = daemon.containers_of(inner.data_dir()).await?;
    let running: HashSet<String> = inner.running().iter().map(ToString::to_string).collect();
    let left: Vec<_> = found.into_iter().filter(|container| !running.contains(&container.attempt)).collect();
    if !left.is_empty() {
        tokio::spawn(async move {
            for container in left {
                match daemon.remove(&container.id).await {
                    Ok(()) => {
                        tracing::info!(attempt = container.attempt, "removed a container that was left");
                    }
                    Err(error) => tracing::warn!(%error, id = container.id, "a container stays"),
                }
            }
        });
    }
    Ok(())
}

/// Whether a container may be left: its process removes it when it ends by itself.
fn may_leave_container(outcome: &AttemptOutcome) -> bool {
    match outcome {
        AttemptOutcome::Succeeded { .. } => false,
        AttemptOutcome::Failed { error } => error.exit_code.is_none(),
        _ => true,
    }
}

#[async_trait]
impl Executor for DockerExecutor {
    async fn ensure_started(&self, attempt: TaskAttempt) -> Result<(), PortError> {
        self.inner.ensure_started(attempt).await
    }

    async fn ensure_stopped(&self, id: &AttemptId, grace: Duration) -> Result<(), PortError> {
        self.inner.ensure_stopped(id, grace).await
    }

    async fn next_report(&self) -> Option<Report> {
        let mut pending = self.pending.lock().await;
        if pending.is_none() {
            *pending = Some(self.inner.next_report().await?);
        }
        if let Some(Report::Ended { id, outcome, .. }) = pending.as_ref()
            && may_leave_container(outcome)
        {
            // Before anybody hears of the end: the next attempt must be the only one.
            self.remove(id).await;
        }
        pending.take()
    }

    async fn acknowledge(&self, id: &AttemptId) {
        self.inner.acknowledge(id).await;
    }

    async fn forget_run(&self, run: RunId) -> Result<(), PortError> {
        self.inner.forget_run(run).await
    }

    async fn logs(
        &self,
        id: &AttemptId,
        follow: bool,
    ) -> Result<BoxStream<'static, Result<Bytes, PortError>>, PortError> {
        self.inner.logs(id, follow).await
    }

    async fn logs_from(
        &self,
        id: &AttemptId,
        from: u64,
        follow: bool,
    ) -> Result<BoxStream<'static, Result<Bytes, PortError>>, PortError> {
        self.inner.logs_from(id, from, follow).await
    }

    async fn detach(&self) {
        self.inner.detach().await;
    }
}
