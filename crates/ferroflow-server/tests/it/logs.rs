//! Logs of tasks.

use bytes::Bytes;
use ferroflow_model::record::TaskRecord;
use ferroflow_model::{AttemptId, TaskStatus};
use http_body_util::BodyExt;

use crate::harness::{TestServer, task};

fn attempt(task: &TaskRecord, number: u32) -> AttemptId {
    AttemptId { run: task.run_id, path: task.path.clone(), attempt: number }
}

fn pieces(texts: &[&'static str]) -> Vec<Option<Bytes>> {
    texts.iter().map(|text| Some(Bytes::from_static(text.as_bytes()))).collect()
}

#[tokio::test]
async fn attempts_are_joined() {
    let server = TestServer::start().await;
    let run = server.make_run("r").await;
    let mut say = task(&run, 2, Some(1), "say");
    say.attempt = 3;
    say.status = TaskStatus::Failed;
    server.put_task(task(&run, 1, None, "")).await;
    server.put_task(say.clone()).await;
    server.logs.put(attempt(&say, 1), pieces(&["one\n", "more\n"]));
    server.logs.put(attempt(&say, 3), pieces(&["three\n"]));
    for version in ["v1alpha1", "v1beta1", "v2beta1"] {
        for node in [say.id.to_string(), "hello-abcde-2".to_owned()] {
            for query in ["", "?follow=true", "?follow=false"] {
                let line = format!("GET /apis/{version}/runs/{run}/nodes/{node}/log{query}");
                let reply = server.send(&line, &[], "").await;
                assert_eq!((reply.status, reply.text().as_str()), (200, "one\nmore\nthree\n"), "{line}");
                assert!(reply.headers["content-type"].to_str().unwrap().starts_with("text/plain"));
            }
        }
    }
}

#[tokio::test]
async fn unknown_logs() {
    let server = TestServer::start().await;
    let run = server.make_run("r").await;
    let root = task(&run, 1, None, "");
    let waiting = task(&run, 2, Some(1), "waiting");
    server.put_task(root.clone()).await;
    server.put_task(waiting.clone()).await;
    let unknown = "5e0cd3f3-4d6c-4b5e-8a8f-000000000000";
    let rows = [
        format!("{run}/nodes/nobody"),
        format!("{run}/nodes/{unknown}"),
        format!("{run}/nodes/{}", root.id),
        format!("{run}/nodes/{}", waiting.id),
        format!("{run}/nodes/%2e%2e%2f%2e%2e%2fetc%2fpasswd"),
        format!("{unknown}/nodes/{}", waiting.id),
        format!("x/nodes/{}", waiting.id),
    ];
    for row in rows {
        let reply = server.send(&format!("GET @/runs/{row}/log"), &[], "").await;
        assert_eq!(reply.status, 404, "{row}: {}", reply.text());
        assert!(reply.json()["error_message"].is_string());
    }
}

#[tokio::test]
async fn following_goes_on_with_the_next_attempt() {
    let server = TestServer::start().await;
    let run = server.make_run("r").await;
    let mut say = task(&run, 2, Some(1), "say");
    say.attempt = 1;
    server.put_task(say.clone()).await;
    server.logs.put(attempt(&say, 1), pieces(&["one\n"]));
    let (parts, mut body) =
        server.open(&format!("GET @/runs/{run}/nodes/{}/log?follow=true", say.id), &[], "").await;
    assert_eq!(parts.status, 200);
    assert_eq!(body.frame().await.unwrap().unwrap().data_ref().unwrap(), "one\n");
    server.logs.put(attempt(&say, 2), pieces(&["two\n"]));
    say.attempt = 2;
    say.status = TaskStatus::Succeeded;
    server.put_task(say).await;
    assert_eq!(body.frame().await.unwrap().unwrap().data_ref().unwrap(), "two\n");
    assert!(body.frame().await.is_none(), "the task has ended");
}

#[tokio::test]
async fn a_log_that_breaks_off_is_not_taken_for_whole() {
    let server = TestServer::start().await;
    let run = server.make_run("r").await;
    let mut say = task(&run, 2, Some(1), "say");
    say.attempt = 1;
    server.put_task(say.clone()).await;
    server.logs.put(attempt(&say, 1), vec![Some(Bytes::from_static(b"one\n")), None]);
    let (_, mut body) = server.open(&format!("GET @/runs/{run}/nodes/{}/log", say.id), &[], "").await;
    let mut failed = false;
    while let Some(frame) = body.frame().await {
        failed |= frame.is_err();
    }
    assert!(failed);
}

#[tokio::test]
async fn shutdown_ends_followed_logs() {
    let mut server = TestServer::start().await;
    let run = server.make_run("r").await;
    let waiting = task(&run, 2, Some(1), "waiting");
    server.put_task(waiting.clone()).await;
    let (parts, mut body) =
        server.open(&format!("GET @/runs/{run}/nodes/{}/log?follow=true", waiting.id), &[], "").await;
    assert_eq!(parts.status, 200);
    server.stop();
    assert!(body.frame().await.is_none());
}
