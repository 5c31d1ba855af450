//! Some space kept back beside the database, so that the end of tasks can still be stored when user code has filled
//! the disk: failing runs in words needs less room than waiting until somebody makes some.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::FallocateFlags;

/// Enough for the rows of some thousand tasks.
const SIZE_BYTES: u64 = 4 * 1024 * 1024;
/// The space is taken back only from a disk that has three times as much left.
const PLENTY: u64 = 3 * SIZE_BYTES;
/// Pause between two looks at the disk.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// A file of blocks without content.
#[derive(Debug)]
pub(crate) struct Reserve {
    path: PathBuf,
    is_held: bool,
    looked_at: Option<Instant>,
}

impl Reserve {
    /// Of the database at `path`; takes nothing yet.
    pub(crate) fn beside(path: &Path) -> Self {
        let path = path.with_extension("reserve");
        Self { is_held: path.exists(), path, looked_at: None }
    }

    /// Takes the space if it is not held and there is plenty.
    pub(crate) fn hold(&mut self) {
        if self.is_held || self.looked_at.is_some_and(|at| at.elapsed() < LOOK_EVERY) {
            return;
        }
        self.looked_at = Some(Instant::now());
        // Without a reserve everything works, until the disk is full.
        self.is_held = self.take().is_ok();
    }

    fn take(&self) -> io::Result<()> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let disk = rustix::fs::statvfs(folder.unwrap_or_else(|| Path::new(".")))?;
        if disk.f_bavail.saturating_mul(disk.f_frsize) < PLENTY {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&self.path)?;
        let taken = rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, SIZE_BYTES);
        if taken.is_err() {
            let _ = std::fs::remove_file(&self.path);
        }
        Ok(taken?)
    }

    /// Gives the space back to the disk; false if there was none to give.
    pub(crate) fn give_up(&mut self) -> bool {
        let was_held = std::mem::take(&mut self.is_held) && std::fs::remove_file(&self.path).is_ok();
        if was_held {
            self.looked_at = Some(Instant::now());
            tracing::warn!("the disk is full: what was kept back is used now, so that runs can end");
        }
        was_held
    }
}
