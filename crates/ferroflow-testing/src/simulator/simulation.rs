//! One simulated run: what happens when, and the checks after each step.
//!
//! A step is an event for the engine. Its rows, its event and what it asks for are committed alone or with others; what
//! is asked for is done after the commit, except that attempts may be started before. A crash drops the state and all
//! that was not committed; then the run goes on from what the store and the executor hold.

mod crash;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use ferroflow_engine::{AttemptOutcome, Command, IdBlock, Plan, RunEvent, RunSettings, RunState, Semantics};
use ferroflow_model::record::AttemptPhases;
use ferroflow_model::{AttemptId, RunStatus, TaskPath, TaskStatus, Timestamp};
use ferroflow_spec::ir::PipelineSpec;

use super::executor::{Executor, Started};
use super::generator::Case;
use super::invariant::{Rows, component_of, is_in_exit_task};
use super::store::{Batch, Numbers, Store};
use super::{Check, Report, behaviour, ensure, verdict};
use crate::random::{Random, hash};

/// More steps than any case needs: whoever takes more goes round in circles.
const MOST_STEPS: u64 = 50_000;

/// A terminated run stays in CANCELING at least this long.
const CANCELING_AT_LEAST: Duration = Duration::from_secs(2);

/// What is going to happen.
enum Happening {
    /// The process of an attempt ends, if it still runs.
    Ends(AttemptId),
    /// The executor reports how an attempt ended.
    Report(AttemptId),
    /// The store answers a question to the cache.
    Answer(TaskPath),
    Start,
    Terminate,
    Retry,
    /// From a task on.
    RetryFrom(TaskPath),
    /// Somebody wakes the run for no reason.
    Wake,
}

/// What the runtime still has to do for the commands of the engine.
enum Act {
    LookUp(TaskPath),
    Queue(AttemptId),
    Launch(AttemptId),
    Stop(AttemptId),
}

/// Where a run is, as clients see it.
#[derive(Clone, Default)]
struct Marks {
    has_ended: bool,
    ends: u32,
    /// How often clients will have it run again.
    retries_left: u32,
    terminated_at: Option<Timestamp>,
    /// How often tasks had failed when the run ended last.
    failed: Arc<HashMap<TaskPath, u32>>,
    /// Whether it was run again from a task on: then what had succeeded may be done again.
    was_redone: bool,
}

pub(super) struct Simulation<'a> {
    case: &'a Case,
    random: Random,
    spec: PipelineSpec,
    plan: Arc<Plan>,
    settings: RunSettings,
    now: Timestamp,
    /// What is going to happen, by time and in the order in which it was decided.
    agenda: BTreeMap<(Timestamp, u64), Happening>,
    decided: u64,
    store: Store,
    executor: Executor<'a>,
    // What a crash drops:
    state: RunState,
    /// Rows with those not committed yet.
    rows: Rows,
    numbers: Numbers,
    batch: Batch,
    acts: Vec<Act>,
    /// Reports that the next commit makes durable.
    heard: Vec<AttemptId>,
    /// Requests of clients that the next commit makes durable.
    requests: Vec<Happening>,
    waiting: VecDeque<AttemptId>,
    running: HashSet<AttemptId>,
    // What is counted:
    report: Report,
    marks: Marks,
    committed_marks: Marks,
    trace: Option<&'a mut Vec<String>>,
}

impl<'a> Simulation<'a> {
    /// Runs a case to its end. With `trace`, what happens is written there.
    pub(super) fn run(case: &'a Case, trace: Option<&'a mut Vec<String>>) -> Check<Report> {
        let mut simulation = Self::new(case, trace)?;
        simulation.go()?;
        Ok(simulation.report)
    }

