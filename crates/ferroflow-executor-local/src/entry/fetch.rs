//! Artifacts of the web, fetched when a task needs them.
//!
//! Once for a run: the file stays in the run's workspace, and tasks that need it at the same time may each fetch it, of
//! which the last one stays. Bounded in size and time; a part of a file is never seen.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A host that does not answer is given up after this time.
const CONNECT_PATIENCE: Duration = Duration::from_secs(30);

/// A file to fetch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Download {
    /// `http://…` or `https://…`.
    pub(crate) uri: String,
    /// Where it goes.
    pub(crate) file: String,
    /// It may not be larger.
    pub(crate) most_bytes: u64,
    /// It may not take longer.
    pub(crate) most_seconds: u64,
}

impl Download {
    /// Fetches the file unless it is there. The reason of a failure is a sentence.
    pub(crate) fn fetch(&self) -> Result<(), String> {
        let file = Path::new(&self.file);
        if file.exists() {
            return Ok(());
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
