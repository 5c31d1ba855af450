//! Where a run takes place: in this process, or on the server that holds the data directory. Both look the same above.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use ferroflow_model::record::{PipelineSource, TaskRecord};
use ferroflow_model::{AttemptId, RunId, TaskPath};
use ferroflow_ports::store::RunCommit;
use ferroflow_ports::{ErrorKind, PortError, RunControl as _, SubmitRun};
use ferroflow_server::ensure_default_experiment;
use ferroflow_server::results::{RunResults, TaskResult, run_results};
use ferroflow_server::tasks::task_named;
use ferroflow_spec::document::PipelineDocument;
use serde_json::{Map, Value};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

use super::progress::TaskNews;
use crate::data_folder::{DataFolder, Lock, LockAttempt};
use crate::exit::UsageError;
use crate::printing;
use crate::server_client::ServerClient;
use crate::wiring::{self, House, Settings};

/// Account that answers show; nothing on one machine asks for it.
const SERVICE_ACCOUNT: &str = "pipeline-runner";
/// How often a directory that another process holds is looked at again.
const LOCK_PAUSE: Duration = Duration::from_millis(50);
/// Shortest and longest time between two looks at a run on a server.
const LOOK_PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// Where a run takes place.
pub(crate) enum Place {
    /// In this process.
    Here(Box<Here>),
    /// On a server.
    Server { client: ServerClient, folder: DataFolder },
}

pub(crate) struct Here {
    house: House,
    folder: DataFolder,
    _lock: Lock,
}

/// A run as it was asked for; checked.
pub(crate) struct Request {
    pub(crate) name: String,
    pub(crate) document: PipelineDocument,
    /// As given.
    pub(crate) sent_arguments: Map<String, Value>,
    /// With numbers in their one form.
    pub(crate) arguments: Map<String, Value>,
}

impl Place {
    /// Takes the data directory, or finds the server that has it. Waits for another `ferroflow run` to end.
    pub(crate) async fn find(folder: &DataFolder, settings: &Settings<'_>) -> anyhow::Result<Self> {
        folder.create()?;
        let mut has_told = false;
        loop {
            let holder = match folder.try_lock()? {
                LockAttempt::Ours(lock) => {
                    let house = wiring::open(folder, settings).await?;
                    return Ok(Self::Here(Box::new(Here { house, folder: folder.clone(), _lock: lock })));
                }
                LockAttempt::Held(holder) => holder,
            };
            if let Some(client) = holder.as_ref().and_then(ServerClient::of) {
                return Ok(Self::Server { client, folder: folder.clone() });
            }
            if !has_told && let Some(holder) = holder {
                printing::error_line(&format!(
                    "waiting for process {}, which uses the data directory",
                    holder.pid
                ));
                has_told = true;
            }
            tokio::time::sleep(LOCK_PAUSE).await;
        }
    }

    /// Creates the run; it begins at once.
    pub(crate) async fn submit(&self, request: Request) -> anyhow::Result<RunId> {
        match self {
            Self::Here(here) => here.submit(request).await,
            Self::Server { client, .. } => {
                let parameters = Value::Object(request.sent_arguments);
                let id = client.create_run(&request.name, request.document.wire_json(), parameters).await?;
                id.parse().context("the server's answer names no run")
            }
        }
    }

    /// Runs a part of a run again: what failed, and all from a task on if one is named.
    pub(crate) async fn retry(&self, run: RunId, from: Option<&str>) -> anyhow::Result<()> {
        match self {
            Self::Here(here) => here.retry(run, from).await.map_err(refusal),
            Self::Server { client, .. } => client.retry(&run.to_string(), from).await,
        }
    }

    /// What happens to the run from now on.
    pub(crate) fn watch(&self, run: RunId) -> Watch {
        match self {
            Self::Here(here) => Watch::Here(here.house.runtime.watch(run)),
            Self::Server { client, .. } => Watch::Server {
                client: client.clone(),
                run: run.to_string(),
                next_look: Instant::now(),
                pause: LOOK_PAUSE.0,
                has_ended: false,
            },
        }
    }

    /// What the run has made so far.
    pub(crate) async fn results(&self, run: RunId) -> anyhow::Result<RunResults> {
        match self {
            Self::Here(here) => Ok(run_results(&*here.house.store, run).await?),
            Self::Server { client, .. } => client.results(&run.to_string()).await,
        }
    }

    /// Asks the run to end. That it has ended by itself is no error.
    pub(crate) async fn terminate(&self, run: RunId) -> anyhow::Result<()> {
        match self {
            Self::Here(here) => match here.house.runtime.terminate(run).await {
                Err(error) if error.kind != ErrorKind::InvalidArgument => Err(error.into()),
                _ => Ok(()),
            },
            Self::Server { client, .. } => match client.terminate(&run.to_string()).await {
                Err(error) if !error.is::<UsageError>() => Err(error),
                _ => Ok(()),
            },
        }
    }

