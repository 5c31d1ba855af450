//! The log of a run: the lines of all its attempts in one order, as [`super::log_order`] makes it.
//!
//! What was read once is kept: an index of each log, and where its lines stand. A run at work is read on from there, so
//! that lines keep their numbers for whoever looks on. Tasks that took over results wrote nothing in this run.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use ferroflow_model::{AttemptId, ExecutionId, RunId, TaskKind, Timestamp};
use futures_util::StreamExt;
use tokio::sync::Mutex as AsyncMutex;

use super::feed::Listener;
use super::log::{
    DEFAULT_LINES, EVENT_LINES, LARGE_BYTES, MOST_LINES, Needle, PAGE_BYTES, Source, around, lines,
    looks_like_error, pieces,
};
use super::log_index::{Lines, LogIndex};
use super::log_order::{LineClock, Order, Span, Stretch};
use super::recent::Recent;
use super::stream::{Events, event, resume_cursor};
use super::wire::{LogLine, LogMatch, RunLogChange, RunLogLine, RunLogMatches, RunLogPage};
use super::{OwnApi, Question, content};
use crate::Services;
use crate::rest::answer::Answer;
use crate::status::{ApiError, Code};
use crate::v2beta1::{parse_id, run};

/// Attempts whose logs are read.
const MOST_PARTS: usize = 10_000;
/// Changes of time within what is read at once; lines behind them keep the time before.
const MOST_STRETCHES: usize = 500_000;
/// What is kept of all runs, as bytes.
const SHELF_BYTES: usize = 32 * 1024 * 1024;
/// Bytes that each of them counts for at least, so that they are some hundreds.
const LEAST_WEIGHT: usize = 64 * 1024;
/// How often logs that somebody follows are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The log of one attempt as far as it was read.
struct Part {
    source: Source,
    index: LogIndex,
    reading: Lines,
    clock: LineClock,
    /// When the attempt ended; lines cannot be later.
    end: Option<Timestamp>,
    /// Whether it has ended and was read to its end.
    is_whole: bool,
}

/// All logs of a run as far as they were read.
#[derive(Default)]
struct RunLog {
    parts: Vec<Part>,
    known: HashMap<(ExecutionId, u32), usize>,
    order: Order,
    /// Lines that were read and have no place yet: none, unless reading was broken off.
    news: News,
    left_out: u64,
    /// End of the run that all of this is up to; `None` while more may come.
    ended_at: Option<Timestamp>,
}

/// Reads logs of runs, and keeps what it knows of them.
#[derive(Clone)]
pub(super) struct RunLogs {
    services: Services,
    shelf: Arc<Mutex<Recent<RunId, Arc<AsyncMutex<RunLog>>>>>,
}

impl RunLogs {
    pub(super) fn new(services: Services) -> Self {
        Self { services, shelf: Arc::new(Mutex::new(Recent::new(SHELF_BYTES))) }
    }

    fn known(&self, run: RunId) -> Arc<AsyncMutex<RunLog>> {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.get(&run).unwrap_or_else(|| {
            let log = Arc::<AsyncMutex<RunLog>>::default();
            // Put at once: who asks meanwhile waits for the same.
            shelf.put(run, Arc::clone(&log), LEAST_WEIGHT);
            log
        })
    }

