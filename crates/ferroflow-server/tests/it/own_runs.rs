//! `/apis/ferroflow/v1`: runs in lists and in parts, tasks, the cache, comparison.

use std::sync::Arc;

use ferroflow_model::record::{
    ArtifactLink, ArtifactRecord, AttemptPhases, AttemptRecord, CacheRecord, LinkDirection, TaskRecord,
};
use ferroflow_model::{Artifact, ArtifactId, AttemptId, TaskStatus, Timestamp};
use ferroflow_ports::store::RunCommit;
use serde_json::{Map, Value, json};

use crate::harness::{TestServer, commit_of, hello, task};

const OWN: &str = "GET /apis/ferroflow/v1";

pub(crate) fn object(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

pub(crate) fn artifact(id: i64, kind: &str, uri: &str, metadata: &Value) -> Arc<Artifact> {
    Arc::new(Artifact {
        id: ArtifactId(id),
        schema_title: kind.to_owned(),
        schema_version: "0.0.1".to_owned(),
        instance_schema: String::new(),
        uri: uri.to_owned(),
        metadata: object(metadata),
        custom_path: None,
    })
}

/// Stores artifacts that a task made, under the name `out`.
pub(crate) async fn put_artifacts(server: &TestServer, task: &TaskRecord, artifacts: &[Arc<Artifact>]) {
    let record = |artifact: &Arc<Artifact>| ArtifactRecord {
        artifact: Arc::clone(artifact),
        name: "out".to_owned(),
        created_at: Timestamp::from_seconds(1_700_000_200),
        run_id: task.run_id,
    };
    let link = |(index, artifact): (u32, &Arc<Artifact>)| ArtifactLink {
        execution_id: task.execution_id,
        artifact_id: artifact.id,
        direction: LinkDirection::Output,
        name: "out".to_owned(),
        index,
    };
    let commit = RunCommit {
        artifacts: artifacts.iter().map(record).collect(),
        links: (0..).zip(artifacts).map(link).collect(),
        ..commit_of(task.run_id)
    };
    server.store.commit(commit).await.unwrap();
}

/// A run with its root and the task `say`, which has ended well after 5 s.
async fn ended_run(server: &TestServer, name: &str, number: i64) -> (String, TaskRecord) {
    let run = server.make_run(name).await;
    server.put_task(task(&run, number, None, "")).await;
    let mut say = task(&run, number + 1, Some(number), "say");
    say.status = TaskStatus::Succeeded;
    say.attempt = 1;
    say.started_at = Some(Timestamp::from_seconds(1_700_000_101));
    say.ended_at = Some(Timestamp::from_seconds(1_700_000_106));
    server.put_task(say.clone()).await;
    (run, say)
}

#[tokio::test]
async fn runs_come_with_what_they_belong_to() {
    let server = TestServer::start().await;
    let (first, say) = ended_run(&server, "first", 10).await;
    put_artifacts(
        &server,
        &say,
        &[artifact(1, "system.Metrics", "file:///m", &json!({ "loss": 0.5, "curve": [1] }))],
    )
    .await;
    let second = server.make_run("second").await;
    let pipeline = server.make_pipeline("p").await;
    let body = json!({ "display_name": "third", "pipeline_version_reference": { "pipeline_id": pipeline } });
    let third = server.check("POST @/runs", Some(body), 200, json!({})).await["run_id"].clone();
    let third = third.as_str().unwrap();
    server.call(&format!("POST @/runs/{second}:archive"), None).await;

    let expected = json!({
        "total_size": 2, "next_page_token": "", "typical_ms": {},
        "runs": [
            {
                "run_id": third, "display_name": "third", "state": "PENDING", "pipeline_name": "hello",
                "experiment": { "name": "Default" }, "version": { "pipeline_id": pipeline, "pipeline_name": "p" },
                "finished_at": null, "metrics": {}, "recurring_run_id": null
            },
            {
                "run_id": first, "version": null, "metrics": { "say.loss": 0.5 },
                "task_counts": { "pending": 0, "running": 0, "succeeded": 1, "failed": 0 }
            }
        ]
    });
    server.check(&format!("{OWN}/runs"), None, 200, expected).await;
    let rows = [
        ("?q=FIR", vec![first.as_str()]),
        ("?archived=true", vec![&second]),
        ("?archived=any&sort=name", vec![&first, &second, third]),
        ("?state=FAILED&state=RUNNING", vec![]),
        ("?state=FAILED,PENDING", vec![third, &first]),
        (&format!("?pipeline_id={pipeline}"), vec![third]),
        ("?pipeline_name=other", vec![]),
        (&format!("?ids={second},{first}&sort=name"), vec![&first, &second]),
        ("?since=1700000000000&until=1700000003000", vec![&first]),
        ("?sort=duration", vec![]),
    ];
    for (query, ids) in rows {
        let page = server.check(&format!("{OWN}/runs{query}"), None, 200, json!({})).await;
        let got: Vec<_> =
            page["runs"].as_array().unwrap().iter().map(|run| run["run_id"].as_str().unwrap()).collect();
        if query != "?sort=duration" {
            assert_eq!(got, ids, "{query}");
        }
    }
    let facets = json!({
        "runs": 2, "states": [{ "value": "PENDING", "count": 2 }], "pipelines": [{ "value": "hello", "count": 2 }],
        "experiments": [{ "label": "Default", "count": 2 }]
    });
    server.check(&format!("{OWN}/runs/facets"), None, 200, facets).await;
}

#[tokio::test]
async fn pages_of_runs_follow_each_other() {
    let server = TestServer::start().await;
    for number in 0..5 {
        server.make_run(&format!("run {number}")).await;
    }
    for sort in ["created_at%20desc", "name", "duration%20desc", "state"] {
        let mut names = Vec::new();
        let mut token = String::new();
        loop {
            let line = format!("{OWN}/runs?page_size=2&sort={sort}&page_token={token}");
            let page = server.check(&line, None, 200, json!({ "total_size": 5 })).await;
            let runs = page["runs"].as_array().unwrap();
            names.extend(runs.iter().map(|run| run["display_name"].as_str().unwrap().to_owned()));
            token = page["next_page_token"].as_str().unwrap().to_owned();
            if token.is_empty() {
                break;
            }
        }
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 5, "{sort}");
    }
    let page = server.check(&format!("{OWN}/runs?page_size=2"), None, 200, json!({})).await;
    let token = page["next_page_token"].as_str().unwrap();
    for query in [
        format!("q=x&page_token={token}"),
        format!("sort=name&page_token={token}"),
        "page_token=00".to_owned(),
    ] {
        server.check_error(&format!("{OWN}/runs?{query}"), None, 400, 3).await;
    }
}

