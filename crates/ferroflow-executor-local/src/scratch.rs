//! Scratch folders, used again when they are left empty.
//!
//! Making and removing a folder for each task gets slower with each task: ext4 passes over all files that were deleted
//! within the last minutes whenever it makes one. Many tasks leave nothing behind, so their folder serves the next.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::layout;

/// Number of a scratch folder. Folders have short names, since sockets are made below them whose paths the system
/// limits to 107 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Slot(u32);

/// All scratch folders of a data directory.
#[derive(Debug)]
pub(crate) struct ScratchFolders {
    folder: String,
    slots: Mutex<Slots>,
}

#[derive(Debug, Default)]
struct Slots {
    /// Those below `next` that are empty or not there.
    free: BTreeSet<Slot>,
    next: u32,
}

impl ScratchFolders {
    /// Below `folder`, without those that are `taken`. What others have left there is removed.
    pub(crate) fn open(folder: String, taken: &BTreeSet<Slot>) -> io::Result<Self> {
        for entry in std::fs::read_dir(&folder)? {
            let Ok(name) = entry?.file_name().into_string() else { continue };
            let is_taken = name.parse().is_ok_and(|number| taken.contains(&Slot(number)));
            if !is_taken && let Err(error) = layout::remove(&format!("{folder}/{name}")) {
                // Its number is not given away: whoever gets it finds that it cannot be made empty.
                tracing::warn!(%error, name, "an old scratch folder cannot be removed");
            }
        }
        let next = taken.last().map_or(0, |slot| slot.0 + 1);
        let free = (0..next).map(Slot).filter(|slot| !taken.contains(slot)).collect();
        Ok(Self { folder, slots: Mutex::new(Slots { free, next }) })
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The path of a slot.
    pub(crate) fn path(&self, slot: Slot) -> String {
        format!("{}/{}", self.folder, slot.0)
    }

    /// Gives an empty folder away.
    pub(crate) fn take(&self) -> io::Result<Slot> {
        loop {
            let slot = {
                let mut slots = self.lock();
                let slot = slots.free.pop_first().unwrap_or(Slot(slots.next));
                slots.next = slots.next.max(slot.0 + 1);
                slot
            };
            let path = self.path(slot);
            match std::fs::create_dir(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    if is_untouched(&path) {
                        return Ok(slot);
                    }
                    // One that could not be removed; the next number is tried.
                }
                Err(error) => {
                    self.lock().free.insert(slot);
                    return Err(error);
                }
                Ok(()) => return Ok(slot),
            }
        }
    }

    /// Takes a folder back, if that needs no more than a look; otherwise [`Self::clear`] is needed.
    pub(crate) fn give_back_empty(&self, slot: Slot) -> bool {
        let is_empty = is_untouched(&self.path(slot));
        if is_empty {
            self.lock().free.insert(slot);
        }
        is_empty
    }

    /// Removes a folder with all below it, and takes it back.
    pub(crate) fn clear(&self, slot: Slot) -> io::Result<()> {
        layout::remove(&self.path(slot))?;
        self.lock().free.insert(slot);
        Ok(())
    }
}

/// Whether a folder is as [`ScratchFolders::take`] made it: empty, and open to its owner.
fn is_untouched(path: &str) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let is_open = std::fs::symlink_metadata(path)
        .is_ok_and(|found| found.is_dir() && found.permissions().mode() & 0o7700 == 0o700);
    is_open && std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_empty_whatever_was_left_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap().to_owned();
        for name in ["0", "3", "old"] {
            std::fs::create_dir_all(folder.path().join(name).join("below")).unwrap();
        }
        let folders = ScratchFolders::open(path, &BTreeSet::from([Slot(3)])).unwrap();
        let mut names: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["3"]);
        let taken: Vec<Slot> = (0..4).map(|_| folders.take().unwrap()).collect();
        assert_eq!(taken, [Slot(0), Slot(1), Slot(2), Slot(4)]);
        assert!(folders.give_back_empty(Slot(1)));
        std::fs::write(format!("{}/left", folders.path(Slot(2))), "").unwrap();
        assert!(!folders.give_back_empty(Slot(2)));
        assert_eq!(folders.take().unwrap(), Slot(1));
        folders.clear(Slot(2)).unwrap();
        folders.clear(Slot(3)).unwrap();
        assert_eq!(folders.take().unwrap(), Slot(2));
        assert_eq!(folders.take().unwrap(), Slot(3));
        assert!(folders.give_back_empty(Slot(2)));
    }
}
