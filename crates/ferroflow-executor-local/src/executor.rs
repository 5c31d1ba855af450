//! The executor: attempts in, reports out, with the supervisor between.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use ferroflow_engine::TaskAttempt;
use ferroflow_model::{AttemptId, RunId, Timestamp};
use ferroflow_ports::executor::Report;
use ferroflow_ports::{ArtifactStore, ErrorKind, Executor, PortError};
use futures_util::stream::BoxStream;
use tokio::sync::{Notify, mpsc};

use crate::environment::Environment;
use crate::layout::{self, Layout};
use crate::link::{Link, Session, SupervisorCommand, Welcome};
use crate::process::millis;
use crate::python::{PythonOptions, PythonTasks};
use crate::wire::{Ended, Message, Request, frame};
use crate::{log_stream, outcome, process};

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
    /// Most bytes of one task's log that are kept.
    pub log_cap_bytes: u64,
    /// Time between TERM and KILL after a timeout.
    pub timeout_grace: Duration,
    /// How to start the supervisor; `None` for this program with the word `supervisor`.
    pub supervisor: Option<SupervisorCommand>,
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
            log_cap_bytes: 64 * 1024 * 1024,
            timeout_grace: Duration::from_secs(10),
            supervisor: None,
        }
    }
}

/// What stays the same for all attempts.
pub(crate) struct Settings {
    pub(crate) layout: Layout,
    pub(crate) artifacts: Arc<dyn ArtifactStore>,
    pub(crate) python: PythonTasks,
    pub(crate) environment: Environment,
    pub(crate) log_cap_bytes: u64,
    pub(crate) timeout_grace: Duration,
    supervisor: SupervisorCommand,
}

/// Runs attempts as processes of this machine.
pub struct LocalExecutor {
    shared: Arc<Shared>,
    reports: tokio::sync::Mutex<mpsc::UnboundedReceiver<Report>>,
}

/// What calls, logs and the reader of the connection have in common.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    link: Link,
    attempts: Mutex<HashMap<AttemptId, State>>,
    /// Tells followers of logs to look whether their attempt has ended.
    pub(crate) ended: Notify,
}

/// An attempt that was not acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Not sent yet; whether it was asked to stop meanwhile.
    Preparing { stop: Option<Duration> },
    /// Sent by the connection of this number.
    Sent { epoch: u64 },
    /// Its end was reported.
    Ended,
}

impl LocalExecutor {
    /// Connects to the supervisor of the data directory, or starts one, and adopts what it knows. `Unavailable` if it
    /// is out of reach, `FailedPrecondition` if it cannot be started, `Internal` if the directory cannot be used.
    pub async fn start(options: LocalOptions) -> Result<Arc<Self>, PortError> {
        let settings = Settings::new(options)?;
        let (session, welcome) =
            Session::reach(settings.layout.root().as_ref(), &settings.supervisor).await?;
        let (sender, reports) = mpsc::unbounded_channel();
        let attempts = Mutex::default();
        let shared = Arc::new(Shared { settings, link: Link::default(), attempts, ended: Notify::new() });
        shared.clear_scratch(&welcome);
        shared.adopt(welcome, &sender);
        shared.link.open(&session);
        tokio::spawn(serve(Arc::clone(&shared), session, sender));
        Ok(Arc::new(Self { shared, reports: tokio::sync::Mutex::new(reports) }))
    }
}

impl Drop for LocalExecutor {
    fn drop(&mut self) {
        self.shared.link.close();
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
        Ok(Self {
            environment: Environment::of_tasks(&options.python.host_env, options.system_site_packages),
            python: PythonTasks::new(layout.root().as_ref(), options.python),
            artifacts: options.artifacts,
            log_cap_bytes: options.log_cap_bytes,
            timeout_grace: options.timeout_grace,
            supervisor,
            layout,
        })
    }
}

/// Reads what the supervisor says, and finds it again when it is lost, until this end lets go.
async fn serve(shared: Arc<Shared>, mut session: Session, reports: mpsc::UnboundedSender<Report>) {
    loop {
        tokio::select! {
            message = session.receive() => match message {
                Ok(message) => shared.on_message(message, &reports),
                // Whoever lets go must not come back: another server may be there already.
                Err(_) if shared.link.is_closed() => return,
                Err(error) => {
                    tracing::warn!(%error, "the supervisor of tasks is gone");
                    let epoch = shared.link.lose();
                    drop(session);
                    let Some(next) = shared.reach_again(epoch, &reports).await else { return };
                    session = next;
                }
            },
            () = shared.link.attention.notified() => {
                if shared.link.is_closed() {
                    return;
                }
                shared.link.flush();
            }
        }
    }
}

