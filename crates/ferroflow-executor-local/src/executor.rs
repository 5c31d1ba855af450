//! The executor: attempts in, reports out, with the supervisor between.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use ferroflow_engine::TaskAttempt;
use ferroflow_model::{AttemptId, RunId};
use ferroflow_ports::executor::{ArtifactCopy, Report};
use ferroflow_ports::{ArtifactStore, ErrorKind, Executor, PortError};
use futures_util::stream::BoxStream;
use tokio::sync::mpsc;

use crate::attempts::{Attempts, serve};
use crate::container::ContainerOptions;
use crate::environment::Environment;
use crate::layout::{self, Layout};
use crate::link::{Session, SupervisorCommand};
use crate::log_stream;
use crate::platform::Platform;
use crate::python::{PythonOptions, PythonTasks};

/// What an executor needs to know.
pub struct LocalOptions {
    /// Where everything lies that outlives this process. Made if it is not there. One server at a time uses it.
    pub data_dir: PathBuf,
    /// Tells where artifacts are on this machine.
    pub artifacts: Arc<dyn ArtifactStore>,
    /// Interpreter, packages, and the variables of the server from which those of tasks are chosen.
    pub python: PythonOptions,
    /// Whether Python tasks see what the user has installed for themselves (`pip install --user`).
    pub system_site_packages: bool,
    /// Whether Python components are forked from interpreters that wait for them.
    pub warm: bool,
    /// Most bytes of one task's log that are kept.
    pub log_cap_bytes: u64,
    /// Time between TERM and KILL after a timeout.
    pub timeout_grace: Duration,
    /// Folder with a folder for each secret, and in it a file for each key; `None` for `secrets` in the data directory.
    pub secrets_dir: Option<PathBuf>,
    /// Likewise for config maps; `None` for `config-maps`.
    pub config_maps_dir: Option<PathBuf>,
    /// How to start the supervisor; `None` for this program with the word `supervisor`.
    pub supervisor: Option<SupervisorCommand>,
    /// How tasks run in containers; `None` if none does.
    pub containers: Option<ContainerOptions>,
}

impl LocalOptions {
    /// With a log cap of 64 MiB and 10 seconds of grace.
    pub fn new(
        data_dir: impl Into<PathBuf>,
        artifacts: Arc<dyn ArtifactStore>,
        python: PythonOptions,
    ) -> Self {
        Self {
            data_dir: data_dir.into(),
            artifacts,
            python,
            system_site_packages: false,
            warm: false,
            log_cap_bytes: 64 * 1024 * 1024,
            timeout_grace: Duration::from_secs(10),
            secrets_dir: None,
            config_maps_dir: None,
            supervisor: None,
            containers: None,
        }
    }
}

/// What stays the same for all attempts.
pub(crate) struct Settings {
    pub(crate) layout: Layout,
    pub(crate) artifacts: Arc<dyn ArtifactStore>,
    pub(crate) python: PythonTasks,
    pub(crate) environment: Environment,
    pub(crate) platform: Platform,
    pub(crate) warm: bool,
    pub(crate) log_cap_bytes: u64,
    pub(crate) timeout_grace: Duration,
    pub(crate) supervisor: SupervisorCommand,
    pub(crate) containers: Option<ContainerOptions>,
}

/// Runs attempts as processes of this machine.
pub struct LocalExecutor {
    attempts: Arc<Attempts>,
    reports: tokio::sync::Mutex<mpsc::UnboundedReceiver<Report>>,
}

impl LocalExecutor {
    /// Connects to the supervisor of the data directory, or starts one, and adopts what it knows. `Unavailable` if it
    /// is out of reach, `FailedPrecondition` if it cannot be started, `Internal` if the directory cannot be used.
    pub async fn start(options: LocalOptions) -> Result<Arc<Self>, PortError> {
        let settings = Settings::new(options)?;
        let (session, welcome) =
            Session::reach(settings.layout.root().as_ref(), &settings.supervisor).await?;
        let (sender, reports) = mpsc::unbounded_channel();
        let attempts = Arc::new(Attempts::adopt(settings, welcome, &sender)?);
        attempts.link.open(&session);
        tokio::spawn(serve(Arc::clone(&attempts), session, sender));
        Ok(Arc::new(Self { attempts, reports: tokio::sync::Mutex::new(reports) }))
    }

