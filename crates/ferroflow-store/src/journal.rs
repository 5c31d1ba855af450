//! What recovery needs: events, the newest snapshot, and commands that are still to be done.

use rusqlite::Connection;

use crate::column::{all, change, find};
use crate::error::StoreError;

/// Adds an event. A constraint is violated if the number is taken.
pub(crate) fn add_event(
    connection: &Connection,
    run_no: i64,
    seq: u64,
    payload: &str,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO run_events (run_no, seq, payload) VALUES (?1, ?2, ?3)";
    change(connection, sql, (run_no, number(seq), payload))?;
    Ok(())
}

/// Number of the last event; 0 if there is none.
pub(crate) fn last_seq(connection: &Connection, run_no: i64) -> Result<u64, StoreError> {
    let sql = "SELECT seq FROM run_events WHERE run_no = ?1 ORDER BY seq DESC LIMIT 1";
    Ok(find(connection, sql, [run_no], |row| row.get(0))?.map_or(0, i64::cast_unsigned))
}

/// Events after number `after`, in order.
pub(crate) fn events(
    connection: &Connection,
    run_no: i64,
    after: u64,
) -> Result<Vec<(u64, String)>, StoreError> {
    let sql = "SELECT seq, payload FROM run_events WHERE run_no = ?1 AND seq > ?2 ORDER BY seq";
    all(connection, sql, (run_no, number(after)), |row| {
        Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?))
    })
}

/// Replaces the snapshot; `seq` is the last event in it.
pub(crate) fn put_snapshot(
    connection: &Connection,
    run_no: i64,
    seq: u64,
    state: &[u8],
) -> Result<(), StoreError> {
    let sql = "INSERT INTO snapshots (run_no, seq, state) VALUES (?1, ?2, ?3) \
               ON CONFLICT (run_no) DO UPDATE SET seq = excluded.seq, state = excluded.state";
    change(connection, sql, (run_no, number(seq), state))?;
    Ok(())
}

/// The snapshot, if there is one.
pub(crate) fn snapshot(connection: &Connection, run_no: i64) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
    let sql = "SELECT seq, state FROM snapshots WHERE run_no = ?1";
    find(connection, sql, [run_no], |row| Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?)))
}

/// Remembers a command; one with the same key is replaced.
pub(crate) fn put_command(
    connection: &Connection,
    run_no: i64,
    (seq, place): (u64, usize),
    (key, command): &(String, String),
) -> Result<(), StoreError> {
    let sql = "INSERT INTO outbox (run_no, key, seq, place, command) VALUES (?1, ?2, ?3, ?4, ?5) \
               ON CONFLICT (run_no, key) DO UPDATE SET seq = excluded.seq, place = excluded.place, \
               command = excluded.command";
    change(connection, sql, (run_no, key, number(seq), number(place as u64), command))?;
    Ok(())
}

/// Forgets a command, if it is there.
pub(crate) fn finish_command(connection: &Connection, run_no: i64, key: &str) -> Result<(), StoreError> {
    change(connection, "DELETE FROM outbox WHERE run_no = ?1 AND key = ?2", (run_no, key))?;
    Ok(())
}

/// Commands that are still to be done, in the order they were put.
pub(crate) fn commands(connection: &Connection, run_no: i64) -> Result<Vec<(String, String)>, StoreError> {
    let sql = "SELECT key, command FROM outbox WHERE run_no = ?1 ORDER BY seq, place";
    all(connection, sql, [run_no], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Removes all of it.
pub(crate) fn remove(connection: &Connection, run_no: i64) -> Result<(), StoreError> {
    change(connection, "DELETE FROM run_events WHERE run_no = ?1", [run_no])?;
    change(connection, "DELETE FROM snapshots WHERE run_no = ?1", [run_no])?;
    change(connection, "DELETE FROM outbox WHERE run_no = ?1", [run_no])?;
    Ok(())
}

/// SQLite's integers are signed; nobody writes 2^63 events.
fn number(value: u64) -> i64 {
    value.cast_signed()
}
