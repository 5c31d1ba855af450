//! `/apis/ferroflow/v1`: logs by lines.

use bytes::Bytes;
use ferroflow_model::record::{StateChange, TaskRecord};
use ferroflow_model::{AttemptId, RunStatus, TaskStatus, Timestamp};
use ferroflow_ports::store::{RunCommit, RunUpdate};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::harness::{TestServer, commit_of, task};

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

/// A run with the tasks `a` and `b`, which began at 12:00:00 and 12:00:01 UTC, with these logs.
async fn two_logs(server: &TestServer, status: TaskStatus, logs: [&str; 2]) -> (String, [TaskRecord; 2]) {
    let run = server.make_run("r").await;
    server.put_task(task(&run, 1, None, "")).await;
    let mut tasks = [task(&run, 2, Some(1), "a"), task(&run, 3, Some(1), "b")];
    for ((task, log), begin) in tasks.iter_mut().zip(logs).zip(1_795_521_600..) {
        (task.attempt, task.status) = (1, status);
        task.started_at = Some(Timestamp::from_seconds(begin));
        task.ended_at = status.is_terminal().then(|| Timestamp::from_seconds(begin + 60));
        server.put_task(task.clone()).await;
        server.logs.put(attempt(task, 1), vec![Some(Bytes::copy_from_slice(log.as_bytes()))]);
    }
    (format!("GET /apis/ferroflow/v1/runs/{run}/log"), tasks)
}

const LOGS: [&str; 2] = [
    "a begins\n2026-11-24 12:00:05,000 a goes on\nFATAL a\nlast",
    "b begins\n2026-11-24T12:00:03Z b\n2026-11-24T12:00:09Z b ends\n",
];

fn texts(lines: &Value) -> Vec<String> {
    let line = |line: &Value| {
        let text = line["text"].as_str().unwrap().split_whitespace().last().unwrap().to_owned();
        format!("{}{}:{text}", line["path"].as_str().unwrap(), line["task_line"])
    };
    lines.as_array().unwrap().iter().map(line).collect()
}

#[tokio::test]
async fn lines_of_all_tasks_stand_in_order_of_time() {
    let server = TestServer::start().await;
    let (log, _) = two_logs(&server, TaskStatus::Failed, LOGS).await;
    let page = server.check(&log, None, 200, json!({ "total_lines": 7, "left_out": 0 })).await;
    let all = ["a0:begins", "b0:begins", "b1:b", "a1:on", "a2:a", "a3:last", "b2:ends"];
    assert_eq!(texts(&page["lines"]), all);
    assert_eq!(page["total_bytes"], LOGS.concat().len());
    let page = server.check(&format!("{log}?from_line=2&limit=3"), None, 200, json!({})).await;
    assert_eq!(texts(&page["lines"]), all[2..5]);
    assert_eq!(page["lines"][0]["line"], 2);
    let page = server.check(&format!("{log}?limit=1"), None, 200, json!({})).await;
    assert_eq!(texts(&page["lines"]), all[6..]);
    let found = json!({
        "total_matches": 2, "matches": [{ "line": 0 }, { "line": 1 }], "first_error_line": 4, "total_lines": 7
    });
    server.check(&format!("{log}/search?q=BEGINS"), None, 200, found).await;
    let one = json!({ "total_matches": 3, "matches": [{ "line": 2 }] });
    server.check(&format!("{log}/search?q=T&case=true&limit=1"), None, 200, json!({})).await;
    server.check(&format!("{log}/search?q=2026&limit=1"), None, 200, one).await;
    let raw = server.send(&format!("{log}/raw"), &[], "").await.text();
    assert!(raw.starts_with("a | a begins\nb | b begins\nb | 2026-11-24T12:00:03Z b\na | 2026"), "{raw}");
    let unknown = "GET /apis/ferroflow/v1/runs/5e0cd3f3-4d6c-4b5e-8a8f-0123456789ab/log";
    server.check_error(unknown, None, 404, 5).await;
    server.check_error(&format!("{log}?limit=0"), None, 400, 3).await;
}

#[tokio::test]
async fn lines_that_come_later_leave_the_others_their_places() {
    let server = TestServer::start().await;
    let (log, [a, b]) = two_logs(&server, TaskStatus::Running, ["a 1\na", "b 1\nb 2\n"]).await;
    let page = server.check(&log, None, 200, json!({ "is_complete": false, "total_lines": 3 })).await;
    assert_eq!(texts(&page["lines"]), ["a0:1", "b0:1", "b1:2"]);
    server.logs.put(attempt(&a, 1), vec![Some(Bytes::from("a 1\na 2\na 3\n"))]);
    server.logs.put(attempt(&b, 1), vec![Some(Bytes::from("b 1\nb 2\nb 3"))]);
    let page = server.check(&log, None, 200, json!({ "total_lines": 5 })).await;
    assert_eq!(texts(&page["lines"]), ["a0:1", "b0:1", "b1:2", "a1:2", "a2:3"]);
    // The last line counts when its attempt has ended, and a second attempt comes behind it.
    let mut ended = b.clone();
    (ended.status, ended.attempt) = (TaskStatus::Running, 2);
    server.put_task(ended).await;
    server.logs.put(AttemptId { attempt: 2, ..attempt(&b, 1) }, vec![Some(Bytes::from("again\n"))]);
    let page = server.check(&format!("{log}?from_line=4"), None, 200, json!({ "total_lines": 7 })).await;
    assert_eq!(texts(&page["lines"]), ["a2:3", "b2:3", "b0:again"]);
    assert_eq!(page["lines"][2]["attempt"], 2);
}

#[tokio::test]
async fn the_log_of_a_run_is_followed_to_its_end() {
    let server = TestServer::start().await;
    let (log, [a, _]) = two_logs(&server, TaskStatus::Succeeded, LOGS).await;
    let mut reply = server.open(&format!("{log}/stream?from_line=5"), &[], "").await.1;
    let mut text = String::new();
    while !text.contains("b ends") {
        let frame = reply.frame().await.unwrap().unwrap();
        text.push_str(&String::from_utf8_lossy(frame.data_ref().unwrap()));
    }
    assert!(text.contains("id: 7\nevent: lines\ndata: ") && !text.contains("FATAL"), "{text}");
    let at = Timestamp::from_seconds(1_795_521_700);
    let status = Some(StateChange { at, state: RunStatus::Succeeded });
    let end = RunUpdate { status, finished_at: Some(Some(at)), ..Default::default() };
    server.store.commit(RunCommit { run: Some(end), ..commit_of(a.run_id) }).await.unwrap();
    while let Some(frame) = reply.frame().await {
        text.push_str(&String::from_utf8_lossy(frame.unwrap().data_ref().unwrap()));
    }
    assert!(text.ends_with("event: end\ndata: {\"kind\":\"end\",\"total_lines\":7}\n\n"), "{text}");
    server.check(&log, None, 200, json!({ "is_complete": true })).await;
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
