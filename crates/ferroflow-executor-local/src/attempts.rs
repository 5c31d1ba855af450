//! The attempts that were not acknowledged, and what the supervisor's messages do to them.
//!
//! An attempt is reported once by each process that looks after it: it is remembered until it is acknowledged. What a
//! supervisor was told before it was killed is compared with what the next one knows.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use ferroflow_engine::{AttemptOutcome, ProducedOutputs, TaskAttempt};
use ferroflow_model::record::{Failure, LinkDirection};
use ferroflow_model::{AttemptId, Timestamp};
use ferroflow_ports::artifact::CopyProgress;
use ferroflow_ports::executor::Report;
use ferroflow_ports::{ArtifactStore, ErrorKind, PortError};
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedSender, WeakUnboundedSender};

use crate::copies::Copies;
use crate::executor::Settings;
use crate::link::{Link, Session, Welcome};
use crate::outcome;
use crate::process::{self, Context, Prepared, Scratch, Transfer, millis};
use crate::scratch::{ScratchFolders, Slot};
use crate::wire::{End, Ended, Message, Request, Times, frame};

/// Between two rounds of looking for a supervisor.
const PAUSE: Duration = Duration::from_secs(1);

/// What calls, logs and the reader of the connection have in common.
pub(crate) struct Attempts {
    pub(crate) settings: Settings,
    pub(crate) link: Link,
    pub(crate) scratch: ScratchFolders,
    /// Tells followers of logs to look whether their attempt has ended.
    pub(crate) ended: Notify,
    known: Mutex<HashMap<AttemptId, Attempt>>,
    pub(crate) copies: Arc<Copies>,
    /// For what ends where it began.
    reports: WeakUnboundedSender<Report>,
}

/// An attempt that was not acknowledged.
#[derive(Debug, Clone, Copy)]
struct Attempt {
    state: State,
    slot: Option<Slot>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Not sent yet; whether it was asked to stop meanwhile.
    Preparing { stop: Option<Duration> },
    /// Sent by the connection of this number.
    Sent { epoch: u64 },
    /// Its end was reported.
    Ended,
}

/// Reads what the supervisor says, and finds it again when it is lost, until this end lets go.
pub(crate) async fn serve(attempts: Arc<Attempts>, mut session: Session, reports: UnboundedSender<Report>) {
    loop {
        tokio::select! {
            message = session.receive() => match message {
                Ok(message) => attempts.on_message(message, &reports),
                // Whoever lets go must not come back: another server may be there already.
                Err(_) if attempts.link.is_closed() => return,
                Err(error) => {
                    tracing::warn!(%error, "the supervisor of tasks is gone");
                    let epoch = attempts.link.lose();
                    drop(session);
                    let Some(next) = attempts.reach_again(epoch, &reports).await else { return };
                    session = next;
                }
            },
            () = attempts.link.attention.notified() => {
                if attempts.link.is_closed() {
                    return;
                }
                attempts.link.flush();
            }
        }
    }
}

