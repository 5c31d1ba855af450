//! Makes the folder that a preparing process fills.

use std::io;
use std::os::unix::fs::{OpenOptionsExt, symlink};

use crate::wire::{Prepare, SkeletonEntry};

/// Removes what an interrupted preparation left and makes the folder anew.
pub(crate) fn make(prepare: &Prepare) -> io::Result<()> {
    match std::fs::remove_dir_all(&prepare.folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    std::fs::create_dir_all(&prepare.folder)?;
    crate::supervisor::skeleton::entries(&prepare.skeleton)
}

/// Makes the entries in their order.
pub(super) fn entries(entries: &[SkeletonEntry]) -> io::Result<()> {
    for entry in entries {
        match entry {
            SkeletonEntry::Folder { path } => std::fs::create_dir_all(path)?,
            SkeletonEntry::Link { path, target } => symlink(target, path)?,
            SkeletonEntry::File { path, text, executable } => {
                let mode = if *executable { 0o755 } else { 0o644 };
                let mut file = std::fs::OpenOptions::new()
                    .create(true)
                    .write(true)
                    .truncate(true)
                    .mode(mode)
                    .open(path)?;
                io::Write::write_all(&mut file, text.as_bytes())?;
            }
        }
    }
    Ok(())
}
