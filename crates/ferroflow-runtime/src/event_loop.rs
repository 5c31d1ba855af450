//! Waits for whatever comes first, gathers all else that is at hand, then settles.
//!
//! Gathering is what keeps the cost of a task low: a report, the events that follow from it and the start of the next
//! attempt meet in one commit, and one wake-up serves them all. An idle loop sleeps.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::time::Duration;

use ferroflow_engine::{Command, RunEvent};
use ferroflow_model::{RunId, Timestamp};
use ferroflow_ports::executor::Report;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::{mpsc, oneshot};

use crate::active::{ActiveRun, Phase, Slot};
use crate::id_block::IdAllocator;
use crate::options::{RuntimeOptions, RuntimePorts};
use crate::perform::{Call, Created, Done};
use crate::request::{Request, answer};
use crate::slots::Slots;

/// Most news in one gathering, so that commits do not wait for a crowd.
const MOST_NEWS: usize = 512;

/// Wait before a time is looked at again that should have passed.
const NEXT_LOOK: Duration = Duration::from_millis(10);

/// The loop with all runs.
pub(crate) struct EventLoop {
    pub(crate) core: Core,
    pub(crate) runs: HashMap<RunId, Slot>,
    requests: mpsc::UnboundedReceiver<Request>,
    /// Times to wake for, with entries that no longer count.
    alarms: BinaryHeap<Reverse<(Timestamp, RunId)>>,
    is_executor_open: bool,
    /// Who waits for the end of the loop.
    closers: Vec<oneshot::Sender<()>>,
    pub(crate) is_draining: bool,
}

/// What the steps of a run need beside the run itself.
pub(crate) struct Core {
    pub(crate) ports: RuntimePorts,
    pub(crate) options: RuntimeOptions,
    pub(crate) ids: IdAllocator,
    pub(crate) slots: Slots,
    /// Wall-clock time of this gathering.
    pub(crate) now: Timestamp,
    pub(crate) calls: FuturesUnordered<Call>,
    /// Calls that must end before the loop may.
    pub(crate) obligations: usize,
    /// What came at once.
    pub(crate) news: VecDeque<Done>,
    /// Events of the run that is being fed.
    pub(crate) events: VecDeque<RunEvent>,
    /// Empty between events; kept for its memory.
    pub(crate) commands: Vec<Command>,
    /// Runs to settle.
    pub(crate) dirty: Vec<RunId>,
}

impl Core {
    pub(crate) fn look_at_clock(&mut self) {
        self.now = self.ports.clock.now();
    }

    pub(crate) fn call(&mut self, call: Call) {
        self.calls.push(call);
    }

    /// A call that must end before the loop may.
    pub(crate) fn oblige(&mut self, call: Call) {
        self.obligations += 1;
        self.calls.push(call);
    }

    /// The run is looked at when the gathering is over.
    pub(crate) fn mark(&mut self, run: &mut ActiveRun) {
        if !run.is_dirty {
            run.is_dirty = true;
            self.dirty.push(run.id);
        }
    }
}

/// Something that the loop woke for.
enum News {
    Request(Request),
    Report(Report),
    Done(Done),
    Alarm,
    /// The handle is gone.
    Abandoned,
    ExecutorClosed,
}

impl EventLoop {
    pub(crate) fn new(
        ports: RuntimePorts,
        options: RuntimeOptions,
        ids: IdAllocator,
        requests: mpsc::UnboundedReceiver<Request>,
    ) -> Self {
        let core = Core {
            now: ports.clock.now(),
            slots: Slots::new(options.parallelism),
            ports,
            options,
            ids,
            calls: FuturesUnordered::new(),
            obligations: 0,
            news: VecDeque::new(),
            events: VecDeque::new(),
            commands: Vec::new(),
            dirty: Vec::new(),
        };
        Self {
            core,
            runs: HashMap::new(),
            requests,
            alarms: BinaryHeap::new(),
            is_executor_open: true,
            closers: Vec::new(),
            is_draining: false,
        }
    }

    /// Runs until the handle shuts it down or is gone.
    pub(crate) async fn run(mut self) {
        self.settle();
        loop {
            if self.is_draining && self.is_drained() {
                break;
            }
            // Calls that are always ready must not keep others on this thread from their turn.
            tokio::task::consume_budget().await;
            let news = self.wait().await;
            self.core.look_at_clock();
            if matches!(news, News::Abandoned) {
                return;
            }
            self.take(news);
            self.gather();
            self.ring();
            self.settle();
        }
        self.core.ports.executor.detach().await;
        self.requests.close();
        while let Ok(request) = self.requests.try_recv() {
            request.refuse();
        }
        for closer in self.closers {
            let _ = closer.send(());
        }
    }

    /// The first thing that comes.
    async fn wait(&mut self) -> News {
        if let Some(done) = self.core.news.pop_front() {
            return News::Done(done);
        }
        let alarm = self.alarms.peek().map(|Reverse((at, _))| at.since(self.core.ports.clock.now()));
        let listens = self.is_executor_open && !self.is_draining;
        tokio::select! {
            biased;
            report = self.core.ports.executor.next_report(), if listens => {
                report.map_or(News::ExecutorClosed, News::Report)
            }
            // Requests before calls: who asked to watch and then read old rows must hear of the step that makes them new.
            request = self.requests.recv() => request.map_or(News::Abandoned, News::Request),
            Some(done) = self.core.calls.next(), if !self.core.calls.is_empty() => News::Done(done),
            () = sleep(alarm), if alarm.is_some() => News::Alarm,
        }
    }

