//! All files below a folder.
//!
//! Done here rather than by the object store, whose walk follows links to folders, also out of the root, and gives up
//! at links that lead in a circle.

use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use ferroflow_model::{RunId, Timestamp};
use ferroflow_ports::artifact::StoredObject;

use crate::place::Root;

/// The files below `folder`, in order of path.
///
/// A link to a file counts as that file if it lies below the root; links to folders, pipes and sockets are left out,
/// and so are names that no URI can hold. Blocks.
pub(crate) fn files_below(folder: &Path, root: &Root) -> io::Result<Vec<StoredObject>> {
    let mut files = Vec::new();
    let mut open = vec![(folder.to_owned(), String::new())];
    while let Some((folder, before)) = open.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let (path, kind) = (entry.path(), entry.file_type()?);
            if kind.is_dir() {
                open.push((path, format!("{before}{name}/")));
            } else if (kind.is_file() || (kind.is_symlink() && root.holds(&path))) && !is_reserved(&path) {
                // It may have been removed meanwhile.
                if let Some(found) = path.metadata().ok().filter(std::fs::Metadata::is_file) {
                    files.push(StoredObject { path: format!("{before}{name}"), size_bytes: found.len() });
                }
            }
        }
    }
    files.sort_unstable_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

/// Runs' folders lie below the pipeline's name, which may have some steps itself.
pub(crate) const DEEPEST_RUN: usize = 8;

/// Folders that are named after a run and in which nothing was changed for a while, up to the folders right below them.
/// Links are not followed. Blocks.
pub(crate) fn folders_of_runs(
    root: &Path,
    now: Timestamp,
    unchanged: Duration,
) -> io::Result<Vec<(RunId, String)>> {
    let mut found = Vec::new();
    let mut open = vec![(root.to_owned(), 0)];
    while let Some((folder, depth)) = open.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if !entry.file_type()?.is_dir() {
                continue;
            }
            let path = entry.path();
            match name.parse::<RunId>() {
                Err(_) if depth < DEEPEST_RUN => open.push((path, depth + 1)),
                Err(_) => {}
                Ok(run) => {
                    let is_old = now.since(changed(&path)?) >= unchanged;
                    if let Some(text) = path.to_str().filter(|_| is_old) {
                        found.push((run, text.to_owned()));
                    }
                }
            }
        }
    }
    found.sort();
    Ok(found)
}

/// When something in a folder, or in a folder in it, was last made or removed.
fn changed(folder: &Path) -> io::Result<Timestamp> {
    let mut last = std::fs::metadata(folder)?.modified()?;
    for entry in std::fs::read_dir(folder)? {
        last = last.max(entry?.metadata()?.modified()?);
    }
    let since = last.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Ok(Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX)))
}

/// Names that the object store keeps for uploads under way: a `#` and digits at the end.
pub(crate) fn is_reserved(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.split_once('#')
        .is_some_and(|(_, rest)| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
}
