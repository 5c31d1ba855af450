//! `/apis/ferroflow/v1`: artifacts, their bytes and where they come from.

use std::sync::Arc;

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
async fn artifacts_and_tasks_are_found_by_what_is_said_of_them() {
    let server = TestServer::start().await;
    let mut runs = Vec::new();
    for number in 0..2_i64 {
        let run = server.make_run(&format!("run {number}")).await;
        for (place, name) in [(2, "train"), (3, "test")] {
            let mut say = task(&run, 10 * number + place, Some(10 * number + 1), name);
            say.status = TaskStatus::Succeeded;
            server.put_task(say.clone()).await;
            let id = 10 * number + place;
            let metadata = json!({ "loss": if number == 1 { 0.5 } else { 0.0 }, "of": name, "n": id, "ok": number == 1, "\"": "%" });
            put_artifacts(&server, &say, &[artifact(id, "system.Metrics", "s3://b/k", &metadata)]).await;
        }
        runs.push(run);
    }
    let found = async |list: &str, query: &str| {
        let page = server.check(&format!("{OWN}/{list}?{query}"), None, 200, json!({})).await;
        let key = if list == "tasks" { "execution_id" } else { "artifact_id" };
        let rows = page[list].as_array().unwrap();
        rows.iter().map(|row| row[key].as_i64().unwrap()).collect::<Vec<_>>()
    };
    let (first, second) = (&runs[0], &runs[1]);
    for (query, expected) in [
        ("metadata=of%3Dtrain".to_owned(), vec![12, 2]),
        ("metadata=of!%3Dtrain".to_owned(), vec![13, 3]),
        ("metadata=loss%3E0.1&metadata=of%3Dtest".to_owned(), vec![13]),
        ("metadata=loss%3C%3D0".to_owned(), vec![3, 2]),
        ("metadata=n%3D12".to_owned(), vec![12]),
        ("metadata=n%3D12.0".to_owned(), vec![12]),
        ("metadata=ok%3Dtrue".to_owned(), vec![13, 12]),
        ("metadata=of~RAI".to_owned(), vec![12, 2]),
        ("metadata=of~%25".to_owned(), vec![]),
        ("metadata=%22~%25".to_owned(), vec![13, 12, 3, 2]),
        ("metadata=loss".to_owned(), vec![13, 12, 3, 2]),
        ("metadata=none".to_owned(), vec![]),
        ("metadata=of%3E1".to_owned(), vec![]),
        (format!("run={first}"), vec![3, 2]),
        (format!("run={second}&task=test"), vec![13]),
        ("name=out&type=system.Metrics".to_owned(), vec![13, 12, 3, 2]),
        ("name=ou".to_owned(), vec![]),
        ("type=system.Model".to_owned(), vec![]),
        ("pipeline_name=none".to_owned(), vec![]),
        ("experiment_id=none".to_owned(), vec![]),
    ] {
        assert_eq!(found("artifacts", &query).await, expected, "{query}");
    }
    let pipeline =
        server.check(&format!("GET /apis/v2beta1/runs/{first}"), None, 200, json!({})).await["pipeline_spec"]
            ["pipelineInfo"]["name"]
            .as_str()
            .unwrap()
            .to_owned();
    assert_eq!(found("artifacts", &format!("pipeline_name={pipeline}&page_size=3")).await, [13, 12, 3]);
    for (query, expected) in [
        (String::new(), vec![13, 12, 3, 2]),
        (format!("run={first}"), vec![3, 2]),
        ("name=train&state=SUCCEEDED&kind=CONTAINER".to_owned(), vec![12, 2]),
        ("state=FAILED".to_owned(), vec![]),
        (format!("pipeline_name={pipeline}&page_size=1"), vec![13]),
    ] {
        assert_eq!(found("tasks", &query).await, expected, "{query}");
    }
    let page = server.check(&format!("{OWN}/tasks?page_size=3"), None, 200, json!({})).await;
    let token = page["next_page_token"].as_str().unwrap();
    assert_eq!(found("tasks", &format!("page_size=3&page_token={token}")).await, [2]);
    for query in [
        "artifacts?task=train",
        "artifacts?metadata=loss%3Clow",
        "artifacts?metadata=%3D1",
        "tasks?state=done",
        "tasks?kind=x",
        "artifacts/2/lineage?direction=left",
        &format!("artifacts?page_token={token}"),
        &format!("tasks?name=train&page_token={token}"),
    ] {
        server.check_error(&format!("{OWN}/{query}"), None, 400, 3).await;
    }
}

