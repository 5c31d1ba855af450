//! Runs without trouble: order, rows, commits, cache, what is watched.

use std::collections::BTreeSet;

use ferroflow_model::{RunStatus, TaskStatus};
use ferroflow_ports::RunControl;
use ferroflow_ports::store::RunStore;
use serde_json::json;

use crate::machine::{failure, success};
use crate::stage::{CHAIN, Stage, ended, pipeline, request, submit};

#[tokio::test]
async fn a_chain_runs_in_order_with_one_commit_for_each_step() {
    let stage = Stage::new().await;
    let runtime = stage.start().await;
    let before = stage.disk.statistics().requests;
    let id = submit(&runtime, CHAIN).await;
    for task in ["a#1", "b#1", "c#1"] {
        stage.machine.until_running(&[task]).await;
        stage.machine.end(task, success());
    }
    assert_eq!(ended(&runtime, id).await, RunStatus::Succeeded);
    assert_eq!(stage.states(id).await, ["PENDING", "RUNNING", "SUCCEEDED"]);
    assert_eq!(stage.machine.inner().starts(), ["a#1", "b#1", "c#1"]);
    // The run, its start with `a`, then a step for each end; less if an end comes during a commit.
    let requests = stage.disk.statistics().requests - before;
    assert!(requests <= 5, "{requests} requests to the store");
    stage.check_clean(id).await;
    for path in ["", "a", "b", "c"] {
        assert_eq!(stage.task(id, path).await, TaskStatus::Succeeded);
    }
    let run = stage.run(id).await;
    assert!(run.resource_name.starts_with("sample-"), "{}", run.resource_name);
}

#[tokio::test]
async fn a_fan_out_uses_all_slots_and_no_more() {
    let mut stage = Stage::new().await;
    stage.options.parallelism = 3;
    let runtime = stage.start().await;
    let id = submit(
        &runtime,
        &[("a", &[]), ("b", &[]), ("c", &[]), ("d", &[]), ("e", &[]), ("join", &["a", "b", "c", "d", "e"])],
    )
    .await;
    stage.machine.until_running(&["a#1", "b#1", "c#1"]).await;
    stage.machine.end("b#1", success());
    stage.machine.until_running(&["a#1", "c#1", "d#1"]).await;
    stage.machine.end_all();
    assert_eq!(ended(&runtime, id).await, RunStatus::Succeeded);
    assert_eq!(stage.machine.inner().starts().last().map(String::as_str), Some("join#1"));
    assert_eq!(stage.machine.inner().most, 3);
    stage.check_clean(id).await;
}

#[tokio::test]
async fn a_failed_task_fails_the_run_and_skips_what_waits_for_it() {
    let stage = Stage::new().await;
    let runtime = stage.start().await;
    let id = submit(&runtime, CHAIN).await;
    stage.machine.until_running(&["a#1"]).await;
    stage.machine.end("a#1", failure());
    assert_eq!(ended(&runtime, id).await, RunStatus::Failed);
    let error = stage.run(id).await.error.unwrap();
    assert!(error.message.contains("it exited with code 3"), "{error:?}");
    assert_eq!(stage.task(id, "b").await, TaskStatus::Skipped);
    stage.check_clean(id).await;
}

/// A later task of the same run may take over what an earlier one made, though that is not durable yet.
#[tokio::test]
async fn results_are_taken_over_inside_a_run_and_between_runs() {
    let stage = Stage::new().await;
    let tasks: &[(&str, &[&str])] = &[("a=", &[]), ("b=", &["a="])];
    stage.machine.end_all();
    let runtime = stage.start().await;
    let id = submit(&runtime, tasks).await;
    assert_eq!(ended(&runtime, id).await, RunStatus::Succeeded);
    assert_eq!(stage.task(id, "b=").await, TaskStatus::Cached);
    let id = submit(&runtime, tasks).await;
    assert_eq!(ended(&runtime, id).await, RunStatus::Succeeded);
    assert_eq!(stage.task(id, "a=").await, TaskStatus::Cached);
    assert_eq!(stage.machine.inner().starts(), ["a=#1"]);
    assert_eq!(stage.states(id).await, ["PENDING", "RUNNING", "SUCCEEDED"], "though nothing had to run");
    stage.check_clean(id).await;
}

