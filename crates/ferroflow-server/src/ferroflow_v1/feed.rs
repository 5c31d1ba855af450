//! What was committed lately, kept for pages that lose their connection for a moment.
//!
//! Nothing is kept or converted while nobody looks: the log begins with the first page that asks for a cursor or a stream
//! and ends a minute after the last one has gone. Each life of the log has a name, so that cursors of an earlier life are
//! known to be too old.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ferroflow_model::{ExperimentId, PipelineId, RecurringRunId, RunId, RunStatus};
use ferroflow_ports::store::RunCommit;
use ferroflow_ports::{Change, Happening, Store};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::convert::task_state_of;
use super::wire::TaskState;

/// Entries, and tasks in them, that are kept.
const MOST_ENTRIES: usize = 8192;
const MOST_TASKS: usize = 50_000;
/// Entries that a listener may be behind before it has to read again.
const QUEUE: usize = 1024;
/// How long the log lives without anybody who listens.
const IDLE: Duration = Duration::from_mins(1);

/// One change with its number.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) number: u64,
    pub(super) what: What,
}

/// What changed.
#[derive(Debug)]
pub(super) enum What {
    /// A step of a run: tasks, new artifacts, and its new state if that changed.
    Step {
        run: RunId,
        status: Option<RunStatus>,
        has_run_change: bool,
        tasks: Vec<TaskState>,
        artifacts: u64,
    },
    /// A run outside its steps.
    Run(RunId, Happening),
    Experiment(ExperimentId, Happening),
    Pipeline(Option<PipelineId>, Happening),
    RecurringRun(RecurringRunId, Happening),
    /// Something was missed.
    Lost,
}

impl What {
    /// Whether it says something about a run.
    pub(super) fn is_about(&self, id: RunId) -> bool {
        match self {
            Self::Step { run, .. } | Self::Run(run, _) => *run == id,
            // An experiment takes its runs along to the archive.
            Self::Experiment(_, happening) => *happening == Happening::Updated,
            Self::Pipeline(..) | Self::RecurringRun(..) => false,
            Self::Lost => true,
        }
    }

    fn of(change: Change) -> Self {
        match change {
            Change::Step(commit) => Self::step(&commit),
            Change::Run(id, happening) => Self::Run(id, happening),
            Change::Experiment(id, happening) => Self::Experiment(id, happening),
            Change::Pipeline(id, happening) => Self::Pipeline(id, happening),
            Change::RecurringRun(id, happening) => Self::RecurringRun(id, happening),
            Change::Lost => Self::Lost,
        }
    }

    fn step(commit: &RunCommit) -> Self {
        Self::Step {
            run: commit.run_id,
            status: commit.run.as_ref().and_then(|run| run.status.as_ref()).map(|change| change.state),
            has_run_change: commit.run.is_some(),
            tasks: commit.tasks.iter().map(task_state_of).collect(),
            artifacts: commit.artifacts.len() as u64,
        }
    }

    fn task_count(&self) -> usize {
        if let Self::Step { tasks, .. } = self { tasks.len() } else { 0 }
    }
}

/// The log.
pub(super) struct ChangeLog {
    store: Arc<dyn Store>,
    stop: CancellationToken,
    state: Mutex<State>,
}

struct State {
    /// Name of this life of the log; `None` while nothing is kept.
    life: Option<String>,
    next: u64,
    entries: VecDeque<Arc<Entry>>,
    tasks: usize,
    sender: broadcast::Sender<Arc<Entry>>,
    used_at: Instant,
}

/// Entries from some point on.
pub(super) struct Listener {
    /// What was missed, to be told first.
    pub(super) missed: VecDeque<Arc<Entry>>,
    /// Whether the point was too long ago.
    pub(super) is_too_late: bool,
    /// Name of the life of the log.
    pub(super) life: String,
    /// Number of the last entry before the live ones.
    pub(super) number: u64,
    live: broadcast::Receiver<Arc<Entry>>,
}

