//! Tells listeners what was committed.
//!
//! The writer notes changes while it works only if somebody listens, and tells them after the commit: an idle feed costs
//! one atomic load for each request.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ferroflow_ports::{Change, ChangeFeed};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use tokio::sync::mpsc;

use crate::store::SqliteStore;

/// Changes that a listener may be behind.
const QUEUE: usize = 4096;

/// Everybody who listens.
#[derive(Default)]
pub(crate) struct Feed {
    listeners: Mutex<Vec<Listener>>,
    count: AtomicUsize,
}

struct Listener {
    queue: mpsc::Sender<Change>,
    has_lost: bool,
}

impl Listener {
    /// False if it has gone.
    fn tell(&mut self, change: &Change) -> bool {
        if self.has_lost {
            match self.queue.try_send(Change::Lost) {
                Ok(()) => self.has_lost = false,
                Err(error) => return !matches!(error, mpsc::error::TrySendError::Closed(_)),
            }
        }
        match self.queue.try_send(change.clone()) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.has_lost = true;
                true
            }
            Err(mpsc::error::TrySendError::Closed(_)) => false,
        }
    }
}

impl Feed {
    /// Whether changes are worth noting.
    pub(crate) fn is_heard(&self) -> bool {
        self.count.load(Ordering::Acquire) > 0
    }

    /// Tells everybody; what was noted is gone afterwards.
    pub(crate) fn tell(&self, changes: &mut Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        for change in changes.drain(..) {
            listeners.retain_mut(|listener| listener.tell(&change));
        }
        self.count.store(listeners.len(), Ordering::Release);
    }

    fn listen(&self) -> mpsc::Receiver<Change> {
        let (queue, changes) = mpsc::channel(QUEUE);
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| !listener.queue.is_closed());
        listeners.push(Listener { queue, has_lost: false });
        self.count.store(listeners.len(), Ordering::Release);
        changes
    }
}

impl ChangeFeed for SqliteStore {
    fn changes(&self) -> BoxStream<'static, Change> {
        let changes = self.feed.listen();
        stream::unfold(changes, async |mut changes| Some((changes.recv().await?, changes))).boxed()
    }
}

/// Shared by the store and its writer.
pub(crate) type SharedFeed = Arc<Feed>;
