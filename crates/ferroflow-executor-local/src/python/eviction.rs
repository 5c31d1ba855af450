//! Removes environments when all together are too large: the least recently used first, never one that is in use.
//!
//! In use is what a live process of this machine was started with, whoever started it: tasks outlive servers. What
//! containers use is locked by those who look after them. One that was planned for a moment ago stays as well, since its
//! process may be about to start.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::environment::READY;
use crate::linux;

/// From planning a task to the start of its process.
const ABOUT_TO_START: Duration = Duration::from_mins(10);
/// Written by `make_environment.py`: bytes of the whole environment.
const SIZE: &str = "size";

#[derive(Debug)]
struct Entry {
    folder: PathBuf,
    bytes: u64,
    used: SystemTime,
}

/// Removes environments below `folder` until the rest is not larger than `limit` bytes, sparing `keep`.
pub(crate) fn evict(folder: &Path, limit: u64, keep: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut found: Vec<Entry> = entries.flatten().filter_map(|entry| describe(entry.path())).collect();
    let mut total: u64 = found.iter().map(|entry| entry.bytes).sum();
    if total <= limit {
        return;
    }
    found.sort_by_key(|entry| entry.used);
    let in_use = in_use();
    for entry in found {
        if total <= limit {
            break;
        }
        let is_recent = entry.used.elapsed().is_ok_and(|since| since < ABOUT_TO_START);
        if entry.folder == keep || is_recent || in_use.contains(&entry.folder) || is_locked(&entry.folder) {
            continue;
        }
        // Without this file nobody takes it for complete, however far the removal comes.
        if fs::remove_file(entry.folder.join(READY)).is_ok() && fs::remove_dir_all(&entry.folder).is_ok() {
            let _ = fs::remove_file(entry.folder.with_extension("log"));
            total = total.saturating_sub(entry.bytes);
            tracing::info!(folder = %entry.folder.display(), bytes = entry.bytes, "python environment removed");
        }
    }
}

/// A complete environment. What is incomplete is being built, or is made anew when it is wanted again.
fn describe(folder: PathBuf) -> Option<Entry> {
    let used = fs::metadata(folder.join(READY)).ok()?.modified().ok()?;
    let bytes = fs::read_to_string(folder.join(SIZE)).ok()?.trim().parse().ok()?;
    Some(Entry { folder, bytes, used })
}

/// Whether somebody holds the lock of an environment. Most have none.
fn is_locked(folder: &Path) -> bool {
    let Ok(file) = fs::File::open(folder.with_extension("lock")) else { return false };
    file.try_lock().is_err()
}

/// The environments of all processes that can be seen.
fn in_use() -> HashSet<PathBuf> {
    let of = |pid| linux::start_variable(pid, "VIRTUAL_ENV").map(PathBuf::from);
    linux::all_processes().into_iter().filter_map(of).collect()
}
