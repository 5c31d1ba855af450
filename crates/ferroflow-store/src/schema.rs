//! The tables, and how they came to be: numbered, forward-only migrations.
//!
//! A released migration is never edited. Each runs in one transaction together with its number.

use std::path::Path;

use ferroflow_ports::{ErrorKind, PortError};
use rusqlite::Connection;

use crate::error::StoreError;

/// Marks our files: "FFLW".
const APPLICATION_ID: i32 = 0x4646_4C57;

/// In order; the first has number 1.
const MIGRATIONS: [&str; 10] = [
    include_str!("../migrations/sqlite/0001_tables.sql"),
    include_str!("../migrations/sqlite/0002_views.sql"),
    include_str!("../migrations/sqlite/0003_recurring_runs.sql"),
    include_str!("../migrations/sqlite/0004_metadata.sql"),
    include_str!("../migrations/sqlite/0005_run_lists.sql"),
    include_str!("../migrations/sqlite/0006_cache_contents.sql"),
    include_str!("../migrations/sqlite/0007_retention.sql"),
    include_str!("../migrations/sqlite/0008_plugins_input.sql"),
    include_str!("../migrations/sqlite/0009_garbage.sql"),
    include_str!("../migrations/sqlite/0010_artifact_lists.sql"),
];

/// What a file was found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing in it yet.
    Empty,
    /// Ours, with this many migrations done.
    Version(usize),
}

/// Looks whether the file is empty or ours. `FailedPrecondition` if it is something else, or newer than this program.
pub(crate) fn inspect(connection: &Connection, path: &Path) -> Result<Found, StoreError> {
    let application: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if application != APPLICATION_ID {
        let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if application == 0 && version == 0 && tables == 0 {
            return Ok(Found::Empty);
        }
        let message =
            format!("`{}` is a database of another program; choose another data folder", path.display());
        return Err(PortError::new(ErrorKind::FailedPrecondition, message).into());
    }
    match usize::try_from(version) {
        Ok(version) if version <= MIGRATIONS.len() => Ok(Found::Version(version)),
        _ => {
            let message = format!(
                "`{}` has version {version} and this program knows versions up to {}; use a newer ferroflow",
                path.display(),
                MIGRATIONS.len(),
            );
            Err(PortError::new(ErrorKind::FailedPrecondition, message).into())
        }
    }
}

/// Brings the tables to the newest version.
pub(crate) fn migrate(connection: &Connection, found: Found) -> Result<(), StoreError> {
    let done = match found {
        Found::Empty => 0,
        Found::Version(done) => done,
    };
    for (index, script) in MIGRATIONS.iter().enumerate().skip(done) {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let result = run(connection, script, index + 1);
        match result {
            Ok(()) => connection.execute_batch("COMMIT")?,
            Err(error) => {
                // The first error tells more than a failed rollback would.
                let _ = connection.execute_batch("ROLLBACK");
                return Err(error.into());
            }
        }
    }
    Ok(())
}

fn run(connection: &Connection, script: &str, number: usize) -> rusqlite::Result<()> {
    connection.execute_batch(script)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", i64::try_from(number).unwrap_or(i64::MAX))
}
