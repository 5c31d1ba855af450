//! Connections and their settings.
//!
//! The figures behind the sizes are in `docs/adr/0002-sqlite-through-rusqlite.md`.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use ferroflow_ports::{ErrorKind, PortError};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::error::StoreError;
use crate::schema::{self, Found};
use crate::store::Durability;

/// How long to wait for another process that holds the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// More than the statements of all resources together; lists make further ones.
const PREPARED_STATEMENTS: usize = 96;

/// Opens the connection that writes, and makes or upgrades the tables.
pub(crate) fn open_writer(path: &Path, durability: Durability) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_CREATE))?;
    configure(&connection, 4096)?;
    let found = schema::inspect(&connection, path)?;
    if found == Found::Empty {
        // Nothing can be lost yet, so making the tables syncs nothing; one sync of the file at the end will do,
        // and the log is synced with the first commit.
        connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA page_size = 4096")?;
    }
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        let message =
            format!("`{}` is on a file system without shared memory; use a local disk", path.display());
        return Err(PortError::new(ErrorKind::FailedPrecondition, message).into());
    }
    // The log keeps its size, since overwriting is faster than growing; checkpoints are the writer's business.
    connection.execute_batch("PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = -1")?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    schema::migrate(&connection, found)?;
    if found == Found::Empty {
        let synced = File::open(path).and_then(|file| file.sync_all());
        synced.map_err(|error| {
            let message = format!("cannot sync `{}` to disk", path.display());
            PortError::new(ErrorKind::Internal, message).caused_by(error)
        })?;
    }
    set_synchronous(&connection, durability)?;
    Ok(connection)
}

/// Opens a connection that only reads, of a database that a writer has opened before.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, flags(OpenFlags::empty()))?;
    configure(&connection, 2048)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.execute_batch("PRAGMA query_only = ON")?;
    Ok(connection)
}

/// Chooses whether commits wait for the disk.
pub(crate) fn set_synchronous(connection: &Connection, durability: Durability) -> Result<(), StoreError> {
    connection.execute_batch(match durability {
        Durability::Synced => "PRAGMA synchronous = FULL",
        Durability::Relaxed => "PRAGMA synchronous = NORMAL",
    })?;
    Ok(())
}

fn flags(more: OpenFlags) -> OpenFlags {
    // Each connection belongs to one thread, so SQLite's own locks are not needed.
    OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more
}

fn configure(connection: &Connection, cache_kibibytes: i64) -> Result<(), StoreError> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS);
    // Without this, statements whose plan might depend on a bound value are prepared anew for each value, which takes
    // longer than most of them do.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "cache_size", -cache_kibibytes)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(())
}
