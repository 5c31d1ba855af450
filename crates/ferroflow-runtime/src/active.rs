//! A run in memory, and the other things that can stand in its place.
//!
//! Ended runs are not kept: they are read from the store like any other row.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use ferroflow_engine::{AttemptOutcome, CacheHit, RunState};
use ferroflow_model::record::AttemptPhases;
use ferroflow_model::{AttemptId, RunId, TaskPath, Timestamp};
use ferroflow_ports::executor::Report;
use ferroflow_ports::store::RunCommit;
use tokio::sync::oneshot;

use crate::request::{Reply, Request, Watcher};
use crate::step::Step;

/// What stands in the place of a run.
pub(crate) enum Slot {
    /// It is in work.
    Active(Box<ActiveRun>),
    /// It is being read from the store; what arrives meanwhile waits.
    Loading(Box<Loading>),
    /// It has gone from here, but attempts of it have not ended and hold slots.
    Ghost(Ghost),
    /// Somebody else wrote it: hands off until the next start.
    Fenced,
}

/// What a client wants to run again, and where the answer goes.
pub(crate) type Retry = (Option<TaskPath>, Reply<()>);

/// A run that is being read.
#[derive(Default)]
pub(crate) struct Loading {
    /// Client of the retry that it is read for.
    pub(crate) retry: Option<Retry>,
    pub(crate) requests: Vec<Request>,
    pub(crate) reports: Vec<Report>,
}

/// What is left of a run that was deleted or failed by a fault.
#[derive(Default)]
pub(crate) struct Ghost {
    pub(crate) alive: HashSet<AttemptId>,
    /// Whether the executor shall forget the run when nothing of it is alive.
    pub(crate) is_deleted: bool,
}

/// A run in work.
pub(crate) struct ActiveRun {
    pub(crate) id: RunId,
    pub(crate) state: RunState,
    pub(crate) pipeline_name: Arc<str>,
    pub(crate) phase: Phase,
    /// Whether it was taken up from the store.
    pub(crate) is_adopted: bool,
    /// When to begin; `None` once it has begun.
    pub(crate) begin_at: Option<Timestamp>,
    /// Time for which the loop will wake for this run.
    pub(crate) wake_at: Option<Timestamp>,
    /// Number of the first event of the step being filled.
    pub(crate) next_seq: u64,
    /// Events since the last snapshot, those of the step not counted.
    pub(crate) since_snapshot: u64,
    /// Size of the last block of numbers.
    pub(crate) last_block: i64,
    /// Attempts that wait for a slot, in order.
    pub(crate) queue: VecDeque<AttemptId>,
    pub(crate) is_in_rotation: bool,
    /// Attempts that hold a slot.
    pub(crate) running: HashSet<AttemptId>,
    /// Attempts that were asked to stop.
    pub(crate) stopping: HashSet<AttemptId>,
    /// Reports of attempts that are not known (yet), see `observe`.
    pub(crate) early: HashMap<AttemptId, (AttemptOutcome, AttemptPhases)>,
    pub(crate) lookups: Lookups,
    /// Results that are not durable yet, by fingerprint: the store does not show them, this run may use them.
    pub(crate) fresh: HashMap<String, CacheHit>,
    pub(crate) step: Step,
    pub(crate) flight: Option<Flight>,
    /// Whether the run is in the list of runs to settle.
    pub(crate) is_dirty: bool,
    pub(crate) watchers: Vec<Watcher>,
    pub(crate) waiters: Vec<oneshot::Sender<()>>,
    /// Clients who want it removed.
    pub(crate) deleters: Vec<Reply<()>>,
    /// Requests that wait until it has left.
    pub(crate) later: Vec<Request>,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// At work.
    Live,
    /// The engine has finished it; what is left is to store that.
    Ended,
    /// The engine failed; attempts may be alive.
    Faulted,
    /// It is being deleted: nothing is taken or stored any more.
    Closing,
}

/// Questions to the cache that have no answer yet.
#[derive(Default)]
pub(crate) struct Lookups {
    /// By task; the key of the outbox while it is not stored.
    pub(crate) open: HashMap<TaskPath, PendingLookup>,
    /// Those that were not asked yet, in order.
    pub(crate) waiting: VecDeque<TaskPath>,
    /// How many the store is asked at the moment.
    pub(crate) asked: usize,
    /// How many of them are not in the outbox yet.
    pub(crate) unstored: usize,
}

/// A question to the cache.
pub(crate) struct PendingLookup {
    pub(crate) fingerprint: String,
    pub(crate) is_stored: bool,
}

/// A commit under way.
pub(crate) struct Flight {
    pub(crate) commit: Arc<RunCommit>,
    pub(crate) acknowledge: Vec<AttemptId>,
    pub(crate) replies: Vec<Reply<()>>,
    /// How often it failed in a way that may pass.
    pub(crate) failures: u32,
}

impl ActiveRun {
    /// A run of which nothing is in work.
    pub(crate) fn new(id: RunId, pipeline_name: &str, state: RunState) -> Self {
        Self {
            id,
            state,
            pipeline_name: pipeline_name.into(),
            phase: Phase::Live,
            is_adopted: false,
            begin_at: None,
            wake_at: None,
            next_seq: 1,
            since_snapshot: 0,
            last_block: 0,
            queue: VecDeque::new(),
            is_in_rotation: false,
            running: HashSet::new(),
            stopping: HashSet::new(),
            early: HashMap::new(),
            lookups: Lookups::default(),
            fresh: HashMap::new(),
            step: Step::default(),
            flight: None,
            is_dirty: false,
            watchers: Vec::new(),
            waiters: Vec::new(),
            deleters: Vec::new(),
            later: Vec::new(),
        }
    }

    /// Whether the store refuses this run's commits for now; nothing new is started then.
    pub(crate) fn is_stalled(&self) -> bool {
        self.flight.as_ref().is_some_and(|flight| flight.failures > 0)
    }

    /// Whether nothing is left to store.
    pub(crate) fn is_stored(&self) -> bool {
        self.flight.is_none() && self.step.is_empty()
    }

    /// Takes the changed rows out of the state into the step.
    pub(crate) fn absorb_changes(&mut self) {
        let changes = self.state.take_changes();
        for result in &changes.cacheable {
            let hit = CacheHit { execution_id: result.execution_id, outputs: result.outputs.clone() };
            self.fresh.insert(result.key.fingerprint.clone(), hit);
        }
        self.step.absorb(changes);
    }
}

/// Key of a start in the outbox.
pub(crate) fn start_key(id: &AttemptId) -> String {
    format!("start/{}#{}", id.path, id.attempt)
}

/// Key of a stop in the outbox.
pub(crate) fn stop_key(id: &AttemptId) -> String {
    format!("stop/{}#{}", id.path, id.attempt)
}

/// Key of a question to the cache in the outbox.
pub(crate) fn lookup_key(task: &TaskPath) -> String {
    format!("cache/{task}")
}
