//! RunService.

use std::sync::Arc;

use ferroflow_model::artifact::Artifact;
use ferroflow_model::record::Failure;
use ferroflow_model::{ArtifactId, TaskStatus, Timestamp};
use serde_json::{Map, Value, json};

use crate::harness::{TestServer, hello, task};

#[tokio::test]
async fn what_is_sent_for_plugins_is_kept_within_limits() {
    let server = TestServer::start().await;
    let sent =
        |input: &Value| json!({ "display_name": "x", "pipeline_spec": hello(), "plugins_input": input });
    let input = json!({ "tracker": { "project": "p", "tags": ["a", { "b": null }], "level": 1.5 } });
    let made = server.check("POST @/runs", Some(sent(&input)), 200, json!({ "plugins_input": input })).await;
    let run = made["run_id"].as_str().unwrap();
    server.check(&format!("GET @/runs/{run}"), None, 200, json!({ "plugins_input": input })).await;
    server.check("GET @/runs", None, 200, json!({ "runs": [{ "plugins_input": input }] })).await;

    let many: Map<String, Value> = (0..17).map(|number| (format!("p{number}"), json!({}))).collect();
    let wide = |count: usize| {
        let entry = json!({ "text": "x".repeat(65_000) });
        Value::Object((0..count).map(|number| (format!("p{number}"), entry.clone())).collect())
    };
    let deep = |levels: usize| (1..levels).fold(json!({}), |inner, _| json!({ "inner": inner }));
    server.check("POST @/runs", Some(sent(&wide(4))), 200, json!({})).await;
    server.check("POST @/runs", Some(sent(&json!({ "p": deep(10) }))), 200, json!({})).await;
    for (input, text) in [
        (Value::Object(many), "17 entries, at most 16"),
        (json!({ "p": { "text": "x".repeat(65_536) } }), "at most 65536"),
        (wide(5), "at most 262144"),
        (json!({ "p": deep(11) }), "at most 10 levels"),
    ] {
        let error = server.check_error("POST @/runs", Some(sent(&input)), 400, 3).await;
        assert!(error.contains("`plugins_input`") && error.contains(text), "{error}");
    }
}

#[tokio::test]
async fn inline_runs_echo_their_spec() {
    let server = TestServer::start().await;
    let body = json!({
        "display_name": "r", "description": "d", "pipeline_spec": hello(), "runtime_config": { "parameters": {} },
        "run_id": "chosen", "state": "SUCCEEDED", "storage_state": 2, "finished_at": "0001-01-01T00:00:00.000Z"
    });
    let expected = json!({
        "display_name": "r", "description": "d", "state": "PENDING", "storage_state": "AVAILABLE",
        "service_account": "pipeline-runner", "created_at": "2023-11-14T22:13:22Z",
        "scheduled_at": "2023-11-14T22:13:22Z", "finished_at": "1970-01-01T00:00:00Z",
        "state_history": [{ "update_time": "2023-11-14T22:13:22Z", "state": "PENDING" }],
        "runtime_config": null, "run_details": null, "pipeline_version_reference": null, "error": null
    });
    let run = server.check("POST @/runs", Some(body), 200, expected).await;
    assert_eq!(run["pipeline_spec"], hello());
    let id = run["run_id"].as_str().unwrap();
    assert_eq!(server.check(&format!("GET @/runs/{id}"), None, 200, json!({})).await, run);
    let list = server.check("GET @/runs", None, 200, json!({ "total_size": 1 })).await;
    assert_eq!(list["runs"][0], run, "list items are complete");
}

#[tokio::test]
async fn platform_specs_stay_wrapped() {
    let server = TestServer::start().await;
    let spec = json!({
        "pipeline_spec": hello(),
        "platform_spec": { "platforms": { "kubernetes": { "deploymentSpec": { "executors": {} } } } }
    });
    let run = server
        .check("POST @/runs", Some(json!({ "display_name": "r", "pipeline_spec": spec })), 200, json!({}))
        .await;
    assert_eq!(run["pipeline_spec"], spec);
}

