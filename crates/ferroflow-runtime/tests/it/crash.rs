//! The process ends at any commit; the next one goes on as if nothing had been.

use std::collections::BTreeSet;

use ferroflow_model::record::PipelineSource;
use ferroflow_model::{AttemptId, RunId, RunStatus, TaskPath, TaskStatus};
use ferroflow_ports::RunControl;
use ferroflow_ports::store::{NewRun, RunCommit, RunStore};

use crate::gated_store::Gate;
use crate::machine::{failure, success};
use crate::stage::{CHAIN, Stage, ended, pipeline, request, submit};

const DIAMOND: &[(&str, &[&str])] =
    &[("a", &[]), ("b=", &["a"]), ("c", &["a"]), ("d", &["a"]), ("e=", &["b=", "c"]), ("f", &["d", "e="])];

/// Attempts end at once, or one after the other; the process dies when so many steps are stored, again and again. The
/// machine's reports come again in the worst order. Whatever happens, no attempt runs twice, and the run ends well.
async fn live_and_die(steps: usize, at_once: bool) -> usize {
    let stage = Stage::new().await;
    stage.gate.set(Gate::Passes(steps));
    stage.machine.inner().ends_at_once = at_once;
    let mut runtime = stage.start().await;
    let id = submit(&runtime, DIAMOND).await;
    let mut deaths = 0;
    loop {
        tokio::select! {
            biased;
            () = stage.gate.until_refused(1) => {}
            status = ended(&runtime, id) => {
                assert_eq!(status, RunStatus::Succeeded);
                break;
            }
            () = stage.machine.until("a start", |inner| !inner.running().is_empty()), if !at_once => {
                let running = stage.machine.inner().running();
                if let Some(name) = running.last() {
                    stage.machine.end(name, success());
                }
                continue;
            }
        }
        drop(runtime);
        deaths += 1;
        stage.gate.set(Gate::Passes(steps.max(1)));
        runtime = stage.start().await;
    }
    stage.gate.set(Gate::Open);
    let starts = stage.machine.inner().starts();
    let distinct: BTreeSet<_> = starts.iter().collect();
    assert_eq!(starts.len(), distinct.len(), "steps of {steps}: something ran twice: {starts:?}");
    assert!(starts.len() == 6 || starts.len() == 5, "one may be taken from the cache: {starts:?}");
    stage.check_clean(id).await;
    deaths
}

#[tokio::test(flavor = "multi_thread")]
async fn crashes_at_any_commit_change_nothing() {
    for at_once in [true, false] {
        let mut most = 0;
        for steps in 0..12 {
            most = most.max(live_and_die(steps, at_once).await);
        }
        assert!(most >= 2, "the process died {most} times at most");
    }
}

#[tokio::test]
async fn what_runs_is_adopted_and_what_waits_still_waits() {
    let mut stage = Stage::new().await;
    stage.options.parallelism = 1;
    let runtime = stage.start().await;
    let id = submit(&runtime, &[("a", &[]), ("b", &[]), ("c", &[])]).await;
    stage.machine.until_running(&["a#1"]).await;
    stage.gate.set(Gate::Open);
    runtime.shutdown().await;
    drop(runtime);
    let runtime = stage.start().await;
    stage.machine.end("a#1", success());
    stage.machine.until_running(&["b#1"]).await;
    assert_eq!(stage.machine.inner().starts(), ["a#1", "b#1"]);
    assert_eq!(stage.machine.inner().most, 1, "an adopted attempt holds its slot");
    stage.machine.end_all();
    assert_eq!(ended(&runtime, id).await, RunStatus::Succeeded);
}

#[tokio::test]
async fn a_terminated_run_is_stopped_after_a_restart_too() {
    let stage = Stage::new().await;
    let runtime = stage.start().await;
    let id = submit(&runtime, CHAIN).await;
    stage.machine.until_running(&["a#1"]).await;
    runtime.terminate(id).await.unwrap();
    drop(runtime);
    stage.gate.set(Gate::Open);
    let runtime = stage.start().await;
    assert_eq!(ended(&runtime, id).await, RunStatus::Failed);
    assert_eq!(stage.states(id).await, ["PENDING", "RUNNING", "CANCELING", "FAILED"]);
    stage.check_clean(id).await;
}

#[tokio::test]
async fn a_retry_is_not_forgotten() {
    let stage = Stage::new().await;
    let runtime = stage.start().await;
    let id = submit(&runtime, CHAIN).await;
    stage.machine.until_running(&["a#1"]).await;
    stage.machine.end("a#1", failure());
    assert_eq!(ended(&runtime, id).await, RunStatus::Failed);
    runtime.retry(id).await.unwrap();
    drop(runtime);
    stage.machine.end_all();
    let runtime = stage.start().await;
    assert_eq!(ended(&runtime, id).await, RunStatus::Succeeded);
    assert_eq!(stage.machine.inner().starts(), ["a#1", "a#2", "b#1", "c#1"]);
}

