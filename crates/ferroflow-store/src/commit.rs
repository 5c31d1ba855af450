//! One step of a run: events, rows and commands, whole or not at all. The hot path.

use ferroflow_model::record::StateChange;
use ferroflow_model::{RunId, RunStatus};
use ferroflow_ports::store::{RunCommit, RunUpdate};
use ferroflow_ports::{ErrorKind, PortError};
use rusqlite::Connection;

use crate::column::{Fields, change, failure, find, json, micros};
use crate::error::StoreError;
use crate::writer::{RunSlot, Session};
use crate::{artifact, cache, journal, task};

/// Runs that the writer remembers; far more than are at work at once.
const MOST_SLOTS: usize = 4096;

/// Stores a step. `NotFound` without the run, `Aborted` if `first_seq` is not the next number.
pub(crate) fn apply(session: &mut Session, step: &RunCommit) -> Result<(), StoreError> {
    let slot = slot(session, step.run_id)?;
    if slot.next_seq != step.first_seq {
        let message = format!(
            "the next event of run `{}` has number {}, not {}; somebody else wrote",
            step.run_id, slot.next_seq, step.first_seq
        );
        return Err(PortError::new(ErrorKind::Aborted, message).into());
    }
    let connection = &session.connection;
    let mut next_seq = step.first_seq;
    for event in &step.events {
        journal::add_event(connection, slot.no, next_seq, event)?;
        next_seq += 1;
    }
    for record in &step.tasks {
        task::put(connection, slot.no, record)?;
    }
    for record in &step.attempts {
        task::put_attempt(connection, record)?;
    }
    for record in &step.artifacts {
        artifact::put(connection, slot.no, record)?;
    }
    for link in &step.links {
        artifact::link(connection, link)?;
    }
    for entry in &step.cache_entries {
        cache::put(connection, entry)?;
    }
    for key in &step.outbox_done {
        journal::finish_command(connection, slot.no, key)?;
    }
    for (place, command) in step.outbox_put.iter().enumerate() {
        journal::put_command(connection, slot.no, (step.first_seq, place), command)?;
    }
    if let Some(state) = &step.snapshot {
        journal::put_snapshot(connection, slot.no, next_seq.saturating_sub(1), state)?;
    }
    if let Some(update) = &step.run {
        update_run(connection, slot.no, update)?;
    }
    if let Some(below) = step.ids_taken_below {
        take_ids(connection, below)?;
    }
    session.runs.insert(step.run_id, RunSlot { no: slot.no, next_seq });
    Ok(())
}

/// Counts all numbers below this one as given away.
pub(crate) fn take_ids(connection: &Connection, below: i64) -> Result<(), StoreError> {
    change(connection, "UPDATE sequences SET next = max(next, ?1) WHERE name = 'ids'", [below])?;
    Ok(())
}

/// First number that nobody was given.
pub(crate) fn next_free_id(connection: &Connection) -> Result<i64, StoreError> {
    let next = find(connection, "SELECT next FROM sequences WHERE name = 'ids'", [], |row| row.get(0))?;
    Ok(next.unwrap_or(1))
}

fn slot(session: &mut Session, id: RunId) -> Result<RunSlot, StoreError> {
    if let Some(slot) = session.runs.get(&id) {
        return Ok(*slot);
    }
    let sql = "SELECT no FROM runs WHERE id = ?1";
    let no = find(&session.connection, sql, [id.to_string()], |row| row.get(0))?;
    let no = no.ok_or_else(|| PortError::not_found("run", id))?;
    let slot = RunSlot { no, next_seq: journal::last_seq(&session.connection, no)? + 1 };
    if session.runs.len() >= MOST_SLOTS {
        session.runs.clear();
    }
    session.runs.insert(id, slot);
    Ok(slot)
}

fn update_run(connection: &Connection, no: i64, update: &RunUpdate) -> Result<(), StoreError> {
    if let Some(entry) = &update.status {
        add_status(connection, no, entry)?;
    }
    if let Some(finished_at) = update.finished_at {
        change(connection, "UPDATE runs SET finished_at = ?2 WHERE no = ?1", (no, micros(finished_at)))?;
    }
    if let Some(error) = &update.error {
        change(connection, "UPDATE runs SET error = ?2 WHERE no = ?1", (no, failure(error.as_ref())?))?;
    }
    if let Some(outputs) = &update.outputs {
        change(connection, "UPDATE runs SET outputs = ?2 WHERE no = ?1", (no, json(outputs)?))?;
    }
    Ok(())
}

fn add_status(connection: &Connection, no: i64, entry: &StateChange<RunStatus>) -> Result<(), StoreError> {
    let history: Option<Vec<StateChange<RunStatus>>> =
        find(connection, "SELECT history FROM runs WHERE no = ?1", [no], |row| Fields::from(row, 0).json())?;
    let mut history = history.unwrap_or_default();
    if history.last().is_none_or(|last| last.state != entry.state) {
        history.push(entry.clone());
    }
    let sql = "UPDATE runs SET status = ?2, history = ?3 WHERE no = ?1";
    change(connection, sql, (no, entry.state.as_str(), json(&history)?))?;
    Ok(())
}
