//! What comes between the supervisor and user code where a task needs more than a process: files that are fetched for
//! it, folders that it alone sees at absolute paths.
//!
//! This is a program of its own, which becomes user code in the end: its time, its log and its end are those of the
//! attempt, so that a slow download counts for the timeout and is stopped with the task. Most tasks do without it.

mod fetch;

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::linux::namespace::{self, Mount};

pub(crate) use fetch::Download;

/// First word of the command line that makes this program the entry of a task.
pub(crate) const WORD: &str = "enter";

/// All that must be there before user code, and user code itself.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// An empty folder for its own use.
    pub(crate) staging: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) downloads: Vec<Download>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) mounts: Vec<Mount>,
    /// The file to execute.
    pub(crate) program: String,
    /// All words, the first being the name the program sees.
    pub(crate) argv: Vec<String>,
}

/// Why user code was not started.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// What to do could not be read.
    #[error("`{path}` cannot be read: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An input could not be fetched.
    #[error("the artifact `{uri}` cannot be fetched: {reason}")]
    Fetch {
        /// Its URI.
        uri: String,
        /// What went wrong.
        reason: String,
    },
    /// A folder cannot be put where the task wants it.
    #[error(
        "its volumes cannot be mounted: {0}. Tasks that run as processes need private mounts for this; in containers \
         they do not"
    )]
    Mounts(String),
    /// The program did not start.
    #[error("`{program}` cannot be started: {reason}")]
    Start {
        /// The program.
        program: String,
        /// Why.
        reason: std::io::Error,
    },
}

/// Exit code of an entry that did not become user code.
pub const FAILED: u8 = 125;

/// Where it is told why user code was not started, beside the file that says what to do.
pub(crate) fn complaint_file(path: &str) -> String {
    format!("{path}.error")
}

/// Does what the file at `path` says and becomes user code: returns only if that fails, which is also told in a file
/// for the executor. This process must have one thread.
pub fn enter(path: &Path) -> EntryError {
    let error = become_user_code(path);
    // The exit code and the log tell, too.
    let _ = std::fs::write(complaint_file(&path.to_string_lossy()), error.to_string());
    error
}

fn become_user_code(path: &Path) -> EntryError {
    let entry = match read(path) {
        Ok(entry) => entry,
        Err(reason) => return EntryError::Unreadable { path: path.display().to_string(), reason },
    };
    // First, for downloads may start threads, and only a process of one thread gets mounts of its own.
    if !entry.mounts.is_empty()
        && let Err(error) = namespace::enter(&entry.mounts, Path::new(&entry.staging))
    {
        return EntryError::Mounts(error.to_string());
    }
    for download in &entry.downloads {
        if let Err(reason) = download.fetch() {
            return EntryError::Fetch { uri: download.uri.clone(), reason };
        }
    }
    let mut command = Command::new(&entry.program);
    if let Some((name, rest)) = entry.argv.split_first() {
        command.arg0(name).args(rest);
    }
    let reason = command.exec();
    EntryError::Start { program: entry.program, reason }
}

fn read(path: &Path) -> Result<Entry, String> {
    let text = std::fs::read(path).map_err(|error| error.to_string())?;
    serde_json::from_slice(&text).map_err(|error| error.to_string())
}