/// Snapshots are taken on the way, and a run goes on from one.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_run_goes_on_from_its_snapshot() {
    let stage = Stage::new().await;
    let names: Vec<String> = (0..1100).map(|number| format!("t{number}")).collect();
    let tasks: Vec<(&str, &[&str])> = names.iter().map(|name| (name.as_str(), &[][..])).collect();
    stage.machine.end_all();
    let runtime = stage.start().await;
    let mut steps = 0;
    let id = submit(&runtime, &tasks).await;
    let mut watch = runtime.watch(id);
    let mut snapshot = false;
    while let Some(step) = watch.recv().await {
        steps += 1;
        snapshot |= step.snapshot.is_some();
    }
    assert_eq!(ended(&runtime, id).await, RunStatus::Succeeded, "in {steps} steps");
    assert!(!snapshot, "2,200 events of 1,101 tasks are not worth one");
    // Failing tasks that are retried make more events than tasks.
    let mut spec = pipeline(&[("a", &[]), ("z", &["a"])]);
    spec["root"]["dag"]["tasks"]["a"]["retryPolicy"] =
        serde_json::json!({"maxRetryCount": 100_000, "backoffFactor": 1});
    stage.machine.inner().ends_at_once = false;
    let id = runtime.submit(request(&spec)).await.unwrap().id;
    for attempt in 1..1200 {
        let name = format!("a#{attempt}");
        stage.machine.until_running(&[&name]).await;
        stage.machine.end(&name, failure());
    }
    stage.machine.until_running(&["a#1200"]).await;
    runtime.shutdown().await;
    drop(runtime);
    let stored = stage.disk.load_run(id).await.unwrap();
    assert!(stored.snapshot.is_some() && stored.events.len() < 2100, "{} events", stored.events.len());
    stage.gate.set(Gate::Open);
    let runtime = stage.start().await;
    stage.machine.end_all();
    assert_eq!(ended(&runtime, id).await, RunStatus::Succeeded);
    assert_eq!(stage.machine.inner().starts().last().map(String::as_str), Some("z#1"));
}

#[tokio::test]
async fn strangers_are_stopped_and_their_ends_acknowledged() {
    let stage = Stage::new().await;
    let runtime = stage.start().await;
    let id = submit(&runtime, CHAIN).await;
    stage.machine.until_running(&["a#1"]).await;
    drop(runtime);
    stage.disk.delete_run(id).await.unwrap();
    let stranger = AttemptId { run: RunId(uuid::Uuid::from_u128(9)), path: TaskPath::new("x"), attempt: 1 };
    stage.machine.end_attempt(&stranger, success());
    let _runtime = stage.start().await;
    stage.machine.until("the strangers to go", |inner| inner.attempts.is_empty()).await;
    let inner = stage.machine.inner();
    assert_eq!(inner.stopped.iter().map(|id| id.run).collect::<BTreeSet<_>>(), BTreeSet::from([id]));
    assert!(inner.acknowledged.contains(&stranger));
}

/// A run that cannot be read fails; the others go on.
#[tokio::test]
async fn a_damaged_run_fails_alone() {
    let stage = Stage::new().await;
    let runtime = stage.start().await;
    let good = submit(&runtime, CHAIN).await;
    stage.machine.until_running(&["a#1"]).await;
    drop(runtime);
    let row = stage.run(good).await;
    let damaged = ferroflow_model::record::Run {
        id: RunId(uuid::Uuid::from_u128(8)),
        source: PipelineSource::Inline,
        status: RunStatus::Pending,
        ..row
    };
    let settings = stage.disk.load_run(good).await.unwrap().settings;
    let new = NewRun { run: damaged, spec_json: "{\"root\": 7}".into(), settings };
    let damaged = stage.disk.create_run(new, 1).await.unwrap().id;
    let mut root = stage.disk.tasks_of(&[good]).await.unwrap().remove(0);
    root.run_id = damaged;
    root.execution_id.0 += 100_000;
    root.status = TaskStatus::Running;
    let commit = RunCommit { tasks: vec![root], ..RunCommit::empty(damaged, 1) };
    stage.disk.commit(commit).await.unwrap();
    stage.machine.end_all();
    let runtime = stage.start().await;
    assert_eq!(ended(&runtime, good).await, RunStatus::Succeeded);
    runtime.shutdown().await;
    let run = stage.run(damaged).await;
    assert_eq!(run.status, RunStatus::Failed);
    assert!(run.error.unwrap().message.contains("pipeline"), "it says why");
    assert_eq!(stage.task(damaged, "").await, TaskStatus::Failed);
}
