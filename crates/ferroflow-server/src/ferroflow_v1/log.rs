//! Logs by lines: pages, search, bytes, and following.

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use ferroflow_model::record::TaskRecord;
use ferroflow_model::{AttemptId, RunId, TaskKind, TaskStatus};
use ferroflow_ports::view::{TaskBrief, TaskKey};
use ferroflow_ports::{ErrorKind, Executor, PortError};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;

use super::content::{self, Span};
use super::log_index::{Known, Lines, LogIndex};
use super::query::Query;
use super::stream::{Events, event};
use super::wire::{LogChange, LogLine, LogMatch, LogMatches, LogPage, Traceback};
use super::{OwnApi, Question, traceback};
use crate::rest::answer::Answer;
use crate::status::{ApiError, Code};

/// Lines of a page.
pub(super) const DEFAULT_LINES: u32 = 1000;
pub(super) const MOST_LINES: u32 = 5000;
/// Bytes of a page; one that is longer ends early.
pub(super) const PAGE_BYTES: usize = 4 * 1024 * 1024;
/// Lines in one event of a followed log.
pub(super) const EVENT_LINES: usize = 500;
/// Letters of a match.
const MATCH_LETTERS: usize = 512;
/// Lines from the end of a log in which a traceback is looked for.
const TRACEBACK_LINES: u64 = 2000;
/// Logs that are larger may lose their middle.
pub(super) const LARGE_BYTES: u64 = 16 * 1024 * 1024;
/// What a line with an error most likely holds.
const ERROR_WORDS: [&str; 5] =
    ["Traceback (most recent call last)", "ERROR", "Error:", "Exception:", "FATAL"];

pub(super) type Pieces = BoxStream<'static, Result<Bytes, PortError>>;

/// The log of one attempt.
pub(super) struct Source {
    pub(super) id: AttemptId,
    /// Whether it may still grow.
    pub(super) is_growing: bool,
}

/// The log from a byte on; empty where there is none yet.
pub(super) async fn pieces(
    executor: &dyn Executor,
    source: &Source,
    from: u64,
    follow: bool,
) -> Result<Pieces, ApiError> {
    match executor.logs_from(&source.id, from, follow).await {
        Ok(pieces) => Ok(pieces),
        Err(error) if error.kind == ErrorKind::NotFound && source.is_growing => {
            Ok(futures_util::stream::empty().boxed())
        }
        Err(error) if error.kind == ErrorKind::NotFound => {
            Err(ApiError::new(Code::NotFound, "this attempt has no log"))
        }
        Err(error) => Err(error.into()),
    }
}

/// Consecutive lines, fewer if they are long.
pub(super) async fn lines(
    executor: &dyn Executor,
    source: &Source,
    index: &LogIndex,
    from: u64,
    limit: u64,
) -> Result<Vec<LogLine>, ApiError> {
    let (begin, skip) = index.seek(from);
    let mut found = Vec::new();
    if from >= index.lines() || limit == 0 {
        return Ok(found);
    }
    let mut bytes = 0;
    let mut take = |line: LogLine| {
        bytes += line.text.len();
        found.push(line);
        (found.len() as u64) < limit && bytes < PAGE_BYTES
    };
    let mut lines = Lines::new(from, skip);
    let mut pieces = pieces(executor, source, begin, false).await?;
    let mut goes_on = true;
    while goes_on && let Some(piece) = pieces.next().await {
        goes_on = lines.feed(&piece?, &mut take);
    }
    if goes_on && let Some(line) = lines.finish() {
        take(line);
    }
    Ok(found)
}

impl OwnApi {
    /// Which log the question is about. `NotFound` without the task, or if it can have no log.
    async fn source(&self, question: &Question<'_>, query: &Query) -> Result<Source, ApiError> {
        let task = self.task_of(question).await?;
        let wanted: Option<u32> = query.parsed("attempt", "a number")?;
        self.source_of(task, wanted).await
    }

