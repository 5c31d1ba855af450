//! What clients ask of runs. Answers go out when what was asked is durable.

use std::sync::Arc;

use ferroflow_engine::RunEvent;
use ferroflow_model::{RunId, RunStatus};
use ferroflow_ports::store::RunStore;
use ferroflow_ports::{ErrorKind, PortError};

use crate::active::{ActiveRun, Ghost, Loading, Phase, Retry, Slot};
use crate::event_loop::{Core, EventLoop};
use crate::perform::{self, Call, Done};
use crate::recovery::not_to_retry;
use crate::request::{Reply, Request, answer};

impl EventLoop {
    /// Does what a client asks, or puts it off until the run's slot is clear.
    pub(crate) fn request(&mut self, request: Request) {
        if self.is_draining && !matches!(request, Request::Shutdown(_)) {
            request.refuse();
            return;
        }
        match request {
            Request::Submit(submission, reply) => {
                let store = Arc::clone(&self.core.ports.store);
                self.core.oblige(perform::create(store, *submission, reply));
            }
            Request::Shutdown(reply) => self.drain(reply),
            Request::Terminate(id, _)
            | Request::Retry(id, _, _)
            | Request::Delete(id, _)
            | Request::Watch(id, _)
            | Request::Wait(id, _) => self.request_of(id, request),
        }
    }

    fn request_of(&mut self, id: RunId, request: Request) {
        match self.runs.get_mut(&id) {
            None => self.request_of_stored(id, request),
            Some(Slot::Loading(loading)) => loading.requests.push(request),
            Some(Slot::Active(run)) => self.core.request(run, request),
            Some(Slot::Ghost(ghost)) if ghost.is_deleted => match request {
                Request::Terminate(_, reply) | Request::Retry(_, _, reply) | Request::Delete(_, reply) => {
                    answer(reply, Err(PortError::not_found("run", id)));
                }
                other => drop(other),
            },
            Some(Slot::Ghost(_)) => match request {
                Request::Retry(_, _, reply) => {
                    let message = "tasks of the run are still being stopped; try again in a moment";
                    answer(reply, Err(PortError::new(ErrorKind::Aborted, message)));
                }
                other => self.request_of_stored(id, other),
            },
            Some(Slot::Fenced) => match request {
                Request::Terminate(_, reply) | Request::Retry(_, _, reply) | Request::Delete(_, reply) => {
                    let message = "another server works on this run";
                    answer(reply, Err(PortError::new(ErrorKind::Unavailable, message)));
                }
                other => drop(other),
            },
        }
    }

    /// The run is not in memory: it has ended, or never was.
    fn request_of_stored(&mut self, id: RunId, request: Request) {
        let store = Arc::clone(&self.core.ports.store);
        match request {
            Request::Terminate(_, reply) => self.core.call(refuse_to_terminate(store, id, reply)),
            Request::Retry(_, from, reply) => {
                let loading = Loading { retry: Some((from, reply)), ..Loading::default() };
                self.runs.insert(id, Slot::Loading(Box::new(loading)));
                self.core.call(perform::load(store, id));
            }
            Request::Delete(_, reply) => {
                let alive = match self.runs.remove(&id) {
                    Some(Slot::Ghost(ghost)) => ghost.alive,
                    _ => std::collections::HashSet::new(),
                };
                let executor = Arc::clone(&self.core.ports.executor);
                let ghost = Ghost { alive, is_deleted: true };
                self.core.oblige(delete_stored(store, executor, id, ghost.alive.is_empty(), reply));
                if !ghost.alive.is_empty() {
                    self.runs.insert(id, Slot::Ghost(ghost));
                }
            }
            // Dropping the sender, or sending, tells that nothing is to be waited for.
            Request::Wait(_, reply) => drop(reply.send(())),
            other => drop(other),
        }
    }

    /// The rows of a run are gone, or could not be removed.
    pub(crate) fn deleted(&mut self, id: RunId, result: Result<(), PortError>) {
        self.core.obligations = self.core.obligations.saturating_sub(1);
        let Some(Slot::Active(run)) = self.runs.remove(&id) else { return };
        let run = *run;
        match result {
            Ok(()) => {
                tracing::info!(run = %id, "run deleted");
                self.core.acknowledge(run.early.into_keys().collect());
                let ghost = Ghost { alive: run.running, is_deleted: true };
                self.runs.insert(id, Slot::Ghost(ghost));
                self.lay_to_rest(id, run.deleters);
            }
            Err(error) => {
                tracing::error!(run = %id, %error, "cannot delete a run, going on with it");
                for reply in run.deleters {
                    answer(reply, Err(PortError::new(error.kind, error.message.clone())));
                }
                for _ in &run.running {
                    self.core.slots.release();
                }
                let reports = run.early.into_iter().map(|(id, (outcome, phases))| {
                    ferroflow_ports::executor::Report::Ended { id, outcome, phases }
                });
                let loading = Loading { reports: reports.collect(), requests: run.later, retry: None };
                self.runs.insert(id, Slot::Loading(Box::new(loading)));
                self.core.call(perform::load(Arc::clone(&self.core.ports.store), id));
                return;
            }
        }
        for request in run.later {
            self.request(request);
        }
    }
}