#[tokio::test]
async fn runs_of_versions_refer_to_them() {
    let server = TestServer::start().await;
    let pipeline = server.make_pipeline("p").await;
    let version = server
        .upload(
            &format!("/pipelines/upload_version?name=v2&pipelineid={pipeline}"),
            "p.yaml",
            hello().to_string().as_bytes(),
        )
        .await;
    let newest = version.json()["pipeline_version_id"].clone();
    let experiment =
        server.check("POST @/experiments", Some(json!({ "display_name": "e" })), 200, json!({})).await;
    let experiment = experiment["experiment_id"].as_str().unwrap();
    let full = json!({ "pipeline_id": pipeline, "pipeline_version_id": newest });
    let latest = json!({ "pipelineId": pipeline });
    for reference in [full.clone(), latest] {
        let body = json!({
            "display_name": "r", "experiment_id": experiment, "pipeline_version_reference": reference,
            "runtime_config": { "parameters": { "text": "é", "count": 3 }, "pipeline_root": server.root() },
            "service_account": "me"
        });
        let expected = json!({
            "experiment_id": experiment, "pipeline_version_reference": full, "pipeline_spec": null,
            "runtime_config": { "parameters": { "text": "é", "count": 3 }, "pipeline_root": server.root() },
            "service_account": "me"
        });
        server.check("POST @/runs", Some(body), 200, expected).await;
    }
    server
        .check(&format!("GET @/runs?experiment_id={experiment}"), None, 200, json!({ "total_size": 2 }))
        .await;
    server.check_error("GET @/runs?experiment_id=5e0cd3f3-4d6c-4b5e-8a8f-000000000000", None, 404, 5).await;
}

