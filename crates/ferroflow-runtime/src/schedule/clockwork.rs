//! Wakes when a schedule is due, when a run of one ends, or when a record changes, and decides what follows.
//!
//! Only one thing is under way for each schedule at a time, so its runs are made in order and are counted exactly.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use ferroflow_model::recurring::Tick;
use ferroflow_model::{RecurringRunId, RunId, Timestamp};
use ferroflow_ports::{ErrorKind, PortError};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{mpsc, oneshot};

use super::Message;
use super::entry::{Entry, Next};
use super::firing::{Desk, Outcome, Reading};

/// Longest sleep while a schedule waits for its time. Timers stand still while the machine sleeps and know nothing of
/// clocks that are set, so the clock is looked at now and then; nothing else is.
const LONGEST_SLEEP: Duration = Duration::from_mins(1);

/// The timer of the runtime counts milliseconds; a moment too late is better than a round too many.
const TIMER_STEP: Duration = Duration::from_micros(500);

/// What a piece of work came to.
enum Done {
    Listed(Result<Vec<RecurringRunId>, PortError>),
    Read(RecurringRunId, Result<Option<Reading>, PortError>),
    Fired {
        id: RecurringRunId,
        index: u64,
        slot: Timestamp,
        outcome: Outcome,
    },
    /// A run has ended, or is gone.
    Ended(RecurringRunId, RunId),
    Noted,
    /// It is time to list again.
    ListDue,
}

pub(super) struct Clockwork {
    desk: Arc<Desk>,
    inbox: mpsc::UnboundedReceiver<Message>,
    entries: HashMap<RecurringRunId, Entry>,
    /// Times to wake for, with entries that no longer count.
    alarms: BinaryHeap<Reverse<(Timestamp, RecurringRunId)>>,
    work: FuturesUnordered<BoxFuture<'static, Done>>,
    /// Pieces of work that must end before everything is settled.
    unsettled: usize,
    settlers: Vec<oneshot::Sender<()>>,
}

impl Clockwork {
    pub(super) fn new(desk: Arc<Desk>, inbox: mpsc::UnboundedReceiver<Message>) -> Self {
        Self {
            desk,
            inbox,
            entries: HashMap::new(),
            alarms: BinaryHeap::new(),
            work: FuturesUnordered::new(),
            unsettled: 0,
            settlers: Vec::new(),
        }
    }

    /// Runs until the handle is gone.
    pub(super) async fn run(mut self) {
        self.list();
        loop {
            let wait = self.alarms.peek().map(|Reverse((at, _))| at.since(self.desk.now()));
            tokio::select! {
                // What has happened comes before what is asked.
                biased;
                Some(done) = self.work.next(), if !self.work.is_empty() => self.done(done),
                message = self.inbox.recv() => match message {
                    Some(Message::LookAt(id)) => self.look_at(id),
                    Some(Message::Settle(reply)) => self.settlers.push(reply),
                    None => return,
                },
                () = sleep(wait), if wait.is_some() => {}
            }
            self.ring();
            if self.unsettled == 0 {
                for settler in self.settlers.drain(..) {
                    let _ = settler.send(());
                }
            }
        }
    }

    fn list(&mut self) {
        let desk = Arc::clone(&self.desk);
        self.begin(async move { Done::Listed(desk.ports.store.enabled_recurring_runs().await) });
    }

    /// Work that must end before everything is settled.
    fn begin(&mut self, work: impl Future<Output = Done> + Send + 'static) {
        self.unsettled += 1;
        self.work.push(Box::pin(work));
    }

    fn done(&mut self, done: Done) {
        match done {
            Done::Ended(id, run) => {
                if let Some(entry) = self.entries.get_mut(&id) {
                    entry.alive.remove(&run);
                    self.arrange(id);
                }
                return;
            }
            Done::ListDue => return self.list(),
            Done::Listed(Ok(ids)) => ids.into_iter().for_each(|id| self.look_at(id)),
            Done::Listed(Err(error)) => {
                tracing::error!(%error, "cannot read the schedules, trying again");
                self.work.push(Box::pin(async {
                    tokio::time::sleep(LONGEST_SLEEP).await;
                    Done::ListDue
                }));
            }
            Done::Read(id, result) => self.read(id, result),
            Done::Fired { id, index, slot, outcome } => self.fired(id, index, slot, outcome),
            Done::Noted => {}
        }
        self.unsettled = self.unsettled.saturating_sub(1);
    }