    async fn source_of(&self, task: TaskRecord, wanted: Option<u32>) -> Result<Source, ApiError> {
        if task.kind != TaskKind::Container {
            let text = format!("task `{}` has no log of its own: it runs other tasks, or none", task.name);
            return Err(ApiError::new(Code::NotFound, text));
        }
        if let (Some(origin), None | Some(0)) = (task.cached_from, wanted) {
            // What was taken over was logged by whoever made it.
            let found = self.services.store.executions(&[origin]).await?.pop();
            let gone =
                || ApiError::new(Code::NotFound, "the run that made these results was removed with its logs");
            let origin = found.ok_or_else(gone)?;
            let origin = self.services.store.task(origin.run_id, TaskKey::Path(origin.path)).await?;
            let id = AttemptId { run: origin.run_id, path: origin.path, attempt: origin.attempt };
            return Ok(Source { id, is_growing: false });
        }
        let number = wanted.unwrap_or(task.attempt);
        if number > task.attempt {
            return Err(ApiError::new(
                Code::NotFound,
                format!("task `{}` has no attempt {number}", task.name),
            ));
        }
        let is_growing = number == task.attempt && !task.status.is_terminal();
        Ok(Source { id: AttemptId { run: task.run_id, path: task.path, attempt: number }, is_growing })
    }

    async fn pieces(&self, source: &Source, from: u64, follow: bool) -> Result<Pieces, ApiError> {
        pieces(&*self.services.executor, source, from, follow).await
    }

    /// The index of a log up to its present end.
    async fn index(&self, source: &Source) -> Result<Arc<LogIndex>, ApiError> {
        let known = self.logs.get(&source.id);
        if known.is_whole {
            return Ok(known.index);
        }
        // A large log is written anew when its attempt ends, without its middle.
        let is_written_anew = !source.is_growing && known.index.bytes() > LARGE_BYTES;
        let mut index = if is_written_anew { LogIndex::default() } else { LogIndex::clone(&known.index) };
        let mut pieces = self.pieces(source, index.bytes(), false).await?;
        while let Some(piece) = pieces.next().await {
            index.feed(&piece?);
        }
        let index = Arc::new(index);
        self.logs.put(source.id.clone(), Known { index: Arc::clone(&index), is_whole: !source.is_growing });
        Ok(index)
    }

    async fn lines(
        &self,
        source: &Source,
        index: &LogIndex,
        from: u64,
        limit: u64,
    ) -> Result<Vec<LogLine>, ApiError> {
        lines(&*self.services.executor, source, index, from, limit).await
    }

    pub(super) async fn log(&self, question: &Question<'_>) -> Result<LogPage, ApiError> {
        let query = question.query(&["attempt", "from_line", "limit"])?;
        let limit = u64::from(query.number("limit", DEFAULT_LINES, (1, MOST_LINES))?);
        let from: Option<u64> = query.parsed("from_line", "a number")?;
        let source = self.source(question, &query).await?;
        let index = self.index(&source).await?;
        let from = from.unwrap_or_else(|| index.lines().saturating_sub(limit));
        let lines = self.lines(&source, &index, from, limit).await?;
        Ok(LogPage {
            attempt: source.id.attempt,
            lines,
            total_lines: index.lines(),
            total_bytes: index.bytes(),
            is_complete: !source.is_growing,
        })
    }

