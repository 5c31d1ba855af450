//! ExperimentService.

use serde_json::json;

use crate::harness::TestServer;

#[tokio::test]
async fn life_of_an_experiment() {
    let server = TestServer::start().await;
    let body =
        json!({ "display_name": "first", "description": "words", "namespace": "", "unknown_time": null });
    server.check_error("POST @/experiments", Some(body), 400, 3).await;
    let body = json!({
        "displayName": "first", "description": "words", "namespace": "kubeflow", "storage_state": "ARCHIVED",
        "created_at": "0001-01-01T00:00:00.000Z", "lastRunCreatedAt": null, "experiment_id": "ignored"
    });
    let made = json!({
        "display_name": "first", "description": "words", "storage_state": "AVAILABLE", "namespace": null,
        "created_at": "2023-11-14T22:13:22Z", "last_run_created_at": "1970-01-01T00:00:00Z"
    });
    let experiment = server.check("POST @/experiments", Some(body.clone()), 200, made.clone()).await;
    let id = experiment["experiment_id"].as_str().unwrap();
    let taken = server.check_error("POST @/experiments", Some(body), 409, 6).await;
    assert!(taken.contains("Please specify a new name"), "{taken}");

    let one = format!("@/experiments/{id}");
    server.check(&format!("GET {one}"), None, 200, made).await;
    server.check(&format!("POST {one}:archive"), None, 200, json!({})).await;
    server.check(&format!("GET {one}"), None, 200, json!({ "storage_state": "ARCHIVED" })).await;
    server.check(&format!("POST {one}:unarchive"), Some(json!({})), 200, json!({})).await;
    server.check(&format!("GET {one}"), None, 200, json!({ "storage_state": "AVAILABLE" })).await;
    server.check(&format!("DELETE {one}"), None, 200, json!({})).await;
    server.check_error(&format!("GET {one}"), None, 404, 5).await;
}

#[tokio::test]
async fn refused() {
    let server = TestServer::start().await;
    let unknown = "5e0cd3f3-4d6c-4b5e-8a8f-000000000000";
    let rows = [
        ("POST @/experiments", Some(json!({})), 400, 3),
        ("POST @/experiments", None, 400, 3),
        ("POST @/experiments", Some(json!([])), 400, 3),
        ("POST @/experiments", Some(json!({ "display_name": 7 })), 400, 3),
        ("POST @/experiments", Some(json!({ "display_name": "x".repeat(129) })), 400, 3),
        (
            "POST @/experiments",
            Some(json!({ "display_name": "x", "description": "d".repeat(70_000) })),
            400,
            3,
        ),
        ("GET @/experiments/invalid-id-%21%40%23%24%25", None, 404, 5),
        ("GET @/experiments/invalid-id-!@%23$%25", None, 404, 5),
        (&format!("GET @/experiments/{unknown}"), None, 404, 5),
        (&format!("GET @/experiments/{}", unknown.replace('-', "")), None, 404, 5),
        (&format!("POST @/experiments/{unknown}:archive"), None, 404, 5),
        (&format!("POST @/experiments/{unknown}:unarchive"), None, 404, 5),
        (&format!("DELETE @/experiments/{unknown}"), None, 404, 5),
        (&format!("POST @/experiments/{unknown}:explode"), None, 501, 12),
        ("PUT @/experiments", None, 501, 12),
        ("GET @/experiment", None, 404, 5),
        ("GET @/experiments?page_size=x", None, 400, 3),
        ("GET @/experiments?page_size=-1", None, 400, 3),
        ("GET @/experiments?page_token=abc", None, 400, 3),
        ("GET @/experiments?sort_by=color", None, 400, 3),
        ("GET @/experiments?filter=%7B", None, 400, 3),
    ];
    for (line, body, status, code) in rows {
        server.check_error(line, body, status, code).await;
    }
}

#[tokio::test]
async fn the_default_experiment_stays() {
    let server = TestServer::start().await;
    let list = server.check("GET @/experiments", None, 200, json!({ "total_size": 1 })).await;
    let default = &list["experiments"][0];
    assert_eq!(default["display_name"], "Default");
    let id = default["experiment_id"].as_str().unwrap();
    server.check_error(&format!("DELETE @/experiments/{id}"), None, 409, 10).await;
    // A run without an experiment goes there, and shows when.
    server.make_run("lost").await;
    server
        .check(
            &format!("GET @/experiments/{id}"),
            None,
            200,
            json!({ "last_run_created_at": "2023-11-14T22:13:22Z" }),
        )
        .await;
}
