//! What is connected to what: the one place that knows both the ports and who stands behind them.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use ferroflow_artifacts::Artifacts;
use ferroflow_executor_docker::DockerExecutor;
use ferroflow_executor_local::{LocalExecutor, LocalOptions, PythonOptions};
use ferroflow_ports::{Clock, Executor};
use ferroflow_runtime::{Runtime, RuntimeOptions, RuntimePorts, Semantics};
use ferroflow_store::{Durability, Options, SqliteStore};

use crate::clock::SystemClock;
use crate::commands::{self, TaskArguments};
use crate::data_folder::DataFolder;
use crate::{containers, environment, stores};

/// What the command line says about how things run.
pub(crate) struct Settings<'a> {
    pub(crate) tasks: &'a TaskArguments,
    pub(crate) start_delay: Duration,
    pub(crate) run_parallelism: Option<NonZeroUsize>,
}

/// Everything that works on one data directory.
pub(crate) struct House {
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) artifacts: Arc<Artifacts>,
    pub(crate) executor: Arc<dyn Executor>,
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Most tasks at once.
    pub(crate) slots: usize,
}

/// Opens the directory and takes up what was left unfinished in it. The caller holds its lock.
pub(crate) async fn open(folder: &DataFolder, settings: &Settings<'_>) -> anyhow::Result<House> {
    let durability = match settings.tasks.durability {
        commands::Durability::Synced => Durability::Synced,
        commands::Durability::Relaxed => Durability::Relaxed,
    };
    // The database opens while the supervisor starts.
    let database = folder.database();
    let store = tokio::task::spawn_blocking(move || SqliteStore::open(&database, Options { durability }));
    let secrets_dir = absolute(settings.tasks.secrets_dir.as_deref())?;
    let config_maps_dir = absolute(settings.tasks.config_maps_dir.as_deref())?;
    let stores = stores::settings(folder, secrets_dir.clone(), config_maps_dir.clone())?;
    let default_root = settings.tasks.pipeline_root.clone().or(stores.default_root);
    let artifacts = Arc::new(Artifacts::open(&folder.artifacts(), stores.access, default_root)?);
    let python = python_options(settings.tasks)?;
    let mut local = LocalOptions::new(folder.path(), artifacts.clone(), python);
    local.system_site_packages = settings.tasks.system_site_packages;
    local.warm = settings.tasks.warm;
    local.secrets_dir = secrets_dir;
    local.config_maps_dir = config_maps_dir;
    local.containers = containers::options(settings.tasks, &artifacts.folder()).await?;
    let daemon =
        local.containers.as_ref().map(|containers| (containers.daemon.clone(), containers.api.clone()));
    let executor = LocalExecutor::start(local).await;
    // Whoever opens a directory of another version is to hear of its database first.
    let store = Arc::new(store.await.context("the database cannot be opened")??);
    let executor: Arc<dyn Executor> = match daemon {
        None => executor?,
        Some((daemon, api)) => DockerExecutor::start(executor?, daemon, api).await,
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ports = RuntimePorts {
        store: store.clone(),
        executor: executor.clone(),
        artifacts: artifacts.clone(),
        clock: Arc::clone(&clock),
    };
    let mut options = RuntimeOptions {
        run_parallelism: settings.run_parallelism.map(NonZeroUsize::get),
        start_delay: settings.start_delay,
        caching: settings.tasks.cache_enabled && !settings.tasks.disable_cache,
        cache_max_age: settings.tasks.cache_max_age,
        semantics: Semantics {
            exit_grace: settings.tasks.exit_grace,
            cache_scope: settings.tasks.cache_scope.clone(),
            switches: settings.tasks.compat.iter().copied().collect(),
        },
        ..RuntimeOptions::default()
    };
    if let Some(parallelism) = settings.tasks.parallelism {
        options.parallelism = parallelism.get();
    }
    let slots = options.parallelism;
    let runtime = Runtime::start(ports, options).await?;
    Ok(House { store, artifacts, executor, runtime, clock, slots })
}

/// The folder as seen from anywhere: mounts and the supervisor are elsewhere.
fn absolute(folder: Option<&Path>) -> anyhow::Result<Option<PathBuf>> {
    let found = folder.map(|folder| {
        std::path::absolute(folder).with_context(|| format!("`{}` is no path", folder.display()))
    });
    found.transpose()
}

/// What tasks may use of this machine.
pub(crate) fn python_options(tasks: &TaskArguments) -> anyhow::Result<PythonOptions> {
    Ok(PythonOptions {
        python: tasks.python.clone(),
        host_env: environment::all(),
        working_folder: std::env::current_dir().context("the working directory is unknown")?,
        environments_limit_bytes: tasks.environments_limit_mib.saturating_mul(1024 * 1024),
    })
}

impl House {
    /// Lets go: what runs goes on under the supervisor, and the next server takes it up.
    pub(crate) async fn close(self) {
        self.runtime.shutdown().await;
        self.executor.detach().await;
    }
}
