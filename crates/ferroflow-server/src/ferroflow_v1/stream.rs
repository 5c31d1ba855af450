//! Streams of changes as server-sent events: of one run, and of what lists show.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use ferroflow_model::record::LinkDirection;
use ferroflow_model::{RunId, RunStatus};
use ferroflow_ports::executor::ArtifactCopy;
use ferroflow_ports::{ErrorKind, Executor, Happening, Store};
use futures_util::stream::{BoxStream, StreamExt};
use hyper::StatusCode;
use hyper::header::{HeaderName, HeaderValue};
use serde::Serialize;
use tokio::time::{Instant, Interval};

use super::convert::run_head;
use super::feed::{Entry, Listener, What};
use super::query::Query;
use super::wire::{CopyState, ListChange, RowChange, RunChange};
use super::{OwnApi, Question};
use crate::rest::answer::{Answer, answer};
use crate::status::{ApiError, Code};
use crate::v2beta1::{parse_id, run};

/// Silence after which a comment shows that the stream lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How often progress of one run is told to lists.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);

/// Texts of events, one or more in each.
pub(super) struct Events(BoxStream<'static, String>);

impl Events {
    pub(super) fn new(texts: BoxStream<'static, String>) -> Self {
        Self(texts)
    }
}

/// One event in the form of the wire.
pub(super) fn event(kind: &str, id: &str, data: &impl Serialize) -> String {
    // Plain structs always have a JSON, and JSON has no line breaks.
    let json = serde_json::to_string(data).unwrap_or_default();
    let mut text = String::with_capacity(json.len() + 64);
    // Writing to a string cannot fail.
    let _ = write!(text, "id: {id}\nevent: {kind}\ndata: {json}\n\n");
    text
}

/// Where a client wants to go on: the header of a reconnecting browser, else the query.
pub(super) fn resume_cursor<'q>(question: &'q Question<'_>, query: &'q Query) -> Option<&'q str> {
    let header = question.headers.get("last-event-id").and_then(|value| value.to_str().ok());
    header.filter(|id| !id.is_empty()).or_else(|| query.text("cursor"))
}

impl OwnApi {
    /// The answer that sends these events, with signs of life in between, until they or the server end.
    pub(super) fn events(&self, events: Events) -> Result<Answer, ApiError> {
        let busy = |_| ApiError::new(Code::ResourceExhausted, "too many streams are open: close some pages");
        let place = Arc::clone(&self.streams).try_acquire_owned().map_err(busy)?;
        let stop = self.stop.clone();
        // The first comment lets the client know at once that it is connected.
        let begin = futures_util::stream::iter([": connected\n\n".to_owned()]);
        let body =
            futures_util::stream::unfold((events.0, stop, place), async |(mut events, stop, place)| {
                let text = tokio::select! {
                    text = events.next() => text?,
                    () = tokio::time::sleep(HEARTBEAT) => ": alive\n\n".to_owned(),
                    () = stop.cancelled() => return None,
                };
                Some((text, (events, stop, place)))
            });
        let body = begin.chain(body).map(|text| Ok::<_, Infallible>(Bytes::from(text)));
        let mut response = answer(StatusCode::OK, "text/event-stream", Body::from_stream(body));
        let no_buffer = HeaderName::from_static("x-accel-buffering");
        response.headers_mut().insert(no_buffer, HeaderValue::from_static("no"));
        Ok(response)
    }

    pub(super) async fn run_stream(&self, question: &Question<'_>) -> Result<Answer, ApiError> {
        let query = question.query(&["cursor"])?;
        let id: RunId = parse_id(run::WHAT, question.field("run_id"))?;
        let listener = self.changes.listen(resume_cursor(question, &query));
        self.services.store.run(id).await?;
        let (store, executor) = (Arc::clone(&self.services.store), Arc::clone(&self.services.executor));
        let ticks = tokio::time::interval_at(Instant::now() + PROGRESS_EVERY, PROGRESS_EVERY);
        let state =
            RunEvents { run: id, store, executor, listener, ticks, has_copies: false, has_ended: false };
        let texts = futures_util::stream::unfold(state, async |mut state| Some((state.next().await?, state)));
        self.events(Events::new(texts.boxed()))
    }

