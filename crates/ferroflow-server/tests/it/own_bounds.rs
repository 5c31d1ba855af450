//! `/apis/ferroflow/v1` against wrong and hostile questions: every address, never a 5xx.

use serde_json::json;

use crate::harness::{TestServer, task};

const UNKNOWN: &str = "5e0cd3f3-4d6c-4b5e-8a8f-000000000000";
const HOSTILE: [&str; 6] =
    ["x", "%27%20OR%201%3D1--", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "%00", "%ff%fe", "9223372036854775808"];

#[tokio::test]
async fn ids_that_are_none_name_nothing() {
    let server = TestServer::start().await;
    let run = server.make_run("r").await;
    server.put_task(task(&run, 1, None, "")).await;
    let templates = [
        "runs/{}/overview",
        "runs/{}/state",
        "runs/{}/graph",
        "runs/{}/timeline",
        "runs/{}/artifacts",
        "runs/{}/stream",
        "runs/{}/tasks/say",
        "runs/{}/tasks/say/cache",
        "runs/{}/tasks/say/log",
        "runs/{}/tasks/say/log/search?q=a",
        "runs/{}/tasks/say/log/raw",
        "runs/{}/tasks/say/log/stream",
        "runs/RUN/tasks/{}",
        "runs/RUN/tasks/{}/cache",
        "runs/RUN/tasks/{}/log",
        "runs/RUN/tasks/{}/log/stream",
        "pipelines/{}/matrix",
        "versions/{}/graph",
        "versions/{}/diff?with=UNKNOWN",
        "artifacts/{}",
        "artifacts/{}/preview",
        "artifacts/{}/content",
        "artifacts/{}/lineage",
    ];
    for template in templates {
        for id in HOSTILE.into_iter().chain([UNKNOWN, "1"]) {
            let path = template.replace("{}", id).replace("RUN", &run).replace("UNKNOWN", UNKNOWN);
            let reply = server.send(&format!("GET /apis/ferroflow/v1/{path}"), &[], "").await;
            assert_eq!(reply.status, 404, "{path}: {}", reply.text());
            assert!(reply.json()["message"].is_string());
        }
    }
}

#[tokio::test]
async fn parameters_that_are_none_are_refused() {
    let server = TestServer::start().await;
    let run = server.make_run("r").await;
    server.put_task(task(&run, 1, None, "")).await;
    let rows = [
        "runs?unknown=1",
        "runs?page_size=0",
        "runs?page_size=201",
        "runs?page_size=x",
        "runs?sort=secret",
        "runs?sort=name%20sideways",
        "runs?state=GONE",
        "runs?archived=maybe",
        "runs?since=yesterday",
        "runs?page_token=zz",
        "runs/facets?sort=name",
        "search",
        "search?q=a",
        "compare",
        "artifacts?page_token=0",
        "artifacts?page_size=-1",
        "pipelines?sort=secret",
        "experiments?archived=maybe",
        "home?x=1",
        "system?x=1",
        "bootstrap?x=1",
        "stream?x=1",
    ];
    for path in rows {
        let reply = server.send(&format!("GET /apis/ferroflow/v1/{path}"), &[], "").await;
        assert_eq!(reply.status, 400, "{path}: {}", reply.text());
    }
    for query in ["direction=up", "open=a&close=b", "artifacts=maybe"] {
        let reply = server.send(&format!("GET /apis/ferroflow/v1/runs/{run}/graph?{query}"), &[], "").await;
        assert_eq!(reply.status, 400, "{query}");
    }
    // Whatever a filter says is a value, and finds nothing.
    for text in HOSTILE {
        for path in [
            format!("runs?q={text}"),
            format!("runs?pipeline_name={text}"),
            format!("search?q={text}aa"),
            format!("artifacts?q={text}&type={text}"),
        ] {
            let reply = server.send(&format!("GET /apis/ferroflow/v1/{path}"), &[], "").await;
            assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        }
    }
    let many = format!("GET /apis/ferroflow/v1/runs?{}", "state=FAILED&".repeat(1500));
    assert_eq!(server.send(&many, &[], "").await.status, 400);
}

#[tokio::test]
async fn only_reads_and_only_from_here() {
    let server = TestServer::start().await;
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        let reply = server.call(&format!("{method} /apis/ferroflow/v1/runs"), Some(json!({}))).await;
        assert_eq!(reply.status, 501, "{method}");
    }
    for headers in [[("host", "evil.example")], [("origin", "http://evil.example")]] {
        for path in ["runs", "home", "stream", "artifacts/1/content"] {
            let reply = server.send(&format!("GET /apis/ferroflow/v1/{path}"), &headers, "").await;
            assert_eq!(reply.status, 403, "{headers:?} {path}");
        }
    }
    let below = server.send("GET /pipeline/apis/ferroflow/v1/bootstrap", &[], "").await;
    assert_eq!(below.status, 200, "also below the base path");
}
