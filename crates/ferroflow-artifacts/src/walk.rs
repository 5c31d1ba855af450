//! All files below a folder.
//!
//! Done here rather than by the object store, whose walk follows links to folders, also out of the root, and gives up
//! at links that lead in a circle.

use std::io;
use std::path::Path;

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

/// Names that the object store keeps for uploads under way: a `#` and digits at the end.
pub(crate) fn is_reserved(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.split_once('#')
        .is_some_and(|(_, rest)| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
}
