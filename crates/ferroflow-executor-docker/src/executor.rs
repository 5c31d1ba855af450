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
use ferroflow_ports::executor::{ArtifactCopy, Report};
use ferroflow_ports::{Executor, PortError};
use futures_util::stream::BoxStream;
use tokio::sync::{Mutex, mpsc};

use crate::daemon::Daemon;
use crate::packages;
use crate::problem::DaemonError;

/// Runs attempts in containers, or in part as processes.
pub struct DockerExecutor {
    inner: Arc<LocalExecutor>,
    reports: Mutex<mpsc::UnboundedReceiver<Report>>,
}

/// Where the daemon is, and how it is spoken with.
#[derive(Debug, Clone)]
struct Place {
    host: String,
    api: Option<String>,
}

impl DockerExecutor {
    /// Around an executor that writes orders for the daemon at `host`, which speaks this version of its API. Removes containers of its data directory whose
    /// attempts have ended; those that it finds are gone soon after, not at the return.
    pub async fn start(inner: Arc<LocalExecutor>, host: String, api: Option<String>) -> Arc<Self> {
        let place = Place { host, api };
        let cleared = clear(&inner, &place).await;
        if let Err(error) = cleared {
            tracing::warn!(%error, "containers that may be left from before stay");
        }
        let (sender, reports) = mpsc::unbounded_channel();
        tokio::spawn(pass_reports(Arc::clone(&inner), place, sender));
        Arc::new(Self { inner, reports: Mutex::new(reports) })
    }
}

/// Hands reports on. Whose container may be left has to wait until it is removed: nobody shall hear of an end before,
/// for the next attempt must be the only one.
async fn pass_reports(inner: Arc<LocalExecutor>, place: Place, reports: mpsc::UnboundedSender<Report>) {
    while let Some(report) = inner.next_report().await {
        let name = match &report {
            Report::Ended { id, outcome, .. } if may_leave_container(outcome) => {
                container_name(inner.data_dir(), id)
            }
            _ => {
                // Fails only when nobody will ask for reports any more; the supervisor keeps them.
                let _ = reports.send(report);
                continue;
            }
        };
        let (place, reports) = (place.clone(), reports.clone());
        tokio::spawn(async move {
            if let Err(error) = remove(&place, &name).await {
                tracing::warn!(%error, name, "the container of an attempt may be left");
            }
            let _ = reports.send(report);
        });
    }
}

/// Removes what an attempt may have left: its container, and the one that installs its packages.
async fn remove(place: &Place, name: &str) -> Result<(), DaemonError> {
    let daemon = Daemon::at(&place.host, place.api.as_deref()).await?;
    daemon.remove(&packages::installer_name(name)).await?;
    daemon.remove(name).await
}

/// Removes the containers of ended attempts. Those that are made from now on belong to attempts under way.
async fn clear(inner: &LocalExecutor, place: &Place) -> Result<(), DaemonError> {
    let daemon = Daemon::at(&place.host, place.api.as_deref()).await?;
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
        self.reports.lock().await.recv().await
    }

    async fn acknowledge(&self, id: &AttemptId) {
        self.inner.acknowledge(id).await;
    }

    fn copies(&self, run: RunId) -> Vec<ArtifactCopy> {
        self.inner.copies(run)
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