    pub(super) async fn log_search(&self, question: &Question<'_>) -> Result<LogMatches, ApiError> {
        let query = question.query(&["attempt", "q", "case", "from_line", "limit"])?;
        let wanted =
            query.text("q").ok_or_else(|| ApiError::invalid("`q` is missing: the text to look for"))?;
        let needle = Needle::new(wanted, query.switch("case")?);
        let limit = query.number("limit", 200, (1, 1000))? as usize;
        let from: u64 = query.parsed("from_line", "a number")?.unwrap_or(0);
        let source = self.source(question, &query).await?;
        let mut found = LogMatches {
            attempt: source.id.attempt,
            matches: Vec::new(),
            total_matches: 0,
            total_lines: 0,
            first_error_line: None,
        };
        let mut take = |line: LogLine| {
            found.total_lines = line.line + 1;
            if found.first_error_line.is_none() && looks_like_error(&line.text) {
                found.first_error_line = Some(line.line);
            }
            if let Some(at) = needle.find(&line.text) {
                found.total_matches += 1;
                if line.line >= from && found.matches.len() < limit {
                    found.matches.push(LogMatch { line: line.line, text: around(&line.text, at) });
                }
            }
            true
        };
        let mut lines = Lines::new(0, 0);
        let mut pieces = self.pieces(&source, 0, false).await?;
        while let Some(piece) = pieces.next().await {
            lines.feed(&piece?, &mut take);
        }
        if let Some(line) = lines.finish() {
            take(line);
        }
        Ok(found)
    }

    pub(super) async fn log_raw(&self, question: &Question<'_>) -> Result<Answer, ApiError> {
        let query = question.query(&["attempt"])?;
        let source = self.source(question, &query).await?;
        let name = format!("{}-{}.log", source.id.path.as_str().replace('/', "-"), source.id.attempt);
        let span = match content::range_header(question.headers) {
            None => None,
            Some(range) => Some(Span::of(range, self.index(&source).await?.bytes())?),
        };
        let pieces = self.pieces(&source, span.map_or(0, |span| span.from), false).await?;
        let body = Body::from_stream(content::limited(pieces, span));
        Ok(content::download(body, "text/plain; charset=utf-8", span, Some(&name)))
    }

    /// Lines as they are written. Waits for an attempt that has not begun, by the changes of its run.
    pub(super) async fn log_stream(&self, question: &Question<'_>) -> Result<Answer, ApiError> {
        let query = question.query(&["attempt", "from_line", "cursor"])?;
        let resumed = super::stream::resume_cursor(question, &query).and_then(|cursor| cursor.parse().ok());
        let from = match resumed {
            Some(line) => line,
            None => query.parsed("from_line", "a number")?.unwrap_or(0),
        };
        let wanted: Option<u32> = query.parsed("attempt", "a number")?;
        let source = self.begun(question, wanted).await?;
        let index = self.index(&source).await?;
        let (begin, skip) = index.seek(from);
        let pieces = self.pieces(&source, begin, source.is_growing).await?;
        let lines = Lines::new(from, skip);
        let events = futures_util::stream::unfold(Some((pieces, lines)), async |state| {
            let (mut pieces, mut lines) = state?;
            loop {
                let mut found = Vec::new();
                match pieces.next().await {
                    Some(Ok(piece)) => {
                        lines.feed(&piece, |line| {
                            found.push(line);
                            true
                        });
                        if !found.is_empty() {
                            let text = line_events(found, lines.next_line());
                            return Some((text, Some((pieces, lines))));
                        }
                    }
                    Some(Err(error)) => {
                        tracing::error!(%error, "followed log breaks off");
                        return None;
                    }
                    None => return Some((last_events(lines), None)),
                }
            }
        });
        self.events(Events::new(events.boxed()))
    }

    /// The source, once the attempt has begun (or the task has ended without).
    async fn begun(&self, question: &Question<'_>, wanted: Option<u32>) -> Result<Source, ApiError> {
        let mut listener = self.changes.listen(None);
        loop {
            let task = self.task_of(question).await?;
            let has_begun = task.attempt > 0 || task.cached_from.is_some() || task.status.is_terminal();
            if has_begun || task.kind != TaskKind::Container {
                return self.source_of(task, wanted).await;
            }
            tokio::select! {
                () = listener.changed(task.run_id) => {}
                () = self.stop.cancelled() => return Err(ApiError::new(Code::Unavailable, "the server is stopping")),
            }
        }
    }