#[tokio::test]
async fn a_run_in_parts() {
    let server = TestServer::start().await;
    let (run, say) = ended_run(&server, "r", 10).await;
    let overview = json!({
        "run": { "run_id": run, "display_name": "r" },
        "parameters": [
            { "name": "count", "value": null, "is_given": false, "is_changed": false, "is_optional": true },
            { "name": "text", "value": "hi", "default_value": "hi", "parameter_type": "STRING", "is_given": false }
        ],
        "failures": [], "slowest": [{ "path": "say" }],
        "cache": { "reused": 0, "ended_well": 1, "saved_ms": 0 }
    });
    server.check(&format!("{OWN}/runs/{run}/overview"), None, 200, overview).await;
    let state = json!({
        "run": { "run_id": run, "state": "PENDING" },
        "tasks": [
            { "path": "", "parent": null, "kind": "ROOT" },
            { "path": "say", "parent": "", "kind": "CONTAINER", "state": "SUCCEEDED", "task_id": say.id.to_string(),
              "started_at": 1_700_000_101_000_i64, "ended_at": 1_700_000_106_000_i64 }
        ]
    });
    server.check(&format!("{OWN}/runs/{run}/state"), None, 200, state).await;

    let attempt = AttemptRecord {
        id: AttemptId { run: say.run_id, path: say.path.clone(), attempt: 1 },
        execution_id: say.execution_id,
        status: TaskStatus::Succeeded,
        phases: AttemptPhases {
            created: Some(Timestamp::from_seconds(1_700_000_100)),
            started: Some(Timestamp::from_seconds(1_700_000_101)),
            finished: say.ended_at,
            ..AttemptPhases::default()
        },
        error: None,
    };
    server.store.commit(RunCommit { attempts: vec![attempt], ..commit_of(say.run_id) }).await.unwrap();
    let segments = json!([
        { "phase": "wait", "from": 1_700_000_100_000_i64, "to": 1_700_000_101_000_i64 },
        { "phase": "run", "from": 1_700_000_101_000_i64, "to": 1_700_000_106_000_i64 }
    ]);
    let timeline = json!({
        "run_id": run, "to": null, "critical_ms": 6000, "critical_path": [{ "path": "say", "share": 1.0 }],
        "rows": [{ "path": "say", "parent": "", "is_critical": true, "attempts": [{ "attempt": 1, "segments": segments }] }]
    });
    server.check(&format!("{OWN}/runs/{run}/timeline"), None, 200, timeline).await;

    let detail = json!({
        "state": { "path": "say" }, "has_log": true, "log_node": "hello-abcde-11",
        "program": { "image": "python:3.11", "command": ["echo", "{{$.inputs.parameters['text']}}"], "caching": false },
        "input_sources": [{ "input": "text", "task": null, "name": "text" }],
        "attempts": [{ "attempt": 1, "segments": segments }], "cached_from": null, "traceback": null
    });
    for name in [say.id.to_string(), "say".to_owned()] {
        server.check(&format!("{OWN}/runs/{run}/tasks/{name}"), None, 200, detail.clone()).await;
    }
    server.check_error(&format!("{OWN}/runs/{run}/tasks/nobody"), None, 404, 5).await;
}