    pub(super) fn list_stream(&self, question: &Question<'_>) -> Result<Answer, ApiError> {
        let query = question.query(&["cursor"])?;
        let listener = self.changes.listen(resume_cursor(question, &query));
        let state = ListEvents { listener, told: HashMap::new(), waiting: VecDeque::new() };
        let texts = futures_util::stream::unfold(state, async |mut state| Some((state.next().await, state)));
        self.events(Events::new(texts.boxed()))
    }
}

/// Changes of one run.
struct RunEvents {
    run: RunId,
    store: Arc<dyn Store>,
    executor: Arc<dyn Executor>,
    listener: Listener,
    ticks: Interval,
    /// Whether copies were told of that are not known to be done.
    has_copies: bool,
    has_ended: bool,
}

impl RunEvents {
    async fn next(&mut self) -> Option<String> {
        if self.has_ended {
            return None;
        }
        if std::mem::take(&mut self.listener.is_too_late) {
            return Some(self.reset("the cursor is too old"));
        }
        loop {
            let entry = tokio::select! {
                entry = self.listener.next() => entry,
                _ = self.ticks.tick() => match self.copies() {
                    Some(text) => return Some(text),
                    None => continue,
                },
            };
            let Some(entry) = entry else {
                return Some(self.reset("the connection was too slow"));
            };
            if !entry.what.is_about(self.run) {
                continue;
            }
            let text = self.told(&entry).await;
            if !text.is_empty() {
                return Some(text);
            }
        }
    }

    fn reset(&self, reason: &str) -> String {
        let id = format!("{}-{}", self.listener.life, self.listener.number);
        event("reset", &id, &RunChange::Reset { reason: reason.to_owned() })
    }

    /// Copies under way; `None` if there are none, as was told.
    fn copies(&mut self) -> Option<String> {
        let copies = self.executor.copies(self.run);
        let had_copies = std::mem::replace(&mut self.has_copies, !copies.is_empty());
        if copies.is_empty() && !had_copies {
            return None;
        }
        let state = |copy: ArtifactCopy| CopyState {
            path: copy.id.path.to_string(),
            is_output: copy.direction == LinkDirection::Output,
            copied_bytes: copy.copied_bytes,
            known_bytes: copy.known_bytes,
        };
        // Progress is no change to go on after: the number stays that of the last one.
        let id = format!("{}-{}", self.listener.life, self.listener.number);
        let copies = copies.into_iter().map(state).collect();
        Some(event("copies", &id, &RunChange::Copies { copies }))
    }

    async fn told(&mut self, entry: &Entry) -> String {
        let id = format!("{}-{}", self.listener.life, entry.number);
        match &entry.what {
            What::Step { has_run_change, tasks, artifacts, .. } => {
                let mut text = String::new();
                if !tasks.is_empty() {
                    text += &event("tasks", &id, &RunChange::Tasks { tasks: tasks.clone() });
                }
                if *artifacts > 0 {
                    text += &event("artifacts", &id, &RunChange::Artifacts { count: *artifacts });
                }
                if *has_run_change {
                    text += &self.head(&id).await;
                }
                text
            }
            What::Run(_, Happening::Deleted) => self.deleted(&id),
            What::Run(..) | What::Experiment(..) => self.head(&id).await,
            What::Lost => self.reset("changes came too fast"),
            What::Pipeline(..) | What::RecurringRun(..) => String::new(),
        }
    }

    fn deleted(&mut self, id: &str) -> String {
        self.has_ended = true;
        event("deleted", id, &RunChange::Deleted { run_id: self.run.to_string() })
    }