impl Shared {
    fn attempts(&self) -> MutexGuard<'_, HashMap<AttemptId, State>> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the end of this attempt is still to come.
    pub(crate) fn is_running(&self, id: &AttemptId) -> bool {
        self.attempts().get(id).is_some_and(|state| *state != State::Ended)
    }

    /// Removes the scratch folders of attempts that nobody knows any more.
    fn clear_scratch(&self, welcome: &Welcome) {
        let ids =
            welcome.running.iter().map(|known| &known.id).chain(welcome.ended.iter().map(|ended| &ended.id));
        let known: Vec<String> = ids.filter_map(|id| Some(layout::scratch_name(&id.parse().ok()?))).collect();
        let Ok(entries) = std::fs::read_dir(self.settings.layout.attempts()) else { return };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let stale: Vec<String> = names.filter(|name| !known.contains(name)).collect();
        let attempts = self.settings.layout.attempts();
        if !stale.is_empty() {
            // New attempts have other names, unless one is repeated: then the folder is made anew either way.
            for name in stale {
                let _ = layout::remove(&format!("{attempts}/{name}"));
            }
        }
    }

    /// Takes over what the supervisor knew when this process began.
    fn adopt(&self, welcome: Welcome, reports: &mpsc::UnboundedSender<Report>) {
        let mut attempts = self.attempts();
        for id in welcome.running.iter().filter_map(|known| known.id.parse().ok()) {
            attempts.insert(id, State::Sent { epoch: 0 });
        }
        drop(attempts);
        for ended in welcome.ended {
            self.on_ended(&ended, reports);
        }
    }

    /// A new connection after the one before broke; `None` when this end has let go.
    async fn reach_again(&self, epoch: u64, reports: &mpsc::UnboundedSender<Report>) -> Option<Session> {
        loop {
            let root = self.settings.layout.root();
            let (session, welcome) = tokio::select! {
                biased;
                () = self.link.attention.notified() => {
                    if self.link.is_closed() {
                        return None;
                    }
                    continue;
                }
                reached = Session::reach(root.as_ref(), &self.settings.supervisor) => match reached {
                    Ok(reached) => reached,
                    Err(error) => {
                        tracing::error!(%error, "no supervisor of tasks; trying again");
                        tokio::time::sleep(Duration::from_secs(1)).await;
                        continue;
                    }
                },
            };
            self.reconcile(welcome, epoch, reports);
            self.link.open(&session);
            return Some(session);
        }
    }

    /// Compares what a new supervisor knows with what the one before was told.
    fn reconcile(&self, welcome: Welcome, epoch: u64, reports: &mpsc::UnboundedSender<Report>) {
        let running: Vec<AttemptId> =
            welcome.running.iter().filter_map(|known| known.id.parse().ok()).collect();
        for ended in welcome.ended {
            let Ok(id) = ended.id.parse::<AttemptId>() else { continue };
            // What is not known here was acknowledged, and that was lost on the way.
            let is_known = self.attempts().contains_key(&id);
            if is_known {
                self.on_ended(&ended, reports);
            } else {
                self.link.send_later(&frame(&Request::Acknowledge { id: ended.id }));
            }
        }
        let is_lost = |id: &AttemptId, state: &State| {
            matches!(state, State::Sent { epoch: sent } if *sent < epoch) && !running.contains(id)
        };
        let lost: Vec<AttemptId> = self
            .attempts()
            .iter()
            .filter(|(id, state)| is_lost(id, state))
            .map(|(id, _)| id.clone())
            .collect();
        for id in lost {
            let reason = "the supervisor was killed before it had started the task".to_owned();
            let end = crate::wire::End::Lost { reason };
            let ended = Ended {
                id: id.to_string(),
                context: String::new(),
                end,
                times: crate::wire::Times::default(),
            };
            self.on_ended(&ended, reports);
        }
    }

    fn on_message(&self, message: Message, reports: &mpsc::UnboundedSender<Report>) {
        match message {
            Message::Started { id, at } => {
                if let Ok(id) = id.parse::<AttemptId>()
                    && self.is_running(&id)
                {
                    let _ = reports.send(Report::Started { id, at: Timestamp::from_micros(at) });
                }
            }
            Message::Ended(ended) => self.on_ended(&ended, reports),
            Message::Welcome { .. } => {}
        }
    }