#[tokio::test]
async fn folders_come_as_one_archive() {
    let server = TestServer::start().await;
    let root = server.root();
    let folder = std::path::PathBuf::from(root.strip_prefix("file://").unwrap()).join("run/model");
    let long = "x".repeat(150);
    let large = vec![7_u8; 3_000_000];
    std::fs::create_dir_all(folder.join("a/b")).unwrap();
    for (name, bytes) in [("empty", &b""[..]), ("a/b/one", b"1"), ("a/large", &large), (&long, &[1; 512])] {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
    let run = server.make_run("r").await;
    let say = task(&run, 2, Some(1), "say");
    server.put_task(say.clone()).await;
    put_artifacts(&server, &say, &[artifact(1, "system.Model", &format!("{root}/run/model"), &json!({}))])
        .await;

    let unpacked = async |query: &str| {
        let reply = server.send(&format!("{OWN}/artifacts/1/content?{query}"), &[], "").await;
        assert_eq!(
            (reply.status, &reply.headers["content-type"]),
            (200, &"application/gzip".parse().unwrap())
        );
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&*reply.body));
        let entries = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
            (entry.path().unwrap().to_str().unwrap().to_owned(), bytes)
        });
        (reply.headers["content-disposition"].to_str().unwrap().to_owned(), entries.collect::<Vec<_>>())
    };
    let (name, files) = unpacked("archive=tar.gz").await;
    assert_eq!(name, "attachment; filename=\"out.tar.gz\"");
    let expected = [
        ("out/a/b/one".to_owned(), b"1".to_vec()),
        ("out/a/large".to_owned(), large),
        ("out/empty".to_owned(), Vec::new()),
        (format!("out/{long}"), vec![1; 512]),
    ];
    assert_eq!(files, expected);
    let (name, files) = unpacked("archive=tar.gz&path=a/b").await;
    assert_eq!(
        (name.as_str(), files),
        ("attachment; filename=\"b.tar.gz\"", vec![("b/one".to_owned(), b"1".to_vec())])
    );
    for query in ["archive=zip", "path=a"] {
        server.check_error(&format!("{OWN}/artifacts/1/content?{query}"), None, 400, 3).await;
    }
    for path in ["../model", "a/l", "/etc"] {
        server
            .check_error(&format!("{OWN}/artifacts/1/content?archive=tar.gz&path={path}"), None, 404, 5)
            .await;
    }
}

#[tokio::test]
async fn parquet_files_show_their_first_rows() {
    use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
    use parquet::file::properties::WriterProperties;

    let server = TestServer::start().await;
    let root = server.root();
    let folder = std::path::PathBuf::from(root.strip_prefix("file://").unwrap());
    std::fs::create_dir_all(folder.join("run")).unwrap();
    let schema = "message t { required int64 n; optional binary name (STRING); }";
    let schema = Arc::new(parquet::schema::parser::parse_message_type(schema).unwrap());
    let compression = parquet::basic::Compression::SNAPPY;
    let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
    let file = std::fs::File::create(folder.join("run/t.parquet")).unwrap();
    let mut writer = parquet::file::writer::SerializedFileWriter::new(file, schema, properties).unwrap();
    for group in 0..2_i64 {
        let mut rows = writer.next_row_group().unwrap();
        let mut column = rows.next_column().unwrap().unwrap();
        let numbers: Vec<i64> = (0..150).map(|row| 1000 * group + row).collect();
        column.typed::<Int64Type>().write_batch(&numbers, None, None).unwrap();
        column.close().unwrap();
        let mut column = rows.next_column().unwrap().unwrap();
        let here: Vec<i16> = (0..150).map(|row| i16::from(row > 0)).collect();
        let names: Vec<ByteArray> = (1..150).map(|row| format!("{group}-{row}").as_str().into()).collect();
        column.typed::<ByteArrayType>().write_batch(&names, Some(&here), None).unwrap();
        column.close().unwrap();
        rows.close().unwrap();
    }
    writer.close().unwrap();
    let whole = std::fs::read(folder.join("run/t.parquet")).unwrap();
    std::fs::write(folder.join("run/half"), &whole[..whole.len() / 2]).unwrap();

    let run = server.make_run("r").await;
    let say = task(&run, 2, Some(1), "say");
    server.put_task(say.clone()).await;
    let made = ["t.parquet", "half"].map(|name| format!("{root}/run/{name}"));
    let made: Vec<_> =
        (1..).zip(made).map(|(id, uri)| artifact(id, "system.Dataset", &uri, &json!({}))).collect();
    put_artifacts(&server, &say, &made).await;
    let expected = json!({ "is_cut": true, "content": { "kind": "table", "table": {
        "columns": ["n", "name"], "counted_rows": 300,
        "statistics": [
            { "kind": "number", "missing": 0, "minimum": 0, "maximum": 1149, "distinct": null, "mean": null },
            { "kind": "text", "missing": 2, "minimum": "0-1", "maximum": "1-99" },
        ],
    } } });
    let preview = server.check(&format!("{OWN}/artifacts/1/preview"), None, 200, expected).await;
    let rows = preview["content"]["table"]["rows"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[0], &rows[199]), (200, &json!(["0", ""]), &json!(["1049", "1-49"])));
    let half = json!({ "content": { "kind": "binary" } });
    server.check(&format!("{OWN}/artifacts/2/preview"), None, 200, half).await;
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
    for (direction, nodes) in [("up", 3), ("down", 3), ("both", 5)] {
        let address = format!("{OWN}/artifacts/2/lineage?direction={direction}&depth=1");
        let part = server.check(&address, None, 200, json!({})).await;
        assert_eq!(part["nodes"].as_array().unwrap().len(), nodes, "{direction}: {part}");
    }
    let near = server.check(&format!("{OWN}/artifacts/3/lineage?depth=1"), None, 200, json!({})).await;
    assert_eq!(near["nodes"].as_array().unwrap().len(), 3);
}
