//! The store as others see it: open it, then use it through the traits of the port.

use std::path::Path;

use ferroflow_ports::PortError;

use crate::error::StoreError;
use crate::feed::SharedFeed;
use crate::reader::Readers;
use crate::writer::Writer;

/// What an answer promises.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Durability {
    /// The change is on disk: it survives a power cut.
    #[default]
    Synced,
    /// The change survives a crash of the program; a power cut may take the last moments. What clients were told
    /// exists (experiments, pipelines, runs) is on disk all the same.
    Relaxed,
}

/// How to open a store.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// What an answer promises.
    pub durability: Durability,
}

/// How much the writer has done since the store was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statistics {
    /// Transactions that changed something.
    pub transactions: u64,
    /// Requests in them, and refused ones.
    pub requests: u64,
}

/// A SQLite database with one writer and some readers.
///
/// Threads of its own do all the work, so its futures need no particular runtime. Dropping it finishes the writes that
/// were asked for. The log beside the file (`-wal`) belongs to the database: who copies one must copy both.
pub struct SqliteStore {
    pub(crate) writer: Writer,
    pub(crate) readers: Readers,
    pub(crate) feed: SharedFeed,
}

impl SqliteStore {
    /// Opens the database file at `path`; makes it if there is none, and upgrades it if it is older than the program.
    ///
    /// `FailedPrecondition` if the file is newer than the program or not ours, or cannot be opened or written;
    /// `Unavailable` while another process writes it; `ResourceExhausted` if the disk is full.
    pub fn open(path: &Path, options: Options) -> Result<Self, PortError> {
        let feed = SharedFeed::default();
        let writer = Writer::start(path, options.durability, SharedFeed::clone(&feed));
        let writer = writer.map_err(|error| named(path, error))?;
        Ok(Self { writer, readers: Readers::start(path)?, feed })
    }

    /// How much was written so far.
    pub fn statistics(&self) -> Statistics {
        self.writer.statistics()
    }
}

/// Says which file is meant, where the error does not.
fn named(path: &Path, error: StoreError) -> PortError {
    let is_sql = matches!(error, StoreError::Sql(_));
    let mut error = PortError::from(error);
    if is_sql {
        error.message = format!("`{}`: {}", path.display(), error.message);
    }
    error
}
