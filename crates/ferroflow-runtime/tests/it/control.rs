//! Terminate, retry, delete, shut down.

use std::time::Duration;

use ferroflow_model::{RunId, RunStatus, TaskPath, TaskStatus};
use ferroflow_ports::store::RunStore;
use ferroflow_ports::{ErrorKind, PortError, RunControl};
use uuid::Uuid;

use crate::machine::{failure, success};
use crate::stage::{CHAIN, Stage, ended, pipeline, request, submit};

const NOBODY: RunId = RunId(Uuid::from_u128(404));

#[track_caller]
fn check_refused<T: std::fmt::Debug>(result: Result<T, PortError>, kind: ErrorKind, words: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.kind, kind, "{error}");
    assert!(error.message.contains(words), "{error}");
}

#[tokio::test]
async fn a_terminated_run_is_canceling_at_once_and_failed_two_seconds_later() {
    let mut stage = Stage::new().await;
    stage.options.parallelism = 1;
    let runtime = stage.start().await;
    let id = submit(&runtime, &[("a", &[]), ("b", &[]), ("c", &["a"])]).await;
    stage.machine.until_running(&["a#1"]).await;
    runtime.terminate(id).await.unwrap();
    assert_eq!(stage.run(id).await.status, RunStatus::Canceling);
    check_refused(runtime.terminate(id).await, ErrorKind::InvalidArgument, "CANCELING");
    check_refused(runtime.retry(id).await, ErrorKind::Aborted, "CANCELING");
    assert_eq!(ended(&runtime, id).await, RunStatus::Failed);
    let history = stage.run(id).await.history;
    assert!(history[3].at.since(history[2].at) >= Duration::from_secs(2), "{history:?}");
    assert_eq!(stage.machine.inner().starts(), ["a#1"]);
    assert_eq!(stage.machine.inner().stopped.len(), 1, "only what ran is stopped");
    for path in ["a", "b", "c"] {
        assert_eq!(stage.task(id, path).await, TaskStatus::Canceled);
    }
    stage.check_clean(id).await;
    check_refused(runtime.terminate(id).await, ErrorKind::InvalidArgument, "FAILED");
}

/// The pipeline of `pipeline`, with `exit` as a task that runs whatever happened before it.
fn with_exit(tasks: &[(&str, &[&str])], exit: &str) -> serde_json::Value {
    let mut pipeline = pipeline(tasks);
    pipeline["root"]["dag"]["tasks"][exit]["triggerPolicy"] =
        serde_json::json!({ "strategy": "ALL_UPSTREAM_TASKS_COMPLETED" });
    pipeline
}

#[tokio::test]
async fn exit_tasks_have_their_time_until_asked_again() {
    let stage = Stage::new().await;
    let runtime = stage.start().await;
    let pipeline = with_exit(&[("a", &[]), ("clean", &["a"])], "clean");
    let id = runtime.submit(request(&pipeline)).await.unwrap().id;
    stage.machine.until_running(&["a#1"]).await;
    runtime.terminate(id).await.unwrap();
    stage.machine.until_running(&["clean#1"]).await;
    // The time goes on after a restart.
    drop(runtime);
    let runtime = stage.start().await;
    assert_eq!(stage.run(id).await.status, RunStatus::Canceling);
    runtime.terminate(id).await.unwrap();
    check_refused(runtime.terminate(id).await, ErrorKind::InvalidArgument, "CANCELING");
    assert_eq!(ended(&runtime, id).await, RunStatus::Failed);
    assert_eq!(stage.task(id, "clean").await, TaskStatus::Canceled);
    stage.check_clean(id).await;
}

#[tokio::test]
async fn a_retry_begins_with_a_task() {
    let stage = Stage::new().await;
    let runtime = stage.start().await;
    let id = submit(&runtime, CHAIN).await;
    check_refused(runtime.retry_from(id, TaskPath::new("b")).await, ErrorKind::Aborted, "RUNNING");
    for name in ["a#1", "b#1", "c#1"] {
        stage.machine.until_running(&[name]).await;
        stage.machine.end(name, success());
    }
    assert_eq!(ended(&runtime, id).await, RunStatus::Succeeded);
    check_refused(runtime.retry_from(id, TaskPath::new("x")).await, ErrorKind::Aborted, "no task `x`");
    runtime.retry_from(id, TaskPath::new("b")).await.unwrap();
    for name in ["b#2", "c#2"] {
        stage.machine.until_running(&[name]).await;
        stage.machine.end(name, success());
    }
    assert_eq!(ended(&runtime, id).await, RunStatus::Succeeded);
    stage.check_clean(id).await;
}

#[tokio::test]
async fn a_run_that_waits_for_its_start_can_be_terminated() {
    let mut stage = Stage::new().await;
    stage.options.start_delay = Duration::from_hours(1);
    let runtime = stage.start().await;
    let id = submit(&runtime, CHAIN).await;
    runtime.terminate(id).await.unwrap();
    assert_eq!(ended(&runtime, id).await, RunStatus::Failed);
    assert_eq!(stage.machine.inner().starts(), [""; 0]);
}

