//! The handle of the loop: what the rest of the program holds.

use std::sync::Arc;

use async_trait::async_trait;
use ferroflow_engine::Semantics;
use ferroflow_model::record::Run;
use ferroflow_model::recurring::Tick;
use ferroflow_model::{RunId, RunStatus, TaskPath, Timestamp};
use ferroflow_ports::store::RunCommit;
use ferroflow_ports::{ErrorKind, PortError, RunControl, SubmitRun};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::event_loop::EventLoop;
use crate::id_block::IdAllocator;
use crate::options::{RuntimeOptions, RuntimePorts};
use crate::recovery;
use crate::request::{Reply, Request, closed};
use crate::submission::{self, Desk};

/// Moves all runs that have not ended. Dropping it stops the loop at once, like a crash; [`Self::shutdown`] is the
/// gentle way.
pub struct Runtime {
    ports: RuntimePorts,
    caching: bool,
    semantics: Semantics,
    ids: IdAllocator,
    requests: mpsc::UnboundedSender<Request>,
    task: JoinHandle<()>,
}

impl Runtime {
    /// Takes up all runs that have not ended and begins to work. Must be called inside a tokio runtime with timers.
    ///
    /// Fails if the store cannot be read. A run that cannot be understood fails alone.
    pub async fn start(ports: RuntimePorts, options: RuntimeOptions) -> Result<Arc<Self>, PortError> {
        let ids = IdAllocator::new(ports.store.next_free_id().await?);
        let running = ports.store.running_attempts().await?;
        let unfinished = recovery::load_unfinished(&*ports.store).await?;
        let (requests, inbox) = mpsc::unbounded_channel();
        let (caching, semantics) = (options.caching, options.semantics.clone());
        let mut events = Box::new(EventLoop::new(ports.clone(), options, ids.clone(), inbox));
        events.adopt_all(unfinished, running);
        let task = tokio::spawn(events.run());
        Ok(Arc::new(Self { ports, caching, semantics, ids, requests, task }))
    }

    /// Committed steps of a run as they become durable, until it has ended (or is in work no longer). Watch first, then
    /// read the rows, then follow: so nothing is missed. The receiver ends at once if the run is not in work.
    pub fn watch(&self, run: RunId) -> mpsc::UnboundedReceiver<Arc<RunCommit>> {
        let (watcher, steps) = mpsc::unbounded_channel();
        let _ = self.requests.send(Request::Watch(run, watcher));
        steps
    }

    /// Waits until a run has ended, and says how. `NotFound`; `Unavailable` if the loop ends first.
    pub async fn wait(&self, run: RunId) -> Result<RunStatus, PortError> {
        self.until_left(run).await;
        let status = self.ports.store.run(run).await?.status;
        if status.is_terminal() { Ok(status) } else { Err(closed()) }
    }

    /// Waits until a run is not in work (any more), whether it has ended, is gone, or the loop ends.
    pub(crate) async fn until_left(&self, run: RunId) {
        let (reply, left) = oneshot::channel();
        if self.requests.send(Request::Wait(run, reply)).is_ok() {
            // The sender is dropped if the run leaves in another way than by ending.
            let _ = left.await;
        }
    }

    /// Takes no more work, waits for the commits that are under way and lets go of the executor: attempts go on, and
    /// the next start adopts them. Idempotent.
    pub async fn shutdown(&self) {
        let (reply, ended) = oneshot::channel();
        if self.requests.send(Request::Shutdown(reply)).is_ok() {
            let _ = ended.await;
        }
    }

    /// Accepts a run. One of a schedule is stored together with the schedule's note of it, and its macros are filled in
    /// already; `Aborted` if it is not the schedule's next one.
    pub(crate) async fn submit_on(
        &self,
        request: SubmitRun,
        occasion: Option<(Tick, Timestamp)>,
    ) -> Result<Run, PortError> {
        if self.requests.is_closed() {
            return Err(PortError::new(ErrorKind::Unavailable, closed().message));
        }
        let desk = Desk {
            ids: &self.ids,
            default_root: self.ports.artifacts.default_root(),
            caching: self.caching,
            semantics: &self.semantics,
            now: self.ports.clock.now(),
            occasion,
        };
        let submission = Box::new(submission::prepare(request, &desk)?);
        self.ask(|reply| Request::Submit(submission, reply)).await
    }

    async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, PortError> {
        let (reply, result) = oneshot::channel();
        self.requests.send(request(reply)).map_err(|_| closed())?;
        result.await.unwrap_or_else(|_| Err(closed()))
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[async_trait]
impl RunControl for Runtime {
    async fn submit(&self, request: SubmitRun) -> Result<Run, PortError> {
        self.submit_on(request, None).await
    }

    async fn terminate(&self, id: RunId) -> Result<(), PortError> {
        self.ask(|reply| Request::Terminate(id, reply)).await
    }

    async fn retry(&self, id: RunId) -> Result<(), PortError> {
        self.ask(|reply| Request::Retry(id, None, reply)).await
    }

    async fn retry_from(&self, id: RunId, task: TaskPath) -> Result<(), PortError> {
        self.ask(|reply| Request::Retry(id, Some(task), reply)).await
    }

    async fn delete(&self, id: RunId) -> Result<(), PortError> {
        self.ask(|reply| Request::Delete(id, reply)).await
    }
}
