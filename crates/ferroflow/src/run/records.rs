//! What is stored of runs, for commands that only read: from the server that holds the data directory, or from the
//! directory itself.

use std::time::Duration;

use anyhow::Context as _;
use ferroflow_store::{Durability, Options, SqliteStore};

use crate::data_folder::{DataFolder, Lock, LockAttempt};
use crate::server_client::ServerClient;

/// How often a directory that another process holds is looked at again.
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// Where records are read.
pub(crate) enum Records {
    /// In the database of the directory, which nobody else uses meanwhile.
    Here { store: SqliteStore, _lock: Lock },
    /// On a server.
    Server(ServerClient),
}

impl Records {
    /// Finds them. Waits for a `ferroflow run` that holds the directory.
    pub(crate) async fn find(folder: &DataFolder) -> anyhow::Result<Self> {
        folder.create()?;
        loop {
            match folder.try_lock()? {
                LockAttempt::Ours(lock) => {
                    let options = Options { durability: Durability::Synced };
                    let store = SqliteStore::open(&folder.database(), options)
                        .context("the database cannot be opened")?;
                    return Ok(Self::Here { store, _lock: lock });
                }
                LockAttempt::Held(holder) => match holder.as_ref().and_then(ServerClient::of) {
                    Some(client) => return Ok(Self::Server(client)),
                    None => tokio::time::sleep(LOCK_PAUSE).await,
                },
            }
        }
    }
}
