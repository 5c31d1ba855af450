//! Where things lie in the data directory.

use std::io;
use std::path::{Path, PathBuf};

use ferroflow_model::{AttemptId, RunId};

/// Folders of the executor. All paths are absolute texts, for they travel in messages and environments.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    root: String,
}

impl Layout {
    /// Of this data directory, which is made if it is not there.
    pub(crate) fn open(data_dir: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(data_dir)?;
        let path = std::fs::canonicalize(data_dir)?;
        let not_text = || io::Error::new(io::ErrorKind::InvalidInput, "its path is not UTF-8");
        let layout = Self { root: path.to_str().ok_or_else(not_text)?.to_owned() };
        std::fs::create_dir_all(layout.attempts())?;
        Ok(layout)
    }

    /// The data directory itself.
    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    /// The folder of all scratch folders.
    pub(crate) fn attempts(&self) -> String {
        format!("{}/attempts", self.root)
    }

    /// The log of an attempt.
    pub(crate) fn log(&self, id: &AttemptId) -> String {
        format!("{}/logs/{}/{}-{}.log", self.root, id.run, id.task_id(), id.attempt)
    }

    /// The folder of a run's logs.
    pub(crate) fn logs(&self, run: RunId) -> String {
        format!("{}/logs/{run}", self.root)
    }

    /// Images whose `/models` tasks may read, a folder for each.
    pub(crate) fn images(&self) -> String {
        format!("{}/images", self.root)
    }

    /// The folder that the tasks of a run share.
    pub(crate) fn workspace(&self, run: RunId) -> String {
        format!("{}/workspaces/{run}", self.root)
    }
}

/// The log of an attempt in a data directory, for whoever wants to show where it is. It need not exist.
pub fn log_file(data_dir: &Path, id: &AttemptId) -> PathBuf {
    Layout { root: data_dir.to_string_lossy().into_owned() }.log(id).into()
}

/// Removes a folder or file with all below it. Not an error if there is nothing.
pub(crate) fn remove(path: &str) -> io::Result<()> {
    let removed = match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => std::fs::remove_file(path),
        removed => removed,
    };
    removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}