    /// The run as it is now: never older than the change.
    async fn head(&mut self, id: &str) -> String {
        match self.store.run(self.run).await {
            Ok(run) => event("run", id, &RunChange::Run { run: run_head(&run) }),
            Err(error) if error.kind == ErrorKind::NotFound => self.deleted(id),
            Err(error) => {
                tracing::error!(%error, "cannot read a run for its stream");
                self.reset("the run cannot be read at the moment")
            }
        }
    }
}

/// Changes of what lists show.
struct ListEvents {
    listener: Listener,
    /// When progress of a run was told last.
    told: HashMap<RunId, Instant>,
    /// Progress that waits until a second has passed, the longest wait first.
    waiting: VecDeque<(Instant, RunId)>,
}

impl ListEvents {
    async fn next(&mut self) -> String {
        if std::mem::take(&mut self.listener.is_too_late) {
            return self.reset("the cursor is too old");
        }
        loop {
            let due = self.waiting.front().map(|(at, _)| *at);
            let wait = async {
                match due {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let entry = tokio::select! {
                entry = self.listener.next() => entry,
                () = wait => {
                    if let Some((at, run)) = self.waiting.pop_front() {
                        self.told.insert(run, at);
                        return self.row(run, RowChange::Progressed, None, self.listener.number);
                    }
                    continue;
                }
            };
            let Some(entry) = entry else { return self.reset("the connection was too slow") };
            if let Some(text) = self.tell(&entry) {
                return text;
            }
        }
    }

    fn id(&self, number: u64) -> String {
        format!("{}-{number}", self.listener.life)
    }

    fn reset(&self, reason: &str) -> String {
        let data = ListChange::Reset { reason: reason.to_owned() };
        event("reset", &self.id(self.listener.number), &data)
    }

    fn row(&self, run: RunId, change: RowChange, state: Option<RunStatus>, number: u64) -> String {
        event("run", &self.id(number), &ListChange::Run { run_id: run.to_string(), change, state })
    }

    fn tell(&mut self, entry: &Entry) -> Option<String> {
        let id = self.id(entry.number);
        Some(match &entry.what {
            What::Step { run, status, has_run_change: true, .. } => {
                self.waiting.retain(|(_, waiting)| waiting != run);
                if status.is_some_and(RunStatus::is_terminal) {
                    self.told.remove(run);
                }
                self.row(*run, RowChange::Updated, *status, entry.number)
            }
            What::Step { run, .. } => return self.progress(*run, entry.number),
            What::Run(run, happening) => self.row(*run, row_change(*happening), None, entry.number),
            What::Experiment(experiment, happening) => {
                let (experiment_id, change) = (experiment.to_string(), row_change(*happening));
                event("experiments", &id, &ListChange::Experiments { experiment_id, change })
            }
            What::Pipeline(pipeline, happening) => {
                let pipeline_id = pipeline.map(|id| id.to_string()).unwrap_or_default();
                event(
                    "pipelines",
                    &id,
                    &ListChange::Pipelines { pipeline_id, change: row_change(*happening) },
                )
            }
            What::RecurringRun(recurring_run, happening) => {
                let (recurring_run_id, change) = (recurring_run.to_string(), row_change(*happening));
                event("recurring_runs", &id, &ListChange::RecurringRuns { recurring_run_id, change })
            }
            What::Lost => self.reset("changes came too fast"),
        })
    }

    fn progress(&mut self, run: RunId, number: u64) -> Option<String> {
        if self.waiting.iter().any(|(_, waiting)| *waiting == run) {
            return None;
        }
        let now = Instant::now();
        match self.told.get(&run) {
            Some(told) if now.duration_since(*told) < PROGRESS_EVERY => {
                self.waiting.push_back((*told + PROGRESS_EVERY, run));
                None
            }
            _ => {
                self.told.insert(run, now);
                Some(self.row(run, RowChange::Progressed, None, number))
            }
        }
    }
}

fn row_change(happening: Happening) -> RowChange {
    match happening {
        Happening::Created => RowChange::Created,
        Happening::Updated => RowChange::Updated,
        Happening::Deleted => RowChange::Deleted,
    }
}
