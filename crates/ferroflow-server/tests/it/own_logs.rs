//! `/apis/ferroflow/v1`: logs by lines.

use bytes::Bytes;
use ferroflow_model::record::TaskRecord;
use ferroflow_model::{AttemptId, TaskStatus};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::harness::{TestServer, task};

fn attempt(task: &TaskRecord, number: u32) -> AttemptId {
    AttemptId { run: task.run_id, path: task.path.clone(), attempt: number }
}

/// A task that has ended after one attempt, with this log in pieces of 1,000 bytes; the begin of its addresses.
async fn logged(server: &TestServer, status: TaskStatus, log: &str) -> (String, TaskRecord) {
    let run = server.make_run("r").await;
    server.put_task(task(&run, 1, None, "")).await;
    let mut say = task(&run, 2, Some(1), "say");
    say.attempt = 1;
    say.status = status;
    server.put_task(say.clone()).await;
    let pieces = log.as_bytes().chunks(1000).map(|piece| Some(Bytes::copy_from_slice(piece))).collect();
    server.logs.put(attempt(&say, 1), pieces);
    (format!("GET /apis/ferroflow/v1/runs/{run}/tasks/say/log"), say)
}

fn numbered(lines: u32) -> String {
    (0..lines).map(|line| format!("line {line}\n")).collect::<Vec<_>>().concat()
}

/// Numbers of the first and last line, and how many there are in all.
fn shown(page: &Value) -> (u64, u64, u64) {
    let lines = page["lines"].as_array().unwrap();
    for line in lines {
        assert_eq!(line["text"], json!(format!("line {}", line["line"])));
    }
    let number = |line: Option<&Value>| line.map_or(0, |line| line["line"].as_u64().unwrap());
    (number(lines.first()), number(lines.last()), page["total_lines"].as_u64().unwrap())
}

#[tokio::test]
async fn any_lines_can_be_read() {
    let server = TestServer::start().await;
    let (log, _) = logged(&server, TaskStatus::Succeeded, &numbered(3000)).await;
    let rows = [
        ("", (2000, 2999, 3000)),
        ("?limit=10", (2990, 2999, 3000)),
        ("?from_line=0&limit=1", (0, 0, 3000)),
        ("?from_line=255&limit=3", (255, 257, 3000)),
        ("?from_line=1234&limit=500", (1234, 1733, 3000)),
        ("?from_line=2999", (2999, 2999, 3000)),
        ("?from_line=3000", (0, 0, 3000)),
        ("?attempt=1&from_line=7&limit=1", (7, 7, 3000)),
    ];
    for (query, expected) in rows {
        let page = server.check(&format!("{log}{query}"), None, 200, json!({ "is_complete": true })).await;
        assert_eq!(shown(&page), expected, "{query}");
    }
    for (query, status) in
        [("?limit=0", 400), ("?limit=9999", 400), ("?from_line=x", 400), ("?attempt=2", 404)]
    {
        assert_eq!(server.call(&format!("{log}{query}"), None).await.status, status, "{query}");
    }
}

#[tokio::test]
async fn a_log_that_grows_is_read_on() {
    let server = TestServer::start().await;
    let (log, say) = logged(&server, TaskStatus::Running, "line 0\nline 1\nli").await;
    let page = server.check(&log, None, 200, json!({ "is_complete": false, "total_lines": 3 })).await;
    assert_eq!(page["lines"][2]["text"], "li");
    let pieces = vec![Some(Bytes::from("line 0\nline 1\nli")), Some(Bytes::from("ne 2\nline 3\n"))];
    server.logs.put(attempt(&say, 1), pieces);
    let page = server.check(&log, None, 200, json!({})).await;
    assert_eq!(shown(&page), (0, 3, 4));
}

#[tokio::test]
async fn logs_are_searched() {
    let server = TestServer::start().await;
    let text = format!("{}Error: no\n{}", numbered(500), numbered(500));
    let (log, _) = logged(&server, TaskStatus::Failed, &text).await;
    let rows = [
        (
            "?q=LINE%20499",
            json!({ "total_matches": 2, "matches": [{ "line": 499 }, { "line": 1000 }], "first_error_line": 500 }),
        ),
        ("?q=LINE%20499&case=true", json!({ "total_matches": 0, "matches": [] })),
        (
            "?q=line&limit=1&from_line=600",
            json!({ "total_matches": 1000, "matches": [{ "line": 600 }], "total_lines": 1001 }),
        ),
    ];
    for (query, expected) in rows {
        server.check(&format!("{log}/search{query}"), None, 200, expected).await;
    }
    server.check_error(&format!("{log}/search"), None, 400, 3).await;
}

