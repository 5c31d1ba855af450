//! What KFP's own web server and old clients ask: pods, figures for Prometheus, and the first API.

use ferroflow_model::record::TaskRecord;
use ferroflow_model::{AttemptId, TaskStatus};
use serde_json::json;

use crate::harness::{TestServer, hello_file, task};

async fn failed_task(server: &TestServer) -> (String, TaskRecord) {
    let run = server.make_run("r").await;
    let mut say = task(&run, 2, Some(1), "say");
    say.attempt = 1;
    say.status = TaskStatus::Failed;
    server.put_task(task(&run, 1, None, "")).await;
    server.put_task(say.clone()).await;
    (run, say)
}

#[tokio::test]
async fn pods_are_told_of_tasks() {
    let server = TestServer::start().await;
    let (run, say) = failed_task(&server).await;
    let id = AttemptId { run: say.run_id, path: say.path.clone(), attempt: 1 };
    server.logs.put(id, vec![Some("spoken\n".into())]);
    for base in ["", "/pipeline"] {
        let pod = server
            .check(
                &format!("GET {base}/k8s/pod?podname=hello-abcde-2&podnamespace=kubeflow"),
                None,
                200,
                json!({}),
            )
            .await;
        assert_eq!(pod["status"]["phase"], "Failed");
        assert_eq!(pod["metadata"]["labels"]["pipeline/runid"], json!(run));
        let line = format!("GET {base}/k8s/pod/events?podname=hello-abcde-2");
        assert_eq!(server.check(&line, None, 200, json!({})).await["kind"], "EventList");
        for query in [format!("podname=hello-abcde-2&runid={run}"), "podname=hello-abcde-2".to_owned()] {
            let log = server.send(&format!("GET {base}/k8s/pod/logs?{query}"), &[], "").await;
            assert_eq!((log.status, log.text().as_str()), (200, "spoken\n"));
        }
    }
    for (line, status) in [
        ("GET /k8s/pod", 422),
        ("GET /k8s/pod/events?podname=", 422),
        ("GET /k8s/pod/logs", 400),
        ("GET /k8s/pod?podname=hello-abcde-3", 404),
        ("GET /k8s/pod?podname=other-abcde-2", 404),
        ("GET /k8s/pod?podname=..%2F..%2Fetc%2Fpasswd", 404),
        ("GET /k8s/pod/logs?podname=hello-abcde-2&runid=nobody", 404),
        ("GET /system/cluster-name", 501),
        ("GET /pipeline/system/project-id", 501),
        ("GET /apps/tensorboard?logdir=x", 501),
    ] {
        assert_eq!(server.send(line, &[], "").await.status, status, "{line}");
    }
    assert_eq!(server.send("GET /visualizations/allowed", &[], "").await.text(), "false");
}

#[tokio::test]
async fn prometheus_reads_what_was_asked() {
    let server = TestServer::start().await;
    server.make_pipeline("p").await;
    server.make_run("r").await;
    server.check("GET @/runs/nobody", None, 404, json!({})).await;
    let reply = server.send("GET /metrics", &[], "").await;
    assert!(reply.headers["content-type"].to_str().unwrap().starts_with("text/plain; version=0.0.4"));
    let text = reply.text();
    for line in [
        "run_server_create_requests 1",
        "run_server_get_requests 1",
        "pipeline_upload_requests 1",
        "run_server_run_count 1",
        "pipeline_server_pipeline_version_count 1",
        "ferroflow_failed_calls_total{service=\"RunService\",call=\"GetRun\"} 1",
        "ferroflow_call_duration_seconds_count{service=\"RunService\",call=\"CreateRun\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in {text}");
    }
    // Each line is a comment or a name with a number.
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        assert!(line.rsplit_once(' ').is_some_and(|(_, value)| value.parse::<f64>().is_ok()), "{line}");
    }
}

#[tokio::test]
async fn the_first_api_can_be_read() {
    let server = TestServer::start().await;
    let pipeline = server.make_pipeline("p").await;
    let (run, _) = failed_task(&server).await;
    let found = server
        .check(
            &format!("GET /apis/v1beta1/pipelines/{pipeline}"),
            None,
            200,
            json!({ "id": pipeline, "name": "p" }),
        )
        .await;
    let version = found["default_version"]["id"].as_str().unwrap().to_owned();
    let template = String::from_utf8(hello_file()).unwrap();
    let experiments =
        server.check("GET /apis/v1beta1/experiments", None, 200, json!({ "total_size": 1 })).await;
    let experiment = experiments["experiments"][0]["id"].as_str().unwrap().to_owned();
    let filter = "%7B%22predicates%22%3A%5B%7B%22op%22%3A%22EQUALS%22%2C%22key%22%3A%22name%22%2C\
                  %22string_value%22%3A%22p%22%7D%5D%7D";
    let rows = [
        (format!("/pipelines/{pipeline}/templates"), json!({ "template": template })),
        (format!("/pipeline_versions/{version}/templates"), json!({ "template": template })),
        (format!("/pipeline_versions/{version}"), json!({ "id": version, "name": "p" })),
        (
            format!("/pipeline_versions?resource_key.type=PIPELINE&resource_key.id={pipeline}"),
            json!({ "versions": [{ "id": version }], "total_size": 1 }),
        ),
        ("/namespaces/kubeflow/pipelines/p".to_owned(), json!({ "id": pipeline })),
        (format!("/pipelines?filter={filter}"), json!({ "pipelines": [{ "id": pipeline }] })),
        (
            format!("/experiments/{experiment}"),
            json!({ "name": "Default", "storage_state": "STORAGESTATE_AVAILABLE" }),
        ),
        (
            format!("/runs/{run}"),
            json!({ "run": { "id": run, "name": "r", "status": "Pending", "resource_references": [
                { "key": { "type": "EXPERIMENT", "id": experiment }, "relationship": "OWNER" }
            ] } }),
        ),
        (
            format!("/runs?resource_reference_key.type=EXPERIMENT&resource_reference_key.id={experiment}"),
            json!({ "runs": [{ "id": run }], "total_size": 1 }),
        ),
        ("/jobs".to_owned(), json!({})),
        ("/auth?namespace=kubeflow".to_owned(), json!({})),
    ];
    for (path, expected) in rows {
        server.check(&format!("GET /apis/v1beta1{path}"), None, 200, expected).await;
    }
    server.check_error("GET /apis/v1beta1/pipeline_versions", None, 400, 3).await;
    server.check_error("POST /apis/v1beta1/runs", Some(json!({})), 501, 12).await;
    server.check_error("POST /apis/v1beta1/runs/x/terminate", None, 501, 12).await;
    server.check_error("GET /apis/v1alpha1/tasks", None, 501, 12).await;
    server.check(&format!("DELETE /apis/v1beta1/pipelines/{pipeline}"), None, 200, json!({})).await;
    server.check_error(&format!("GET /apis/v1beta1/pipelines/{pipeline}"), None, 404, 5).await;
}