#[tokio::test]
async fn without_caching_the_store_is_not_asked() {
    let mut stage = Stage::new().await;
    stage.options.caching = false;
    stage.machine.end_all();
    let runtime = stage.start().await;
    let id = submit(&runtime, &[("a=", &[]), ("b=", &["a="])]).await;
    assert_eq!(ended(&runtime, id).await, RunStatus::Succeeded);
    assert_eq!(stage.machine.inner().starts(), ["a=#1", "b=#1"]);
    assert_eq!(stage.gate.questions(), 0);
}

#[tokio::test]
async fn watchers_see_committed_steps_until_the_end() {
    let mut stage = Stage::new().await;
    stage.options.start_delay = std::time::Duration::from_millis(50);
    stage.machine.end_all();
    let runtime = stage.start().await;
    let id = submit(&runtime, &[("a", &[])]).await;
    let mut steps = runtime.watch(id);
    let mut seen = Vec::new();
    while let Some(step) = steps.recv().await {
        seen.extend(
            step.run.iter().filter_map(|update| Some(update.status.as_ref()?.state.as_str().to_owned())),
        );
        seen.extend(step.tasks.iter().map(|task| format!("{} {}", task.path, task.status.as_str())));
    }
    for expected in ["RUNNING", "a RUNNING", "a SUCCEEDED", "SUCCEEDED"] {
        assert!(seen.iter().any(|step| step == expected), "{seen:?}");
    }
    assert!(runtime.watch(id).recv().await.is_none(), "nothing comes of an ended run");
    assert_eq!(ended(&runtime, id).await, RunStatus::Succeeded);
}

#[tokio::test]
async fn a_run_stays_pending_for_the_start_delay() {
    let mut stage = Stage::new().await;
    stage.options.start_delay = std::time::Duration::from_millis(300);
    stage.machine.end_all();
    let runtime = stage.start().await;
    let run = runtime.submit(request(&pipeline(&[("a", &[])]))).await.unwrap();
    assert_eq!(stage.run(run.id).await.status, RunStatus::Pending);
    assert_eq!(ended(&runtime, run.id).await, RunStatus::Succeeded);
    let history = stage.run(run.id).await.history;
    assert!(history[1].at.since(run.created_at) >= stage.options.start_delay, "{history:?}");
}

/// Numbers come in blocks; those of two runs never meet.
#[tokio::test]
async fn numbers_are_given_once() {
    let stage = Stage::new().await;
    stage.machine.end_all();
    let names: Vec<String> = (0..150).map(|number| format!("t{number}")).collect();
    let tasks: Vec<(&str, &[&str])> = names.iter().map(|name| (name.as_str(), &[][..])).collect();
    let mut ids = Vec::new();
    for _ in 0..2 {
        let runtime = stage.start().await;
        let (one, two) = tokio::join!(submit(&runtime, &tasks), submit(&runtime, &tasks));
        assert_eq!(ended(&runtime, one).await, RunStatus::Succeeded);
        assert_eq!(ended(&runtime, two).await, RunStatus::Succeeded);
        let rows = stage.disk.tasks_of(&[one, two]).await.unwrap();
        ids.extend(rows.iter().map(|task| task.execution_id));
    }
    assert_eq!(ids.len(), 4 * 151);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4 * 151);
}

/// Importers of the same thing bring it in once, also if they ask in one step.
#[tokio::test]
async fn importers_of_one_thing_share_an_artifact() {
    let stage = Stage::new().await;
    let runtime = stage.start().await;
    let importer = json!({ "taskInfo": { "name": "i" }, "componentRef": { "name": "comp-import" } });
    let kind = json!({ "schemaTitle": "system.Dataset", "schemaVersion": "0.0.1" });
    let pipeline = json!({
        "pipelineInfo": { "name": "sample" },
        "schemaVersion": "2.1.0",
        "sdkVersion": "kfp-2.17.0",
        "root": { "dag": { "tasks": { "one": importer, "two": importer } } },
        "components": { "comp-import": {
            "executorLabel": "exec-import",
            "outputDefinitions": { "artifacts": { "artifact": { "artifactType": kind } } },
        } },
        "deploymentSpec": { "executors": { "exec-import": { "importer": {
            "artifactUri": { "constant": "gs://bucket/data" }, "typeSchema": kind,
        } } } },
    });
    let mut found = BTreeSet::new();
    for _ in 0..2 {
        let id = runtime.submit(request(&pipeline)).await.unwrap().id;
        assert_eq!(ended(&runtime, id).await, RunStatus::Succeeded);
        for task in stage.disk.tasks_of(&[id]).await.unwrap() {
            found.extend(task.outputs.artifacts.values().flatten().map(|artifact| artifact.id));
        }
    }
    assert_eq!(found.len(), 1, "{found:?}");
}
