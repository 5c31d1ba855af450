//! Keeps logs within a size: their beginning and their end stay, the middle goes.
//!
//! User code writes to the file directly. While it grows beyond its cap, the blocks in the middle are given back to
//! the disk; once the task has ended, the file is written anew without the hole.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;

use crate::linux;

/// Holes begin and end at multiples of this.
const BLOCK_BYTES: u64 = 64 * 1024;

/// What is known of one growing log.
#[derive(Debug)]
pub(super) struct LogCap {
    path: String,
    cap_bytes: u64,
    /// Size when it was last looked at.
    seen_bytes: u64,
    /// End of the hole.
    punched_to: u64,
    /// Bytes that were cut off since this file system has no holes.
    cut_bytes: u64,
}

/// How a log grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Growth {
    None,
    Slow,
    /// By a good part of the cap at once.
    Fast,
}

/// Bytes that stay at the beginning; as many stay at the end.
pub(crate) fn head_bytes(cap_bytes: u64) -> u64 {
    (cap_bytes / 2).next_multiple_of(BLOCK_BYTES)
}

/// What stands in place of the middle.
pub(crate) fn marker(left_out_bytes: u64) -> String {
    format!("\n… {left_out_bytes} bytes left out …\n")
}

impl LogCap {
    pub(super) fn new(path: &str, cap_bytes: u64) -> Self {
        // A cap below some blocks would leave nothing between head and tail to give back.
        let cap_bytes = cap_bytes.max(4 * BLOCK_BYTES);
        Self { path: path.to_owned(), cap_bytes, seen_bytes: 0, punched_to: 0, cut_bytes: 0 }
    }

    /// Gives back blocks if the log is too large; tells how it has grown since the last look.
    pub(super) fn look(&mut self) -> Growth {
        let Ok(size) = std::fs::metadata(&self.path).map(|found| found.size()) else { return Growth::None };
        let grown_bytes = size.saturating_sub(self.seen_bytes);
        self.seen_bytes = size;
        let head = head_bytes(self.cap_bytes);
        let hole_to = size.saturating_sub(head) / BLOCK_BYTES * BLOCK_BYTES;
        // Not for each little growth: one call for each eighth of the cap.
        if hole_to > self.punched_to.max(head) + self.cap_bytes / 8 {
            self.make_room(head, hole_to);
        }
        match grown_bytes {
            0 => Growth::None,
            _ if grown_bytes > self.cap_bytes / 8 => Growth::Fast,
            _ => Growth::Slow,
        }
    }

    fn make_room(&mut self, head: u64, hole_to: u64) {
        let Ok(file) = OpenOptions::new().write(true).open(&self.path) else { return };
        if linux::punch_hole(&file, self.punched_to.max(head), hole_to) {
            self.punched_to = hole_to;
        } else if file.set_len(head).is_ok() {
            // Writers append, so they go on right behind the head.
            self.cut_bytes += self.seen_bytes.saturating_sub(head);
            self.seen_bytes = head;
        }
    }

    /// Brings the log of an ended task into its final form.
    pub(super) fn finish(&self) -> io::Result<()> {
        let size = match std::fs::metadata(&self.path) {
            Ok(found) => found.size(),
            Err(_) => return Ok(()),
        };
        if size <= self.cap_bytes && self.cut_bytes == 0 {
            return Ok(());
        }
        let head = head_bytes(self.cap_bytes).min(size);
        let tail = (self.cap_bytes.saturating_sub(head)).min(size - head);
        let left_out = size - head - tail + self.cut_bytes;
        let beside = format!("{}.new", self.path);
        let mut from = File::open(&self.path)?;
        let mut to = File::create(&beside)?;
        io::copy(&mut (&mut from).take(head), &mut to)?;
        to.write_all(marker(left_out).as_bytes())?;
        from.seek(SeekFrom::Start(size - tail))?;
        io::copy(&mut from.take(tail), &mut to)?;
        std::fs::rename(&beside, &self.path)
    }
}