#[tokio::test]
async fn refused() {
    let server = TestServer::start().await;
    let pipeline = server.make_pipeline("p").await;
    let other = server.make_pipeline("q").await;
    let versions = server.check(&format!("GET @/pipelines/{other}/versions"), None, 200, json!({})).await;
    let foreign = &versions["pipeline_versions"][0]["pipeline_version_id"];
    let empty = server.check("POST @/pipelines", Some(json!({ "name": "empty" })), 200, json!({})).await;
    let unknown = "5e0cd3f3-4d6c-4b5e-8a8f-000000000000";
    let inline = |more: Value| {
        let mut body = json!({ "display_name": "r", "pipeline_spec": hello() });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let parameters = |parameters: Value| inline(json!({ "runtime_config": { "parameters": parameters } }));
    let reference =
        |reference: Value| json!({ "display_name": "r", "pipeline_version_reference": reference });
    let rows = [
        (json!({ "pipeline_spec": hello() }), 400, 3),
        (json!({ "display_name": "r" }), 400, 3),
        (inline(json!({ "display_name": "n".repeat(300) })), 400, 3),
        (inline(json!({ "experiment_id": unknown })), 404, 5),
        (inline(json!({ "experiment_id": "x" })), 404, 5),
        (inline(json!({ "plugins_output": { "x": {} } })), 409, 10),
        (inline(json!({ "recurring_run_id": unknown })), 404, 5),
        (inline(json!({ "colour": "red" })), 400, 3),
        (inline(json!({ "runtime_config": { "parameterz": {} } })), 400, 3),
        (inline(json!({ "runtime_config": { "pipeline_root": "ftp://elsewhere/x" } })), 400, 3),
        (inline(json!({ "pipeline_version_reference": { "pipeline_id": pipeline } })), 400, 3),
        (inline(json!({ "pipeline_spec": {} })), 400, 3),
        (inline(json!({ "pipeline_spec": { "pipelineInfo": { "name": "x" } } })), 400, 3),
        (parameters(json!({ "text": 1 })), 400, 3),
        (parameters(json!({ "text": null })), 400, 3),
        (parameters(json!({ "count": "three" })), 400, 3),
        (parameters(json!({ "stranger": 1 })), 400, 3),
        (parameters(json!([1])), 400, 3),
        (reference(json!({})), 400, 3),
        (reference(json!({ "pipeline_id": unknown })), 404, 5),
        (reference(json!({ "pipeline_id": pipeline, "pipeline_version_id": unknown })), 404, 5),
        (reference(json!({ "pipeline_id": pipeline, "pipeline_version_id": foreign })), 400, 3),
        (reference(json!({ "pipeline_id": empty["pipeline_id"] })), 404, 5),
    ];
    for (body, status, code) in rows {
        server.check_error("POST @/runs", Some(body), status, code).await;
    }
    for call in [
        "GET @/runs/{}",
        "DELETE @/runs/{}",
        "POST @/runs/{}:archive",
        "POST @/runs/{}:unarchive",
        "POST @/runs/{}:terminate",
        "POST @/runs/{}:retry",
    ] {
        for id in [unknown, "invalid-id-%21%40%23%24%25", "%2e%2e%2f%2e%2e"] {
            server.check_error(&call.replace("{}", id), None, 404, 5).await;
        }
    }
    assert_eq!(
        server.check("GET @/runs", None, 200, json!({})).await,
        json!({}),
        "nothing of all this was stored"
    );
}

#[tokio::test]
async fn life_of_a_run() {
    let server = TestServer::start().await;
    let id = server.make_run("r").await;
    let one = format!("@/runs/{id}");
    server.check_error(&format!("POST {one}:retry"), None, 409, 10).await;
    server.check(&format!("POST {one}:archive"), None, 200, json!({})).await;
    server
        .check(&format!("GET {one}"), None, 200, json!({ "storage_state": "ARCHIVED", "state": "PENDING" }))
        .await;
    server.check(&format!("POST {one}:unarchive"), None, 200, json!({})).await;
    server.check(&format!("GET {one}"), None, 200, json!({ "storage_state": "AVAILABLE" })).await;
    server.check(&format!("POST {one}:terminate"), Some(json!({})), 200, json!({})).await;
    server.check(&format!("GET {one}"), None, 200, json!({ "state": "CANCELING" })).await;

    let run = server.check(&format!("GET {one}"), None, 200, json!({})).await;
    let experiment = format!("@/experiments/{}", run["experiment_id"].as_str().unwrap());
    server.check(&format!("POST {experiment}:archive"), None, 200, json!({})).await;
    server.check(&format!("GET {one}"), None, 200, json!({ "storage_state": "ARCHIVED" })).await;
    server.check_error(&format!("POST {one}:unarchive"), None, 400, 9).await;

    server.check(&format!("DELETE {one}"), None, 200, json!({})).await;
    server.check_error(&format!("GET {one}"), None, 404, 5).await;
}

#[tokio::test]
async fn tasks_show_in_the_details() {
    let server = TestServer::start().await;
    let id = server.make_run("r").await;
    let root = task(&id, 1, None, "");
    let mut say = task(&id, 2, Some(1), "say");
    say.status = TaskStatus::Cached;
    say.ended_at = Some(Timestamp::from_seconds(1_700_000_200));
    let model = Artifact {
        id: ArtifactId(77),
        schema_title: "system.Model".to_owned(),
        schema_version: "0.0.1".to_owned(),
        instance_schema: String::new(),
        uri: "file:///x".to_owned(),
        metadata: serde_json::Map::default(),
        custom_path: None,
    };
    say.outputs.artifacts.insert("model".to_owned(), vec![Arc::new(model)]);
    let mut bad = task(&id, 3, Some(1), "bad");
    bad.status = TaskStatus::Failed;
    bad.error = Some(Failure::new("user code exited with code 1"));
    for row in [root, say, bad] {
        server.put_task(row).await;
    }
    let run = server.check(&format!("GET @/runs/{id}"), None, 200, json!({})).await;
    let details = run["run_details"]["task_details"].as_array().unwrap();
    let find = |name: &str| details.iter().find(|task| task["display_name"] == name).unwrap();
    let root = details.iter().find(|task| task.get("parent_task_id").is_none()).unwrap();
    assert_eq!(
        root["child_tasks"],
        json!([{ "task_id": find("say")["task_id"] }, { "task_id": find("bad")["task_id"] }])
    );
    assert_eq!(root.get("pod_name"), None);
    let expected = json!({
        "run_id": id, "display_name": "say", "state": "SUCCEEDED", "execution_id": "2",
        "parent_task_id": root["task_id"], "pod_name": "hello-abcde-2",
        "create_time": "2023-11-14T22:15:00Z", "start_time": "2023-11-14T22:15:01Z", "end_time": "2023-11-14T22:16:40Z",
        "outputs": { "model": { "artifact_ids": ["77"] } }, "inputs": null,
        "state_history": [{ "update_time": "2023-11-14T22:15:00Z", "state": "RUNNING" }]
    });
    crate::harness::assert_holds(find("say"), &expected, "say");
    let bad = find("bad");
    assert_eq!(bad["end_time"], "1970-01-01T00:00:00Z");
    assert_eq!(
        (&bad["state"], &bad["error"]["message"]),
        (&json!("FAILED"), &json!("user code exited with code 1"))
    );
    let list = server.check("GET @/runs", None, 200, json!({})).await;
    assert_eq!(list["runs"][0], run);
}
