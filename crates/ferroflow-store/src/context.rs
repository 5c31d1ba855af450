//! Contexts of ML Metadata: stable numbers for pipelines (by name) and runs (by id).

use ferroflow_model::RunId;
use rusqlite::Connection;

use crate::column::{change, find};
use crate::error::StoreError;

/// What a context stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ContextKind {
    /// All runs of the pipelines of one name.
    Pipeline,
    /// One run.
    Run,
}

impl ContextKind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pipeline => "PIPELINE",
            Self::Run => "RUN",
        }
    }
}

/// The number of a context; a new one if there was none.
pub(crate) fn number(connection: &Connection, kind: ContextKind, name: &str) -> Result<i64, StoreError> {
    if let Some(no) = find_number(connection, kind, name)? {
        return Ok(no);
    }
    change(connection, "INSERT INTO contexts (kind, name) VALUES (?1, ?2)", (kind.as_str(), name))?;
    Ok(connection.last_insert_rowid())
}

/// The number of a run, also if the run was removed.
pub(crate) fn find_run(connection: &Connection, id: RunId) -> Result<Option<i64>, StoreError> {
    find_number(connection, ContextKind::Run, &id.to_string())
}

fn find_number(connection: &Connection, kind: ContextKind, name: &str) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT no FROM contexts WHERE kind = ?1 AND name = ?2";
    find(connection, sql, (kind.as_str(), name), |row| row.get(0))
}
