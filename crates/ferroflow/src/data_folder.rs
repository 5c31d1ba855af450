//! The data directory: what lies where in it, and who may write there.
//!
//! One process at a time holds it, by a lock on the file `server.lock`. The holder writes into that file who it is,
//! so that others can say so, or talk to it instead.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};

use crate::environment;
use crate::exit::UsageError;

const LOCK: &str = "server.lock";

/// A data directory, locked or not.
#[derive(Debug, Clone)]
pub(crate) struct DataFolder {
    path: PathBuf,
}

/// Who holds a data directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holder {
    /// Its process.
    pub(crate) pid: u32,
    /// Where it serves; absent for a single `ferroflow run`, and for a server that is just starting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<String>,
    /// Fingerprint of its certificate, if it speaks TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) certificate: Option<String>,
}

/// The right to write, kept as long as this lives.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

/// Answer to [`DataFolder::try_lock`].
pub(crate) enum LockAttempt {
    /// The directory is ours.
    Ours(Lock),
    /// Somebody else has it; `None` if it is not yet known who.
    Held(Option<Holder>),
}

impl DataFolder {
    /// The directory of the flag, else of the environment's default. Nothing is made or read.
    pub(crate) fn choose(flag: Option<&Path>) -> Result<Self, UsageError> {
        let chosen = flag.map(Path::to_owned).or_else(environment::default_data_dir);
        let chosen = chosen.ok_or_else(|| {
            UsageError(format!(
                "no home directory is known: say `--data-dir DIR` or set `{}`",
                environment::DATA_DIR
            ))
        })?;
        let path = std::path::absolute(&chosen)
            .map_err(|error| UsageError(format!("`{}` is no usable path: {error}", chosen.display())))?;
        Ok(Self { path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The database.
    pub(crate) fn database(&self) -> PathBuf {
        self.path.join("ferroflow.db")
    }

    /// Bytes of artifacts.
    pub(crate) fn artifacts(&self) -> PathBuf {
        self.path.join("artifacts")
    }

    /// Makes the directory, for its owner only: logs and artifacts may hold secrets.
    pub(crate) fn create(&self) -> anyhow::Result<()> {
        use std::os::unix::fs::DirBuilderExt as _;
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder
            .create(&self.path)
            .with_context(|| format!("cannot make the data directory `{}`", self.path.display()))
    }

    /// Takes the directory if nobody else has it.
    pub(crate) fn try_lock(&self) -> anyhow::Result<LockAttempt> {
        let path = self.path.join(LOCK);
        let open = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path);
        let mut file = open.with_context(|| format!("cannot open `{}`", path.display()))?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {
                let mut lock = Lock { file };
                lock.write(None, None).with_context(|| format!("cannot write `{}`", path.display()))?;
                Ok(LockAttempt::Ours(lock))
            }
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(LockAttempt::Held(read_holder(&mut file))),
            Err(error) => {
                Err(io::Error::from(error)).with_context(|| format!("cannot lock `{}`", path.display()))
            }
        }
    }

    /// Who has the directory, if somebody has.
    pub(crate) fn holder(&self) -> anyhow::Result<Option<Holder>> {
        let Ok(mut file) = File::open(self.path.join(LOCK)) else { return Ok(None) };
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared) {
            Ok(()) => Ok(None),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(read_holder(&mut file)),
            Err(error) => Err(io::Error::from(error).into()),
        }
    }
}

impl Lock {
    /// Tells others where this process serves.
    pub(crate) fn announce(&mut self, address: &str, certificate: Option<String>) -> io::Result<()> {
        self.write(Some(address.to_owned()), certificate)
    }

    fn write(&mut self, address: Option<String>, certificate: Option<String>) -> io::Result<()> {
        let mut text = serde_json::to_vec(&Holder { pid: std::process::id(), address, certificate })?;
        text.push(b'\n');
        self.file.rewind()?;
        self.file.write_all(&text)?;
        self.file.set_len(text.len().try_into().unwrap_or(u64::MAX))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The words of a process that is gone would only mislead. The lock itself goes with the file.
        let _ = self.file.set_len(0);
    }
}

fn read_holder(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_at_a_time_holds_the_folder_and_says_where_it_serves() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::choose(Some(folder.path())).unwrap();
        assert_eq!(data.holder().unwrap(), None);
        let LockAttempt::Ours(mut lock) = data.try_lock().unwrap() else { panic!("nobody has it") };
        let LockAttempt::Held(Some(holder)) = data.try_lock().unwrap() else { panic!("it is taken") };
        assert_eq!(holder, Holder { pid: std::process::id(), address: None, certificate: None });
        lock.announce("http://127.0.0.1:8080", None).unwrap();
        assert_eq!(data.holder().unwrap().unwrap().address.as_deref(), Some("http://127.0.0.1:8080"));
        drop(lock);
        assert_eq!(data.holder().unwrap(), None);
        assert!(matches!(data.try_lock().unwrap(), LockAttempt::Ours(_)));
    }
}