#[tokio::test]
async fn requests_about_runs_that_are_not_in_work_are_refused() {
    let stage = Stage::new().await;
    stage.machine.end_all();
    let runtime = stage.start().await;
    check_refused(runtime.terminate(NOBODY).await, ErrorKind::NotFound, "not found");
    check_refused(runtime.retry(NOBODY).await, ErrorKind::NotFound, "not found");
    check_refused(runtime.delete(NOBODY).await, ErrorKind::NotFound, "not found");
    check_refused(runtime.wait(NOBODY).await, ErrorKind::NotFound, "not found");
    let id = submit(&runtime, CHAIN).await;
    assert_eq!(ended(&runtime, id).await, RunStatus::Succeeded);
    check_refused(runtime.retry(id).await, ErrorKind::Aborted, "SUCCEEDED");
    check_refused(runtime.terminate(id).await, ErrorKind::InvalidArgument, "SUCCEEDED");
}

#[tokio::test]
async fn a_retry_runs_the_failed_part_again() {
    let stage = Stage::new().await;
    let runtime = stage.start().await;
    let id = submit(&runtime, CHAIN).await;
    stage.machine.until_running(&["a#1"]).await;
    stage.machine.end("a#1", success());
    stage.machine.until_running(&["b#1"]).await;
    stage.machine.end("b#1", failure());
    assert_eq!(ended(&runtime, id).await, RunStatus::Failed);
    for attempt in 2..4 {
        runtime.retry(id).await.unwrap();
        assert_eq!(stage.run(id).await.status, RunStatus::Running);
        check_refused(runtime.retry(id).await, ErrorKind::Aborted, "RUNNING");
        let name = format!("b#{attempt}");
        stage.machine.until_running(&[&name]).await;
        stage.machine.end(&name, if attempt == 2 { failure() } else { success() });
        if attempt == 2 {
            assert_eq!(ended(&runtime, id).await, RunStatus::Failed);
        }
    }
    stage.machine.end_all();
    assert_eq!(ended(&runtime, id).await, RunStatus::Succeeded);
    assert_eq!(stage.machine.inner().starts(), ["a#1", "b#1", "b#2", "b#3", "c#1"]);
    assert_eq!(
        stage.states(id).await,
        ["PENDING", "RUNNING", "FAILED", "RUNNING", "FAILED", "RUNNING", "SUCCEEDED"]
    );
    let run = stage.run(id).await;
    assert!(run.error.is_none() && run.finished_at.is_some(), "{run:?}");
    stage.check_clean(id).await;
}

/// The slot of what is still alive is free when it has ended, not before.
#[tokio::test]
async fn a_deleted_run_is_stopped_and_forgotten() {
    let mut stage = Stage::new().await;
    stage.options.parallelism = 1;
    let runtime = stage.start().await;
    let id = submit(&runtime, &[("a", &[]), ("b", &[])]).await;
    stage.machine.until_running(&["a#1"]).await;
    let other = submit(&runtime, &[("x", &[])]).await;
    runtime.delete(id).await.unwrap();
    check_refused(stage.disk.run(id).await, ErrorKind::NotFound, "not found");
    check_refused(runtime.terminate(id).await, ErrorKind::NotFound, "not found");
    stage.machine.until_running(&["x#1"]).await;
    stage.machine.until("the logs to go", |inner| inner.forgotten == [id]).await;
    assert_eq!(stage.machine.inner().starts(), ["a#1", "x#1"]);
    stage.machine.end_all();
    assert_eq!(ended(&runtime, other).await, RunStatus::Succeeded);
    runtime.delete(other).await.unwrap();
    assert_eq!(stage.machine.inner().forgotten, [id, other]);
    stage.machine.until("acknowledgements", |inner| inner.attempts.is_empty()).await;
}

#[tokio::test]
async fn a_shutdown_lets_attempts_go_on_for_the_next_server() {
    let stage = Stage::new().await;
    let runtime = stage.start().await;
    let id = submit(&runtime, CHAIN).await;
    stage.machine.until_running(&["a#1"]).await;
    runtime.shutdown().await;
    runtime.shutdown().await;
    assert_eq!(stage.machine.inner().detached, 1);
    check_refused(
        runtime.submit(request(&pipeline(CHAIN))).await.map(|run| run.id),
        ErrorKind::Unavailable,
        "shutting down",
    );
    check_refused(runtime.terminate(id).await, ErrorKind::Unavailable, "shutting down");
    drop(runtime);
    stage.machine.end("a#1", success());
    let runtime = stage.start().await;
    stage.machine.until_running(&["b#1"]).await;
    stage.machine.end_all();
    assert_eq!(ended(&runtime, id).await, RunStatus::Succeeded);
    assert_eq!(stage.machine.inner().starts(), ["a#1", "b#1", "c#1"]);
    assert!(stage.machine.inner().stopped.is_empty());
    stage.check_clean(id).await;
}