#[tokio::test]
async fn graphs_are_known_by_their_tags() {
    let server = TestServer::start().await;
    let run = server.make_run("r").await;
    let other = server.make_run("other").await;
    let path = format!("{OWN}/runs/{run}/graph?direction=down");
    let first = server.send(&path, &[], "").await;
    let graph = json!({ "direction": "down", "task_count": 1, "edges": [], "nodes": [{ "id": "say", "kind": "task" }] });
    crate::harness::assert_holds(&first.json(), &graph, &path);
    let tag = first.headers["etag"].to_str().unwrap();
    assert_eq!(server.send(&path, &[("if-none-match", tag)], "").await.status, 304);
    let elsewhere = format!("{OWN}/runs/{other}/graph?direction=down");
    assert_eq!(
        server.send(&elsewhere, &[("if-none-match", tag)], "").await.status,
        304,
        "the same file, the same graph"
    );
    let turned = server.send(&format!("{OWN}/runs/{run}/graph"), &[("if-none-match", tag)], "").await;
    assert_eq!(turned.status, 200);

    let pipeline = server.make_pipeline("p").await;
    let versions = server.check(&format!("GET @/pipelines/{pipeline}/versions"), None, 200, json!({})).await;
    let version = versions["pipeline_versions"][0]["pipeline_version_id"].as_str().unwrap();
    server.check(&format!("{OWN}/versions/{version}/graph"), None, 200, json!({ "task_count": 1 })).await;
}

#[tokio::test]
async fn the_cache_explains_itself() {
    let server = TestServer::start().await;
    let key = |depth: i64| CacheRecord {
        fingerprint: format!("key-{depth}"),
        parts: (&object(
            &json!({ "inputParameterValues": { "depth": depth }, "containerSpec": { "image": "i" } }),
        ))
            .into(),
        refusal: None,
    };
    let (_, mut first) = ended_run(&server, "first", 10).await;
    first.cache = Some(key(4));
    server.put_task(first.clone()).await;
    let (hit_run, mut hit) = ended_run(&server, "hit", 20).await;
    hit.cache = Some(key(4));
    hit.status = TaskStatus::Cached;
    hit.cached_from = Some(first.execution_id);
    server.put_task(hit).await;
    let (miss_run, mut miss) = ended_run(&server, "miss", 30).await;
    miss.cache = Some(key(5));
    server.put_task(miss).await;
    let (unused_run, _) = ended_run(&server, "unused", 40).await;

    let rows = [
        (
            &hit_run,
            json!({ "outcome": "hit", "saved_ms": 5000, "differences": [], "compared_with": { "run": { "name": "first" } } }),
        ),
        (
            &miss_run,
            json!({
                "outcome": "miss", "reason": "another input parameter depth than in the nearest earlier execution",
                "differences": [{ "part": "input parameter depth", "then": 4, "now": 5 }]
            }),
        ),
        (&unused_run, json!({ "outcome": "unused", "fingerprint": null })),
        (
            &first.run_id.to_string(),
            json!({ "outcome": "miss", "reason": "there is no earlier execution of this component" }),
        ),
    ];
    for (run, expected) in rows {
        server.check(&format!("{OWN}/runs/{run}/tasks/say/cache"), None, 200, expected).await;
    }
    let summary = json!({ "cache": { "reused": 1, "saved_ms": 5000 } });
    server.check(&format!("{OWN}/runs/{hit_run}/overview"), None, 200, summary).await;
}

