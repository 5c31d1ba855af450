//! Calls to the outside world, as futures. Each ends in a [`Done`], which the loop takes like any other news.
//!
//! Decides nothing and keeps nothing.

use std::sync::Arc;
use std::time::Duration;

use ferroflow_engine::{Changes, RunChange, RunState, TaskAttempt};
use ferroflow_model::record::{Failure, Run, StateChange};
use ferroflow_model::{AttemptId, RunId, RunStatus, TaskPath, TaskStatus, Timestamp};
use ferroflow_ports::store::{RunCommit, RunStore};
use ferroflow_ports::{Executor, PortError};
use futures_util::future::BoxFuture;

use crate::cache::Answer;
use crate::recovery::{self, Rebuilt};
use crate::request::{Reply, Submission};
use crate::step::Step;

/// Wait between two tries to reach an executor that cannot be reached.
const STOP_RETRY: Duration = Duration::from_secs(1);

/// What a call came to.
pub(crate) enum Done {
    Created(Box<Created>),
    Committed {
        run: RunId,
        result: Result<(), PortError>,
    },
    /// It is time to try a failed commit again.
    CommitDue {
        run: RunId,
    },
    CacheAnswered {
        run: RunId,
        task: TaskPath,
        answer: Answer,
    },
    NotStarted {
        id: AttemptId,
        error: PortError,
    },
    Loaded {
        run: RunId,
        result: Result<Box<Rebuilt>, PortError>,
    },
    Deleted {
        run: RunId,
        result: Result<(), PortError>,
    },
    /// Something that must end before the loop may.
    Obligation,
    Nothing,
}

/// A run that the store took, or refused.
pub(crate) struct Created {
    pub(crate) result: Result<Run, PortError>,
    pub(crate) state: RunState,
    pub(crate) reply: Reply<Run>,
}

pub(crate) type Call = BoxFuture<'static, Done>;

pub(crate) fn create(store: Arc<dyn RunStore>, submission: Submission, reply: Reply<Run>) -> Call {
    Box::pin(async move {
        let Submission { new, ids_taken_below, state } = submission;
        let result = store.create_run(new, ids_taken_below).await;
        Done::Created(Box::new(Created { result, state, reply }))
    })
}

/// The commits are queued at once, in order; the last one decides.
pub(crate) fn commit(store: &Arc<dyn RunStore>, passed: Vec<RunCommit>, commit: Arc<RunCommit>) -> Call {
    for commit in passed {
        drop(store.commit(commit));
    }
    let run = commit.run_id;
    let answer = store.commit_shared(commit);
    Box::pin(async move { Done::Committed { run, result: answer.await } })
}

/// Stores that a run failed which nobody can make sense of. If that fails too, the next start tries again.
pub(crate) fn fail(store: Arc<dyn RunStore>, run: RunId, seq: u64, now: Timestamp, message: String) -> Call {
    let mut step = Step::default();
    step.note_status(now, RunStatus::Failed);
    step.change_run(RunChange {
        status: Some((now, RunStatus::Failed)),
        finished_at: Some(Some(now)),
        error: Some(Some(Failure::new(message.clone()))),
        outputs: None,
    });
    Box::pin(async move {
        match ended_rows(&*store, run, now, &message).await {
            Ok(rows) => step.absorb(rows),
            Err(error) => tracing::error!(%run, %error, "cannot read the tasks of a run that failed"),
        }
        let (_, commit) = step.into_commits(run, seq, "");
        if let Err(error) = store.commit(commit).await {
            tracing::error!(%run, %error, "cannot store that a run failed");
        }
        Done::Obligation
    })
}

/// The rows of all that has not ended in a run, ended for this reason.
async fn ended_rows(
    store: &dyn RunStore,
    run: RunId,
    now: Timestamp,
    reason: &str,
) -> Result<Changes, PortError> {
    let mut rows = Changes {
        tasks: store.tasks_of(&[run]).await?,
        attempts: store.attempts_of(run).await?,
        ..Changes::default()
    };
    rows.tasks.retain(|task| !task.status.is_terminal());
    for task in &mut rows.tasks {
        let status = if task.parent.is_none() { TaskStatus::Failed } else { TaskStatus::Canceled };
        task.status = status;
        task.history.push(StateChange { at: now, state: status });
        task.ended_at = Some(now);
        task.error = Some(Failure::new(reason));
    }
    rows.attempts.retain(|attempt| !attempt.status.is_terminal());
    for attempt in &mut rows.attempts {
        attempt.status = TaskStatus::Canceled;
        attempt.error = Some(Failure::new(reason));
    }
    Ok(rows)
}

pub(crate) fn wait_to_commit(run: RunId, delay: Duration) -> Call {
    Box::pin(async move {
        tokio::time::sleep(delay).await;
        Done::CommitDue { run }
    })
}

pub(crate) fn start(executor: Arc<dyn Executor>, attempt: TaskAttempt) -> Call {
    Box::pin(async move {
        let id = attempt.id.clone();
        match executor.ensure_started(attempt).await {
            Ok(()) => Done::Nothing,
            Err(error) => Done::NotStarted { id, error },
        }
    })
}

pub(crate) fn stop(executor: Arc<dyn Executor>, id: AttemptId, grace: Duration) -> Call {
    Box::pin(async move {
        while let Err(error) = executor.ensure_stopped(&id, grace).await {
            tracing::warn!(attempt = %id, %error, "cannot stop an attempt, trying again");
            tokio::time::sleep(STOP_RETRY).await;
        }
        Done::Nothing
    })
}

pub(crate) fn acknowledge(executor: Arc<dyn Executor>, ids: Vec<AttemptId>) -> Call {
    Box::pin(async move {
        for id in &ids {
            executor.acknowledge(id).await;
        }
        Done::Obligation
    })
}

pub(crate) fn load(store: Arc<dyn RunStore>, run: RunId) -> Call {
    Box::pin(async move { Done::Loaded { run, result: recovery::load(&*store, run).await.map(Box::new) } })
}

/// Asks what is alive to end, and removes the rows.
pub(crate) fn delete(
    store: Arc<dyn RunStore>,
    executor: Arc<dyn Executor>,
    run: RunId,
    alive: Vec<AttemptId>,
    grace: Duration,
) -> Call {
    Box::pin(async move {
        for id in &alive {
            if let Err(error) = executor.ensure_stopped(id, grace).await {
                return Done::Deleted { run, result: Err(error) };
            }
        }
        Done::Deleted { run, result: store.delete_run(run).await }
    })
}

/// Removes logs and folders of a deleted run, then lets its clients know.
pub(crate) fn forget(executor: Arc<dyn Executor>, run: RunId, replies: Vec<Reply<()>>) -> Call {
    Box::pin(async move {
        if let Err(error) = executor.forget_run(run).await {
            tracing::warn!(%run, %error, "cannot remove the logs of a deleted run");
        }
        for reply in replies {
            crate::request::answer(reply, Ok(()));
        }
        Done::Obligation
    })
}
