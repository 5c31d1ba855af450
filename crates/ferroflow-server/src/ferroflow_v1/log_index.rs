//! Where lines begin in a log, so that any of them is found without reading all before it.
//!
//! One number for every [`EVERY`] lines. An index is fed the bytes of a log from its begin on; a log that has grown is
//! fed only what is new. Pure, but for the shelf on which indexes wait for the next question.

use std::sync::{Arc, Mutex, PoisonError};

use ferroflow_model::AttemptId;

use super::recent::Recent;
use super::wire::LogLine;

/// Lines between two noted begins.
const EVERY: u64 = 256;
/// Begins of lines that are kept in all, as bytes.
const SHELF_BYTES: usize = 8 * 1024 * 1024;
/// Bytes of a line that are shown.
pub(super) const LINE_BYTES: usize = 16 * 1024;

/// Begins of lines.
#[derive(Debug, Clone, Default)]
pub(super) struct LogIndex {
    /// Begin of every [`EVERY`]th line.
    begins: Vec<u64>,
    /// Lines that have ended.
    ended: u64,
    /// Bytes seen.
    bytes: u64,
    /// Whether the last line has no end yet.
    is_open: bool,
}

impl LogIndex {
    /// Takes the next bytes.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            if !self.is_open {
                self.is_open = true;
                if self.ended.is_multiple_of(EVERY) {
                    self.begins.push(self.bytes);
                }
            }
            let length = memchr::memchr(b'\n', rest).map(|end| end + 1);
            let (line, after) = rest.split_at(length.unwrap_or(rest.len()));
            self.bytes += line.len() as u64;
            if length.is_some() {
                self.ended += 1;
                self.is_open = false;
            }
            rest = after;
        }
    }

    /// Lines so far; one that has not ended counts.
    pub(super) fn lines(&self) -> u64 {
        self.ended + u64::from(self.is_open)
    }

    /// Bytes so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Where to begin reading for a line: a byte, and how many lines to pass over from there.
    pub(super) fn seek(&self, line: u64) -> (u64, u64) {
        let noted = usize::try_from(line / EVERY).unwrap_or(usize::MAX);
        match self.begins.get(noted) {
            Some(begin) => (*begin, line % EVERY),
            // Not there yet: from the last one that is known.
            None => match self.begins.last() {
                Some(begin) => (*begin, line - (self.begins.len() as u64 - 1) * EVERY),
                None => (0, line),
            },
        }
    }

    pub(super) fn weight(&self) -> usize {
        self.begins.capacity() * size_of::<u64>() + 256
    }
}

/// Cuts bytes into lines, however they arrive.
#[derive(Debug)]
pub(super) struct Lines {
    /// Number of the line that is being read.
    line: u64,
    /// Lines to pass over before that.
    skip: u64,
    text: Vec<u8>,
    cut: u64,
    is_open: bool,
}

impl Lines {
    /// The next bytes begin `skip` lines before line `line`.
    pub(super) fn new(line: u64, skip: u64) -> Self {
        Self { line, skip, text: Vec::new(), cut: 0, is_open: false }
    }

    /// Number of the next line that would be given out.
    pub(super) fn next_line(&self) -> u64 {
        self.line
    }

    /// Takes bytes and gives out every line that ends in them. `take` says whether to go on.
    pub(super) fn feed(&mut self, bytes: &[u8], mut take: impl FnMut(LogLine) -> bool) -> bool {
        let mut rest = bytes;
        while !rest.is_empty() {
            let length = memchr::memchr(b'\n', rest);
            let (line, after) = rest.split_at(length.unwrap_or(rest.len()));
            self.is_open = true;
            if self.skip == 0 {
                let room = LINE_BYTES.saturating_sub(self.text.len()).min(line.len());
                let (kept, cut) = line.split_at(room);
                self.text.extend_from_slice(kept);
                self.cut += cut.len() as u64;
            }
            rest = after.get(1..).unwrap_or_default();
            if length.is_some()
                && let Some(line) = self.end()
                && !take(line)
            {
                return false;
            }
        }
        true
    }

