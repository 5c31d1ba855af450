//! `/apis/ferroflow/v1`: artifacts, their bytes and where they come from.

use ferroflow_model::TaskStatus;
use ferroflow_model::record::{ArtifactLink, LinkDirection};
use ferroflow_ports::store::RunCommit;
use serde_json::json;

use crate::harness::{TestServer, commit_of, task};
use crate::own_runs::{artifact, put_artifacts};

const OWN: &str = "GET /apis/ferroflow/v1";

#[tokio::test]
async fn artifacts_show_what_they_hold() {
    let server = TestServer::start().await;
    let root = server.root();
    let folder = std::path::PathBuf::from(root.strip_prefix("file://").unwrap());
    std::fs::create_dir_all(folder.join("run/model")).unwrap();
    std::fs::write(folder.join("run/page"), "<script>alert(1)</script>").unwrap();
    std::fs::write(folder.join("run/data.csv"), "a,b\n1,2\n").unwrap();
    std::fs::write(folder.join("run/model/weights.bin"), b"\0\x01\x02").unwrap();
    std::fs::write(folder.join("secret"), "s").unwrap();
    let run = server.make_run("r").await;
    let mut say = task(&run, 2, Some(1), "say");
    say.status = TaskStatus::Succeeded;
    server.put_task(task(&run, 1, None, "")).await;
    server.put_task(say.clone()).await;
    let made = [
        artifact(1, "system.HTML", &format!("{root}/run/page"), &json!({})),
        artifact(2, "system.Dataset", &format!("{root}/run/data.csv"), &json!({})),
        artifact(3, "system.Model", &format!("{root}/run/model"), &json!({ "framework": "x" })),
        artifact(4, "system.Metrics", &format!("{root}/run/none"), &json!({ "loss": 1 })),
        artifact(5, "system.Artifact", "file:///etc/passwd", &json!({})),
        artifact(6, "system.Artifact", "s3://bucket/key", &json!({})),
    ];
    put_artifacts(&server, &say, &made).await;

    let rows = [
        (1, "", json!({ "kind": "html" })),
        (2, "", json!({ "kind": "table", "table": { "columns": ["a", "b"], "rows": [["1", "2"]] } })),
        (3, "", json!({ "kind": "folder", "files": [{ "path": "weights.bin", "size_bytes": 3 }] })),
        (3, "?path=weights.bin", json!({ "kind": "binary" })),
        (3, "?path=../../secret", json!({ "kind": "missing" })),
        (3, "?path=/etc/passwd", json!({ "kind": "missing" })),
        (4, "", json!({ "kind": "metrics", "values": { "loss": 1 } })),
        (5, "", json!({ "kind": "missing" })),
        (6, "", json!({ "kind": "missing" })),
    ];
    for (id, query, content) in rows {
        server
            .check(&format!("{OWN}/artifacts/{id}/preview{query}"), None, 200, json!({ "content": content }))
            .await;
    }
    let page = server.send(&format!("{OWN}/artifacts/1/content"), &[], "").await;
    assert_eq!((page.status, page.text().as_str()), (200, "<script>alert(1)</script>"));
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("sandbox ") && !policy.contains("allow-same-origin"), "{policy}");
    assert_eq!(page.headers["x-content-type-options"], "nosniff");
    let part =
        server.send(&format!("{OWN}/artifacts/2/content?download=true"), &[("range", "bytes=4-6")], "").await;
    assert_eq!((part.status, part.text().as_str()), (206, "1,2"));
    assert_eq!(part.headers["content-range"], "bytes 4-6/8");
    for line in [
        "3/content",
        "3/content?path=../page",
        "4/content",
        "7/content",
        "x/content",
        "5/content",
        "6/content",
    ] {
        let reply = server.send(&format!("{OWN}/artifacts/{line}"), &[], "").await;
        assert!([400, 404].contains(&reply.status), "{line}: {} {}", reply.status, reply.text());
    }
    let detail = json!({
        "artifact": { "artifact_id": 3, "run": { "name": "r" }, "task": "say", "metadata": { "framework": "x" } },
        "size_bytes": 3, "unreadable": null, "producers": [{ "path": "say", "name": "out" }], "consumers": []
    });
    server.check(&format!("{OWN}/artifacts/3"), None, 200, detail).await;
    let first = server.check(&format!("{OWN}/artifacts?page_size=4"), None, 200, json!({})).await;
    let ids = |page: &serde_json::Value| -> Vec<i64> {
        page["artifacts"].as_array().unwrap().iter().map(|one| one["artifact_id"].as_i64().unwrap()).collect()
    };
    assert_eq!(ids(&first), [6, 5, 4, 3]);
    let token = first["next_page_token"].as_str().unwrap();
    let rest = server
        .check(
            &format!("{OWN}/artifacts?page_size=4&page_token={token}"),
            None,
            200,
            json!({ "next_page_token": "" }),
        )
        .await;
    assert_eq!(ids(&rest), [2, 1]);
    server.check_error(&format!("{OWN}/artifacts?type=system.Model&page_token={token}"), None, 400, 3).await;
    let models = server.check(&format!("{OWN}/artifacts?type=system.Model"), None, 200, json!({})).await;
    assert_eq!(ids(&models), [3]);
    let of_run =
        server.check(&format!("{OWN}/runs/{run}/artifacts?type=system.HTML"), None, 200, json!({})).await;
    assert_eq!(ids(&of_run), [1]);
}

#[tokio::test]
async fn lineage_goes_over_runs() {
    let server = TestServer::start().await;
    let mut makers = Vec::new();
    // Each run uses what the one before has made.
    for number in 0..3_i64 {
        let run = server.make_run(&format!("run {number}")).await;
        let say = task(&run, 10 * number + 2, Some(10 * number + 1), "say");
        server.put_task(say.clone()).await;
        put_artifacts(&server, &say, &[artifact(number + 1, "system.Model", "s3://b/k", &json!({}))]).await;
        if number > 0 {
            let link = ArtifactLink {
                execution_id: say.execution_id,
                artifact_id: ferroflow_model::ArtifactId(number),
                direction: LinkDirection::Input,
                name: "in".to_owned(),
                index: 0,
            };
            server.store.commit(RunCommit { links: vec![link], ..commit_of(say.run_id) }).await.unwrap();
        }
        makers.push(say);
    }
    let whole = json!({
        "center": "a2", "is_cut": false,
        "nodes": [
            { "kind": "artifact", "id": "a1" }, { "kind": "artifact", "id": "a2" }, { "kind": "artifact", "id": "a3" },
            { "kind": "task", "id": "t2", "run": { "name": "run 0" } }, { "kind": "task", "id": "t12" }, { "kind": "task", "id": "t22" }
        ],
        "edges": [
            { "from": "a1", "to": "t12", "name": "in" }, { "from": "a2", "to": "t22", "name": "in" },
            { "from": "t12", "to": "a2", "name": "out" }, { "from": "t2", "to": "a1", "name": "out" },
            { "from": "t22", "to": "a3", "name": "out" }
        ]
    });
    server.check(&format!("{OWN}/artifacts/2/lineage"), None, 200, whole).await;
    let near = server.check(&format!("{OWN}/artifacts/3/lineage?depth=1"), None, 200, json!({})).await;
    assert_eq!(near["nodes"].as_array().unwrap().len(), 3);
}