impl Core {
    fn request(&mut self, run: &mut ActiveRun, request: Request) {
        match request {
            Request::Watch(_, watcher) => run.watchers.push(watcher),
            Request::Wait(_, reply) => run.waiters.push(reply),
            Request::Delete(_, reply) if run.is_stalled() => answer(reply, Err(stalled())),
            Request::Delete(_, reply) => {
                // It is removed as soon as nothing of it is left to store.
                run.deleters.push(reply);
                self.mark(run);
            }
            other if run.phase != Phase::Live => run.later.push(other),
            Request::Terminate(_, reply) => self.terminate(run, reply),
            Request::Retry(_, from, reply) => {
                answer(reply, Err(not_to_retry(run.state.status(), from.as_ref())));
            }
            Request::Submit(..) | Request::Shutdown(_) => {}
        }
    }

    fn terminate(&mut self, run: &mut ActiveRun, reply: Reply<()>) {
        let status = run.state.status();
        let is_at_work = matches!(status, RunStatus::Pending | RunStatus::Running | RunStatus::Paused);
        if !is_at_work && !run.state.waits_for_exit_tasks() {
            answer(reply, Err(not_terminable(status)));
            return;
        }
        run.begin_at = None;
        if run.is_stalled() {
            answer(reply, Err(stalled()));
        } else {
            run.step.replies.push(reply);
        }
        self.feed(run, RunEvent::TerminateRequested);
    }

    /// Runs a part of a run again that was read for it.
    pub(crate) fn retry(&mut self, run: &mut ActiveRun, (from, reply): Retry) {
        self.feed(
            run,
            match &from {
                None => RunEvent::RetryRequested,
                Some(task) => RunEvent::RetryFromRequested { task: task.clone() },
            },
        );
        if run.state.status().is_terminal() {
            run.phase = Phase::Ended;
            answer(reply, Err(not_to_retry(run.state.status(), from.as_ref())));
        } else {
            run.step.replies.push(reply);
        }
    }

    /// Stops what is alive of a run and removes its rows, if that is wanted and nothing is left to store.
    pub(crate) fn remove_if_wanted(&mut self, run: &mut ActiveRun) {
        if run.deleters.is_empty() || run.phase == Phase::Closing || !run.is_stored() {
            return;
        }
        run.phase = Phase::Closing;
        run.queue.clear();
        let alive = run.running.iter().cloned().collect();
        let (store, executor) = (Arc::clone(&self.ports.store), Arc::clone(&self.ports.executor));
        self.oblige(perform::delete(store, executor, run.id, alive, self.options.stop_grace));
    }
}

/// Says why a run that is not in work cannot be terminated.
fn refuse_to_terminate(store: Arc<dyn RunStore>, id: RunId, reply: Reply<()>) -> Call {
    Box::pin(async move {
        let error = match store.run(id).await {
            Ok(run) => not_terminable(run.status),
            Err(error) => error,
        };
        answer(reply, Err(error));
        Done::Nothing
    })
}

/// The store refuses to write for now.
fn stalled() -> PortError {
    PortError::new(
        ErrorKind::Unavailable,
        "the database cannot be written at the moment; see the server's log",
    )
}

fn not_terminable(status: RunStatus) -> PortError {
    let message =
        format!("the run is {}; only pending, running or paused runs can be terminated", status.as_str());
    PortError::new(ErrorKind::InvalidArgument, message)
}

/// Removes a run that has ended.
fn delete_stored(
    store: Arc<dyn RunStore>,
    executor: Arc<dyn ferroflow_ports::Executor>,
    id: RunId,
    nothing_is_alive: bool,
    reply: Reply<()>,
) -> Call {
    Box::pin(async move {
        match store.delete_run(id).await {
            Ok(()) if nothing_is_alive => perform::forget(executor, id, vec![reply]).await,
            result => {
                answer(reply, result);
                Done::Obligation
            }
        }
    })
}
