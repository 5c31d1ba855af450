//! Results that later tasks may take over: the newest under each key.

use ferroflow_engine::CacheHit;
use ferroflow_model::ExecutionId;
use ferroflow_ports::store::CacheEntry;
use rusqlite::Connection;

use crate::column::{Fields, change, find, json};
use crate::error::StoreError;

/// Keeps a result unless a newer one is there.
pub(crate) fn put(connection: &Connection, entry: &CacheEntry) -> Result<(), StoreError> {
    let sql = "INSERT INTO cache_entries (fingerprint, pipeline_name, execution_id, created_at, outputs) \
               VALUES (?1, ?2, ?3, ?4, ?5) \
               ON CONFLICT (fingerprint, pipeline_name) DO UPDATE SET execution_id = excluded.execution_id, \
               created_at = excluded.created_at, outputs = excluded.outputs \
               WHERE excluded.created_at >= cache_entries.created_at";
    let values = (
        &entry.key.fingerprint,
        &entry.pipeline_name,
        entry.execution_id.0,
        entry.created_at.as_micros(),
        json(&entry.outputs)?,
    );
    change(connection, sql, values)?;
    Ok(())
}

/// The result under a key, if there is one.
pub(crate) fn read(
    connection: &Connection,
    pipeline: &str,
    fingerprint: &str,
) -> Result<Option<CacheHit>, StoreError> {
    let sql = "SELECT execution_id, outputs FROM cache_entries WHERE fingerprint = ?1 AND pipeline_name = ?2";
    find(connection, sql, (fingerprint, pipeline), |row| {
        let mut fields = Fields::from(row, 0);
        Ok(CacheHit { execution_id: ExecutionId(fields.get()?), outputs: fields.json()? })
    })
}
