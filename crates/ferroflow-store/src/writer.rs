//! The one thread that writes. Whatever waits when it becomes free goes into one transaction (group commit).
//!
//! A request that is refused before it changed anything leaves the others alone. If one fails halfway, the whole
//! transaction is undone and each request is done again in a transaction of its own, so that only the guilty one fails.
//! There is no timer and no waiting for company: an idle store sleeps in its channel.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use ferroflow_model::RunId;
use ferroflow_ports::{Change, ErrorKind, PortError};
use futures_util::future::BoxFuture;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::connection::{open_writer, set_synchronous};
use crate::error::{StoreError, sql_error};
use crate::feed::{Notes, SharedFeed};
use crate::reserve::Reserve;
use crate::store::{Durability, Statistics};

/// Most requests in one transaction: enough to make a sync cheap, and few enough to answer soon.
const MOST_REQUESTS: usize = 1000;

/// Pages in the log after which they are moved into the database file: 16 MiB.
const CHECKPOINT_PAGES: i32 = 4000;

/// What the writer knows of a run, so that its next step needs no look-up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunSlot {
    /// Number of the run.
    pub(crate) no: i64,
    /// Sequence number of the next event.
    pub(crate) next_seq: u64,
}

/// What requests work with.
pub(crate) struct Session {
    /// The only connection that writes, inside a transaction.
    pub(crate) connection: Connection,
    /// Runs that were written lately. Emptied when a transaction is undone, since it may tell of undone things.
    pub(crate) runs: HashMap<RunId, RunSlot>,
    /// What listeners will be told once the transaction stands.
    notes: Notes,
    feed: SharedFeed,
}

impl Session {
    /// Notes a change, if anybody listens. Called by a request that has done its work.
    pub(crate) fn note(&mut self, change: impl FnOnce() -> Change) {
        self.notes.add(&self.feed, change);
    }
}

/// When a request's change must be on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Promise {
    /// At the answer, whatever the durability: what clients were told exists.
    Disk,
    /// As the durability says.
    AsOpened,
}

/// A request with the place for its answer. It may be performed twice, see the module's text.
trait Request: Send {
    /// Does it and keeps the result; false if it failed.
    fn perform(&mut self, session: &mut Session) -> bool;
    /// Whether there was no room on the disk for it.
    fn is_out_of_space(&self) -> bool;
    /// Replaces the result.
    fn fail(&mut self, error: PortError);
    fn answer(self: Box<Self>);
    fn promise(&self) -> Promise;
}

struct Pending<T, F> {
    work: F,
    promise: Promise,
    result: Option<Result<T, PortError>>,
    reply: oneshot::Sender<Result<T, PortError>>,
}

impl<T: Send, F> Request for Pending<T, F>
where
    F: FnMut(&mut Session) -> Result<T, StoreError> + Send,
{
    fn perform(&mut self, session: &mut Session) -> bool {
        let result = (self.work)(session).map_err(PortError::from);
        let done = result.is_ok();
        self.result = Some(result);
        done
    }

    fn is_out_of_space(&self) -> bool {
        matches!(&self.result, Some(Err(error)) if error.kind == ErrorKind::ResourceExhausted)
    }

    fn fail(&mut self, error: PortError) {
        self.result = Some(Err(error));
    }

    fn answer(self: Box<Self>) {
        if let Some(result) = self.result {
            // Whoever asked may have gone; the change stands all the same.
            let _ = self.reply.send(result);
        }
    }

    fn promise(&self) -> Promise {
        self.promise
    }
}

#[derive(Default)]
struct Counters {
    transactions: AtomicU64,
    requests: AtomicU64,
}

/// Handle of the thread; dropping it lets the thread finish what waits and ends it.
pub(crate) struct Writer {
    requests: Option<mpsc::Sender<Box<dyn Request>>>,
    thread: Option<JoinHandle<()>>,
    counters: Arc<Counters>,
}

