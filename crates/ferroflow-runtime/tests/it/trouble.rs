//! The store or the executor refuses.

use ferroflow_model::{RunStatus, TaskStatus};
use ferroflow_ports::store::RunStore;
use ferroflow_ports::{ErrorKind, RunControl};

use crate::gated_store::Gate;
use crate::machine::success;
use crate::stage::{CHAIN, Stage, ended, pipeline, request, submit};

#[tokio::test]
async fn a_full_disk_stops_nothing_that_runs_and_loses_nothing() {
    let stage = Stage::new().await;
    let runtime = stage.start().await;
    let id = submit(&runtime, CHAIN).await;
    stage.machine.until_running(&["a#1"]).await;
    // The step of the start may still be on its way to the disk.
    let mut steps = runtime.watch(id);
    while stage.run(id).await.status != RunStatus::Running {
        steps.recv().await.unwrap();
    }
    stage.gate.set(Gate::Fails(ErrorKind::ResourceExhausted));
    stage.machine.end("a#1", success());
    // The next attempt may start ahead of its commit, but no other one.
    stage.machine.until_running(&["b#1"]).await;
    stage.gate.until_refused(1).await;
    stage.machine.end("b#1", success());
    stage.gate.until_refused(3).await;
    assert_eq!(stage.machine.inner().starts(), ["a#1", "b#1"]);
    assert_eq!(stage.machine.inner().acknowledged, []);
    let refused = runtime.submit(request(&pipeline(CHAIN))).await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::ResourceExhausted);
    let refused = runtime.delete(id).await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::Unavailable);
    assert_eq!(stage.task(id, "a").await, TaskStatus::Running);

    stage.gate.set(Gate::Open);
    stage.machine.until_running(&["c#1"]).await;
    stage.machine.end_all();
    assert_eq!(ended(&runtime, id).await, RunStatus::Succeeded);
    assert_eq!(stage.machine.inner().starts(), ["a#1", "b#1", "c#1"]);
    stage.check_clean(id).await;
}

#[tokio::test]
async fn a_step_that_can_never_be_stored_fails_the_run() {
    let stage = Stage::new().await;
    let runtime = stage.start().await;
    let id = submit(&runtime, CHAIN).await;
    let other = submit(&runtime, &[("x", &[])]).await;
    stage.machine.until_running(&["a#1", "x#1"]).await;
    let mut steps = runtime.watch(id);
    while stage.run(id).await.status != RunStatus::Running {
        steps.recv().await.unwrap();
    }
    stage.gate.set(Gate::Fails(ErrorKind::InvalidArgument));
    stage.machine.end("a#1", success());
    stage.gate.until_refused(1).await;
    stage.gate.set(Gate::Open);
    // What was refused may be refused again before the gate opens; in the end the run is over.
    assert_eq!(ended(&runtime, id).await, RunStatus::Failed);
    let error = stage.run(id).await.error.unwrap();
    assert!(error.message.contains("cannot be stored"), "{error:?}");
    // Nothing of it is left in the middle of something.
    for (path, status) in [("", TaskStatus::Failed), ("a", TaskStatus::Failed), ("c", TaskStatus::Canceled)] {
        assert_eq!(stage.task(id, path).await, status, "{path}");
    }
    assert!(stage.disk.attempts_of(id).await.unwrap().iter().all(|attempt| attempt.status.is_terminal()));
    stage.machine.end_all();
    assert_eq!(ended(&runtime, other).await, RunStatus::Succeeded);
    stage.machine.until("acknowledgements", |inner| inner.attempts.is_empty()).await;
}

#[tokio::test]
async fn a_run_that_somebody_else_writes_is_let_go() {
    let stage = Stage::new().await;
    let runtime = stage.start().await;
    let id = submit(&runtime, CHAIN).await;
    let other = submit(&runtime, &[("x", &[])]).await;
    stage.machine.until_running(&["a#1", "x#1"]).await;
    let mut steps = runtime.watch(id);
    while stage.disk.load_run(id).await.unwrap().events.len() < 2 {
        steps.recv().await.unwrap();
    }
    stage.gate.set(Gate::Fails(ErrorKind::Aborted));
    stage.machine.end("a#1", success());
    assert_eq!(runtime.wait(id).await.unwrap_err().kind, ErrorKind::Unavailable);
    stage.gate.set(Gate::Open);
    assert_eq!(runtime.terminate(id).await.unwrap_err().kind, ErrorKind::Unavailable);
    assert_eq!(stage.run(id).await.status, RunStatus::Running);
    stage.machine.end_all();
    assert_eq!(ended(&runtime, other).await, RunStatus::Succeeded);
    assert!(!stage.machine.inner().acknowledged.iter().any(|attempt| attempt.run == id));
}

#[tokio::test]
async fn an_attempt_that_cannot_be_started_fails_its_task() {
    let stage = Stage::new().await;
    stage.machine.inner().refused = vec!["b"];
    stage.machine.end_all();
    let runtime = stage.start().await;
    let id = submit(&runtime, CHAIN).await;
    assert_eq!(ended(&runtime, id).await, RunStatus::Failed);
    let error = stage.run(id).await.error.unwrap();
    assert!(error.message.contains("there is no memory left"), "{error:?}");
    stage.check_clean(id).await;
}
