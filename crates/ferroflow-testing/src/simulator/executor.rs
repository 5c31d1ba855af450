//! The executor of the simulator: attempts that run, end, and are reported until somebody acknowledges the report.
//!
//! It survives crashes of whoever uses it, as processes do. When an attempt ends and when its report arrives is decided
//! by the simulation.

use std::collections::{BTreeMap, HashMap};

use ferroflow_engine::{AttemptOutcome, ProducedOutputs, TaskAttempt};
use ferroflow_model::{AttemptId, TaskPath};

use super::behaviour;
use super::generator::Case;
use super::{Check, ensure};
use crate::random::Random;

/// Losses in a row; the engine gives up only after more.
const MOST_LOSSES: u32 = 4;

/// All attempts ever started.
pub(super) struct Executor<'a> {
    case: &'a Case,
    attempts: BTreeMap<AttemptId, Attempt>,
    /// What is known of each task.
    pub(super) tasks: HashMap<TaskPath, Tally>,
    /// Whether a client wanted the run to end: a task may run twice then, as its first success goes unheard.
    pub(super) was_terminated: bool,
    /// Whether a client wanted all from some task on to be done again.
    pub(super) was_redone: bool,
}

struct Attempt {
    /// What it makes if it succeeds.
    outputs: ProducedOutputs,
    is_asked_to_stop: bool,
    /// How it ended.
    outcome: Option<AttemptOutcome>,
    is_acknowledged: bool,
}

/// What is known of a task over all its attempts.
#[derive(Default)]
pub(super) struct Tally {
    /// Attempts that failed by themselves.
    pub(super) failures: u32,
    losses: u32,
    /// Whether its last result is a success, its own or an earlier one.
    has_succeeded: bool,
    /// What the last attempt was given.
    pub(super) given: Option<TaskAttempt>,
}

/// What follows from a request to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Started {
    /// It runs now.
    Now,
    /// It ran already.
    Before,
    /// It has ended; the report is to be repeated.
    Ended,
}

impl<'a> Executor<'a> {
    pub(super) fn new(case: &'a Case) -> Self {
        Self {
            case,
            attempts: BTreeMap::new(),
            tasks: HashMap::new(),
            was_terminated: false,
            was_redone: false,
        }
    }

    /// Starts an attempt, unless it was started before.
    pub(super) fn ensure_started(&mut self, given: TaskAttempt) -> Check<Started> {
        let id = given.id.clone();
        if let Some(known) = self.attempts.get(&id) {
            return Ok(if known.outcome.is_some() { Started::Ended } else { Started::Before });
        }
        let others = self.attempts.range(first_of(&id)..id.clone());
        let mut alive = others.filter(|(_, other)| other.outcome.is_none() && !other.is_asked_to_stop);
        if let Some((other, _)) = alive.next() {
            return Err(format!("{id} is started while {other} is alive"));
        }
        let tally = self.tasks.entry(id.path.clone()).or_default();
        let may_repeat = self.was_terminated || self.was_redone;
        ensure(may_repeat || !tally.has_succeeded, || format!("{id} is started after a success"))?;
        let outputs = behaviour::outputs(self.case.seed, &given);
        tally.given = Some(given);
        let attempt = Attempt { outputs, is_asked_to_stop: false, outcome: None, is_acknowledged: false };
        self.attempts.insert(id, attempt);
        Ok(Started::Now)
    }

    /// Asks an attempt to stop, also one that never started. Whether it has ended.
    pub(super) fn stop(&mut self, id: &AttemptId) -> bool {
        let attempt = self.attempts.entry(id.clone()).or_insert_with(|| Attempt {
            outputs: ProducedOutputs::default(),
            is_asked_to_stop: true,
            outcome: Some(AttemptOutcome::Stopped),
            is_acknowledged: false,
        });
        attempt.is_asked_to_stop = true;
        attempt.outcome.is_some()
    }

    /// The time of an attempt has come. Whether it ended just now.
    pub(super) fn end(&mut self, id: &AttemptId, random: &mut Random) -> bool {
        let Some(attempt) = self.attempts.get_mut(id).filter(|attempt| attempt.outcome.is_none()) else {
            return false;
        };
        let Case { seed, circumstances, .. } = self.case;
        let tally = self.tasks.entry(id.path.clone()).or_default();
        let outcome = if attempt.is_asked_to_stop && random.chance(80) {
            AttemptOutcome::Stopped
        } else if tally.losses < MOST_LOSSES && random.chance(circumstances.lost_percent) {
            tally.losses += 1;
            AttemptOutcome::Lost { reason: "nobody saw it end".to_owned() }
        } else if tally.failures < behaviour::failures(*seed, &id.path, circumstances.failing_percent) {
            tally.losses = 0;
            tally.failures += 1;
            tally.has_succeeded = false;
            behaviour::failed()
        } else {
            tally.losses = 0;
            tally.has_succeeded = true;
            AttemptOutcome::Succeeded { outputs: attempt.outputs.clone() }
        };
        attempt.outcome = Some(outcome);
        true
    }

    /// How an attempt ended.
    pub(super) fn outcome(&self, id: &AttemptId) -> Option<&AttemptOutcome> {
        self.attempts.get(id)?.outcome.as_ref()
    }

    pub(super) fn acknowledge(&mut self, id: &AttemptId) {
        if let Some(attempt) = self.attempts.get_mut(id) {
            attempt.is_acknowledged = true;
        }
    }

    /// Attempts whose end nobody has acknowledged.
    pub(super) fn unheard(&self) -> Vec<AttemptId> {
        let unheard = |attempt: &Attempt| attempt.outcome.is_some() && !attempt.is_acknowledged;
        self.attempts.iter().filter(|(_, attempt)| unheard(attempt)).map(|(id, _)| id.clone()).collect()
    }

    /// Attempts that run.
    pub(super) fn alive(&self) -> impl Iterator<Item = &AttemptId> {
        self.attempts.iter().filter(|(_, attempt)| attempt.outcome.is_none()).map(|(id, _)| id)
    }

    /// The store had an earlier result.
    pub(super) fn note_hit(&mut self, path: &TaskPath) {
        self.tasks.entry(path.clone()).or_default().has_succeeded = true;
    }
}

fn first_of(id: &AttemptId) -> AttemptId {
    AttemptId { attempt: 0, ..id.clone() }
}