    /// The last line, if it has no end.
    pub(super) fn finish(mut self) -> Option<LogLine> {
        if self.is_open { self.end() } else { None }
    }

    fn end(&mut self) -> Option<LogLine> {
        self.is_open = false;
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        let mut text = String::from_utf8_lossy(&self.text).into_owned();
        if text.ends_with('\r') {
            text.pop();
        }
        self.text.clear();
        let line = LogLine { line: self.line, text, cut_bytes: std::mem::take(&mut self.cut) };
        self.line += 1;
        Some(line)
    }
}

/// Indexes of logs that were read lately.
#[derive(Debug)]
pub(super) struct LogShelf(Mutex<Recent<AttemptId, Known>>);

/// What is known of a log.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// Its lines so far.
    pub(super) index: Arc<LogIndex>,
    /// Whether the log has ended and was read to its end.
    pub(super) is_whole: bool,
}

impl Default for LogShelf {
    fn default() -> Self {
        Self(Mutex::new(Recent::new(SHELF_BYTES)))
    }
}

impl LogShelf {
    /// What is known of a log; nothing at first.
    pub(super) fn get(&self, id: &AttemptId) -> Known {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).unwrap_or_default()
    }

    /// Keeps what is known now.
    pub(super) fn put(&self, id: AttemptId, known: Known) {
        let weight = known.index.weight();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).put(id, known, weight);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds a log in pieces of each size; the lines, numbered, must always be these.
    fn check(log: &[u8], expected: &[&str]) {
        for size in [1, 2, 3, 7, 1000] {
            let mut index = LogIndex::default();
            let mut lines = Lines::new(0, 0);
            let mut found = Vec::new();
            for piece in log.chunks(size) {
                index.feed(piece);
                lines.feed(piece, |line| {
                    found.push(line);
                    true
                });
            }
            found.extend(lines.finish());
            let texts: Vec<_> = found.iter().map(|line| line.text.as_str()).collect();
            assert_eq!(texts, expected, "{size}");
            assert!(found.iter().zip(0..).all(|(line, number)| line.line == number));
            assert_eq!((index.lines(), index.bytes()), (expected.len() as u64, log.len() as u64));
        }
    }

    #[test]
    fn lines_are_cut_wherever_pieces_end() {
        check(b"", &[]);
        check(b"one", &["one"]);
        check(b"one\n", &["one"]);
        check(b"one\n\ntwo\r\nthree", &["one", "", "two", "three"]);
        check("ä\n\u{1b}[31mred\n".as_bytes(), &["ä", "\u{1b}[31mred"]);
        check(b"bad \xff byte\n", &["bad \u{fffd} byte"]);
    }

    #[test]
    fn any_line_is_found_from_its_noted_begin() {
        let log: Vec<String> = (0..10_000).map(|line| format!("line {line}\n")).collect();
        let log = log.concat();
        let mut index = LogIndex::default();
        log.as_bytes().chunks(777).for_each(|piece| index.feed(piece));
        for wanted in [0, 1, 255, 256, 257, 5000, 9999] {
            let (begin, skip) = index.seek(wanted);
            assert!(skip < EVERY);
            let mut first = None;
            Lines::new(wanted, skip).feed(&log.as_bytes()[usize::try_from(begin).unwrap()..], |line| {
                first = Some(line);
                false
            });
            let first = first.unwrap();
            assert_eq!((first.line, first.text), (wanted, format!("line {wanted}")));
        }
        assert!(index.weight() < 1000);
    }

    #[test]
    fn long_lines_are_cut() {
        let log = "x".repeat(LINE_BYTES + 5) + "\nshort\n";
        let mut found = Vec::new();
        Lines::new(0, 0).feed(log.as_bytes(), |line| {
            found.push((line.text.len(), line.cut_bytes));
            true
        });
        assert_eq!(found, [(LINE_BYTES, 5), (5, 0)]);
    }
}
