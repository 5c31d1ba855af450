//! RecurringRunService.

use ferroflow_model::record::Failure;
use ferroflow_model::recurring::Tick;
use ferroflow_model::{RecurringRunId, RunId};
use ferroflow_ports::store::NewRun;
use serde_json::{Value, json};

use crate::harness::{TestServer, hello, hello_file};

const UNKNOWN: &str = "5e0cd3f3-4d6c-4b5e-8a8f-000000000000";

/// What the SDK sends, with `changes`; null removes a field.
fn wanted(changes: &Value) -> Value {
    let mut body = json!({
        "display_name": "nightly",
        "pipeline_spec": hello(),
        "mode": "ENABLE",
        "max_concurrency": "1",
        "trigger": { "cron_schedule": { "cron": "0 30 1 * * ?" } },
    });
    let object = body.as_object_mut().unwrap();
    for (key, value) in changes.as_object().unwrap() {
        object.insert(key.clone(), value.clone());
        if value.is_null() {
            object.remove(key);
        }
    }
    body
}

async fn create(server: &TestServer, changes: Value, expected: Value) -> String {
    let made = server.check("POST @/recurringruns", Some(wanted(&changes)), 200, expected).await;
    made["recurring_run_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn life_of_a_recurring_run() {
    let server = TestServer::start().await;
    let sent = json!({
        "description": "every night",
        "no_catchup": true,
        "max_concurrency": 10,
        "runtime_config": { "parameters": { "text": "[[ScheduledTime]]", "count": 3 } },
        "plugins_input": { "tracker": { "project": "p" } },
        "trigger": { "cronSchedule": {
            "cron": "0 30 1 * * ?", "start_time": "2030-01-01T02:00:00.500+01:00", "end_time": "2031-01-01T00:00:00Z",
        } },
        // What only the server says is accepted and ignored.
        "status": "DISABLED", "created_at": "0001-01-01T00:00:00.000Z", "recurring_run_id": "mine",
    });
    let expected = json!({
        "display_name": "nightly",
        "description": "every night",
        "pipeline_spec": hello(),
        "pipeline_version_reference": null,
        "runtime_config": { "parameters": { "text": "[[ScheduledTime]]", "count": 3 } },
        "service_account": "pipeline-runner",
        "plugins_input": { "tracker": { "project": "p" } },
        "max_concurrency": "10",
        "trigger": { "cron_schedule": {
            "cron": "0 30 1 * * ?", "start_time": "2030-01-01T01:00:00Z", "end_time": "2031-01-01T00:00:00Z",
        } },
        "mode": "ENABLE",
        "status": "ENABLED",
        "no_catchup": true,
        "namespace": "kubeflow",
        "created_at": "2023-11-14T22:13:22Z",
        "updated_at": "2023-11-14T22:13:22Z",
        "error": null,
    });
    let id = create(&server, sent, expected.clone()).await;
    assert_ne!(id, "mine");
    assert_eq!(server.schedules.looked_at(), std::slice::from_ref(&id));
    let one = format!("@/recurringruns/{id}");
    server.check(&format!("GET {one}"), None, 200, expected).await;

    for (verb, mode, status, updated_at) in [
        ("disable", "DISABLE", "DISABLED", "2023-11-14T22:13:23Z"),
        ("disable", "DISABLE", "DISABLED", "2023-11-14T22:13:23Z"),
        ("enable", "ENABLE", "ENABLED", "2023-11-14T22:13:25Z"),
    ] {
        let answer = server.check(&format!("POST {one}:{verb}"), None, 200, json!({})).await;
        assert_eq!(answer, json!({}));
        let expected = json!({ "mode": mode, "status": status, "updated_at": updated_at });
        server.check(&format!("GET {one}"), None, 200, expected).await;
    }
    assert_eq!(server.schedules.looked_at(), [id.clone(), id.clone(), id.clone()]);

    let key: RecurringRunId = id.parse().unwrap();
    server.store.note_recurring_run_error(key, Failure::new("no version")).await.unwrap();
    let expected = json!({ "error": { "code": 2, "message": "no version" } });
    server.check(&format!("GET {one}"), None, 200, expected).await;

    let answer =
        server.check(&format!("DELETE {one}?propagation_policy=FOREGROUND"), None, 200, json!({})).await;
    assert_eq!(answer, json!({}));
    assert_eq!(server.schedules.looked_at(), [id]);
    server.check_error(&format!("GET {one}"), None, 404, 5).await;
}

#[tokio::test]
async fn what_runs_and_when_comes_in_many_forms() {
    let server = TestServer::start().await;
    let pipeline_id = server.make_pipeline("hello").await;
    let path = format!("/pipelines/upload_version?name=v2&pipelineid={pipeline_id}");
    let version = server.upload(&path, "hello.yaml", &hello_file()).await.json();
    let version_id = version["pipeline_version_id"].as_str().unwrap();
    let pinned = json!({ "pipeline_id": pipeline_id, "pipeline_version_id": version_id });
    let latest = json!({ "pipeline_id": pipeline_id });
    let rows = [
        // Without a trigger there is one run at once; without a mode it is disabled.
        (
            json!({ "trigger": null, "mode": null }),
            json!({ "trigger": {}, "mode": "DISABLE", "status": "DISABLED" }),
        ),
        (json!({ "trigger": {} }), json!({ "trigger": {}, "status": "ENABLED" })),
        (
            json!({ "trigger": { "periodic_schedule": { "interval_second": "60" } }, "mode": 2 }),
            json!({ "trigger": { "periodic_schedule": { "interval_second": "60", "start_time": null } }, "mode": "DISABLE" }),
        ),
        // Generated clients send the year 1 for a time that is not set.
        (
            json!({ "trigger": { "periodic_schedule": {
                "interval_second": 1, "start_time": "0001-01-01T00:00:00.000Z", "end_time": "1970-01-01T00:00:00Z",
            } } }),
            json!({ "trigger": { "periodic_schedule": { "interval_second": "1", "start_time": null, "end_time": null } } }),
        ),
        (
            json!({ "trigger": { "cron_schedule": { "cron": "CRON_TZ=Europe/Berlin @daily" } } }),
            json!({ "trigger": { "cron_schedule": { "cron": "CRON_TZ=Europe/Berlin @daily" } } }),
        ),
        // Five fields begin with seconds, too.
        (json!({ "trigger": { "cron_schedule": { "cron": "0 0/15 * * *" } } }), json!({})),
        (
            json!({ "pipeline_spec": null, "pipeline_version_reference": pinned }),
            json!({ "pipeline_version_reference": pinned, "service_account": "pipeline-runner", "pipeline_spec": null }),
        ),
        // The latest version is resolved for each run, so neither it nor an account is filled in.
        (
            json!({ "pipeline_spec": null, "pipeline_version_reference": latest }),
            json!({ "pipeline_version_reference": { "pipeline_id": pipeline_id, "pipeline_version_id": null }, "service_account": null }),
        ),
        (
            json!({ "service_account": "mine", "namespace": "team" }),
            json!({ "service_account": "mine", "namespace": "team" }),
        ),
        (json!({ "runtime_config": { "parameters": {} } }), json!({ "runtime_config": null })),
        (
            json!({ "runtime_config": { "pipeline_root": server.root() } }),
            json!({ "runtime_config": { "pipeline_root": server.root(), "parameters": null } }),
        ),
    ];
    for (changes, expected) in rows {
        let id = create(&server, changes, expected.clone()).await;
        server.check(&format!("GET @/recurringruns/{id}"), None, 200, expected).await;
    }
}

#[tokio::test]
async fn refused() {
    let server = TestServer::start().await;
    let pipeline_id = server.make_pipeline("hello").await;
    let other = server.make_pipeline("other").await;
    let versions = server.check(&format!("GET @/pipelines/{other}/versions"), None, 200, json!({})).await;
    let foreign = versions["pipeline_versions"][0]["pipeline_version_id"].as_str().unwrap();
    let default = server.check("GET @/experiments", None, 200, json!({})).await;
    let experiment = default["experiments"][0]["experiment_id"].as_str().unwrap();
    let cron = |cron: &str| json!({ "trigger": { "cron_schedule": { "cron": cron } } });
    let every =
        |seconds: Value| json!({ "trigger": { "periodic_schedule": { "interval_second": seconds } } });
    let reference = |pipeline: &str, version: &str| {
        json!({ "pipeline_spec": null, "pipeline_version_reference": {
            "pipeline_id": pipeline, "pipeline_version_id": version,
        } })
    };
    let rows = [
        (json!({ "max_concurrency": null }), 400, 3, "`max_concurrency` must be 1 to 10"),
        (json!({ "max_concurrency": 0 }), 400, 3, "`max_concurrency`"),
        (json!({ "max_concurrency": "11" }), 400, 3, "`11`"),
        (json!({ "max_concurrency": -1 }), 400, 3, "`-1`"),
        (json!({ "max_concurrency": "many" }), 400, 3, ""),
        (json!({ "mode": "SOMETIMES" }), 400, 3, ""),
        (json!({ "mode": 7 }), 400, 3, ""),
        (json!({ "display_name": null }), 400, 3, "needs a name"),
        (json!({ "display_name": "x".repeat(256) }), 400, 3, "too long"),
        (
            json!({ "display_name": "", "max_concurrency": 99, "trigger": { "cron_schedule": { "cron": "x" } } }),
            400,
            3,
            "needs a name; `max_concurrency` must be 1 to 10, it is `99`; a cron expression has 5 or 6 fields",
        ),
        (json!({ "description": "d".repeat(70_000) }), 400, 3, "description"),
        (json!({ "namespace": "n".repeat(64) }), 400, 3, "namespace"),
        (json!({ "namespace": "kubeflow", "experiment_id": experiment }), 400, 3, "namespace"),
        (json!({ "experiment_id": UNKNOWN }), 404, 5, "experiment"),
        (json!({ "experiment_id": "'; DROP TABLE runs" }), 404, 5, "experiment"),
        (json!({ "unknown": 1 }), 400, 3, "unknown"),
        (cron(""), 400, 3, "is empty"),
        (cron("* * * *"), 400, 3, "5 or 6 fields"),
        (cron("0 61 * * * *"), 400, 3, "minute `61`: values go from 0 to 59"),
        (cron("CRON_TZ=Nowhere 0 * * * * *"), 400, 3, "no time zone `Nowhere`"),
        (cron(&"1,".repeat(5000)), 400, 3, "too long"),
        (every(json!(0)), 400, 3, "at least 1"),
        (every(json!(-60)), 400, 3, "at least 1"),
        (
            json!({ "trigger": { "periodic_schedule": {
            "interval_second": 60, "start_time": "2030-01-02T00:00:00Z", "end_time": "2030-01-01T00:00:00Z",
        } } }),
            400,
            3,
            "before `start_time`",
        ),
        (
            json!({ "trigger": { "cron_schedule": { "cron": "@daily" }, "periodic_schedule": { "interval_second": 1 } } }),
            400,
            3,
            "",
        ),
        (json!({ "pipeline_spec": null }), 400, 3, "needs a `pipeline_spec`"),
        (json!({ "pipeline_spec": { "root": 7 } }), 400, 3, ""),
        (json!({ "pipeline_spec": null, "pipeline_version_id": foreign }), 400, 3, "out of use"),
        (reference(UNKNOWN, ""), 404, 5, "pipeline"),
        (reference(&pipeline_id, UNKNOWN), 404, 5, "version"),
        (reference(&pipeline_id, foreign), 400, 3, "does not belong"),
        (json!({ "runtime_config": { "parameters": { "nothing": 1 } } }), 400, 3, "no parameter `nothing`"),
        (json!({ "runtime_config": { "parameters": { "count": "[[Index]]" } } }), 400, 3, "count"),
        (json!({ "runtime_config": { "pipeline_root": "gopher://hole" } }), 400, 3, ""),
        (json!({ "plugins_input": { "a": { "b": "x".repeat(70_000) } } }), 400, 3, "at most 65536"),
    ];
    for (changes, status, code, text) in rows {
        let error = server.check_error("POST @/recurringruns", Some(wanted(&changes)), status, code).await;
        assert!(error.contains(text), "{changes} → {error}");
    }
    for verb in [
        "GET @/recurringruns/ID",
        "POST @/recurringruns/ID:enable",
        "POST @/recurringruns/ID:disable",
        "DELETE @/recurringruns/ID",
    ] {
        for id in [UNKNOWN, "odd-%21%40"] {
            server.check_error(&verb.replace("ID", id), None, 404, 5).await;
        }
    }
    server.check_error("POST @/recurringruns", None, 400, 3).await;
    server.check_error("GET @/recurringruns?sort_by=status", None, 400, 3).await;
    let list = server.check("GET @/recurringruns", None, 200, json!({})).await;
    assert_eq!(list, json!({}), "nothing was stored");
    assert_eq!(server.schedules.looked_at(), [""; 0]);
}

#[tokio::test]
async fn lists_have_the_odd_name_and_complete_items() {
    let server = TestServer::start().await;
    let experiment =
        server.check("POST @/experiments", Some(json!({ "display_name": "mine" })), 200, json!({})).await;
    let experiment_id = experiment["experiment_id"].as_str().unwrap();
    for name in ["b", "a", "c"] {
        let home = if name == "c" { experiment_id } else { "" };
        create(&server, json!({ "display_name": name, "experiment_id": home }), json!({})).await;
    }
    let filter = "%7B%22predicates%22:%5B%7B%22operation%22:1,%22key%22:%22display_name%22,%22stringValue%22:%22a%22%7D%5D%7D";
    let rows: [(String, &[&str]); 7] = [
        (String::new(), &["b", "a", "c"]),
        ("?namespace=kubeflow&page_token=&sort_by=&filter=".to_owned(), &["b", "a", "c"]),
        ("?sort_by=display_name%20desc".to_owned(), &["c", "b", "a"]),
        ("?sort_by=updated_at&page_size=2".to_owned(), &["b", "a"]),
        (format!("?experiment_id={experiment_id}&namespace=other"), &["c"]),
        (format!("?filter={filter}"), &["a"]),
        (format!("?filter={filter}&experiment_id={experiment_id}"), &[]),
    ];
    for (query, expected) in rows {
        let list = server
            .check(&format!("GET @/recurringruns{query}"), None, 200, json!({ "recurring_runs": null }))
            .await;
        let items = list["recurringRuns"].as_array().cloned().unwrap_or_default();
        let names: Vec<&str> = items.iter().map(|item| item["display_name"].as_str().unwrap()).collect();
        assert_eq!(names, expected, "{query}");
        assert!(
            items.iter().all(|item| item["pipeline_spec"] == hello()),
            "items are as complete as single answers"
        );
    }
    server.check_error(&format!("GET @/recurringruns?experiment_id={UNKNOWN}"), None, 404, 5).await;

    let first = server.check("GET @/recurringruns?page_size=2", None, 200, json!({ "total_size": 3 })).await;
    let token = first["next_page_token"].as_str().unwrap();
    let second = server
        .check(
            &format!("GET @/recurringruns?page_token={token}"),
            None,
            200,
            json!({ "next_page_token": null }),
        )
        .await;
    assert_eq!(second["recurringRuns"][0]["display_name"], "c");
    server
        .check_error(
            &format!("GET @/recurringruns?experiment_id={experiment_id}&page_token={token}"),
            None,
            400,
            3,
        )
        .await;
}

#[tokio::test]
async fn runs_say_which_recurring_run_made_them() {
    let server = TestServer::start().await;
    let id = create(&server, json!({}), json!({})).await;
    let plain = server.make_run("plain").await;
    let made = server.make_run("made").await;
    // As the runtime stores it.
    let stored = server.store.load_run(made.parse().unwrap()).await.unwrap();
    let mut run = stored.run;
    run.id = RunId("5e0cd3f3-4d6c-4b5e-8a8f-0123456789ab".parse().unwrap());
    run.tick = Some(Tick { recurring_run_id: id.parse().unwrap(), index: 1 });
    let new = NewRun { run, spec_json: stored.spec_json, settings: stored.settings };
    let fired = server.store.create_run(new, 1).await.unwrap().id.to_string();

    for (run, expected) in [(&plain, Value::Null), (&fired, json!(id))] {
        server.check(&format!("GET @/runs/{run}"), None, 200, json!({ "recurring_run_id": expected })).await;
    }
    let filter = format!(
        "%7B%22predicates%22:%5B%7B%22operation%22:1,%22key%22:%22recurring_run_id%22,%22stringValue%22:%22{id}%22%7D%5D%7D"
    );
    let list =
        server.check(&format!("GET @/runs?filter={filter}"), None, 200, json!({ "total_size": 1 })).await;
    assert_eq!(list["runs"][0]["run_id"], fired);
    let own = format!("GET /apis/ferroflow/v1/runs?recurring_run_id={id}");
    let expected = json!({ "total_size": 1, "runs": [{ "run_id": fired, "recurring_run_id": id }] });
    server.check(&own, None, 200, expected).await;
    let dots = format!("GET /apis/ferroflow/v1/recurringruns/last_runs?ids={id}&ids={UNKNOWN}");
    let expected = json!({ "last_runs": { (&*id): [{ "run_id": fired, "state": "PENDING" }], UNKNOWN: [] } });
    server.check(&dots, None, 200, expected).await;
    server.check_error("GET /apis/ferroflow/v1/recurringruns/last_runs", None, 400, 3).await;
    server.check(&format!("{own}&state=FAILED"), None, 200, json!({ "total_size": 0, "runs": [] })).await;
}

#[tokio::test]
async fn clients_add_runs_to_a_recurring_run_once_for_each_name() {
    let server = TestServer::start().await;
    let id = create(&server, json!({}), json!({})).await;
    let sent = |name: &str, id: &str| json!({ "display_name": name, "pipeline_spec": hello(), "recurring_run_id": id });
    let expected = json!({ "recurring_run_id": id, "state": "PENDING" });
    let made = server.check("POST @/runs", Some(sent("first", &id)), 200, expected.clone()).await;
    let again = server.check("POST @/runs", Some(sent("first", &id)), 200, expected.clone()).await;
    assert_eq!(made, again);
    let other = server.check("POST @/runs", Some(sent("second", &id)), 200, expected).await;
    assert_ne!(made["run_id"], other["run_id"]);
    let list = server.check("GET @/runs", None, 200, json!({ "total_size": 2 })).await;
    assert_eq!(list["runs"].as_array().unwrap().len(), 2);
    // The numbers that the schedule counts by are untouched.
    assert_eq!(server.store.recurring_run(id.parse().unwrap()).await.unwrap().fired, 0);
    server.check_error("POST @/runs", Some(sent("first", UNKNOWN)), 404, 5).await;
}

#[tokio::test]
async fn an_archived_experiment_disables_them() {
    let server = TestServer::start().await;
    let experiment =
        server.check("POST @/experiments", Some(json!({ "display_name": "mine" })), 200, json!({})).await;
    let experiment_id = experiment["experiment_id"].as_str().unwrap();
    let id =
        create(&server, json!({ "experiment_id": experiment_id }), json!({ "experiment_id": experiment_id }))
            .await;
    for verb in ["archive", "unarchive"] {
        server.check(&format!("POST @/experiments/{experiment_id}:{verb}"), None, 200, json!({})).await;
        let expected = json!({ "status": "DISABLED", "mode": "DISABLE" });
        server.check(&format!("GET @/recurringruns/{id}"), None, 200, expected).await;
    }
}

#[tokio::test]
async fn edits() {
    let server = TestServer::start().await;
    let id = create(&server, json!({ "description": "old" }), json!({})).await;
    let line = format!("PATCH /apis/ferroflow/v1/recurringruns/{id}");
    let rows = [
        (json!({}), json!({ "display_name": "nightly", "description": "old" })),
        (
            json!({ "display_name": "hourly", "description": null, "max_concurrency": "3", "no_catchup": true }),
            json!({ "display_name": "hourly", "description": null, "max_concurrency": "3", "no_catchup": true }),
        ),
        (
            json!({ "runtime_config": { "parameters": { "text": "x", "count": 3 } } }),
            json!({ "runtime_config": { "parameters": { "text": "x" } }, "pipeline_spec": hello() }),
        ),
        (
            json!({ "trigger": { "periodic_schedule": { "interval_second": "60" } } }),
            json!({ "trigger": { "periodic_schedule": { "interval_second": "60" } }, "display_name": "hourly" }),
        ),
    ];
    for (changes, expected) in rows {
        server.check(&line, Some(changes), 200, expected.clone()).await;
        server.check(&format!("GET @/recurringruns/{id}"), None, 200, expected).await;
    }
    let stored = server.store.recurring_run(RecurringRunId(id.parse().unwrap())).await.unwrap();
    assert_eq!(stored.last_slot, Some(stored.updated_at), "times that went by are not made up for");
    for refused in [
        json!({ "mode": "DISABLE" }),
        json!({ "recurring_run_id": UNKNOWN }),
        json!({ "display_name": "" }),
        json!({ "display_name": 3 }),
        json!({ "max_concurrency": 11 }),
        json!({ "trigger": { "cron_schedule": { "cron": "never" } } }),
        json!({ "runtime_config": { "parameters": { "nobody": 1 } } }),
        json!([]),
    ] {
        server.check_error(&line, Some(refused), 400, 3).await;
    }
    let unknown = format!("PATCH /apis/ferroflow/v1/recurringruns/{UNKNOWN}");
    server.check_error(&unknown, Some(json!({})), 404, 5).await;
}
