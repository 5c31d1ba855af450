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

/// Changes of one transaction, until it stands.
#[derive(Default)]
pub(crate) struct Notes {
    changes: Vec<Change>,
    /// How often somebody had begun to listen when the first change was let go unnoted.
    unheard_at: Option<usize>,
}

impl Notes {
    /// Notes a change if anybody listens.
    pub(crate) fn add(&mut self, feed: &Feed, change: impl FnOnce() -> Change) {
        if feed.count.load(Ordering::SeqCst) > 0 {
            self.changes.push(change());
        } else if self.unheard_at.is_none() {
            self.unheard_at = Some(feed.begun.load(Ordering::SeqCst));
        }
    }

    /// Nothing of it stands.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Everybody who listens.
#[derive(Default)]
pub(crate) struct Feed {
    listeners: Mutex<Vec<Listener>>,
    count: AtomicUsize,
    /// How often somebody has begun to listen.
    begun: AtomicUsize,
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
    /// Tells everybody what stands now; what was noted is gone afterwards.
    pub(crate) fn tell(&self, notes: &mut Notes) {
        let Notes { mut changes, unheard_at } = std::mem::take(notes);
        // Who began to listen while this transaction was under way may have read what was before it.
        if unheard_at.is_some_and(|begun| begun != self.begun.load(Ordering::SeqCst)) {
            changes.insert(0, Change::Lost);
        }
        if changes.is_empty() {
            return;
        }
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            listeners.retain_mut(|listener| listener.tell(&change));
        }
        self.count.store(listeners.len(), Ordering::SeqCst);
    }

    fn listen(&self) -> mpsc::Receiver<Change> {
        let (queue, changes) = mpsc::channel(QUEUE);
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| !listener.queue.is_closed());
        listeners.push(Listener { queue, has_lost: false });
        self.count.store(listeners.len(), Ordering::SeqCst);
        self.begun.fetch_add(1, Ordering::SeqCst);
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

#[cfg(test)]
mod tests {
    use ferroflow_model::RunId;
    use ferroflow_ports::Happening;

    use super::*;

    fn change(number: u128) -> Change {
        Change::Run(RunId(uuid::Uuid::from_u128(number)), Happening::Created)
    }

    /// Numbers of what a listener was told, 0 for a loss.
    fn told(changes: &mut mpsc::Receiver<Change>) -> Vec<u128> {
        let mut told = Vec::new();
        while let Ok(change) = changes.try_recv() {
            told.push(if let Change::Run(id, _) = change { id.0.as_u128() } else { 0 });
        }
        told
    }

    #[test]
    fn who_begins_during_a_transaction_is_told_to_read_again() {
        let feed = Feed::default();
        let mut notes = Notes::default();
        notes.add(&feed, || change(1));
        feed.tell(&mut notes);
        notes.add(&feed, || change(2));
        let mut changes = feed.listen();
        notes.add(&feed, || change(3));
        feed.tell(&mut notes);
        notes.add(&feed, || change(4));
        feed.tell(&mut notes);
        notes.add(&feed, || change(5));
        notes.clear();
        feed.tell(&mut notes);
        assert_eq!(told(&mut changes), [0, 3, 4]);
    }

    #[test]
    fn who_is_too_slow_is_told_so() {
        let feed = Feed::default();
        let mut changes = feed.listen();
        let mut notes = Notes::default();
        for number in 1..=QUEUE as u128 + 5 {
            notes.add(&feed, || change(number));
        }
        feed.tell(&mut notes);
        assert_eq!(told(&mut changes).len(), QUEUE);
        notes.add(&feed, || change(7));
        feed.tell(&mut notes);
        assert_eq!(told(&mut changes), [0, 7]);
    }
}