#[tokio::test]
async fn runs_side_by_side() {
    let server = TestServer::start().await;
    let (first, say) = ended_run(&server, "first", 10).await;
    let metrics = artifact(1, "system.Metrics", "file:///m", &json!({ "loss": 0.5 }));
    let mut say = say;
    say.outputs.artifacts.insert("metrics".to_owned(), vec![Arc::clone(&metrics)]);
    say.outputs.parameters.insert("n".to_owned(), Arc::new(json!(7)));
    server.put_task(say.clone()).await;
    put_artifacts(&server, &say, &[metrics]).await;
    let body = json!({
        "display_name": "second", "pipeline_spec": hello(), "runtime_config": { "parameters": { "text": "other" } }
    });
    let second = server.check("POST @/runs", Some(body), 200, json!({})).await["run_id"].clone();
    let second = second.as_str().unwrap();
    let expected = json!({
        "runs": [{ "run_id": second }, { "run_id": first }],
        "parameters": [
            { "name": "count", "values": [null, null], "differs": false },
            { "name": "text", "values": ["other", "hi"], "differs": true }
        ],
        "metrics": [{ "name": "say.loss", "values": [null, 0.5], "differs": true }],
        "outputs": [{ "name": "say.n", "values": [null, 7] }],
        "programs": [],
        "tasks": [{ "path": "say", "states": [null, "SUCCEEDED"], "durations_ms": [null, 5000] }],
        "artifacts": [{ "path": "say", "name": "metrics", "artifacts": [[], [{ "artifact_id": 1 }]] }]
    });
    let compared = server.check(&format!("{OWN}/compare?runs={second},{first}"), None, 200, expected).await;
    assert_eq!(compared["structure_versions"][0], compared["structure_versions"][1]);
    for runs in [String::new(), first.clone(), format!("{first},{first}"), "x,y".to_owned()] {
        let reply = server.call(&format!("{OWN}/compare?runs={runs}"), None).await;
        assert!([400, 404].contains(&reply.status), "{runs}: {}", reply.text());
    }
}

#[tokio::test]
async fn metrics_over_runs() {
    let server = TestServer::start().await;
    let mut runs = Vec::new();
    for (number, metrics) in [
        (10, json!({ "loss": 0.5, "note": "good", "display_name": "m" })),
        (20, json!({ "loss": 0.25, "epochs": 3 })),
    ] {
        let (run, say) = ended_run(&server, "r", number).await;
        put_artifacts(&server, &say, &[artifact(number, "system.Metrics", "file:///m", &metrics)]).await;
        runs.push(run);
    }
    let none = server.make_run("without").await;
    let expected = json!({
        "runs": [{ "run_id": none }, { "run_id": runs[1] }, { "run_id": runs[0] }], "is_cut": false,
        "series": [
            { "name": "say.epochs", "values": [null, 3.0, null] },
            { "name": "say.loss", "values": [null, 0.25, 0.5] }
        ]
    });
    server.check(&format!("{OWN}/runs/metrics"), None, 200, expected).await;
    let last = json!({ "runs": [{ "run_id": none }], "series": [] });
    server.check(&format!("{OWN}/runs/metrics?limit=1"), None, 200, last).await;
    let other = json!({ "runs": [], "series": [], "is_cut": false });
    server.check(&format!("{OWN}/runs/metrics?pipeline_name=other"), None, 200, other).await;
    server.check_error(&format!("{OWN}/runs/metrics?sort=name"), None, 400, 3).await;
}