impl Listener {
    /// The next entry; `None` in the place of those that this listener was too slow for. Waits for ever if the log ends.
    pub(super) async fn next(&mut self) -> Option<Arc<Entry>> {
        if let Some(entry) = self.missed.pop_front() {
            return Some(entry);
        }
        match self.live.recv().await {
            Ok(entry) => {
                self.number = entry.number;
                Some(entry)
            }
            Err(broadcast::error::RecvError::Lagged(_)) => None,
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }

    /// Waits until something about a run may have changed.
    pub(super) async fn changed(&mut self, run: RunId) {
        while self.next().await.is_some_and(|entry| !entry.what.is_about(run)) {}
    }
}

impl ChangeLog {
    pub(super) fn new(store: Arc<dyn Store>, stop: CancellationToken) -> Arc<Self> {
        let state = State {
            life: None,
            next: 1,
            entries: VecDeque::new(),
            tasks: 0,
            sender: broadcast::channel(QUEUE).0,
            used_at: Instant::now(),
        };
        Arc::new(Self { store, stop, state: Mutex::new(state) })
    }

    /// The point from which changes are to be told to somebody who begins to read now.
    pub(super) fn cursor(self: &Arc<Self>) -> String {
        self.with(|state, life| format!("{life}-{}", state.next - 1))
    }

    /// Listens from now on, or from the point of a cursor.
    pub(super) fn listen(self: &Arc<Self>, cursor: Option<&str>) -> Listener {
        self.with(|state, life| {
            let mut listener = Listener {
                missed: VecDeque::new(),
                is_too_late: false,
                life: life.to_owned(),
                number: state.next - 1,
                live: state.sender.subscribe(),
            };
            if let Some(cursor) = cursor {
                let number = cursor
                    .strip_prefix(life)
                    .and_then(|rest| rest.strip_prefix('-'))
                    .and_then(|number| number.parse::<u64>().ok());
                let first = state.entries.front().map_or(state.next, |entry| entry.number);
                match number {
                    Some(number) if number + 1 >= first && number < state.next => {
                        let missed = state.entries.iter().filter(|entry| entry.number > number);
                        listener.missed = missed.cloned().collect();
                    }
                    _ => listener.is_too_late = true,
                }
            }
            listener
        })
    }

    /// Begins a life of the log if there is none.
    fn with<T>(self: &Arc<Self>, work: impl FnOnce(&mut State, &str) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.used_at = Instant::now();
        let life = if let Some(life) = &state.life {
            life.clone()
        } else {
            let life = Uuid::new_v4().simple().to_string();
            state.life = Some(life.clone());
            // Listened to before anybody gets a cursor.
            tokio::spawn(Arc::clone(self).run(self.store.changes()));
            life
        };
        work(&mut state, &life)
    }

    async fn run(self: Arc<Self>, mut changes: BoxStream<'static, Change>) {
        loop {
            tokio::select! {
                change = changes.next() => match change {
                    Some(change) => self.add(What::of(change)),
                    None => return,
                },
                () = tokio::time::sleep(IDLE) => if self.end_if_idle() { return },
                () = self.stop.cancelled() => return,
            }
        }
    }

    fn add(&self, what: What) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = Arc::new(Entry { number: state.next, what });
        state.next += 1;
        state.tasks += entry.what.task_count();
        state.entries.push_back(Arc::clone(&entry));
        while state.entries.len() > MOST_ENTRIES || state.tasks > MOST_TASKS {
            let Some(old) = state.entries.pop_front() else { break };
            state.tasks -= old.what.task_count();
        }
        // Nobody need be listening.
        let _ = state.sender.send(entry);
    }

    fn end_if_idle(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.sender.receiver_count() > 0 || state.used_at.elapsed() < IDLE {
            return false;
        }
        state.life = None;
        state.entries = VecDeque::new();
        state.tasks = 0;
        true
    }
}