    /// Reads whatever is new. `NotFound` without the run.
    async fn update(
        &self,
        run: RunId,
        shared: &Arc<AsyncMutex<RunLog>>,
        log: &mut RunLog,
    ) -> Result<(), ApiError> {
        let record = self.services.store.run(run).await?;
        if log.ended_at.is_some() && log.ended_at == record.finished_at {
            return Ok(());
        }
        self.gather(run, log).await?;
        if log.parts.iter().any(|part| !part.is_whole && part.is_written_anew()) {
            *log = RunLog::default();
            self.gather(run, log).await?;
        }
        self.read(log).await?;
        let is_whole = log.parts.iter().all(|part| part.is_whole);
        log.ended_at = record.finished_at.filter(|_| record.status.is_terminal() && is_whole);
        let weight = log.weight().max(LEAST_WEIGHT);
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner).put(run, Arc::clone(shared), weight);
        Ok(())
    }

    /// Which attempts there are, and which of them have ended.
    async fn gather(&self, run: RunId, log: &mut RunLog) -> Result<(), ApiError> {
        let tasks = self.services.store.task_briefs(run).await?;
        let attempts = self.services.store.attempts_of(run).await?;
        let phases: HashMap<(ExecutionId, u32), _> = attempts
            .into_iter()
            .map(|attempt| ((attempt.execution_id, attempt.id.attempt), attempt.phases))
            .collect();
        let mut fresh = Vec::new();
        for task in tasks.iter().filter(|task| task.kind == TaskKind::Container) {
            for number in 1..=task.attempt {
                let key = (task.execution_id, number);
                let is_growing = number == task.attempt && !task.status.is_terminal();
                let phases = phases.get(&key);
                let end = phases.and_then(|phases| phases.finished).or(task.ended_at).filter(|_| !is_growing);
                if let Some(part) = log.known.get(&key).and_then(|place| log.parts.get_mut(*place)) {
                    (part.source.is_growing, part.end) = (is_growing, end);
                    continue;
                }
                let begin = phases.and_then(|phases| phases.started.or(phases.admitted));
                let begin = begin.or(task.started_at).unwrap_or(task.created_at);
                let id = AttemptId { run, path: task.path.clone(), attempt: number };
                fresh.push((begin, key, Part::new(Source { id, is_growing }, begin, end)));
            }
        }
        fresh.sort_by_key(|(begin, key, _)| (*begin, *key));
        let room = MOST_PARTS.saturating_sub(log.parts.len());
        log.left_out = fresh.len().saturating_sub(room) as u64;
        for (_, key, part) in fresh.into_iter().take(room) {
            log.known.insert(key, log.parts.len());
            log.parts.push(part);
        }
        Ok(())
    }

    /// Reads logs that may have grown.
    async fn read(&self, log: &mut RunLog) -> Result<(), ApiError> {
        let now = self.services.clock.now();
        let RunLog { parts, news, order, .. } = log;
        for (number, part) in (0..).zip(parts) {
            if part.is_whole {
                continue;
            }
            match pieces(&*self.services.executor, &part.source, part.index.bytes(), false).await {
                Ok(mut pieces) => {
                    while let Some(piece) = pieces.next().await {
                        part.feed(&piece?, number, now, news);
                    }
                }
                // It never wrote one.
                Err(error) if error.code == Code::NotFound => {}
                Err(error) => return Err(error),
            }
            if !part.source.is_growing {
                part.finish(number, now, news);
            }
        }
        order.append(std::mem::take(&mut news.0));
        Ok(())
    }

    /// Consecutive lines, fewer if they are long.
    async fn lines(&self, log: &RunLog, from: u64, limit: u64) -> Result<Vec<RunLogLine>, ApiError> {
        let mut left = limit;
        let mut spans: Vec<Span> = Vec::new();
        let mut of_part: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
        for span in log.order.from(from) {
            let count = span.count.min(left);
            spans.push(Span { count, ..span });
            // Lines of one log keep their order: those of this page stand together there.
            of_part.entry(span.part).or_insert((span.line, 0)).1 += count;
            left -= count;
            if left == 0 {
                break;
            }
        }
        let mut found = Vec::new();
        let mut bytes = 0;
        let mut read: HashMap<u32, std::vec::IntoIter<LogLine>> = HashMap::new();
        for span in spans {
            let Some(part) = log.parts.get(span.part as usize) else { break };
            if let Some((first, count)) = of_part.remove(&span.part) {
                let executor = &*self.services.executor;
                let of_it = lines(executor, &part.source, &part.index, first, count).await?;
                read.insert(span.part, of_it.into_iter());
            }
            for place in span.place..span.place + span.count {
                let Some(line) = read.get_mut(&span.part).and_then(Iterator::next) else { return Ok(found) };
                bytes += line.text.len();
                found.push(part.line(place, line));
                if bytes >= PAGE_BYTES {
                    return Ok(found);
                }
            }
        }
        Ok(found)
    }

    async fn search(&self, log: &RunLog, needle: &Needle, limit: usize) -> Result<RunLogMatches, ApiError> {
        let finder = log.order.finder();
        let mut matches: Vec<LogMatch> = Vec::new();
        let mut total_matches = 0;
        let mut first_error_line: Option<u64> = None;
        for (number, part) in (0..).zip(&log.parts) {
            if part.index.lines() == 0 {
                continue;
            }
            let mut has_error = false;
            let mut of_it = 0;
            let mut take = |line: LogLine| {
                let Some(place) = finder.place(number, line.line) else { return false };
                if !has_error && looks_like_error(&line.text) {
                    has_error = true;
                    first_error_line = Some(first_error_line.map_or(place, |first| first.min(place)));
                }
                if let Some(at) = needle.find(&line.text) {
                    total_matches += 1;
                    if of_it < limit {
                        of_it += 1;
                        matches.push(LogMatch { line: place, text: around(&line.text, at) });
                    }
                }
                true
            };
            let mut reading = Lines::new(0, 0);
            let mut goes_on = true;
            let mut pieces = pieces(&*self.services.executor, &part.source, 0, false).await?;
            while goes_on && let Some(piece) = pieces.next().await {
                goes_on = reading.feed(&piece?, &mut take);
            }
            if goes_on && let Some(line) = reading.finish() {
                take(line);
            }
            if matches.len() > limit {
                matches.sort_by_key(|found| found.line);
                matches.truncate(limit);
            }
        }
        matches.sort_by_key(|found| found.line);
        Ok(RunLogMatches { matches, total_matches, total_lines: log.order.lines(), first_error_line })
    }
}

