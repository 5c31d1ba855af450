//! The journal: what the supervisor must still know after it was killed.
//!
//! One JSON record per line, appended with a single write and never synced: a power cut may take the last records
//! (nothing survives one that they speak of), the death of any process may not.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::wire::{Ended, Record};

/// From this size on the journal is written anew once most of it is history.
const COMPACT_FROM_BYTES: u64 = 1024 * 1024;

/// An append-only file of [`Record`]s.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    size_bytes: u64,
    /// Size right after the last compaction.
    base_bytes: u64,
    boot: String,
    /// Records that are not in the file yet.
    unwritten: Vec<u8>,
}

/// What a journal tells of the supervisor before.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    /// Attempts without an end, by id.
    pub(super) in_flight: BTreeMap<String, InFlight>,
    /// Ends that nobody has acknowledged, in the order they came.
    pub(super) ended: Vec<Ended>,
    /// The boot under which the last records were written.
    pub(super) boot: String,
}

/// An attempt of the supervisor before.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) context: String,
    /// Process id and when it was started; `None` if it was killed just between.
    pub(super) process: Option<(i32, u64, u64)>,
}

impl Journal {
    /// Opens or begins the journal and reads what it remembers.
    pub(super) fn open(path: &Path, boot: &str) -> io::Result<(Self, Remembered)> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let remembered = Remembered::read(&bytes);
        let mut journal = Self {
            path: path.to_owned(),
            file: OpenOptions::new().append(true).create(true).open(path)?,
            size_bytes: bytes.len() as u64,
            base_bytes: 0,
            boot: boot.to_owned(),
            unwritten: Vec::new(),
        };
        if !bytes.is_empty() && !bytes.ends_with(b"\n") {
            journal.file.write_all(b"\n")?;
            journal.size_bytes += 1;
        }
        journal.append(&Record::Boot { boot: boot.to_owned() })?;
        Ok((journal, remembered))
    }

    /// Adds a record, and those that wait.
    pub(super) fn append(&mut self, record: &Record) -> io::Result<()> {
        self.append_later(record)?;
        self.flush()
    }

    /// Adds a record that may be lost: it is written together with the next one.
    pub(super) fn append_later(&mut self, record: &Record) -> io::Result<()> {
        serde_json::to_writer(&mut self.unwritten, record)?;
        self.unwritten.push(b'\n');
        Ok(())
    }

    /// Writes the records that wait. What cannot be written is given up, so that one full disk is not an error for ever.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.unwritten.is_empty() {
            return Ok(());
        }
        let written = self.file.write_all(&self.unwritten);
        if written.is_ok() {
            self.size_bytes += self.unwritten.len() as u64;
        } else {
            // What was torn must not swallow the next record.
            let _ = self.file.set_len(self.size_bytes);
        }
        self.unwritten.clear();
        written
    }

    /// Whether it has grown enough for [`Self::rewrite`] to pay.
    pub(super) fn is_large(&self) -> bool {
        self.size_bytes > COMPACT_FROM_BYTES && self.size_bytes > 4 * self.base_bytes
    }

    /// Whether there is anything but the first record in it.
    pub(super) fn is_worth_clearing(&self) -> bool {
        self.size_bytes > COMPACT_FROM_BYTES / 16
    }

    /// Replaces everything by these records.
    pub(super) fn rewrite(&mut self, records: &[Record]) -> io::Result<()> {
        let beside = self.path.with_extension("new");
        let boot = Record::Boot { boot: self.boot.clone() };
        let mut text = Vec::new();
        for record in std::iter::once(&boot).chain(records) {
            serde_json::to_writer(&mut text, record)?;
            text.push(b'\n');
        }
        std::fs::write(&beside, &text)?;
        let file = OpenOptions::new().append(true).open(&beside)?;
        std::fs::rename(&beside, &self.path)?;
        self.file = file;
        self.unwritten.clear();
        self.size_bytes = text.len() as u64;
        self.base_bytes = self.size_bytes;
        Ok(())
    }
}

impl Remembered {
    /// Lines that cannot be read are passed over: only a power cut tears them, and then nothing of them is alive.
    fn read(bytes: &[u8]) -> Self {
        let mut found = Self::default();
        for record in bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok())
        {
            match record {
                Record::Boot { boot } => found.boot = boot,
                Record::Starting { id, context } => {
                    found.in_flight.insert(id, InFlight { context, process: None });
                }
                Record::Running { id, pid, from_ns, to_ns } => {
                    if let Some(attempt) = found.in_flight.get_mut(&id) {
                        attempt.process = Some((pid, from_ns, to_ns));
                    }
                }
                Record::Ended(ended) => {
                    found.in_flight.remove(&ended.id);
                    found.ended.push(ended);
                }
                Record::Acknowledged { id } => found.ended.retain(|ended| ended.id != id),
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{End, Times};

    fn ended(id: &str) -> Record {
        let end = End::Exited { code: 0 };
        Record::Ended(Ended { id: id.into(), context: "c".into(), end, times: Times::default() })
    }

    #[test]
    fn what_was_not_acknowledged_is_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let (mut journal, before) = Journal::open(&path, "boot 1").unwrap();
        assert!(before.in_flight.is_empty() && before.ended.is_empty());
        for id in ["a", "b", "c", "d"] {
            journal.append(&Record::Starting { id: id.into(), context: id.to_uppercase() }).unwrap();
        }
        journal.append(&Record::Running { id: "a".into(), pid: 7, from_ns: 1, to_ns: 2 }).unwrap();
        journal.append(&ended("c")).unwrap();
        journal.append(&ended("d")).unwrap();
        journal.append(&Record::Acknowledged { id: "c".into() }).unwrap();
        std::fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all(b"{\"Ended\":{\"id\":\"b\"")
            .unwrap();

        let (mut journal, found) = Journal::open(&path, "boot 2").unwrap();
        let flying: Vec<_> =
            found.in_flight.iter().map(|(id, a)| (id.as_str(), a.context.as_str(), a.process)).collect();
        assert_eq!(flying, [("a", "A", Some((7, 1, 2))), ("b", "B", None)]);
        assert_eq!(found.ended.iter().map(|ended| ended.id.as_str()).collect::<Vec<_>>(), ["d"]);
        assert_eq!(found.boot, "boot 1");

        journal.append(&ended("b")).unwrap();
        let (mut journal, found) = Journal::open(&path, "boot 2").unwrap();
        assert_eq!(found.in_flight.keys().collect::<Vec<_>>(), ["a"]);
        assert_eq!((found.ended.len(), found.boot.as_str()), (2, "boot 2"));

        journal.rewrite(&[ended("d")]).unwrap();
        journal.append(&ended("e")).unwrap();
        let (_, found) = Journal::open(&path, "boot 3").unwrap();
        assert!(found.in_flight.is_empty());
        assert_eq!(found.ended.iter().map(|ended| ended.id.as_str()).collect::<Vec<_>>(), ["d", "e"]);
    }

    #[test]
    fn a_full_disk_refuses_one_record_and_not_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let (mut journal, _) = Journal::open(&path, "boot").unwrap();
        let file =
            std::mem::replace(&mut journal.file, OpenOptions::new().write(true).open("/dev/full").unwrap());
        let error = journal.append(&ended("a")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        journal.file = file;
        journal.append(&ended("b")).unwrap();
        let (_, found) = Journal::open(&path, "boot").unwrap();
        assert_eq!(found.ended.iter().map(|ended| ended.id.as_str()).collect::<Vec<_>>(), ["b"]);
    }
}