    /// The attempts whose end is still to come.
    pub fn running(&self) -> Vec<AttemptId> {
        self.attempts.running()
    }

    /// The data directory as its containers name it: an absolute path.
    pub fn data_dir(&self) -> &str {
        self.attempts.settings.layout.root()
    }
}

impl Drop for LocalExecutor {
    fn drop(&mut self) {
        self.attempts.link.close();
    }
}

impl Settings {
    fn new(options: LocalOptions) -> Result<Self, PortError> {
        let unusable = |error: std::io::Error| {
            let message =
                format!("the data directory `{}` cannot be used: {error}", options.data_dir.display());
            PortError::new(ErrorKind::Internal, message).caused_by(error)
        };
        let layout = Layout::open(&options.data_dir).map_err(unusable)?;
        let supervisor = match options.supervisor {
            Some(command) => command,
            None => SupervisorCommand {
                program: std::env::current_exe().map_err(unusable)?,
                words: vec!["supervisor".into()],
            },
        };
        let platform = Platform::new(
            layout.root().as_ref(),
            options.secrets_dir,
            options.config_maps_dir,
            &options.python.host_env,
        );
        Ok(Self {
            platform,
            environment: Environment::of_tasks(&options.python.host_env, options.system_site_packages),
            python: PythonTasks::new(layout.root().as_ref(), options.python),
            artifacts: options.artifacts,
            warm: options.warm,
            log_cap_bytes: options.log_cap_bytes,
            timeout_grace: options.timeout_grace,
            supervisor,
            containers: options.containers,
            layout,
        })
    }
}

#[async_trait]
impl Executor for LocalExecutor {
    async fn ensure_started(&self, attempt: TaskAttempt) -> Result<(), PortError> {
        self.attempts.start(&attempt).await
    }

    async fn ensure_stopped(&self, id: &AttemptId, grace: Duration) -> Result<(), PortError> {
        self.attempts.stop(id, grace).await
    }

    async fn next_report(&self) -> Option<Report> {
        self.reports.lock().await.recv().await
    }

    async fn acknowledge(&self, id: &AttemptId) {
        let Some(slot) = self.attempts.forget(id) else { return };
        if self.attempts.scratch.give_back_empty(slot) {
            return;
        }
        let attempts = Arc::clone(&self.attempts);
        let cleared = blocking(move || attempts.scratch.clear(slot)).await;
        if let Err(error) = cleared {
            tracing::warn!(%error, %id, "the scratch folder of an attempt cannot be removed");
        }
    }

    fn copies(&self, run: RunId) -> Vec<ArtifactCopy> {
        self.attempts.copies.of_run(run)
    }

    async fn forget_run(&self, run: RunId) -> Result<(), PortError> {
        let layout = &self.attempts.settings.layout;
        for path in [layout.logs(run), layout.workspace(run)] {
            blocking(move || layout::remove(&path)).await.map_err(|error| {
                PortError::new(ErrorKind::Internal, format!("files of run `{run}` cannot be removed"))
                    .caused_by(error)
            })?;
        }
        let attempts = Arc::clone(&self.attempts);
        blocking(move || attempts.settings.platform.volumes.forget_run(run)).await.map_err(|error| {
            PortError::new(ErrorKind::Internal, format!("notes of run `{run}` cannot be removed"))
                .caused_by(error)
        })
    }

    async fn logs(
        &self,
        id: &AttemptId,
        follow: bool,
    ) -> Result<BoxStream<'static, Result<Bytes, PortError>>, PortError> {
        log_stream::read(Arc::clone(&self.attempts), id, 0, follow).await
    }

    async fn logs_from(
        &self,
        id: &AttemptId,
        from: u64,
        follow: bool,
    ) -> Result<BoxStream<'static, Result<Bytes, PortError>>, PortError> {
        log_stream::read(Arc::clone(&self.attempts), id, from, follow).await
    }

    async fn detach(&self) {
        self.attempts.link.close();
    }
}

/// Removes folders without keeping anybody else waiting.
async fn blocking(remove: impl FnOnce() -> std::io::Result<()> + Send + 'static) -> std::io::Result<()> {
    tokio::task::spawn_blocking(remove).await.unwrap_or_else(|error| Err(std::io::Error::other(error)))
}
