//! Logs by lines. Line numbers begin with 0.

use serde::Serialize;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct LogLine {
    /// Its number.
    pub(crate) line: u64,
    /// Its text without the end of line, with colour codes as written; cut after 16 KiB.
    pub(crate) text: String,
    /// Bytes that were cut off.
    pub(crate) cut_bytes: u64,
}

/// Some lines of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct LogPage {
    /// The attempt that the log belongs to.
    pub(crate) attempt: u32,
    /// Consecutive lines.
    pub(crate) lines: Vec<LogLine>,
    /// Lines that the log had when it was read.
    pub(crate) total_lines: u64,
    /// Bytes that the log had when it was read.
    pub(crate) total_bytes: u64,
    /// Whether the attempt has ended, so that the log does not grow.
    pub(crate) is_complete: bool,
}

/// A line that matches a search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct LogMatch {
    /// Its number.
    pub(crate) line: u64,
    /// Its text, cut to 512 characters around the first match.
    pub(crate) text: String,
}

/// Lines that match a search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct LogMatches {
    /// The attempt that the log belongs to.
    pub(crate) attempt: u32,
    /// The first ones from `from_line` on, at most `limit`.
    pub(crate) matches: Vec<LogMatch>,
    /// Matching lines in the whole log.
    pub(crate) total_matches: u64,
    /// Lines that the log had when it was read.
    pub(crate) total_lines: u64,
    /// First line that looks like an error; `null` if none does.
    pub(crate) first_error_line: Option<u64>,
}

/// A line of the log of a run: of what all its tasks have written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct RunLogLine {
    /// Its number among all lines.
    pub(crate) line: u64,
    /// Path of the task that wrote it.
    pub(crate) path: String,
    /// In which attempt.
    pub(crate) attempt: u32,
    /// Its number in the log of that attempt.
    pub(crate) task_line: u64,
    /// As in [`LogLine`].
    pub(crate) text: String,
    /// Bytes that were cut off.
    pub(crate) cut_bytes: u64,
}

/// Some lines of the log of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct RunLogPage {
    /// Consecutive lines.
    pub(crate) lines: Vec<RunLogLine>,
    /// Lines that there were when it was read.
    pub(crate) total_lines: u64,
    /// Bytes that there were when it was read.
    pub(crate) total_bytes: u64,
    /// Whether the run has ended, so that nothing is added.
    pub(crate) is_complete: bool,
    /// Attempts whose logs were left out, since there are more than 10,000.
    pub(crate) left_out: u64,
}

/// Lines of the log of a run that match a search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct RunLogMatches {
    /// The first ones from `from_line` on, at most `limit`.
    pub(crate) matches: Vec<LogMatch>,
    /// Matching lines of all tasks.
    pub(crate) total_matches: u64,
    /// Lines that there were when it was read.
    pub(crate) total_lines: u64,
    /// First line that looks like an error; `null` if none does.
    pub(crate) first_error_line: Option<u64>,
}