/// Lines that have no place yet.
#[derive(Default)]
struct News(Vec<Stretch>);

impl News {
    fn add(&mut self, part: u32, at: i64) {
        let is_full = self.0.len() >= MOST_STRETCHES;
        match self.0.last_mut() {
            Some(last) if last.part == part && (last.at == at || is_full) => last.lines += 1,
            _ => self.0.push(Stretch { at, part, lines: 1 }),
        }
    }
}

impl Part {
    fn new(source: Source, begin: Timestamp, end: Option<Timestamp>) -> Self {
        Self {
            source,
            index: LogIndex::default(),
            reading: Lines::new(0, 0),
            clock: LineClock::new(begin.as_micros()),
            end,
            is_whole: false,
        }
    }

    /// Whether its log is another than the one that was read: a large one loses its middle when its attempt ends.
    fn is_written_anew(&self) -> bool {
        !self.source.is_growing && self.index.bytes() > LARGE_BYTES
    }

    fn feed(&mut self, bytes: &[u8], number: u32, now: Timestamp, news: &mut News) {
        self.index.feed(bytes);
        let end = self.end.unwrap_or(now).as_micros();
        let clock = &mut self.clock;
        self.reading.feed(bytes, |line| {
            news.add(number, clock.time_of(&line.text, end));
            true
        });
    }

    /// There is no more: a line without an end counts.
    fn finish(&mut self, number: u32, now: Timestamp, news: &mut News) {
        let reading = std::mem::replace(&mut self.reading, Lines::new(0, 0));
        if let Some(line) = reading.finish() {
            news.add(number, self.clock.time_of(&line.text, self.end.unwrap_or(now).as_micros()));
        }
        self.is_whole = true;
    }

    fn line(&self, place: u64, line: LogLine) -> RunLogLine {
        RunLogLine {
            line: place,
            path: self.source.id.path.to_string(),
            attempt: self.source.id.attempt,
            task_line: line.line,
            text: line.text,
            cut_bytes: line.cut_bytes,
        }
    }
}

impl RunLog {
    fn weight(&self) -> usize {
        let parts = self.parts.iter().map(|part| size_of::<Part>() + 256 + part.index.weight());
        self.order.weight() + parts.sum::<usize>()
    }

    fn is_growing(&self) -> bool {
        self.parts.iter().any(|part| !part.is_whole)
    }
}

impl OwnApi {
    fn log_of(&self, question: &Question<'_>) -> Result<(RunId, Arc<AsyncMutex<RunLog>>), ApiError> {
        let id: RunId = parse_id(run::WHAT, question.field("run_id"))?;
        Ok((id, self.run_logs.known(id)))
    }

    pub(super) async fn run_log(&self, question: &Question<'_>) -> Result<RunLogPage, ApiError> {
        let query = question.query(&["from_line", "limit"])?;
        let limit = u64::from(query.number("limit", DEFAULT_LINES, (1, MOST_LINES))?);
        let from: Option<u64> = query.parsed("from_line", "a number")?;
        let (id, shared) = self.log_of(question)?;
        let mut log = shared.lock().await;
        self.run_logs.update(id, &shared, &mut log).await?;
        let total_lines = log.order.lines();
        let from = from.unwrap_or_else(|| total_lines.saturating_sub(limit));
        Ok(RunLogPage {
            lines: self.run_logs.lines(&log, from, limit).await?,
            total_lines,
            total_bytes: log.parts.iter().map(|part| part.index.bytes()).sum(),
            is_complete: log.ended_at.is_some(),
            left_out: log.left_out,
        })
    }