#[tokio::test]
async fn raw_bytes_and_ranges() {
    let server = TestServer::start().await;
    let text = numbered(400);
    let (log, _) = logged(&server, TaskStatus::Succeeded, &text).await;
    let whole = server.send(&format!("{log}/raw"), &[], "").await;
    assert_eq!((whole.status, whole.text()), (200, text.clone()));
    assert!(whole.headers["content-disposition"].to_str().unwrap().contains("say-1.log"));
    let rows = [
        ("bytes=0-3", Some(&text[..4])),
        ("bytes=1500-2499", Some(&text[1500..2500])),
        ("bytes=-5", Some(&text[text.len() - 5..])),
        ("bytes=99999-", None),
    ];
    for (range, expected) in rows {
        let part = server.send(&format!("{log}/raw"), &[("range", range)], "").await;
        match expected {
            Some(expected) => assert_eq!((part.status, part.text().as_str()), (206, expected), "{range}"),
            None => assert_eq!(part.status, 400, "{range}"),
        }
    }
}

#[tokio::test]
async fn followed_lines_end_with_the_attempt() {
    let server = TestServer::start().await;
    let (log, _) = logged(&server, TaskStatus::Succeeded, "line 0\nline 1\nlast").await;
    let events = server.send(&format!("{log}/stream?from_line=1"), &[], "").await.text();
    let data: Vec<Value> = events
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|json| serde_json::from_str(json).unwrap())
        .collect();
    assert_eq!(
        data[0],
        json!({ "kind": "lines", "lines": [{ "line": 1, "text": "line 1", "cut_bytes": 0 }] })
    );
    assert_eq!(data[1]["lines"][0], json!({ "line": 2, "text": "last", "cut_bytes": 0 }));
    assert_eq!(data[2], json!({ "kind": "end", "total_lines": 3 }));
    assert!(events.contains("\nid: 2\n"), "the id is the line to go on with: {events}");
    let resumed = server.send(&format!("{log}/stream"), &[("last-event-id", "3")], "").await.text();
    assert!(!resumed.contains("event: lines") && resumed.contains("event: end"), "{resumed}");
}

#[tokio::test]
async fn followed_logs_wait_for_their_attempt() {
    let server = TestServer::start().await;
    let run = server.make_run("r").await;
    let mut say = task(&run, 2, Some(1), "say");
    say.status = TaskStatus::Pending;
    server.put_task(task(&run, 1, None, "")).await;
    server.put_task(say.clone()).await;
    let line = format!("GET /apis/ferroflow/v1/runs/{run}/tasks/say/log/stream");
    server.logs.put(attempt(&say, 1), vec![Some(Bytes::from_static(b"hello\n"))]);
    let begin = async {
        say.attempt = 1;
        say.status = TaskStatus::Running;
        server.put_task(say.clone()).await;
    };
    let (reply, ()) = tokio::join!(server.send(&line, &[], ""), begin);
    assert!(reply.text().contains("hello"), "{}", reply.text());
}

#[tokio::test]
async fn failed_tasks_show_their_traceback() {
    let server = TestServer::start().await;
    let text =
        format!("{}Traceback (most recent call last):\n  File \"a.py\"\nValueError: no\n", numbered(300));
    let (_, say) = logged(&server, TaskStatus::Failed, &text).await;
    let traceback = json!({ "exception": "ValueError: no", "from_line": 300 });
    let base = format!("GET /apis/ferroflow/v1/runs/{}", say.run_id);
    server.check(&format!("{base}/tasks/say"), None, 200, json!({ "traceback": traceback })).await;
    let failures = json!({ "failures": [{ "path": "say", "traceback": traceback }] });
    server.check(&format!("{base}/overview"), None, 200, failures).await;
}

#[tokio::test]
async fn shutdown_ends_streams() {
    let mut server = TestServer::start().await;
    let (parts, mut body) = server.open("GET /apis/ferroflow/v1/stream", &[], "").await;
    assert_eq!(parts.headers["content-type"], "text/event-stream");
    body.frame().await.unwrap().unwrap();
    server.stop();
    assert!(body.frame().await.is_none());
}