impl Writer {
    /// Opens the database and starts the thread.
    pub(crate) fn start(path: &Path, durability: Durability, feed: SharedFeed) -> Result<Self, StoreError> {
        let mut connection = open_writer(path, durability)?;
        let pages = Arc::new(AtomicI32::new(0));
        let seen = Arc::clone(&pages);
        connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, count| {
            seen.store(count, Ordering::Relaxed);
            Ok(())
        }))?;
        let counters = Arc::<Counters>::default();
        let (requests, waiting) = mpsc::channel();
        let worker = Worker {
            session: Session { connection, runs: HashMap::new(), notes: Notes::default(), feed },
            durability,
            pages,
            counters: Arc::clone(&counters),
            reserve: Reserve::beside(path),
        };
        let thread = std::thread::Builder::new().name("store-writer".to_owned());
        let thread = thread.spawn(move || worker.serve(&waiting)).map_err(|error| {
            PortError::new(ErrorKind::ResourceExhausted, "cannot start the thread that writes")
                .caused_by(error)
        })?;
        Ok(Self { requests: Some(requests), thread: Some(thread), counters })
    }

    /// Queues a request at once; the answer may be awaited later. `work` changes nothing outside the session.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        promise: Promise,
        work: impl FnMut(&mut Session) -> Result<T, StoreError> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, PortError>> {
        let (reply, answer) = oneshot::channel();
        let request = Box::new(Pending { work, promise, result: None, reply });
        if let Some(requests) = &self.requests {
            // If the thread has gone, the request is dropped with its `reply`, and the answer says so.
            let _ = requests.send(request);
        }
        Box::pin(async move {
            answer.await.unwrap_or_else(|_| {
                Err(PortError::new(
                    ErrorKind::Internal,
                    "the thread that writes the database has ended; restart",
                ))
            })
        })
    }

    pub(crate) fn statistics(&self) -> Statistics {
        Statistics {
            transactions: self.counters.transactions.load(Ordering::Relaxed),
            requests: self.counters.requests.load(Ordering::Relaxed),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.requests.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What became of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It stands; requests that were refused changed nothing.
    Committed,
    /// A request failed after it had changed something, or the commit did; nothing stands.
    Undone,
    /// The database could not be had; doing it again one by one would only wait again.
    NotBegun,
}

struct Worker {
    session: Session,
    durability: Durability,
    pages: Arc<AtomicI32>,
    counters: Arc<Counters>,
    reserve: Reserve,
}

impl Worker {
    fn serve(mut self, waiting: &mpsc::Receiver<Box<dyn Request>>) {
        let mut batch = Vec::new();
        while let Ok(first) = waiting.recv() {
            batch.push(first);
            batch.extend(waiting.try_iter().take(MOST_REQUESTS - 1));
            self.counters.requests.fetch_add(batch.len() as u64, Ordering::Relaxed);
            if self.perform_together(&mut batch) == Outcome::Undone && batch.len() > 1 {
                for request in &mut batch {
                    self.perform_together(std::slice::from_mut(request));
                }
            }
            if batch.iter().any(|request| request.is_out_of_space()) && self.reserve.give_up() {
                for request in batch.iter_mut().filter(|request| request.is_out_of_space()) {
                    self.perform_together(std::slice::from_mut(request));
                }
            }
            batch.drain(..).for_each(Request::answer);
            self.checkpoint_if_due();
            self.reserve.hold();
        }
    }

    /// One transaction for all. Requests have their results unless it was undone with several in it.
    fn perform_together(&mut self, batch: &mut [Box<dyn Request>]) -> Outcome {
        let raised = self.durability == Durability::Relaxed
            && batch.iter().any(|request| request.promise() == Promise::Disk);
        if raised {
            self.set_synchronous(Durability::Synced);
        }
        let outcome = match self.begin() {
            Ok(()) => self.transact(batch),
            Err(error) => {
                for request in batch {
                    request.fail(sql_error(&error));
                }
                Outcome::NotBegun
            }
        };
        if raised {
            self.set_synchronous(self.durability);
        }
        outcome
    }

    fn begin(&self) -> rusqlite::Result<()> {
        self.session.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([]).map(drop)
    }

    fn transact(&mut self, batch: &mut [Box<dyn Request>]) -> Outcome {
        let before = self.session.connection.total_changes();
        for request in &mut *batch {
            let changes = self.session.connection.total_changes();
            if !request.perform(&mut self.session)
                && (self.session.connection.is_autocommit()
                    || self.session.connection.total_changes() != changes)
            {
                self.undo();
                return Outcome::Undone;
            }
        }
        let changed = self.session.connection.total_changes() != before;
        let commit = self.session.connection.prepare_cached("COMMIT");
        if let Err(error) = commit.and_then(|mut commit| commit.execute([])) {
            self.undo();
            if let [request] = batch {
                request.fail(sql_error(&error));
            }
            return Outcome::Undone;
        }
        self.counters.transactions.fetch_add(u64::from(changed), Ordering::Relaxed);
        let Session { notes, feed, .. } = &mut self.session;
        feed.tell(notes);
        Outcome::Committed
    }

    fn undo(&mut self) {
        self.session.runs.clear();
        self.session.notes.clear();
        // Some errors undo the transaction by themselves.
        if !self.session.connection.is_autocommit()
            && let Err(error) = self.session.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "cannot undo a transaction");
        }
    }

    fn set_synchronous(&self, durability: Durability) {
        if let Err(error) = set_synchronous(&self.session.connection, durability) {
            tracing::error!(%error, "cannot change how commits are synced");
        }
    }

    /// Moves the log into the database file when it has become long; the answers are out already.
    fn checkpoint_if_due(&mut self) {
        if self.pages.load(Ordering::Relaxed) < CHECKPOINT_PAGES {
            return;
        }
        let moved = self.session.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        if let Err(error) = moved {
            tracing::warn!(%error, "cannot move the log into the database");
        }
    }
}