    pub(super) async fn run_log_search(&self, question: &Question<'_>) -> Result<RunLogMatches, ApiError> {
        let query = question.query(&["q", "case", "limit"])?;
        let wanted =
            query.text("q").ok_or_else(|| ApiError::invalid("`q` is missing: the text to look for"))?;
        let needle = Needle::new(wanted, query.switch("case")?);
        let limit = query.number("limit", 200, (1, 1000))? as usize;
        let (id, shared) = self.log_of(question)?;
        let mut log = shared.lock().await;
        self.run_logs.update(id, &shared, &mut log).await?;
        self.run_logs.search(&log, &needle, limit).await
    }

    /// All lines up to now as text, each behind the path of its task.
    pub(super) async fn run_log_raw(&self, question: &Question<'_>) -> Result<Answer, ApiError> {
        question.query(&[])?;
        let (id, shared) = self.log_of(question)?;
        let total = {
            let mut log = shared.lock().await;
            self.run_logs.update(id, &shared, &mut log).await?;
            log.order.lines()
        };
        let logs = self.run_logs.clone();
        let texts =
            futures_util::stream::try_unfold((logs, shared, 0), move |(logs, shared, from)| async move {
                let found =
                    logs.lines(&*shared.lock().await, from, (total - from).min(MOST_LINES.into())).await;
                let found = found.map_err(std::io::Error::other)?;
                let text: String = found.iter().map(as_text).collect();
                let next = from + found.len() as u64;
                Ok::<_, std::io::Error>(
                    (!found.is_empty()).then(|| (Bytes::from(text), (logs, shared, next))),
                )
            });
        let body = Body::from_stream(texts);
        Ok(content::download(body, "text/plain; charset=utf-8", None, Some(&format!("{id}.log"))))
    }

    /// Lines as they are written, until the run has ended.
    pub(super) async fn run_log_stream(&self, question: &Question<'_>) -> Result<Answer, ApiError> {
        let query = question.query(&["from_line", "cursor"])?;
        let resumed = resume_cursor(question, &query).and_then(|cursor| cursor.parse().ok());
        let sent = match resumed {
            Some(line) => line,
            None => query.parsed("from_line", "a number")?.unwrap_or(0),
        };
        // From before the first look, so that no change is missed.
        let listener = self.changes.listen(None);
        let (run, shared) = self.log_of(question)?;
        self.services.store.run(run).await?;
        let follower = Follower {
            logs: self.run_logs.clone(),
            run,
            shared,
            listener,
            sent,
            is_stale: true,
            has_ended: false,
        };
        let texts =
            futures_util::stream::unfold(follower, async |mut follower| match follower.next().await {
                Ok(text) => text.map(|text| (text, follower)),
                Err(error) => {
                    tracing::debug!(error = error.full_text(), "followed log of a run ends");
                    None
                }
            });
        self.events(Events::new(texts.boxed()))
    }
}

fn as_text(line: &RunLogLine) -> String {
    format!("{} | {}\n", line.path, line.text)
}

/// Somebody who reads on.
struct Follower {
    logs: RunLogs,
    run: RunId,
    shared: Arc<AsyncMutex<RunLog>>,
    listener: Listener,
    sent: u64,
    /// Whether attempts may have begun or ended.
    is_stale: bool,
    has_ended: bool,
}

impl Follower {
    /// The next events; `None` behind the end.
    async fn next(&mut self) -> Result<Option<String>, ApiError> {
        while !self.has_ended {
            let mut log = self.shared.lock().await;
            if self.sent >= log.order.lines() {
                if std::mem::take(&mut self.is_stale) {
                    self.logs.update(self.run, &self.shared, &mut log).await?;
                } else {
                    self.logs.read(&mut log).await?;
                }
            }
            let total = log.order.lines();
            if self.sent < total {
                let lines = self.logs.lines(&log, self.sent, EVENT_LINES as u64).await?;
                self.sent += lines.len() as u64;
                // Somebody took the log away.
                self.has_ended = lines.is_empty();
                return Ok(Some(event("lines", &self.sent.to_string(), &RunLogChange::Lines { lines })));
            }
            if log.ended_at.is_some() {
                self.has_ended = true;
                let end = RunLogChange::End { total_lines: total };
                return Ok(Some(event("end", &total.to_string(), &end)));
            }
            let is_growing = log.is_growing();
            drop(log);
            let look = async {
                if is_growing {
                    tokio::time::sleep(LOOK_EVERY).await;
                } else {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                () = self.listener.changed(self.run) => self.is_stale = true,
                () = look => {}
            }
        }
        Ok(None)
    }
}
