//! Logs of tasks as one stream, whatever the transport.
//!
//! A task is named by its id or by the `pod_name` of run_details. Its attempts are joined, the newest last.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ferroflow_model::record::TaskRecord;
use ferroflow_model::{AttemptId, RunId, TaskId, TaskKind};
use ferroflow_ports::{ErrorKind, Executor, PortError};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::Services;
use crate::status::{ApiError, Code};
use crate::v2beta1::run_details::pod_name;
use crate::v2beta1::{parse_id, run};

type Piece = Result<Bytes, PortError>;

/// Pieces between the executor and a slow reader.
const QUEUE_PIECES: usize = 8;
/// How often a followed task without a running attempt is looked at.
const LOOK_AGAIN_EVERY: Duration = Duration::from_secs(1);

/// The log of the task `node` of a run from its first byte; with `follow` until the task has ended or `stop` is set.
/// `NotFound` if the run, the task or (without `follow`) any log of it is unknown.
pub(crate) async fn task_log(
    services: &Services,
    run_id: &str,
    node: &str,
    follow: bool,
    stop: CancellationToken,
) -> Result<mpsc::Receiver<Piece>, ApiError> {
    let run_id: RunId = parse_id(run::WHAT, run_id)?;
    let task = find_task(services, run_id, node).await?;
    if task.kind != TaskKind::Container {
        return Err(ApiError::new(
            Code::NotFound,
            format!("task `{}` has no log of its own: it runs other tasks, or none", task.name),
        ));
    }
    let first = first_log(&services.executor, &task, follow).await?;
    if first.is_none() && !follow {
        return Err(ApiError::new(Code::NotFound, format!("task `{}` has no log yet", task.name)));
    }
    let (sender, receiver) = mpsc::channel(QUEUE_PIECES);
    let copy = Copy { services: services.clone(), node: node.to_owned(), task, follow, sender };
    tokio::spawn(async move {
        tokio::select! {
            () = copy.all(first) => {}
            () = stop.cancelled() => {}
        }
    });
    Ok(receiver)
}

pub(crate) async fn find_task(
    services: &Services,
    run_id: RunId,
    node: &str,
) -> Result<TaskRecord, ApiError> {
    let run = services.store.run(run_id).await?;
    let wanted: Option<TaskId> = node.parse().ok();
    let tasks = services.store.tasks_of(&[run_id]).await?;
    let is_wanted =
        |task: &TaskRecord| Some(task.id) == wanted || pod_name(&run, task).as_deref() == Some(node);
    tasks.into_iter().find(is_wanted).ok_or_else(|| ApiError::not_found("node", node))
}

fn attempt(task: &TaskRecord, number: u32) -> AttemptId {
    AttemptId { run: task.run_id, path: task.path.clone(), attempt: number }
}

/// An attempt's log, `None` if it has none.
async fn open(
    executor: &Arc<dyn Executor>,
    task: &TaskRecord,
    number: u32,
    follow: bool,
) -> Result<Option<BoxStream<'static, Piece>>, PortError> {
    match executor.logs(&attempt(task, number), follow).await {
        Ok(log) => Ok(Some(log)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

type OpenLog = (u32, BoxStream<'static, Piece>);

/// The log of the first attempt that has one.
async fn first_log(
    executor: &Arc<dyn Executor>,
    task: &TaskRecord,
    follow: bool,
) -> Result<Option<OpenLog>, PortError> {
    for number in 1..=task.attempt {
        if let Some(log) = open(executor, task, number, follow).await? {
            return Ok(Some((number, log)));
        }
    }
    Ok(None)
}

/// Carries the logs of one task to one reader.
struct Copy {
    services: Services,
    node: String,
    task: TaskRecord,
    follow: bool,
    sender: mpsc::Sender<Piece>,
}

/// The reader is gone, or has been told of an error.
struct Ended;

impl Copy {
    async fn all(mut self, first: Option<OpenLog>) {
        let mut done = 0;
        if let Some((number, log)) = first {
            if self.copy(log).await.is_err() {
                return;
            }
            done = number;
        }
        while let Ok(copied) = self.copy_after(done).await {
            let nothing_new = copied == done;
            done = copied;
            // The task was read before its newest log was copied, so only a second look can say that it is the end.
            let had_ended = self.task.status.is_terminal();
            if !self.follow || (had_ended && nothing_new) || self.look_again().await.is_err() {
                return;
            }
            if nothing_new && !self.task.status.is_terminal() {
                tokio::select! {
                    () = tokio::time::sleep(LOOK_AGAIN_EVERY) => {}
                    () = self.sender.closed() => return,
                }
            }
        }
    }

    /// Copies the attempts after number `done` that are known by now; returns the last one that is dealt with.
    async fn copy_after(&self, mut done: u32) -> Result<u32, Ended> {
        for number in done + 1..=self.task.attempt {
            match open(&self.services.executor, &self.task, number, self.follow).await {
                Ok(Some(log)) => self.copy(log).await?,
                // The newest attempt of a living task may get its log in a moment.
                Ok(None) if number == self.task.attempt && !self.task.status.is_terminal() => break,
                Ok(None) => {}
                Err(error) => return self.send(Err(error)).await.and(Err(Ended)),
            }
            done = number;
        }
        Ok(done)
    }

    async fn copy(&self, mut log: BoxStream<'static, Piece>) -> Result<(), Ended> {
        while let Some(piece) = log.next().await {
            let failed = piece.is_err();
            self.send(piece).await?;
            if failed {
                return Err(Ended);
            }
        }
        Ok(())
    }

    async fn send(&self, piece: Piece) -> Result<(), Ended> {
        self.sender.send(piece).await.map_err(|_| Ended)
    }

    async fn look_again(&mut self) -> Result<(), Ended> {
        match find_task(&self.services, self.task.run_id, &self.node).await {
            Ok(task) => self.task = task,
            Err(error) => {
                // Most likely the run was deleted; the reader has what there was.
                tracing::debug!(error = error.full_text(), "followed log ends");
                return Err(Ended);
            }
        }
        Ok(())
    }
}
