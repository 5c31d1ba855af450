//! From what the store holds back to a run in work: the snapshot, the events since, the commands that were not done.

use std::collections::HashSet;
use std::sync::Arc;

use ferroflow_engine::{Command, EngineFault, Plan, RunSettings, RunState, StoredEvent};
use ferroflow_model::record::Run;
use ferroflow_model::{AttemptId, RunId, RunStatus, TaskPath};
use ferroflow_ports::store::{RunStore, StoredRun};
use ferroflow_ports::{ErrorKind, PortError};
use ferroflow_spec::document;

use crate::active::{ActiveRun, PendingLookup, Phase, Slot};
use crate::event_loop::EventLoop;
use crate::perform;

/// A run as it was when its last commit became durable.
pub(crate) struct Rebuilt {
    pub(crate) run: Run,
    pub(crate) next_seq: u64,
    pub(crate) since_snapshot: u64,
    /// The state, or why there is none.
    pub(crate) state: Result<Revived, RebuildError>,
}

/// The part of a run that takes understanding.
pub(crate) struct Revived {
    pub(crate) state: RunState,
    pub(crate) outbox: Vec<Command>,
}

/// Why a run cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RebuildError {
    #[error("the stored pipeline is not accepted: {0}")]
    Pipeline(String),
    #[error("what is stored of the run cannot be read: {0}")]
    Text(#[from] serde_json::Error),
    #[error(transparent)]
    Fault(#[from] EngineFault),
}

/// Reads a run. Reading a large pipeline takes a while, so that happens on a thread of its own.
pub(crate) async fn load(store: &dyn RunStore, id: RunId) -> Result<Rebuilt, PortError> {
    let stored = store.load_run(id).await?;
    let rebuilt = tokio::task::spawn_blocking(move || rebuild(&stored)).await;
    rebuilt.map_err(|error| PortError::new(ErrorKind::Internal, "reading a run failed").caused_by(error))
}

fn rebuild(stored: &StoredRun) -> Rebuilt {
    let snapshot_seq = stored.snapshot.as_ref().map_or(0, |(seq, _)| *seq);
    let last_seq = stored.events.last().map_or(snapshot_seq, |(seq, _)| *seq);
    Rebuilt {
        run: stored.run.clone(),
        next_seq: last_seq + 1,
        since_snapshot: last_seq - snapshot_seq,
        state: revive(stored),
    }
}

fn revive(stored: &StoredRun) -> Result<Revived, RebuildError> {
    let settings: RunSettings = serde_json::from_str(&stored.settings)?;
    let pipeline = document::from_json(&serde_json::from_str(&stored.spec_json)?)
        .map_err(|problems| RebuildError::Pipeline(problems.to_string()))?;
    let plan = Arc::new(Plan::new(Arc::new(pipeline.spec))?);
    let mut state = match &stored.snapshot {
        Some((_, bytes)) => RunState::restore(plan, &settings, bytes)?,
        None => RunState::new(plan, &settings),
    };
    for (_, text) in &stored.events {
        state.replay(&serde_json::from_str::<StoredEvent>(text)?)?;
    }
    // Rows of what was replayed are stored already.
    drop(state.take_changes());
    let outbox =
        stored.outbox.iter().map(|(_, text)| serde_json::from_str(text)).collect::<Result<_, _>>()?;
    Ok(Revived { state, outbox })
}

/// Reads all runs that have not ended. A run that was removed meanwhile is passed over.
pub(crate) async fn load_unfinished(store: &dyn RunStore) -> Result<Vec<Rebuilt>, PortError> {
    let mut rebuilt = Vec::new();
    for id in store.unfinished_runs().await? {
        match load(store, id).await {
            Ok(run) => rebuilt.push(run),
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(rebuilt)
}

impl EventLoop {
    /// Takes up the runs that a former process left, and stops what runs for runs that have ended.
    pub(crate) fn adopt_all(&mut self, runs: Vec<Rebuilt>, running: Vec<AttemptId>) {
        self.core.look_at_clock();
        let mut running: HashSet<AttemptId> = running.into_iter().collect();
        for rebuilt in runs {
            if let Some(run) = self.adopt(rebuilt, &mut running) {
                self.put(run);
            }
        }
        for id in running {
            tracing::info!(attempt = %id, "stopping an attempt of a run that is over");
            self.core.call(perform::stop(
                Arc::clone(&self.core.ports.executor),
                id,
                self.core.options.stop_grace,
            ));
        }
    }

    /// Makes a run of what was read; takes those of its attempts out of `running` that hold a slot. `None` if the run
    /// cannot go on: then it is stored as failed.
    fn adopt(&mut self, rebuilt: Rebuilt, running: &mut HashSet<AttemptId>) -> Option<Box<ActiveRun>> {
        let id = rebuilt.run.id;
        let revived = match rebuilt.state {
            Ok(revived) => revived,
            Err(error) => {
                tracing::error!(run = %id, %error, "a run cannot go on and fails");
                let store = Arc::clone(&self.core.ports.store);
                let message = error.to_string();
                self.core.oblige(perform::fail(store, id, rebuilt.next_seq, self.core.now, message));
                return None;
            }
        };
        tracing::info!(run = %id, events = rebuilt.next_seq - 1, "taking up a run");
        let mut run = Box::new(ActiveRun::new(id, &rebuilt.run.pipeline_name, revived.state));
        run.is_adopted = true;
        run.next_seq = rebuilt.next_seq;
        run.since_snapshot = rebuilt.since_snapshot;
        if run.state.status() == RunStatus::Pending && run.next_seq == 1 {
            run.begin_at = Some(rebuilt.run.created_at.plus(self.core.options.start_delay));
        }
        self.core.perform_again(&mut run, revived.outbox, running);
        Some(run)
    }

    /// Goes on with a run that was read because of a retry, or since its removal failed.
    pub(crate) fn loaded(&mut self, id: RunId, result: Result<Box<Rebuilt>, PortError>) {
        let Some(Slot::Loading(loading)) = self.runs.remove(&id) else { return };
        let loading = *loading;
        let is_ready = |rebuilt: &Rebuilt, from: &Option<TaskPath>| match rebuilt.run.status {
            RunStatus::Failed | RunStatus::Canceled => true,
            status => from.is_some() && status.is_terminal(),
        };
        match (result, loading.retry) {
            (Err(error), Some((_, reply))) => crate::request::answer(reply, Err(error)),
            (Err(error), None) if error.kind == ErrorKind::NotFound => {}
            (Err(error), None) => {
                tracing::error!(run = %id, %error, "cannot read a run; it goes on after a restart");
                self.runs.insert(id, Slot::Fenced);
            }
            (Ok(rebuilt), Some((from, reply))) if !is_ready(&rebuilt, &from) => {
                crate::request::answer(reply, Err(not_to_retry(rebuilt.run.status, from.as_ref())));
            }
            (Ok(rebuilt), Some((_, reply))) if rebuilt.state.is_err() => {
                let error = rebuilt.state.err().map(|error| error.to_string()).unwrap_or_default();
                crate::request::answer(reply, Err(PortError::new(ErrorKind::Aborted, error)));
            }
            (Ok(rebuilt), retry) => {
                if let Some(mut run) = self.adopt(*rebuilt, &mut HashSet::new()) {
                    if let Some(retry) = retry {
                        self.core.retry(&mut run, retry);
                    }
                    self.put(run);
                }
            }
        }
        for report in loading.reports {
            self.observe(report);
        }
        for request in loading.requests {
            self.request(request);
        }
    }
}

impl crate::event_loop::Core {
    /// Does once more what may not have been done. Attempts that were admitted are asked for at once, whatever the
    /// limit: they may be running.
    fn perform_again(&mut self, run: &mut ActiveRun, outbox: Vec<Command>, running: &mut HashSet<AttemptId>) {
        for command in &outbox {
            if let Command::StopAttempt { id } = command {
                run.stopping.insert(id.clone());
            }
        }
        for command in outbox {
            match command {
                Command::StartAttempt { id } if running.remove(&id) => {
                    self.slots.take();
                    run.running.insert(id.clone());
                    if !run.stopping.contains(&id)
                        && let Some(attempt) = run.state.attempt(&id)
                    {
                        self.start(attempt);
                    }
                }
                Command::StartAttempt { id } => run.queue.push_back(id),
                Command::StopAttempt { id } => self.stop(id),
                Command::LookUpCache { task, fingerprint } => {
                    self.look_up(run, task, PendingLookup { fingerprint, is_stored: true });
                }
                Command::Finish { .. } => run.phase = Phase::Ended,
            }
        }
    }
}

/// Why a run cannot be retried.
pub(crate) fn not_to_retry(status: RunStatus, from: Option<&TaskPath>) -> PortError {
    let status_name = status.as_str();
    let message = match from {
        None => format!("only failed runs can be retried; this one is {status_name}"),
        Some(task) if status.is_terminal() => format!("the run has no task `{task}`, or never got to it"),
        Some(_) => format!("only runs that have ended can be retried; this one is {status_name}"),
    };
    PortError::new(ErrorKind::Aborted, message)
}
