//! JSON texts of pipelines, each kept once, and what the engine of a run began with.

use std::sync::Arc;

use rusqlite::Connection;

use crate::column::{change, find};
use crate::error::StoreError;

/// What the engine of a run began with.
pub(crate) struct Beginning {
    pub(crate) spec_json: Arc<str>,
    pub(crate) settings: String,
}

/// Keeps both for a new run.
pub(crate) fn keep(
    connection: &Connection,
    run_no: i64,
    spec: &str,
    settings: &str,
) -> Result<(), StoreError> {
    let spec_no = keep_text(connection, spec)?;
    let sql = "INSERT INTO run_beginnings (run_no, spec_no, settings) VALUES (?1, ?2, ?3)";
    change(connection, sql, (run_no, spec_no, settings))?;
    Ok(())
}

/// Keeps a text and returns its number.
pub(crate) fn keep_text(connection: &Connection, spec: &str) -> Result<i64, StoreError> {
    let digest = blake3::hash(spec.as_bytes());
    let known =
        find(connection, "SELECT no FROM specs WHERE digest = ?1", [digest.as_bytes()], |row| row.get(0))?;
    if let Some(no) = known {
        return Ok(no);
    }
    change(connection, "INSERT INTO specs (digest, json) VALUES (?1, ?2)", (digest.as_bytes(), spec))?;
    Ok(connection.last_insert_rowid())
}

/// Both, of a run that exists.
pub(crate) fn read(connection: &Connection, run_no: i64) -> Result<Option<Beginning>, StoreError> {
    let sql = "SELECT s.json, b.settings FROM run_beginnings b JOIN specs s ON s.no = b.spec_no WHERE b.run_no = ?1";
    find(connection, sql, [run_no], |row| Ok(Beginning { spec_json: row.get(0)?, settings: row.get(1)? }))
}

/// Removes both; the text only if nothing else shares it.
pub(crate) fn remove(connection: &Connection, run_no: i64) -> Result<(), StoreError> {
    let sql = "SELECT spec_no FROM run_beginnings WHERE run_no = ?1";
    let Some(spec_no) = find(connection, sql, [run_no], |row| row.get::<_, i64>(0))? else { return Ok(()) };
    change(connection, "DELETE FROM run_beginnings WHERE run_no = ?1", [run_no])?;
    drop_text(connection, spec_no)
}

/// Removes a text that nothing refers to any more.
pub(crate) fn drop_text(connection: &Connection, no: i64) -> Result<(), StoreError> {
    let sql = "DELETE FROM specs WHERE no = ?1 AND NOT EXISTS (SELECT 1 FROM run_beginnings WHERE spec_no = ?1) \
               AND NOT EXISTS (SELECT 1 FROM recurring_runs WHERE spec_no = ?1)";
    change(connection, sql, [no])?;
    Ok(())
}
