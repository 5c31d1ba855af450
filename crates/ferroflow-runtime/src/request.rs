//! What the handle asks of the loop.

use std::sync::Arc;

use ferroflow_engine::RunState;
use ferroflow_model::record::Run;
use ferroflow_model::{RunId, TaskPath};
use ferroflow_ports::store::{NewRun, RunCommit};
use ferroflow_ports::{ErrorKind, PortError};
use tokio::sync::{mpsc, oneshot};

/// Where an answer goes. Whoever asked may have gone; what was asked happens all the same.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, PortError>>;

/// Where committed steps go.
pub(crate) type Watcher = mpsc::UnboundedSender<Arc<RunCommit>>;

/// A run that is to be stored, with the state it begins with.
pub(crate) struct Submission {
    pub(crate) new: NewRun,
    pub(crate) ids_taken_below: i64,
    pub(crate) state: RunState,
}

/// A request.
pub(crate) enum Request {
    Submit(Box<Submission>, Reply<Run>),
    Terminate(RunId, Reply<()>),
    /// The failed part, and what is downstream of a task if one is named.
    Retry(RunId, Option<TaskPath>, Reply<()>),
    Delete(RunId, Reply<()>),
    /// The sender is dropped when the run has ended.
    Watch(RunId, Watcher),
    /// Answered when the run is not in work (any more).
    Wait(RunId, oneshot::Sender<()>),
    Shutdown(oneshot::Sender<()>),
}

impl Request {
    /// Answers that nothing is taken any more.
    pub(crate) fn refuse(self) {
        match self {
            Self::Submit(_, reply) => answer(reply, Err(closed())),
            Self::Terminate(_, reply) | Self::Retry(_, _, reply) | Self::Delete(_, reply) => {
                answer(reply, Err(closed()));
            }
            Self::Watch(..) | Self::Wait(..) | Self::Shutdown(_) => {}
        }
    }
}

/// Sends an answer.
pub(crate) fn answer<T>(reply: Reply<T>, result: Result<T, PortError>) {
    let _ = reply.send(result);
}

/// What clients are told while the loop ends or after it.
pub(crate) fn closed() -> PortError {
    PortError::new(ErrorKind::Unavailable, "the server is shutting down; try again when it runs again")
}