    /// Everything else that is there already.
    fn gather(&mut self) {
        for _ in 0..MOST_NEWS {
            if let Some(done) = self.core.news.pop_front() {
                self.take(News::Done(done));
            } else if let Some(report) = self.ready_report() {
                self.take(News::Report(report));
            } else if let Ok(request) = self.requests.try_recv() {
                self.take(News::Request(request));
            } else if let Some(Some(done)) = self.core.calls.next().now_or_never() {
                self.take(News::Done(done));
            } else {
                return;
            }
        }
    }

    fn ready_report(&mut self) -> Option<Report> {
        if !self.is_executor_open || self.is_draining {
            return None;
        }
        self.core.ports.executor.next_report().now_or_never().flatten()
    }

    fn take(&mut self, news: News) {
        match news {
            News::Request(request) => self.request(request),
            News::Report(report) => self.observe(report),
            News::Done(done) => self.done(done),
            News::ExecutorClosed => {
                tracing::warn!("the executor has shut down; nothing more will be heard of attempts");
                self.is_executor_open = false;
            }
            News::Alarm | News::Abandoned => {}
        }
    }

    fn done(&mut self, done: Done) {
        match done {
            Done::Created(created) => self.created(*created),
            Done::Committed { run, result } => self.committed(run, result),
            Done::CommitDue { run } => self.commit_due(run),
            Done::CacheAnswered { run, task, answer } => {
                if let Some(Slot::Active(run)) = self.runs.get_mut(&run) {
                    self.core.answer_cache(run, task, answer);
                }
            }
            Done::NotStarted { id, error } => self.not_started(&id, &error),
            Done::Loaded { run, result } => self.loaded(run, result),
            Done::Deleted { run, result } => self.deleted(run, result),
            Done::Obligation => self.core.obligations = self.core.obligations.saturating_sub(1),
            Done::Nothing => {}
        }
    }

    fn created(&mut self, created: Created) {
        self.core.obligations = self.core.obligations.saturating_sub(1);
        if let Ok(row) = &created.result {
            tracing::info!(run = %row.id, pipeline = row.pipeline_name, "run accepted");
            let mut run = Box::new(ActiveRun::new(row.id, &row.pipeline_name, created.state));
            run.begin_at = Some(row.created_at.plus(self.core.options.start_delay));
            self.put(run);
        }
        answer(created.reply, created.result);
    }

    /// Takes a run in.
    pub(crate) fn put(&mut self, mut run: Box<ActiveRun>) {
        self.core.mark(&mut run);
        self.runs.insert(run.id, Slot::Active(run));
    }

    /// Tells runs whose time has come.
    fn ring(&mut self) {
        while let Some(Reverse((at, id))) = self.alarms.peek().copied()
            && at <= self.core.now
        {
            self.alarms.pop();
            if let Some(Slot::Active(run)) = self.runs.get_mut(&id)
                && run.wake_at == Some(at)
            {
                run.wake_at = None;
                if run.state.next_wake().is_some_and(|due| due <= self.core.now) {
                    self.core.feed(run, RunEvent::TimeReached);
                }
                self.core.mark(run);
            }
        }
    }

    /// Begins, admits, commits and sets alarms for all runs that something happened to.
    fn settle(&mut self) {
        while !self.core.dirty.is_empty() {
            if !self.is_draining {
                self.begin();
                self.admit();
            }
            for id in std::mem::take(&mut self.core.dirty) {
                let Some(Slot::Active(run)) = self.runs.get_mut(&id) else { continue };
                run.is_dirty = false;
                self.core.flush(run, self.is_draining || !run.deleters.is_empty());
                self.core.remove_if_wanted(run);
                set_alarm(&mut self.alarms, run, self.core.now);
                self.leave_if_over(id);
            }
        }
    }

    /// Starts work on runs that are due.
    fn begin(&mut self) {
        for place in 0..self.core.dirty.len() {
            let Some(id) = self.core.dirty.get(place) else { break };
            if let Some(Slot::Active(run)) = self.runs.get_mut(id)
                && run.begin_at.is_some_and(|at| at <= self.core.now)
            {
                run.begin_at = None;
                self.core.feed(run, RunEvent::Started);
            }
        }
    }

    /// No more requests and reports; what is under way is brought to its end.
    pub(crate) fn drain(&mut self, closer: oneshot::Sender<()>) {
        self.is_draining = true;
        self.closers.push(closer);
        for slot in self.runs.values_mut() {
            if let Slot::Active(run) = slot {
                self.core.mark(run);
            }
        }
    }

    fn is_drained(&self) -> bool {
        let is_stored = |slot: &Slot| match slot {
            Slot::Active(run) => run.is_stored() || run.phase == Phase::Closing || run.is_stalled(),
            Slot::Loading(_) | Slot::Ghost(_) | Slot::Fenced => true,
        };
        self.core.obligations == 0 && self.core.news.is_empty() && self.runs.values().all(is_stored)
    }
}

/// Wakes the loop for the run's next time.
fn set_alarm(alarms: &mut BinaryHeap<Reverse<(Timestamp, RunId)>>, run: &mut ActiveRun, now: Timestamp) {
    let next = match run.phase {
        Phase::Live => run.begin_at.into_iter().chain(run.state.next_wake()).min(),
        Phase::Ended | Phase::Faulted | Phase::Closing => None,
    };
    // A time that has passed and did not go away is looked at again, but not at once.
    let next = next.map(|at| if at <= now { now.plus(NEXT_LOOK) } else { at });
    if next != run.wake_at {
        run.wake_at = next;
        alarms.extend(next.map(|at| Reverse((at, run.id))));
    }
}

async fn sleep(duration: Option<Duration>) {
    // The timer of the runtime counts milliseconds; a moment too late is better than a round too many.
    tokio::time::sleep(duration.unwrap_or_default() + Duration::from_micros(500)).await;
}
