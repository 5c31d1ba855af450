//! Runs that have been kept long enough.

use async_trait::async_trait;
use ferroflow_model::{RunId, Timestamp};
use ferroflow_ports::PortError;
use ferroflow_ports::retention::RetentionStore;

use crate::column::{Fields, all};
use crate::store::SqliteStore;

#[async_trait]
impl RetentionStore for SqliteStore {
    async fn runs_ended_before(&self, before: Timestamp, most: u32) -> Result<Vec<RunId>, PortError> {
        // Walks along the index of runs in the order of their ends; those without one stand at its begin.
        let sql = "SELECT id FROM runs INDEXED BY runs_by_storage_finished WHERE storage_state = 'AVAILABLE' \
                   AND coalesce(finished_at, 0) / 1000000 > 0 AND coalesce(finished_at, 0) / 1000000 <= ?1 / 1000000 \
                   AND finished_at < ?1 AND status IN ('SUCCEEDED', 'FAILED', 'SKIPPED', 'CANCELED') \
                   ORDER BY coalesce(finished_at, 0) / 1000000, id LIMIT ?2";
        let read = move |connection: &rusqlite::Connection| {
            all(connection, sql, (before.as_micros(), most), |row| Fields::from(row, 0).parse())
        };
        self.readers.read(read).await
    }

    async fn runs_archived_before(&self, before: Timestamp, most: u32) -> Result<Vec<RunId>, PortError> {
        let sql = "SELECT id FROM runs WHERE storage_state = 'ARCHIVED' AND archived_at < ?1 AND finished_at < ?1 \
                   AND status IN ('SUCCEEDED', 'FAILED', 'SKIPPED', 'CANCELED') ORDER BY archived_at LIMIT ?2";
        let read = move |connection: &rusqlite::Connection| {
            all(connection, sql, (before.as_micros(), most), |row| Fields::from(row, 0).parse())
        };
        self.readers.read(read).await
    }
}
