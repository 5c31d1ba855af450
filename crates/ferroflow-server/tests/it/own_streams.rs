//! `/apis/ferroflow/v1`: streams of changes, and how they go on after a loss.

use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::harness::{TestServer, task};

/// Events as they arrive.
struct Reader {
    body: hyper::body::Incoming,
    text: String,
}

impl Reader {
    async fn open(server: &TestServer, path: &str, headers: &[(&str, &str)]) -> Self {
        let (parts, body) = server.open(&format!("GET /apis/ferroflow/v1{path}"), headers, "").await;
        assert_eq!(parts.status, 200);
        let mut reader = Self { body, text: String::new() };
        // The first comment: from now on nothing is missed.
        assert!(reader.block().await.unwrap().starts_with(": connected"));
        reader
    }

    /// Text up to the next empty line; `None` at the end.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(block);
            }
            let frame = self.body.frame().await?.unwrap();
            self.text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
        }
    }

    /// Id and data of the next event.
    async fn event(&mut self) -> Option<(String, Value)> {
        loop {
            let block = self.block().await?;
            let field =
                |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
            if let (Some(id), Some(data)) = (field("id: "), field("data: ")) {
                return Some((id, serde_json::from_str(&data).unwrap()));
            }
        }
    }
}

#[tokio::test]
async fn a_run_tells_its_changes() {
    let server = TestServer::start().await;
    let run = server.make_run("r").await;
    let other = server.make_run("other").await;
    let state = server.check(&format!("GET /apis/ferroflow/v1/runs/{run}/state"), None, 200, json!({})).await;
    let cursor = state["cursor"].as_str().unwrap().to_owned();
    // Between the reading and the stream: told first.
    server.put_task(task(&run, 1, None, "")).await;
    server.put_task(task(&other, 11, None, "")).await;
    let path = format!("/runs/{run}/stream?cursor={cursor}");
    let mut stream = Reader::open(&server, &path, &[]).await;
    let (first_id, first) = stream.event().await.unwrap();
    assert_eq!((&first["kind"], &first["tasks"][0]["path"]), (&json!("tasks"), &json!("")));
    server.put_task(task(&run, 2, Some(1), "say")).await;
    let (_, second) = stream.event().await.unwrap();
    assert_eq!(second["tasks"][0]["path"], "say");
    server.call(&format!("POST @/runs/{run}:terminate"), None).await;
    let (id, third) = stream.event().await.unwrap();
    assert_eq!((&third["kind"], &third["run"]["state"]), (&json!("run"), &json!("CANCELING")));
    drop(stream);

    let mut resumed = Reader::open(&server, &path, &[("last-event-id", &first_id)]).await;
    assert_eq!(resumed.event().await.unwrap().1, second, "nothing is missed after a loss");
    assert_eq!(resumed.event().await.unwrap().1, third);
    let mut at_end = Reader::open(&server, &path, &[("last-event-id", &id)]).await;
    server.call(&format!("DELETE @/runs/{run}"), None).await;
    assert_eq!(at_end.event().await.unwrap().1, json!({ "kind": "deleted", "run_id": run }));
    assert!(at_end.event().await.is_none());
}

#[tokio::test]
async fn cursors_of_other_times_are_reset() {
    let server = TestServer::start().await;
    let run = server.make_run("r").await;
    for cursor in ["nonsense", "0123-5", "%00", "-1"] {
        let mut stream = Reader::open(&server, &format!("/runs/{run}/stream?cursor={cursor}"), &[]).await;
        assert_eq!(stream.event().await.unwrap().1["kind"], "reset", "{cursor}");
        server.put_task(task(&run, 1, None, "")).await;
        assert_eq!(stream.event().await.unwrap().1["kind"], "tasks", "it goes on");
    }
}

#[tokio::test]
async fn lists_hear_of_everything() {
    let server = TestServer::start().await;
    let mut stream = Reader::open(&server, "/stream", &[]).await;
    let run = server.make_run("r").await;
    let created = stream.event().await.unwrap().1;
    assert_eq!(created, json!({ "kind": "run", "run_id": run, "change": "created", "state": null }));
    for number in 2..6 {
        server.put_task(task(&run, number, Some(1), &format!("t{number}"))).await;
    }
    let progress = json!({ "kind": "run", "run_id": run, "change": "progressed", "state": null });
    assert_eq!(stream.event().await.unwrap().1, progress);
    assert_eq!(stream.event().await.unwrap().1, progress, "three more steps are told once, a second later");
    server.call(&format!("POST @/runs/{run}:archive"), None).await;
    assert_eq!(stream.event().await.unwrap().1["change"], "updated");
    server.make_pipeline("p").await;
    assert_eq!(stream.event().await.unwrap().1["kind"], "pipelines");
    server.call("POST @/experiments", Some(json!({ "display_name": "e" }))).await;
    assert_eq!(stream.event().await.unwrap().1["kind"], "experiments");
    server.call(&format!("DELETE @/runs/{run}"), None).await;
    assert_eq!(stream.event().await.unwrap().1["change"], "deleted");
}

#[tokio::test]
async fn lists_hear_of_schedules() {
    let server = TestServer::start().await;
    let pipeline = server.make_pipeline("p").await;
    let mut stream = Reader::open(&server, "/stream", &[]).await;
    let made = server
        .call(
            "POST @/recurringruns",
            Some(json!({
                "display_name": "s", "max_concurrency": "1", "mode": "DISABLE",
                "trigger": { "periodic_schedule": { "interval_second": "3600" } },
                "pipeline_version_reference": { "pipeline_id": pipeline },
            })),
        )
        .await
        .json();
    let id = made["recurring_run_id"].as_str().unwrap();
    let told = |change: &str| json!({ "kind": "recurring_runs", "recurring_run_id": id, "change": change });
    // The default experiment may have come first.
    let mut first = stream.event().await.unwrap().1;
    if first["kind"] == "experiments" {
        first = stream.event().await.unwrap().1;
    }
    assert_eq!(first, told("created"));
    server.call(&format!("POST @/recurringruns/{id}:enable"), None).await;
    assert_eq!(stream.event().await.unwrap().1, told("updated"));
    server.call(&format!("DELETE @/recurringruns/{id}"), None).await;
    assert_eq!(stream.event().await.unwrap().1, told("deleted"));
}