impl Attempts {
    /// Takes over what the supervisor knew when this process began.
    pub(crate) fn adopt(
        settings: Settings,
        welcome: Welcome,
        reports: &UnboundedSender<Report>,
    ) -> Result<Self, PortError> {
        let slot_of = |context: &str| serde_json::from_str::<Context>(context).ok()?.slot;
        let running = welcome.running.iter().map(|known| (known.id.as_str(), known.context.as_str()));
        let ended = welcome.ended.iter().map(|ended| (ended.id.as_str(), ended.context.as_str()));
        let state = State::Sent { epoch: 0 };
        let known: HashMap<AttemptId, Attempt> = running
            .chain(ended)
            .filter_map(|(id, context)| Some((id.parse().ok()?, Attempt { state, slot: slot_of(context) })))
            .collect();
        let taken: BTreeSet<Slot> = known.values().filter_map(|attempt| attempt.slot).collect();
        let folder = settings.layout.attempts();
        let scratch = ScratchFolders::open(folder.clone(), &taken).map_err(|error| {
            PortError::new(ErrorKind::Internal, format!("`{folder}` cannot be read: {error}"))
                .caused_by(error)
        })?;
        let (link, ended) = (Link::default(), Notify::new());
        let reports_of_own = reports.downgrade();
        let known = Mutex::new(known);
        let copies = Arc::default();
        let attempts = Self { settings, link, scratch, ended, known, copies, reports: reports_of_own };
        for ended in welcome.ended {
            attempts.on_ended(&ended, reports);
        }
        Ok(attempts)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AttemptId, Attempt>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the end of this attempt is still to come.
    pub(crate) fn is_running(&self, id: &AttemptId) -> bool {
        self.lock().get(id).is_some_and(|attempt| attempt.state != State::Ended)
    }

    /// The attempts whose end is still to come.
    pub(crate) fn running(&self) -> Vec<AttemptId> {
        let known = self.lock();
        let running = known.iter().filter(|(_, attempt)| attempt.state != State::Ended);
        running.map(|(id, _)| id.clone()).collect()
    }

    /// Starts an attempt, unless it is known.
    pub(crate) async fn start(&self, attempt: &TaskAttempt) -> Result<(), PortError> {
        {
            let mut known = self.lock();
            if known.contains_key(&attempt.id) {
                return Ok(());
            }
            let state = State::Preparing { stop: None };
            known.insert(attempt.id.clone(), Attempt { state, slot: None });
        }
        if let Some(done) = self.settings.platform.volumes.perform(attempt) {
            self.end_at_once(&attempt.id, done);
            return Ok(());
        }
        let path = self.settings.layout.attempts();
        let started = match self.scratch.take() {
            Ok(slot) => {
                let started = self.start_in(attempt, slot).await;
                if started.is_err() && !self.scratch.give_back_empty(slot) {
                    // It holds no more than what was prepared, so this is quick.
                    let _ = self.scratch.clear(slot);
                }
                started
            }
            Err(error) => Err(process::no_folder(&path, error)),
        };
        if started.is_err() {
            self.lock().remove(&attempt.id);
        }
        started
    }

    /// Reports an attempt that needed no process. Asked for again after a crash, its work comes to the same.
    fn end_at_once(&self, id: &AttemptId, done: Result<ProducedOutputs, String>) {
        let outcome = match done {
            Ok(outputs) => AttemptOutcome::Succeeded { outputs },
            Err(reason) => AttemptOutcome::Failed { error: Failure::new(reason) },
        };
        self.lock().insert(id.clone(), Attempt { state: State::Ended, slot: None });
        let phases = outcome::phases(Times { started: Some(now().as_micros()), ..Times::default() }, now());
        if let Some(reports) = self.reports.upgrade() {
            let _ = reports.send(Report::Ended { id: id.clone(), outcome, phases });
        }
    }

    async fn start_in(&self, attempt: &TaskAttempt, slot: Slot) -> Result<(), PortError> {
        let scratch = Scratch { path: self.scratch.path(slot), slot };
        let Prepared { start, inputs } = process::prepare(attempt, &self.settings, &scratch)?;
        self.fetch(&attempt.id, &inputs).await?;
        let request = frame(&Request::Start(Box::new(start)));
        let mut stop = None;
        let on_sent = |epoch| {
            let sent = Attempt { state: State::Sent { epoch }, slot: Some(slot) };
            let before = self.lock().insert(attempt.id.clone(), sent);
            if let Some(Attempt { state: State::Preparing { stop: wanted }, .. }) = before {
                stop = wanted;
            }
        };
        self.link.send(&request, on_sent).await?;
        match stop {
            Some(grace) => self.send_stop(&attempt.id, grace).await,
            None => Ok(()),
        }
    }

    /// Copies inputs from stores elsewhere. One without content is none to copy: its metadata may be all there is.
    async fn fetch(&self, id: &AttemptId, inputs: &[Transfer]) -> Result<(), PortError> {
        let store = &self.settings.artifacts;
        let copy = self.copies.begin(id, LinkDirection::Input);
        for Transfer { uri, path } in inputs {
            match store.download(uri, path.as_ref(), &copy.progress).await {
                Err(error) if error.kind == ErrorKind::NotFound => {}
                copied => copied.map_err(|error| {
                    let message = format!("the task was not started: {}", error.message);
                    PortError::new(error.kind, message).caused_by(error)
                })?,
            }
        }
        Ok(())
    }

    /// Asks for the end of an attempt.
    pub(crate) async fn stop(&self, id: &AttemptId, grace: Duration) -> Result<(), PortError> {
        if let Some(Attempt { state: State::Preparing { stop }, .. }) = self.lock().get_mut(id) {
            *stop = Some(grace);
            return Ok(());
        }
        self.send_stop(id, grace).await
    }

    async fn send_stop(&self, id: &AttemptId, grace: Duration) -> Result<(), PortError> {
        let request = Request::Stop { id: id.to_string(), grace_ms: millis(grace) };
        self.link.send(&frame(&request), |_| ()).await
    }

    /// Forgets an attempt that has ended, here and at the supervisor. Returns its scratch folder.
    pub(crate) fn forget(&self, id: &AttemptId) -> Option<Slot> {
        let slot = {
            let mut known = self.lock();
            if known.get(id)?.state != State::Ended {
                return None;
            }
            known.remove(id)?.slot
        };
        self.link.send_later(&frame(&Request::Acknowledge { id: id.to_string() }));
        slot
    }

    /// A new connection after the one before broke; `None` when this end has let go.
    async fn reach_again(&self, epoch: u64, reports: &UnboundedSender<Report>) -> Option<Session> {
        loop {
            let root = self.settings.layout.root();
            let reached = tokio::select! {
                biased;
                () = self.link.attention.notified() => {
                    if self.link.is_closed() {
                        return None;
                    }
                    continue;
                }
                reached = Session::reach(root.as_ref(), &self.settings.supervisor) => reached,
            };
            match reached {
                Ok((session, welcome)) => {
                    let acknowledged = self.reconcile(welcome, epoch, reports);
                    self.link.open(&session);
                    for id in acknowledged {
                        self.link.send_later(&frame(&Request::Acknowledge { id }));
                    }
                    return Some(session);
                }
                Err(error) => {
                    tracing::error!(%error, "no supervisor of tasks; trying again");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Compares what a new supervisor knows with what the one before was told. Returns what was acknowledged to that
    /// one in vain.
    fn reconcile(&self, welcome: Welcome, epoch: u64, reports: &UnboundedSender<Report>) -> Vec<String> {
        let running: BTreeSet<AttemptId> =
            welcome.running.iter().filter_map(|known| known.id.parse().ok()).collect();
        let mut acknowledged = Vec::new();
        for ended in welcome.ended {
            let Ok(id) = ended.id.parse::<AttemptId>() else { continue };
            let is_known = self.lock().contains_key(&id);
            if is_known {
                self.on_ended(&ended, reports);
            } else {
                acknowledged.push(ended.id);
            }
        }
        let is_lost = |id: &AttemptId, attempt: &Attempt| {
            matches!(attempt.state, State::Sent { epoch: sent } if sent < epoch) && !running.contains(id)
        };
        let known = self.lock();
        let lost: Vec<String> =
            known.iter().filter(|(id, attempt)| is_lost(id, attempt)).map(|(id, _)| id.to_string()).collect();
        drop(known);
        for id in lost {
            let reason = "the supervisor was killed before it had started the task".to_owned();
            let ended =
                Ended { id, context: String::new(), end: End::Lost { reason }, times: Times::default() };
            self.on_ended(&ended, reports);
        }
        acknowledged
    }

    fn on_message(&self, message: Message, reports: &UnboundedSender<Report>) {
        match message {
            Message::Started { id, at } => {
                if let Ok(id) = id.parse::<AttemptId>()
                    && self.is_running(&id)
                {
                    let _ = reports.send(Report::Started { id, at: Timestamp::from_micros(at) });
                }
            }
            Message::Ended(ended) => self.on_ended(&ended, reports),
            // Only as the first on a connection.
            Message::Welcome { .. } | Message::Refused { .. } => {}
        }
    }

    /// Reports an end, unless that was done before.
    fn on_ended(&self, ended: &Ended, reports: &UnboundedSender<Report>) {
        let Ok(id) = ended.id.parse::<AttemptId>() else { return };
        {
            let mut known = self.lock();
            let attempt =
                known.entry(id.clone()).or_insert(Attempt { state: State::Sent { epoch: 0 }, slot: None });
            if attempt.state == State::Ended {
                return;
            }
            attempt.state = State::Ended;
        }
        if let End::NotPrepared { log, .. } = &ended.end {
            self.keep_installer_log(&id, log);
        }
        let outcome = outcome::outcome(&ended.end, &ended.context, self.settings.layout.root());
        self.ended.notify_waiters();
        let copies = outcome::copies(&outcome, &ended.context, self.settings.artifacts.as_ref());
        let (outcome, copies) = match copies {
            Ok(copies) => (outcome, copies),
            Err(reason) => (AttemptOutcome::Failed { error: Failure::new(reason) }, Vec::new()),
        };
        let times = ended.times;
        if copies.is_empty() {
            // Fails only when nobody will ask for reports any more; the supervisor keeps them.
            let _ = reports.send(Report::Ended { id, outcome, phases: outcome::phases(times, now()) });
            return;
        }
        // Whoever finds it ended after a crash copies again: it has not succeeded before everything is where it belongs.
        let (store, reports) = (Arc::clone(&self.settings.artifacts), reports.downgrade());
        let under_way = Arc::clone(&self.copies);
        tokio::spawn(async move {
            let copy = under_way.begin(&id, LinkDirection::Output);
            let outcome = match keep(store.as_ref(), &copies, &copy.progress).await {
                Ok(()) => outcome,
                Err(error) => AttemptOutcome::Failed {
                    error: Failure::new(format!("what the task has made cannot be kept: {}", error.message)),
                },
            };
            drop(copy);
            if let Some(reports) = reports.upgrade() {
                let _ = reports.send(Report::Ended { id, outcome, phases: outcome::phases(times, now()) });
            }
        });
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
}

/// Copies outputs to stores elsewhere.
async fn keep(
    store: &dyn ArtifactStore,
    outputs: &[Transfer],
    progress: &CopyProgress,
) -> Result<(), PortError> {
    for Transfer { uri, path } in outputs {
        store.upload(path.as_ref(), uri, progress).await?;
    }
    Ok(())
}

/// Wall-clock time.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