    /// The last traceback in the log of the newest attempt of a failed task. A log that cannot be read has none.
    pub(super) async fn traceback(
        &self,
        run: RunId,
        task: &TaskBrief,
    ) -> Result<Option<Traceback>, ApiError> {
        if task.kind != TaskKind::Container || task.attempt == 0 || task.status != TaskStatus::Failed {
            return Ok(None);
        }
        let id = AttemptId { run, path: task.path.clone(), attempt: task.attempt };
        let source = Source { id, is_growing: false };
        let read = async {
            let index = self.index(&source).await?;
            let from = index.lines().saturating_sub(TRACEBACK_LINES);
            self.lines(&source, &index, from, TRACEBACK_LINES).await
        };
        match read.await {
            Ok(lines) => Ok(traceback::last(&lines)),
            Err(error) if error.code == Code::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Events for lines that have ended, with the number of the line after each as their id.
fn line_events(found: Vec<LogLine>, next: u64) -> String {
    let mut text = String::new();
    let first = next.saturating_sub(found.len() as u64);
    let mut sent = first;
    let mut rest = found.into_iter().peekable();
    while rest.peek().is_some() {
        let lines: Vec<LogLine> = rest.by_ref().take(EVENT_LINES).collect();
        sent += lines.len() as u64;
        text.push_str(&event("lines", &sent.to_string(), &LogChange::Lines { lines }));
    }
    text
}

fn last_events(lines: Lines) -> String {
    let mut next = lines.next_line();
    let mut text = String::new();
    if let Some(line) = lines.finish() {
        next += 1;
        text.push_str(&line_events(vec![line], next));
    }
    text.push_str(&event("end", &next.to_string(), &LogChange::End { total_lines: next }));
    text
}

/// Whether a line most likely tells of an error.
pub(super) fn looks_like_error(line: &str) -> bool {
    ERROR_WORDS.iter().any(|word| line.contains(word))
}

/// What is looked for in lines.
pub(super) struct Needle {
    text: String,
    is_exact: bool,
}

impl Needle {
    pub(super) fn new(text: &str, is_exact: bool) -> Self {
        let text = if is_exact { text.to_owned() } else { text.to_lowercase() };
        Self { text, is_exact }
    }

    /// Where it is, in bytes of the line (of its lower-case form, which is nearly always as long).
    pub(super) fn find(&self, line: &str) -> Option<usize> {
        if self.is_exact {
            return memchr::memmem::find(line.as_bytes(), self.text.as_bytes());
        }
        if line.is_ascii() && self.text.is_ascii() {
            // Without a copy: lines are many and matches are few.
            let first = self.text.as_bytes().first().copied()?;
            let (line, needle) = (line.as_bytes(), self.text.as_bytes());
            let begins = memchr::memchr2_iter(first, first.to_ascii_uppercase(), line);
            return begins.into_iter().find(|at| {
                line.get(*at..at + needle.len()).is_some_and(|found| found.eq_ignore_ascii_case(needle))
            });
        }
        line.to_lowercase().find(&self.text)
    }
}

/// The part of a line around a match.
pub(super) fn around(line: &str, at: usize) -> String {
    let before = line.get(..at).map_or(0, |before| before.chars().count());
    let from = before.saturating_sub(MATCH_LETTERS / 4);
    line.chars().skip(from).take(MATCH_LETTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needles() {
        let rows = [
            ("Error", false, "an ERROR here", Some(3)),
            ("Error", true, "an ERROR here", None),
            ("error", true, "an error here", Some(3)),
            ("é", false, "CAFÉ", Some(3)),
            ("abc", false, "aabc", Some(1)),
            ("abc", false, "ab", None),
        ];
        for (text, is_exact, line, expected) in rows {
            assert_eq!(Needle::new(text, is_exact).find(line), expected, "{text} in {line}");
        }
    }

    #[test]
    fn matches_are_cut() {
        let line = format!("{}needle{}", "ä".repeat(1000), "b".repeat(1000));
        let text = around(&line, Needle::new("needle", true).find(&line).unwrap());
        assert_eq!(text.chars().count(), MATCH_LETTERS);
        assert!(text.contains("needle"));
    }
}
