//! What goes wrong inside the store, and how callers of the port see it.

use ferroflow_ports::{ErrorKind, PortError};
use rusqlite::ffi;

/// An error inside a piece of work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The request is refused; the database is fine.
    #[error(transparent)]
    Refused(#[from] PortError),
    /// The database refused.
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
    /// A value does not fit its column.
    #[error("cannot store a value as JSON: {0}")]
    Encode(#[from] serde_json::Error),
}

impl From<StoreError> for PortError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(error) => error,
            StoreError::Sql(error) => sql_error(&error),
            StoreError::Encode(error) => {
                Self::new(ErrorKind::Internal, "cannot store a value as JSON").caused_by(error)
            }
        }
    }
}

/// Puts an error of SQLite into words.
pub(crate) fn sql_error(error: &rusqlite::Error) -> PortError {
    let code = error.sqlite_error().map_or(ffi::SQLITE_ERROR, |cause| cause.extended_code);
    let (kind, message) = match code {
        ffi::SQLITE_FULL | ffi::SQLITE_IOERR_SHMSIZE => (
            ErrorKind::ResourceExhausted,
            "the disk that holds the database is full; free some space and try again",
        ),
        ffi::SQLITE_IOERR_NOMEM => (ErrorKind::ResourceExhausted, "the database ran out of memory"),
        _ => match code & 0xff {
            ffi::SQLITE_NOMEM => (ErrorKind::ResourceExhausted, "the database ran out of memory"),
            ffi::SQLITE_TOOBIG => (ErrorKind::InvalidArgument, "a value is too large for the database"),
            ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => (
                ErrorKind::Unavailable,
                "another process holds the database; end it, or try again when it has finished",
            ),
            ffi::SQLITE_READONLY | ffi::SQLITE_PERM => (
                ErrorKind::FailedPrecondition,
                "the database cannot be written; check the permissions of its files and folder",
            ),
            ffi::SQLITE_CANTOPEN => (
                ErrorKind::FailedPrecondition,
                "the database cannot be opened; check that its folder exists and may be read and written",
            ),
            ffi::SQLITE_NOTADB => (
                ErrorKind::FailedPrecondition,
                "the file is not a database; it was damaged, or belongs to something else",
            ),
            ffi::SQLITE_CORRUPT => (
                ErrorKind::Internal,
                "the database is damaged; restore it from a backup or start with an empty data folder",
            ),
            ffi::SQLITE_IOERR => (ErrorKind::Internal, "the disk that holds the database failed"),
            ffi::SQLITE_CONSTRAINT => (ErrorKind::AlreadyExists, "the database holds such a row already"),
            _ => (ErrorKind::Internal, "the database failed"),
        },
    };
    PortError::new(kind, message).caused_by(error.to_string())
}