    /// Reports an end, unless that was done before.
    fn on_ended(&self, ended: &Ended, reports: &mpsc::UnboundedSender<Report>) {
        let Ok(id) = ended.id.parse::<AttemptId>() else { return };
        if self.attempts().insert(id.clone(), State::Ended) == Some(State::Ended) {
            return;
        }
        if let crate::wire::End::NotPrepared { log, .. } = &ended.end {
            self.keep_installer_log(&id, log);
        }
        let outcome = outcome::outcome(&ended.end, &ended.context, self.settings.layout.root());
        let phases = outcome::phases(ended.times, now());
        self.ended.notify_waiters();
        // Fails only when nobody will ask for reports any more; the supervisor keeps them.
        let _ = reports.send(Report::Ended { id, outcome, phases });
    }

    /// The installer's log is all that the user gets to see of an attempt that had no packages.
    fn keep_installer_log(&self, id: &AttemptId, log: &str) {
        let layout = &self.settings.layout;
        let copied =
            std::fs::create_dir_all(layout.logs(id.run)).and_then(|()| std::fs::copy(log, layout.log(id)));
        if let Err(error) = copied {
            tracing::warn!(%error, log, "the installer's log cannot be kept");
        }
    }

    /// Starts an attempt that was noted as being prepared.
    async fn start(&self, attempt: &TaskAttempt) -> Result<(), PortError> {
        let start = process::start_of(attempt, &self.settings)?;
        let request = frame(&Request::Start(Box::new(start)));
        let mut stop = None;
        let on_sent = |epoch| {
            if let Some(State::Preparing { stop: wanted }) =
                self.attempts().insert(attempt.id.clone(), State::Sent { epoch })
            {
                stop = wanted;
            }
        };
        self.link.send(&request, on_sent).await?;
        match stop {
            Some(grace) => self.stop(&attempt.id, grace).await,
            None => Ok(()),
        }
    }

    async fn stop(&self, id: &AttemptId, grace: Duration) -> Result<(), PortError> {
        let request = Request::Stop { id: id.to_string(), grace_ms: millis(grace) };
        self.link.send(&frame(&request), |_| ()).await
    }
}

/// Wall-clock time.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Removes folders without keeping anybody waiting.
async fn remove(path: String) -> std::io::Result<()> {
    tokio::task::spawn_blocking(move || layout::remove(&path))
        .await
        .unwrap_or_else(|error| Err(std::io::Error::other(error)))
}

#[async_trait]
impl Executor for LocalExecutor {
    async fn ensure_started(&self, attempt: TaskAttempt) -> Result<(), PortError> {
        {
            let mut attempts = self.shared.attempts();
            if attempts.contains_key(&attempt.id) {
                return Ok(());
            }
            attempts.insert(attempt.id.clone(), State::Preparing { stop: None });
        }
        let started = self.shared.start(&attempt).await;
        if started.is_err() {
            self.shared.attempts().remove(&attempt.id);
            let _ = remove(self.shared.settings.layout.scratch(&attempt.id)).await;
        }
        started
    }

    async fn ensure_stopped(&self, id: &AttemptId, grace: Duration) -> Result<(), PortError> {
        if let Some(State::Preparing { stop }) = self.shared.attempts().get_mut(id) {
            *stop = Some(grace);
            return Ok(());
        }
        self.shared.stop(id, grace).await
    }

    async fn next_report(&self) -> Option<Report> {
        self.reports.lock().await.recv().await
    }

    async fn acknowledge(&self, id: &AttemptId) {
        let was = self.shared.attempts().remove(id);
        if was.is_some_and(|state| state != State::Ended) {
            // Not ended, so there is nothing to acknowledge.
            self.shared.attempts().extend(was.map(|state| (id.clone(), state)));
            return;
        }
        self.shared.link.send_later(&frame(&Request::Acknowledge { id: id.to_string() }));
        let scratch = self.shared.settings.layout.scratch(id);
        if std::fs::remove_dir(&scratch)
            .is_err_and(|error| error.kind() == std::io::ErrorKind::DirectoryNotEmpty)
            && let Err(error) = remove(scratch).await
        {
            tracing::warn!(%error, %id, "the scratch folder of an attempt cannot be removed");
        }
    }

    async fn forget_run(&self, run: RunId) -> Result<(), PortError> {
        let layout = &self.shared.settings.layout;
        for path in [layout.logs(run), layout.workspace(run)] {
            remove(path).await.map_err(|error| {
                PortError::new(ErrorKind::Internal, format!("files of run `{run}` cannot be removed"))
                    .caused_by(error)
            })?;
        }
        Ok(())
    }

    async fn logs(
        &self,
        id: &AttemptId,
        follow: bool,
    ) -> Result<BoxStream<'static, Result<Bytes, PortError>>, PortError> {
        log_stream::read(Arc::clone(&self.shared), id, follow).await
    }

    async fn detach(&self) {
        self.shared.link.close();
    }
}
