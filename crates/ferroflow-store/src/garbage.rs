//! Artifacts that nothing refers to any more.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use async_trait::async_trait;
use ferroflow_model::artifact::Outputs;
use ferroflow_model::{ArtifactId, RunId, Timestamp};
use ferroflow_ports::PortError;
use ferroflow_ports::garbage::{Garbage, GarbageStore};
use rusqlite::Connection;

use crate::column::{Fields, all, change, find};
use crate::error::StoreError;
use crate::store::SqliteStore;
use crate::writer::{Promise, Session};

/// Artifacts of removed runs that no run, old or new, and no client of ML Metadata has to do with.
const UNREFERRED: &str = "SELECT a.id, a.uri, c.name FROM artifacts a JOIN contexts c ON c.no = a.run_no \
    WHERE NOT EXISTS (SELECT 1 FROM runs r WHERE r.no = a.run_no) \
    AND NOT EXISTS (SELECT 1 FROM artifact_links l JOIN tasks t ON t.execution_id = l.execution_id \
                    WHERE l.artifact_id = a.id) \
    AND NOT EXISTS (SELECT 1 FROM metadata_events e WHERE e.artifact_id = a.id) ORDER BY a.id";

fn look(
    connection: &Connection,
    now: Timestamp,
    cache_max_age: Option<Duration>,
) -> Result<Vec<Garbage>, StoreError> {
    let cached = cached(connection, now, cache_max_age)?;
    let noticed: HashMap<i64, i64> =
        all(connection, "SELECT artifact_id, noticed_at FROM garbage", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .into_iter()
        .collect();
    let found = all(connection, UNREFERRED, [], |row| {
        let mut fields = Fields::from(row, 0);
        let id = fields.get()?;
        let noticed_at = noticed.get(&id).map_or(now, |at| Timestamp::from_micros(*at));
        Ok(Garbage { id: ArtifactId(id), uri: fields.get()?, run: fields.parse()?, noticed_at })
    })?;
    Ok(found.into_iter().filter(|garbage| !cached.contains(&garbage.id)).collect())
}

/// The artifacts that cached results name which may still be taken over.
fn cached(
    connection: &Connection,
    now: Timestamp,
    most: Option<Duration>,
) -> Result<BTreeSet<ArtifactId>, StoreError> {
    let sql = "SELECT outputs FROM cache_entries WHERE created_at >= ?1";
    let outputs: Vec<Outputs> = all(connection, sql, [oldest(now, most)], |row| Fields::from(row, 0).json())?;
    let artifacts = outputs.iter().flat_map(|outputs| outputs.artifacts.values().flatten());
    Ok(artifacts.map(|artifact| artifact.id).collect())
}

/// Creation of the oldest cached result that counts, in microseconds.
fn oldest(now: Timestamp, most: Option<Duration>) -> i64 {
    let most = most.and_then(|age| i64::try_from(age.as_micros()).ok());
    most.map_or(i64::MIN, |age| now.as_micros().saturating_sub(age))
}

fn notice(
    connection: &Connection,
    now: Timestamp,
    cache_max_age: Option<Duration>,
) -> Result<Vec<Garbage>, StoreError> {
    // Whoever has found one a moment ago refers to what it names long before its grace has passed.
    change(connection, "DELETE FROM cache_entries WHERE created_at < ?1", [oldest(now, cache_max_age)])?;
    let found = look(connection, now, cache_max_age)?;
    // What has found a use again begins anew if it loses it.
    change(connection, "DELETE FROM garbage", [])?;
    for garbage in &found {
        let sql = "INSERT INTO garbage (artifact_id, noticed_at) VALUES (?1, ?2)";
        change(connection, sql, (garbage.id.0, garbage.noticed_at.as_micros()))?;
    }
    Ok(found)
}

fn forget(connection: &Connection, id: ArtifactId) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM artifact_links WHERE artifact_id = ?1",
        "DELETE FROM artifacts WHERE id = ?1",
        "DELETE FROM garbage WHERE artifact_id = ?1",
    ] {
        change(connection, sql, [id.0])?;
    }
    Ok(())
}

#[async_trait]
impl GarbageStore for SqliteStore {
    async fn notice_garbage(
        &self,
        now: Timestamp,
        cache_max_age: Option<Duration>,
    ) -> Result<Vec<Garbage>, PortError> {
        let work = move |session: &mut Session| notice(&session.connection, now, cache_max_age);
        self.writer.write(Promise::Disk, work).await
    }

    async fn look_for_garbage(
        &self,
        now: Timestamp,
        cache_max_age: Option<Duration>,
    ) -> Result<Vec<Garbage>, PortError> {
        self.readers.read(move |connection| look(connection, now, cache_max_age)).await
    }

    async fn forget_garbage(&self, id: ArtifactId) -> Result<(), PortError> {
        let work = move |session: &mut Session| forget(&session.connection, id);
        self.writer.write(Promise::Disk, work).await
    }

    async fn unknown_runs(&self, runs: &[RunId]) -> Result<Vec<RunId>, PortError> {
        let runs = runs.to_owned();
        let read = move |connection: &Connection| {
            let mut unknown = Vec::new();
            for run in runs {
                let sql = "SELECT 1 FROM contexts c WHERE c.name = ?1 AND (EXISTS (SELECT 1 FROM runs r \
                           WHERE r.no = c.no) OR EXISTS (SELECT 1 FROM artifacts a WHERE a.run_no = c.no))";
                if find(connection, sql, [run.to_string()], |_| Ok(()))?.is_none() {
                    unknown.push(run);
                }
            }
            Ok(unknown)
        };
        self.readers.read(read).await
    }
}
