//! Artifacts of the web, fetched when a task needs them, and copies in the workspace of a run.
//!
//! Once for a run: the file stays in the run's workspace, and tasks that need it at the same time may each fetch it, of
//! which the last one stays. Bounded in size and time; a part of a file is never seen.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A host that does not answer is given up after this time.
const CONNECT_PATIENCE: Duration = Duration::from_secs(30);

/// A file to fetch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Download {
    /// `http://…` or `https://…`, or whatever names a copy.
    pub(crate) uri: String,
    /// A file or folder of this machine that is copied; nothing of it is fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) copy_of: Option<String>,
    /// Where it goes.
    pub(crate) file: String,
    /// What is fetched may not be larger.
    pub(crate) most_bytes: u64,
    /// Fetching may not take longer.
    pub(crate) most_seconds: u64,
}

impl Download {
    /// Fetches the file unless it is there. The reason of a failure is a sentence.
    pub(crate) fn fetch(&self) -> Result<(), String> {
        let file = Path::new(&self.file);
        if file.exists() {
            return Ok(());
        }
        if let Some(source) = &self.copy_of {
            return self.copy(Path::new(source)).map_err(|error| error.to_string());
        }
        let config = ureq::Agent::config_builder()
            .timeout_connect(Some(CONNECT_PATIENCE))
            .timeout_global(Some(Duration::from_secs(self.most_seconds)))
            .build();
        let answer = ureq::Agent::new_with_config(config).get(&self.uri).call();
        let mut body = answer.map_err(|error| error.to_string())?.into_body();
        let own = format!("{}.{}", self.file, std::process::id());
        let written = self.write(&own, body.as_reader());
        let kept = written.and_then(|()| std::fs::rename(&own, file).map_err(|error| error.to_string()));
        if kept.is_err() {
            // Whatever is there of it is no use to anybody.
            let _ = std::fs::remove_file(&own);
        }
        kept
    }

    /// Copies beside the place and moves there, so that a part of it is never seen.
    fn copy(&self, source: &Path) -> io::Result<()> {
        let file = Path::new(&self.file);
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let own = PathBuf::from(format!("{}.{}", self.file, std::process::id()));
        copy_all(source, &own)?;
        let moved = std::fs::rename(&own, file);
        if moved.is_err() {
            let removed =
                if own.is_dir() { std::fs::remove_dir_all(&own) } else { std::fs::remove_file(&own) };
            // Another task of the run may have been faster: its copy is as good.
            return if file.exists() { removed } else { moved };
        }
        Ok(())
    }

    fn write(&self, path: &str, body: impl io::Read) -> Result<(), String> {
        let told = |error: io::Error| error.to_string();
        if let Some(folder) = Path::new(path).parent() {
            std::fs::create_dir_all(folder).map_err(told)?;
        }
        let mut file = File::create(path).map_err(told)?;
        let most = self.most_bytes;
        let size = io::copy(&mut body.take(most.saturating_add(1)), &mut file).map_err(told)?;
        if size > most {
            return Err(format!("it is larger than {} MiB", most / (1024 * 1024)));
        }
        file.flush().map_err(told)
    }
}

/// A file, or a folder with all below it. Links become the files that they lead to.
fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return std::fs::copy(from, to).map(drop);
    }
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_symlink() && entry.path().is_dir() {
            let path = entry.path();
            return Err(io::Error::other(format!(
                "`{}` is a link to a folder, which may lead in circles",
                path.display()
            )));
        }
        copy_all(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}