    /// The file with the log of a task's newest attempt; `None` if it has none.
    pub(crate) fn log_file(&self, run: RunId, task: &TaskResult) -> Option<PathBuf> {
        let id = AttemptId { run, path: TaskPath::new(&*task.path), attempt: task.attempt };
        let file = ferroflow_executor_local::log_file(self.folder().path(), &id);
        file.is_file().then_some(file)
    }

    /// Where people can look at the run, if anything serves it.
    pub(crate) fn page(&self, run: RunId) -> Option<String> {
        match self {
            Self::Here(_) => None,
            Self::Server { client, .. } => Some(format!("{}/#/runs/details/{run}", client.address())),
        }
    }

    /// Lets go of the data directory.
    pub(crate) async fn close(self) {
        if let Self::Here(here) = self {
            here.house.close().await;
        }
    }

    fn folder(&self) -> &DataFolder {
        match self {
            Self::Here(here) => &here.folder,
            Self::Server { folder, .. } => folder,
        }
    }
}

impl Here {
    async fn submit(&self, request: Request) -> anyhow::Result<RunId> {
        let experiment_id = ensure_default_experiment(&*self.house.store, &*self.house.clock).await?;
        let spec_json = request.document.wire_text().into();
        let submitted = self.house.runtime.submit(SubmitRun {
            display_name: request.name,
            description: String::new(),
            experiment_id,
            source: PipelineSource::Inline,
            spec: Arc::new(request.document.spec),
            spec_json,
            sent_arguments: request.sent_arguments,
            arguments: request.arguments,
            pipeline_root: String::new(),
            service_account: SERVICE_ACCOUNT.to_owned(),
            plugins_input: Map::new(),
            added_to: None,
        });
        match submitted.await {
            Ok(run) => Ok(run.id),
            Err(PortError { kind: ErrorKind::InvalidArgument, message, .. }) => {
                Err(UsageError(message).into())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn retry(&self, run: RunId, from: Option<&str>) -> Result<(), PortError> {
        match from {
            None => self.house.runtime.retry(run).await,
            Some(name) => {
                let task = task_named(&*self.house.store, run, name).await?;
                self.house.runtime.retry_from(run, task.path).await
            }
        }
    }
}

/// What cannot be done is the user's mistake, other errors are the machine's.
pub(crate) fn refusal(error: PortError) -> anyhow::Error {
    match error.kind {
        ErrorKind::NotFound | ErrorKind::Aborted | ErrorKind::InvalidArgument => {
            UsageError(error.message).into()
        }
        _ => error.into(),
    }
}

/// Follows a run.
pub(crate) enum Watch {
    Here(UnboundedReceiver<Arc<RunCommit>>),
    Server { client: ServerClient, run: String, next_look: Instant, pause: Duration, has_ended: bool },
}

impl Watch {
    /// What has happened to tasks since the last call; waits until something may have. `None` once the run has ended.
    /// Cancelling the call loses nothing.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Option<Vec<TaskNews>>> {
        match self {
            Self::Here(steps) => {
                let step = steps.recv().await;
                Ok(step.map(|step| step.tasks.iter().map(news_of_row).collect()))
            }
            Self::Server { has_ended: true, .. } => Ok(None),
            Self::Server { client, run, next_look, pause, has_ended } => {
                tokio::time::sleep_until(*next_look).await;
                let asked = Instant::now();
                let results = client.results(run).await?;
                // Large runs are looked at less often, so that looking costs little.
                *pause = (*pause * 3 / 2).max(asked.elapsed() * 10).clamp(LOOK_PAUSE.0, LOOK_PAUSE.1);
                *next_look = Instant::now() + *pause;
                *has_ended = results.state.is_terminal();
                Ok(Some(results.tasks.iter().map(news_of_result).collect()))
            }
        }
    }
}

fn news_of_row(task: &TaskRecord) -> TaskNews {
    TaskNews {
        path: task.path.to_string(),
        kind: task.kind,
        state: task.status,
        attempt: task.attempt,
        seconds: task.started_at.zip(task.ended_at).map(|(from, to)| to.since(from).as_secs_f64()),
        reason: task.error.as_ref().map(|error| error.message.clone()),
    }
}

fn news_of_result(task: &TaskResult) -> TaskNews {
    TaskNews {
        path: task.path.clone(),
        kind: task.kind,
        state: task.state,
        attempt: task.attempt,
        seconds: task.seconds,
        reason: task.error.as_ref().map(|error| error.message.clone()),
    }
}