    fn new(case: &'a Case, trace: Option<&'a mut Vec<String>>) -> Check<Self> {
        let spec = case.pipeline.spec();
        let plan = Arc::new(Plan::new(Arc::new(spec.clone())).map_err(|fault| fault.to_string())?);
        let now = Timestamp::from_seconds(1_700_000_000);
        let settings = settings(case, now)?;
        let marks = Marks { retries_left: case.circumstances.retries, ..Marks::default() };
        let mut simulation = Self {
            case,
            random: Random::new(hash(case.seed ^ u64::from(case.schedule), "run")),
            spec,
            state: RunState::new(Arc::clone(&plan), &settings),
            plan,
            now,
            agenda: BTreeMap::new(),
            decided: 0,
            store: Store::new(settings.ids.first + settings.ids.count),
            settings,
            executor: Executor::new(case),
            rows: Rows::default(),
            numbers: Numbers(0),
            batch: Batch::default(),
            acts: Vec::new(),
            heard: Vec::new(),
            requests: Vec::new(),
            waiting: VecDeque::new(),
            running: HashSet::new(),
            report: Report::default(),
            marks: marks.clone(),
            committed_marks: marks,
            trace,
        };
        simulation.numbers = simulation.store.numbers();
        simulation.decide_requests();
        Ok(simulation)
    }

    fn decide_requests(&mut self) {
        self.after(0, Happening::Start);
        for at in &self.case.circumstances.terminate_at {
            self.after(*at, Happening::Terminate);
        }
        for happening in [Happening::Start, Happening::Retry, Happening::Wake, Happening::Wake] {
            if self.random.chance(20) {
                let at = self.random.below(10_000);
                self.after(at, happening);
            }
        }
    }

    /// Decides that something happens in so many milliseconds.
    fn after(&mut self, milliseconds: u32, happening: Happening) {
        let at = self.now.plus(Duration::from_millis(u64::from(milliseconds)));
        self.decided += 1;
        self.agenda.insert((at, self.decided), happening);
    }

    fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            let line = line();
            trace.push(line);
        }
    }

    fn go(&mut self) -> Check {
        let circumstances = &self.case.circumstances;
        loop {
            ensure(self.report.events < MOST_STEPS, || "the run does not come to an end".to_owned())?;
            let is_idle = !self.next_step()?;
            if is_idle && self.batch.events.is_empty() {
                return self.check_end();
            }
            if self.random.chance(circumstances.crash_percent / 4) {
                self.crash(false)?;
            }
            if !is_idle && self.random.chance(circumstances.batch_percent) {
                continue;
            }
            self.commit()?;
            if self.random.chance(circumstances.crash_percent) {
                self.crash(true)?;
            }
            self.perform_all()?;
        }
    }

    /// Lets the next thing happen; false if there is none.
    fn next_step(&mut self) -> Check<bool> {
        let may_admit = !self.waiting.is_empty() && self.running.len() < self.case.circumstances.slots;
        let next = self.agenda.first_key_value().map(|((at, _), _)| *at);
        let wake = self.state.next_wake();
        let is_free = next.is_none() && wake.is_none();
        if may_admit
            && (is_free || self.random.chance(60))
            && let Some(id) = self.waiting.pop_front()
        {
            self.admit(id)?;
        } else if let Some(wake) = wake.filter(|wake| next.is_none_or(|next| *wake <= next)) {
            self.now = self.now.max(wake);
            self.apply(RunEvent::TimeReached)?;
        } else if let Some(((at, _), happening)) = self.agenda.pop_first() {
            self.now = self.now.max(at);
            self.happen(happening)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn admit(&mut self, id: AttemptId) -> Check {
        self.apply(RunEvent::AttemptAdmitted { task: id.path.clone(), attempt: id.attempt })?;
        self.running.insert(id.clone());
        if self.random.chance(30) {
            // Before it is committed: after a crash the same attempt is asked for again.
            self.launch(&id)
        } else {
            self.acts.push(Act::Launch(id));
            Ok(())
        }
    }

    fn happen(&mut self, happening: Happening) -> Check {
        match happening {
            Happening::Start => self.apply(RunEvent::Started),
            Happening::Wake => self.apply(RunEvent::TimeReached),
            Happening::Terminate => {
                self.requests.push(Happening::Terminate);
                self.apply(RunEvent::TerminateRequested)
            }
            Happening::Retry => {
                self.requests.push(Happening::Retry);
                self.apply(RunEvent::RetryRequested)
            }
            Happening::RetryFrom(task) => {
                self.requests.push(Happening::RetryFrom(task.clone()));
                self.apply(RunEvent::RetryFromRequested { task })
            }
            Happening::Ends(id) => {
                if self.executor.end(&id, &mut self.random) {
                    self.note_outcome(&id);
                    self.send_report(id);
                }
                Ok(())
            }
            Happening::Report(id) => self.hear(id),
            Happening::Answer(task) => self.answer(&task),
        }
    }

    fn note_outcome(&mut self, id: &AttemptId) {
        let outcome = self.executor.outcome(id).map(|outcome| format!("{outcome:?}"));
        self.note(|| format!("        {}#{} ends: {}", id.path, id.attempt, outcome.unwrap_or_default()));
    }

    /// Reports may come late, and more than once.
    fn send_report(&mut self, id: AttemptId) {
        let unreliable = self.case.circumstances.unreliable_percent;
        let delay = if self.random.chance(unreliable) { 5000 } else { 50 };
        let delay = self.random.below(delay);
        self.after(delay, Happening::Report(id.clone()));
        if self.random.chance(unreliable) {
            let delay = self.random.below(20_000);
            self.after(delay, Happening::Report(id));
        }
    }

    fn hear(&mut self, id: AttemptId) -> Check {
        let Some(outcome) = self.executor.outcome(&id).cloned() else { return Ok(()) };
        self.running.remove(&id);
        self.waiting.retain(|waiting| *waiting != id);
        self.batch.outbox.push((start_key(&id), None));
        self.batch.outbox.push((stop_key(&id), None));
        let finished = (self.random.chance(50)).then_some(self.now);
        let phases = AttemptPhases { finished, ..AttemptPhases::default() };
        let is_success = matches!(outcome, AttemptOutcome::Succeeded { .. });
        let counts = is_success && self.state.attempt(&id).is_some();
        self.apply(RunEvent::AttemptEnded { task: id.path.clone(), attempt: id.attempt, outcome, phases })?;
        let has_succeeded = self.rows.status_of(&id.path) == Some(TaskStatus::Succeeded);
        ensure(!counts || has_succeeded, || format!("the success of {id} was not taken"))?;
        self.heard.push(id);
        Ok(())
    }

    fn answer(&mut self, task: &TaskPath) -> Check {
        let component = component_of(&self.spec, task);
        let component = component.ok_or_else(|| format!("the cache is asked for `{task}`"))?;
        let hit = behaviour::cached(self.case.seed, task, component);
        let is_whole = hit.as_ref().is_some_and(|hit| behaviour::is_whole(hit, component));
        // After a retry, the answer to an old question finds a task that waits for others again.
        let may_start = self.rows.check_may_start(&self.spec, task).is_ok();
        let row = self.rows.tasks.get(task);
        let has_asked =
            row.is_some_and(|row| row.cache.is_some() && row.attempt == 0 && !row.status.is_terminal());
        let asks = may_start && has_asked;
        let is_hit = asks && is_whole;
        if is_hit {
            self.executor.note_hit(task);
        }
        self.batch.outbox.push((lookup_key(task), None));
        self.apply(RunEvent::CacheAnswered { task: task.clone(), hit })?;
        let is_cached = self.rows.status_of(task) == Some(TaskStatus::Cached);
        ensure(!asks || is_cached == is_hit, || {
            format!("`{task}` makes the wrong thing of the cache's answer")
        })
    }

    fn apply(&mut self, event: RunEvent) -> Check {
        self.report.events += 1;
        let now = self.now;
        self.note(|| {
            let event = serde_json::to_string(&event).unwrap_or_default();
            format!("{}ms {event}", now.as_micros() / 1000 % 10_000_000)
        });
        let before = self.state.status();
        let is_void = is_void(&event, before);
        let begins_again = matches!(event, RunEvent::RetryFromRequested { .. });
        let mut commands = Vec::new();
        let applied = self.state.apply(event, now, &mut self.numbers, &mut commands);
        let stored = applied.map_err(|fault| format!("the engine has a fault: {fault}"))?;
        self.state.audit().map_err(|fault| format!("the counters are wrong: {fault}"))?;
        let changes = self.state.take_changes();
        // It may end again at once.
        let reopens = before.is_terminal() && changes.run.is_some();
        self.marks.was_redone |= reopens && begins_again;
        self.executor.was_redone |= self.marks.was_redone;
        self.rows.check(&changes, reopens, self.marks.was_redone)?;
        ensure(!is_void || (changes == ferroflow_engine::Changes::default() && commands.is_empty()), || {
            format!(
                "an event that means nothing to a run that is {before:?} had an effect: {commands:?} {changes:?}"
            )
        })?;
        self.rows.take_in(changes.clone());
        if reopens {
            self.marks.has_ended = false;
            self.marks.terminated_at = None;
        }
        if self.state.status() == RunStatus::Canceling && before != RunStatus::Canceling {
            self.marks.terminated_at = Some(now);
            self.executor.was_terminated = true;
        }
        self.batch.events.push(serde_json::to_string(&stored).map_err(|error| error.to_string())?);
        self.batch.changes.push(changes);
        for command in commands {
            self.note(|| format!("        -> {}", serde_json::to_string(&command).unwrap_or_default()));
            self.take_command(command)?;
        }
        let is_over = self.state.status().is_terminal();
        ensure(is_over == self.marks.has_ended, || "the run's state and its Finish do not agree".to_owned())?;
        let wakes = is_over && self.state.next_wake().is_some();
        ensure(!wakes, || "the run has ended and wants to be woken".to_owned())
    }

    /// Checks what the engine asks for, and remembers it.
    fn take_command(&mut self, command: Command) -> Check {
        ensure(!self.marks.has_ended, || format!("the run has ended and asks for {command:?}"))?;
        let (key, act) = match &command {
            Command::LookUpCache { task, .. } => {
                ensure(self.case.circumstances.caching, || format!("`{task}` asks the cache"))?;
                self.rows.check_may_start(&self.spec, task)?;
                (lookup_key(task), Act::LookUp(task.clone()))
            }
            Command::StartAttempt { id } => {
                self.rows.check_may_start(&self.spec, &id.path)?;
                let may_start = match self.state.status() {
                    RunStatus::Running => true,
                    RunStatus::Canceling => is_in_exit_task(&self.spec, &id.path),
                    _ => false,
                };
                ensure(may_start, || format!("{id} starts too late"))?;
                ensure(self.state.attempt(id).is_some(), || format!("{id} starts, but is not live"))?;
                (start_key(id), Act::Queue(id.clone()))
            }
            Command::StopAttempt { id } => {
                let was_terminated = self.marks.terminated_at.is_some();
                ensure(was_terminated, || format!("{id} is stopped for no reason"))?;
                (stop_key(id), Act::Stop(id.clone()))
            }
            Command::Finish { status } => return self.finish(*status),
        };
        self.batch.outbox.push((key, Some(command)));
        self.acts.push(act);
        Ok(())
    }

    fn finish(&mut self, status: RunStatus) -> Check {
        ensure(status == self.state.status(), || "Finish has another state than the run".to_owned())?;
        self.marks.has_ended = true;
        self.marks.ends += 1;
        if let Some(at) = self.marks.terminated_at {
            ensure(status == RunStatus::Failed, || format!("a terminated run is {}", status.as_str()))?;
            let is_seen = self.now.since(at) >= CANCELING_AT_LEAST;
            ensure(is_seen, || "the run was CANCELING for less than two seconds".to_owned())?;
        } else if !self.marks.was_redone {
            let Self { case, spec, marks, executor, rows, .. } = self;
            verdict::check(case, spec, &marks.failed, executor, rows, status)?;
        }
        let failed = self.executor.tasks.iter().map(|(path, tally)| (path.clone(), tally.failures));
        self.marks.failed = Arc::new(failed.collect());
        if self.marks.retries_left > 0 && (status == RunStatus::Failed || self.random.chance(50)) {
            self.marks.retries_left -= 1;
            let delay = self.random.below(10_000);
            let paths: Vec<TaskPath> = self.rows.tasks.keys().cloned().collect();
            let from = self.random.pick(&paths).cloned().filter(|_| self.random.chance(50));
            self.after(delay, from.map_or(Happening::Retry, Happening::RetryFrom));
        }
        Ok(())
    }

    fn commit(&mut self) -> Check {
        let circumstances = &self.case.circumstances;
        let snapshot = self.random.chance(circumstances.snapshot_percent).then(|| self.state.snapshot());
        let batch = std::mem::take(&mut self.batch);
        self.store.commit(batch, &self.numbers, snapshot);
        self.requests.clear();
        self.committed_marks = self.marks.clone();
        for id in self.heard.drain(..) {
            self.executor.acknowledge(&id);
        }
        if self.random.chance(4) {
            self.store.rows.check_dump(&self.state)?;
            self.check_replay()?;
        }
        Ok(())
    }

    /// What the store holds leads to the state in memory.
    fn check_replay(&mut self) -> Check {
        let rebuilt = self.rebuild()?;
        self.check_same(&rebuilt)
    }

    fn rebuild(&mut self) -> Check<RunState> {
        let from_snapshot = self.random.chance(80);
        let rebuilt = self.store.rebuild(&self.plan, &self.settings, from_snapshot);
        rebuilt.map_err(|fault| format!("the run cannot be rebuilt: {fault}"))
    }

    fn check_same(&self, rebuilt: &RunState) -> Check {
        let (live, replayed) = (self.state.snapshot(), rebuilt.snapshot());
        ensure(live == replayed, || {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            format!("replay gives another state:\n{}\n{}", text(&live), text(&replayed))
        })?;
        ensure(rebuilt.next_wake() == self.state.next_wake(), || "replay wakes at another time".to_owned())
    }

    fn perform_all(&mut self) -> Check {
        for act in std::mem::take(&mut self.acts) {
            match act {
                Act::LookUp(task) => self.look_up(task),
                Act::Queue(id) => self.waiting.push_back(id),
                Act::Launch(id) => self.launch(&id)?,
                Act::Stop(id) => self.stop(id),
            }
        }
        Ok(())
    }

    fn look_up(&mut self, task: TaskPath) {
        let delay = self.random.below(100);
        if self.random.chance(self.case.circumstances.unreliable_percent) {
            self.after(2 * delay, Happening::Answer(task.clone()));
        }
        self.after(delay, Happening::Answer(task));
    }

    fn launch(&mut self, id: &AttemptId) -> Check {
        // It may have ended or been called off since.
        let Some(given) = self.state.attempt(id) else { return Ok(()) };
        match self.executor.ensure_started(given)? {
            Started::Before => {}
            Started::Ended => self.send_report(id.clone()),
            Started::Now => {
                let delay = self.random.below(3000);
                self.after(delay, Happening::Ends(id.clone()));
            }
        }
        Ok(())
    }

    fn stop(&mut self, id: AttemptId) {
        self.waiting.retain(|waiting| *waiting != id);
        if self.executor.stop(&id) {
            self.send_report(id);
        } else {
            let delay = self.random.below(1000);
            self.after(delay, Happening::Ends(id));
        }
    }

    /// Nothing is going to happen any more.
    fn check_end(&mut self) -> Check {
        let status = self.state.status();
        ensure(status.is_terminal(), || format!("nothing is going to happen, but the run is {status:?}"))?;
        let alive: Vec<&AttemptId> = self.executor.alive().collect();
        ensure(alive.is_empty(), || format!("the run has ended, but {alive:?} is alive"))?;
        let left: Vec<&String> = self.store.outbox.keys().collect();
        ensure(left.is_empty(), || format!("the run has ended, but is still to do {left:?}"))?;
        self.store.rows.check_dump(&self.state)?;
        self.check_replay()?;
        self.report.tasks = self.state.task_count() as u64;
        self.report.ends = u64::from(self.marks.ends);
        Ok(())
    }
}

/// Whether the event must change nothing in a run of this state.
fn is_void(event: &RunEvent, status: RunStatus) -> bool {
    match event {
        RunEvent::RetryRequested => status != RunStatus::Failed,
        RunEvent::RetryFromRequested { .. } => !status.is_terminal(),
        RunEvent::Started => status != RunStatus::Pending,
        // Also a second request to end means something: the end of exit tasks.
        _ => status.is_terminal(),
    }
}

fn settings(case: &Case, now: Timestamp) -> Check<RunSettings> {
    Ok(RunSettings {
        identity: super::identity(case.seed, now)?,
        arguments: case.arguments.clone(),
        caching: case.circumstances.caching,
        ids: IdBlock { first: 1, count: 3 },
        semantics: Semantics::default(),
    })
}

fn start_key(id: &AttemptId) -> String {
    format!("start/{}#{}", id.path, id.attempt)
}

fn stop_key(id: &AttemptId) -> String {
    format!("stop/{}#{}", id.path, id.attempt)
}

fn lookup_key(task: &TaskPath) -> String {
    format!("cache/{task}")
}