#[tokio::test]
async fn pipelines_over_time() {
    let server = TestServer::start().await;
    let pipeline = server.make_pipeline("p").await;
    let mut changed = hello();
    changed["deploymentSpec"]["executors"]["exec-say"]["container"]["image"] = json!("python:3.12");
    let path = format!("/pipelines/upload_version?name=v2&pipelineid={pipeline}");
    let newer = server.upload(&path, "p.yaml", changed.to_string().as_bytes()).await.json();
    let newer = newer["pipeline_version_id"].as_str().unwrap();
    let versions = server.check(&format!("GET @/pipelines/{pipeline}/versions"), None, 200, json!({})).await;
    let older = versions["pipeline_versions"][0]["pipeline_version_id"].as_str().unwrap();
    let diff = json!({
        "is_same": false, "pipeline": [],
        "tasks": [{ "path": "say", "kind": "changed", "fields": [
            { "field": "image", "before": "python:3.11", "after": "python:3.12" } ] }]
    });
    server.check(&format!("{OWN}/versions/{newer}/diff?with={older}"), None, 200, diff).await;

    let body = json!({ "display_name": "r", "pipeline_version_reference": { "pipeline_id": pipeline } });
    let run =
        server.check("POST @/runs", Some(body), 200, json!({})).await["run_id"].as_str().unwrap().to_owned();
    server.put_task(task(&run, 10, None, "")).await;
    let mut failed = task(&run, 11, Some(10), "say");
    failed.status = TaskStatus::Failed;
    server.put_task(failed.clone()).await;
    let matrix = json!({
        "runs": [{ "run_id": run }], "is_cut": false,
        "rows": [{ "path": "say", "median_ms": null, "cells": [{ "state": "FAILED", "task_id": failed.id.to_string(), "count": 1 }] }]
    });
    server.check(&format!("{OWN}/pipelines/{pipeline}/matrix"), None, 200, matrix).await;
    let pipelines = json!({
        "total_size": 1,
        "pipelines": [{ "name": "p", "version_count": 2, "latest_version": { "id": newer, "name": "v2" }, "last_runs": [{ "run_id": run }] }]
    });
    server.check(&format!("{OWN}/pipelines"), None, 200, pipelines).await;
    let experiments =
        json!({ "experiments": [{ "display_name": "Default", "last_runs": [{ "run_id": run }] }] });
    server.check(&format!("{OWN}/experiments"), None, 200, experiments).await;
}

#[tokio::test]
async fn everything_else() {
    let server = TestServer::start().await;
    let begin =
        json!({ "version": "0.1.0", "commit": "abc", "mode": "local", "has_runs": false, "namespaces": [] });
    server.check(&format!("{OWN}/bootstrap"), None, 200, begin).await;
    let (run, _) = ended_run(&server, "weekly training", 10).await;
    server.make_pipeline("training").await;
    server.check(&format!("{OWN}/bootstrap"), None, 200, json!({ "has_runs": true })).await;
    let home = json!({
        "running": 1, "running_now": [{ "run_id": run }], "needs_attention": [],
        "activity": [{ "pipeline_name": "hello", "runs": [{ "run_id": run }] }]
    });
    server.check(&format!("{OWN}/home"), None, 200, home).await;
    let found = server.check(&format!("{OWN}/search?q=TRAIN"), None, 200, json!({})).await;
    let kinds: Vec<_> =
        found["hits"].as_array().unwrap().iter().map(|hit| hit["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["pipeline", "version", "run"]);
    let by_id = server.check(&format!("{OWN}/search?q={}", &run[..8]), None, 200, json!({})).await;
    assert_eq!(by_id["hits"][0]["id"], json!(run));
    let tasks = server.check(&format!("{OWN}/search?q=say"), None, 200, json!({})).await;
    assert_eq!((&tasks["hits"][0]["kind"], &tasks["hits"][0]["parent_id"]), (&json!("task"), &json!(run)));
    server.check_error(&format!("{OWN}/search?q=a"), None, 400, 3).await;
    let system = json!({
        "version": "0.1.0", "counts": { "runs": 1, "unfinished_runs": 1, "pipelines": 1, "versions": 1, "experiments": 1 },
        "facts": [{ "group": "disk", "name": "free", "value": "1 GiB" }], "artifact_root": server.root().strip_prefix("file://")
    });
    server.check(&format!("{OWN}/system"), None, 200, system).await;
}