    /// Reads the record of a schedule, now or when what is under way for it has ended.
    fn look_at(&mut self, id: RecurringRunId) {
        let entry = self.entries.entry(id).or_default();
        entry.is_stale = true;
        entry.try_at_once();
        self.arrange(id);
    }

    fn read(&mut self, id: RecurringRunId, result: Result<Option<Reading>, PortError>) {
        let now = self.desk.now();
        let Some(entry) = self.entries.get_mut(&id) else { return };
        entry.is_busy = false;
        match result {
            Ok(Some(reading)) => {
                entry.plan = Some(reading.plan);
                for run in reading.unfinished {
                    if entry.alive.insert(run) {
                        let desk = Arc::clone(&self.desk);
                        self.work.push(Box::pin(until_ended(desk, id, run)));
                    }
                }
            }
            Ok(None) => entry.plan = None,
            Err(error) => {
                tracing::error!(recurring_run = %id, %error, "cannot read a schedule");
                entry.failed(now);
                // What cannot be understood will not be understood later.
                entry.is_stale |= error.kind != ErrorKind::InvalidArgument;
            }
        }
        self.arrange(id);
    }

    fn fired(&mut self, id: RecurringRunId, index: u64, slot: Timestamp, outcome: Outcome) {
        let now = self.desk.now();
        let Some(entry) = self.entries.get_mut(&id) else { return };
        entry.is_busy = false;
        match outcome {
            Outcome::Made(run) => {
                tracing::info!(recurring_run = %id, %run, index, slot = slot.to_rfc3339(), "recurring run fired");
                entry.fired(index, slot, run);
                let desk = Arc::clone(&self.desk);
                self.work.push(Box::pin(until_ended(desk, id, run)));
            }
            Outcome::Stale => entry.is_stale = true,
            Outcome::Failed(error) => {
                entry.failed(now);
                let message = error.to_string();
                if entry.noted.as_ref() != Some(&message) {
                    tracing::warn!(recurring_run = %id, index, %error, "cannot make a run, trying again");
                    // That this server ends, or is short of something for a moment, is no fault of the schedule.
                    if error.is_retryable() {
                        return self.arrange(id);
                    }
                    entry.noted = Some(message.clone());
                    let desk = Arc::clone(&self.desk);
                    self.begin(async move {
                        desk.note(id, message).await;
                        Done::Noted
                    });
                }
            }
        }
        self.arrange(id);
    }

    /// Does what is next for a schedule: reads it, makes a run, sets an alarm, or forgets it.
    fn arrange(&mut self, id: RecurringRunId) {
        let now = self.desk.now();
        let Some(entry) = self.entries.get_mut(&id).filter(|entry| !entry.is_busy) else { return };
        entry.alarm = None;
        match entry.next(now) {
            Next::Read => {
                (entry.is_busy, entry.is_stale) = (true, false);
                let desk = Arc::clone(&self.desk);
                self.begin(async move { Done::Read(id, desk.read(id).await) });
            }
            Next::Fire { index, slot } => {
                entry.is_busy = true;
                let desk = Arc::clone(&self.desk);
                let tick = Tick { recurring_run_id: id, index };
                self.begin(async move {
                    let outcome = desk.fire(tick, slot).await;
                    Done::Fired { id, index, slot, outcome }
                });
            }
            Next::Wait(at) => {
                entry.alarm = Some(at);
                self.alarms.push(Reverse((at, id)));
            }
            Next::Blocked => {}
            Next::Over => {
                self.entries.remove(&id);
            }
        }
    }

    /// Turns to schedules whose time has come.
    fn ring(&mut self) {
        let now = self.desk.now();
        while let Some(Reverse((at, id))) = self.alarms.peek().copied()
            && (at <= now || self.entries.get(&id).and_then(|entry| entry.alarm) != Some(at))
        {
            self.alarms.pop();
            if self.entries.get(&id).is_some_and(|entry| entry.alarm == Some(at)) {
                self.arrange(id);
            }
        }
    }
}

async fn until_ended(desk: Arc<Desk>, id: RecurringRunId, run: RunId) -> Done {
    desk.ports.runtime.until_left(run).await;
    Done::Ended(id, run)
}

async fn sleep(duration: Option<Duration>) {
    tokio::time::sleep(duration.unwrap_or_default().min(LONGEST_SLEEP) + TIMER_STEP).await;
}
