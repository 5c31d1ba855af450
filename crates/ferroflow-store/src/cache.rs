//! Results that later tasks may take over: the newest under each key.

use ferroflow_engine::CacheHit;
use ferroflow_model::{ExecutionId, Timestamp};
use ferroflow_ports::store::{CacheEntry, KeptResult};
use rusqlite::Connection;

use crate::column::{Fields, change, find, json};
use crate::error::StoreError;

/// Keeps a result unless a newer one is there.
pub(crate) fn put(connection: &Connection, entry: &CacheEntry) -> Result<(), StoreError> {
    let sql = "INSERT INTO cache_entries (fingerprint, pipeline_name, execution_id, created_at, outputs, contents) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
               ON CONFLICT (fingerprint, pipeline_name) DO UPDATE SET execution_id = excluded.execution_id, \
               created_at = excluded.created_at, outputs = excluded.outputs, contents = excluded.contents \
               WHERE excluded.created_at >= cache_entries.created_at";
    let values = (
        &entry.key.fingerprint,
        &entry.pipeline_name,
        entry.execution_id.0,
        entry.created_at.as_micros(),
        json(&entry.outputs)?,
        json(&entry.contents)?,
    );
    change(connection, sql, values)?;
    Ok(())
}

/// The result under a key, if there is one.
pub(crate) fn read(
    connection: &Connection,
    pipeline: &str,
    fingerprint: &str,
) -> Result<Option<KeptResult>, StoreError> {
    let sql = "SELECT execution_id, outputs, created_at, contents FROM cache_entries \
               WHERE fingerprint = ?1 AND pipeline_name = ?2";
    find(connection, sql, (fingerprint, pipeline), |row| {
        let mut fields = Fields::from(row, 0);
        let hit = CacheHit { execution_id: ExecutionId(fields.get()?), outputs: fields.json()? };
        Ok(KeptResult { hit, created_at: Timestamp::from_micros(fields.get()?), contents: fields.json()? })
    })
}
