//! PipelineService and uploads.

use serde_json::{Value, json};

use crate::harness::{TestServer, form, hello, hello_file};

#[tokio::test]
async fn upload_and_read_back() {
    let server = TestServer::start().await;
    let path = "/pipelines/upload?name=hello+world&description=first%20one&namespace=kubeflow&tags=%7B%22team%22:%22a%22%7D";
    let reply = server.upload(path, "pipeline.yaml", &hello_file()).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let pipeline = reply.json();
    let expected = json!({
        "name": "hello world", "display_name": "hello world", "description": "first one", "namespace": null,
        "tags": { "team": "a" }, "created_at": pipeline["created_at"], "pipeline_id": pipeline["pipeline_id"]
    });
    let id = pipeline["pipeline_id"].as_str().unwrap();
    server.check(&format!("GET @/pipelines/{id}"), None, 200, expected.clone()).await;
    server.check("GET @/pipelines/names/hello%20world", None, 200, expected.clone()).await;
    server
        .check(
            "GET @/pipelines?namespace=other",
            None,
            200,
            json!({ "pipelines": [expected], "total_size": 1 }),
        )
        .await;

    let versions =
        server.check(&format!("GET @/pipelines/{id}/versions"), None, 200, json!({ "total_size": 1 })).await;
    let version = &versions["pipeline_versions"][0];
    assert_eq!(version["name"], "hello world");
    assert_eq!(
        version["pipeline_spec"],
        hello(),
        "the spec is what was uploaded, with nothing added or dropped"
    );
    assert_eq!(version.get("tags"), None);

    // The pipeline in the path does not matter.
    let version_id = version["pipeline_version_id"].as_str().unwrap();
    for pipeline in [id, "other"] {
        server
            .check(
                &format!("GET @/pipelines/{pipeline}/versions/{version_id}"),
                None,
                200,
                json!({ "pipeline_id": id }),
            )
            .await;
    }
}

#[tokio::test]
async fn names_of_uploads() {
    let server = TestServer::start().await;
    let rows = [
        ("", "plain.yaml", "plain.yaml", "plain.yaml"),
        ("?display_name=Shown", "a.yaml", "Shown", "Shown"),
        ("?name=n1&display_name=d1", "a.yaml", "n1", "d1"),
        ("?name=%E4%BD%A0%E5%A5%BD", "a.yaml", "你好", "你好"),
        ("?name=n2", "C:\\\\temp\\\\x.yaml", "n2", "n2"),
    ];
    for (query, file, name, display_name) in rows {
        let reply = server.upload(&format!("/pipelines/upload{query}"), file, &hello_file()).await;
        assert_eq!(reply.status, 200, "{query}: {}", reply.text());
        assert_eq!(
            (&reply.json()["name"], &reply.json()["display_name"]),
            (&json!(name), &json!(display_name))
        );
    }
}

#[tokio::test]
async fn upload_versions() {
    let server = TestServer::start().await;
    let id = server.make_pipeline("p").await;
    let path = format!(
        "/pipelines/upload_version?name=v2&pipelineid={id}&tags=%7B%22k%22:%22v%22%7D&code_source_url=http://x"
    );
    let reply = server.upload(&path, "p.yaml", &hello_file()).await;
    let version = reply.json();
    assert_eq!(reply.status, 200, "{version}");
    assert_eq!((&version["name"], &version["tags"]), (&json!("v2"), &json!({ "k": "v" })));
    assert_eq!((&version["pipeline_id"], &version["code_source_url"]), (&json!(id), &json!("http://x")));

    let taken = server.upload(&path, "p.yaml", &hello_file()).await;
    assert_eq!(taken.status, 409, "{}", taken.text());
    for path in ["/pipelines/upload_version?name=v3", "/pipelines/upload_version?name=v3&pipelineid=fake"] {
        let reply = server.upload(path, "p.yaml", &hello_file()).await;
        assert_eq!(reply.status, 400, "{path}: {}", reply.text());
    }
}

#[tokio::test]
async fn refused_uploads() {
    let server = TestServer::start().await;
    server.make_pipeline("taken").await;
    let long = "n".repeat(129);
    let many: Value =
        (0..21).map(|i| (format!("k{i}"), json!("v"))).collect::<serde_json::Map<_, _>>().into();
    let tags = |tags: Value| {
        let text: String = form_urlencoded::byte_serialize(tags.to_string().as_bytes()).collect();
        format!("?name=t&tags={text}")
    };
    let good = hello_file();
    let mut no_root = hello();
    no_root.as_object_mut().unwrap().remove("root");
    let no_root = no_root.to_string().into_bytes();
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\0".to_vec();
    let rows: Vec<(String, &str, Vec<u8>, u16)> = vec![
        ("?name=taken".to_owned(), "a.yaml", good.clone(), 409),
        (format!("?name={long}"), "a.yaml", good.clone(), 400),
        ("?name=a%00b".to_owned(), "a.yaml", good.clone(), 400),
        ("?name=a%0Ab".to_owned(), "a.yaml", good.clone(), 400),
        ("?name=ok&display_name=a%0Ab".to_owned(), "a.yaml", good.clone(), 400),
        ("?name=x&tags=nonsense".to_owned(), "a.yaml", good.clone(), 400),
        (tags(json!(["a"])), "a.yaml", good.clone(), 400),
        (tags(json!({ "a": 1 })), "a.yaml", good.clone(), 400),
        (tags(json!({ "a.b": "x" })), "a.yaml", good.clone(), 400),
        (tags(json!({ "": "x" })), "a.yaml", good.clone(), 400),
        (tags(json!({ "k": "v".repeat(64) })), "a.yaml", good.clone(), 400),
        (tags(json!({ "k".repeat(64): "v" })), "a.yaml", good.clone(), 400),
        (tags(many), "a.yaml", good.clone(), 400),
        ("?name=x".to_owned(), "a.yaml", Vec::new(), 400),
        ("?name=x".to_owned(), "a.yaml", b"not: [a, pipeline".to_vec(), 400),
        ("?name=x".to_owned(), "a.yaml", no_root, 400),
        ("?name=x".to_owned(), "a.yaml", png.clone(), 400),
        ("?name=x".to_owned(), "a.png", png, 400),
        ("?name=x".to_owned(), "a.zip", b"PK\x03\x04broken".to_vec(), 400),
        ("?name=x".to_owned(), "a.tar.gz", b"\x1f\x8bbroken".to_vec(), 400),
    ];
    for (query, file_name, file, status) in rows {
        let reply = server.upload(&format!("/pipelines/upload{query}"), file_name, &file).await;
        assert_eq!(reply.status, status, "{query} {file_name}: {}", reply.text());
        let error = reply.json();
        let message = error["error_message"].as_str().unwrap();
        assert!(
            message.starts_with("Failed to upload pipeline: ") && error["error_details"].is_string(),
            "{error}"
        );
    }
    server.check("GET @/pipelines", None, 200, json!({ "total_size": 1 })).await;

    let line = "POST @/pipelines/upload?name=x";
    let (content_type, body) = form("otherfield", "a.yaml", &good);
    assert_eq!(server.send(line, &[("content-type", &content_type)], body).await.status, 400);
    let (_, body) = form("uploadfile", "a.yaml", &good);
    assert_eq!(server.send(line, &[("content-type", "multipart/form-data")], body.clone()).await.status, 400);
    assert_eq!(server.send(line, &[("content-type", "application/json")], body.clone()).await.status, 400);
    let cut = body[..body.len() / 2].to_vec();
    assert_eq!(server.send(line, &[("content-type", &content_type)], cut).await.status, 400);
    assert_eq!(server.send("GET @/pipelines/upload", &[], "").await.status, 404, "read as an id");
}

#[tokio::test]
async fn create_update_delete() {
    let server = TestServer::start().await;
    let made = server
        .check(
            "POST @/pipelines",
            Some(json!({ "display_name": "only shown" })),
            200,
            json!({ "name": "only shown", "tags": null }),
        )
        .await;
    let one = format!("@/pipelines/{}", made["pipeline_id"].as_str().unwrap());
    let rows = [
        (
            json!({ "display_name": "new", "tags": { "a": "1", "b": "2" } }),
            json!({ "name": "only shown", "display_name": "new", "tags": { "a": "1" } }),
        ),
        (
            json!({ "description": "ignored" }),
            json!({ "display_name": "new", "description": null, "tags": { "a": "1", "b": "2" } }),
        ),
        (json!({ "tags": { "c": "3" } }), json!({ "display_name": "new", "tags": { "a": null, "c": "3" } })),
        (json!({ "tags": {} }), json!({ "display_name": "new", "tags": null })),
        (
            json!({ "pipeline_id": "elsewhere", "displayName": "path wins" }),
            json!({ "display_name": "path wins" }),
        ),
        (json!({ "pipelineId": "elsewhere" }), json!({ "display_name": "path wins" })),
    ];
    for (body, expected) in rows {
        server.check(&format!("PATCH {one}"), Some(body), 200, expected.clone()).await;
        server.check(&format!("GET {one}"), None, 200, expected).await;
    }
    server.check_error(&format!("PATCH {one}"), Some(json!({ "tags": { "a.b": "" } })), 400, 3).await;
    server
        .check_error(&format!("GET {one}/versions/5e0cd3f3-4d6c-4b5e-8a8f-000000000000"), None, 404, 5)
        .await;
    server.check(&format!("DELETE {one}"), None, 200, json!({})).await;
    for line in
        [format!("GET {one}"), format!("DELETE {one}"), format!("PATCH {one}"), format!("GET {one}/versions")]
    {
        server.check_error(&line, Some(json!({})), 404, 5).await;
    }

    let id = server.make_pipeline("full").await;
    server.check_error(&format!("DELETE @/pipelines/{id}"), None, 400, 9).await;
    server.check_error(&format!("DELETE @/pipelines/{id}?cascade=maybe"), None, 400, 3).await;
    let versions = server.check(&format!("GET @/pipelines/{id}/versions"), None, 200, json!({})).await;
    let version = versions["pipeline_versions"][0]["pipeline_version_id"].as_str().unwrap();
    let version = format!("@/pipelines/{id}/versions/{version}");
    let changed = json!({ "display_name": "v", "tags": { "x": "y" } });
    server.check(&format!("PATCH {version}"), Some(changed.clone()), 200, changed.clone()).await;
    server.check(&format!("GET {version}"), None, 200, changed).await;
    server.check(&format!("DELETE {version}"), None, 200, json!({})).await;
    server.check_error(&format!("GET {version}"), None, 404, 5).await;

    let id = server.make_pipeline("again").await;
    server.check(&format!("DELETE @/pipelines/{id}?cascade=true"), None, 200, json!({})).await;
    server.check_error(&format!("GET @/pipelines/{id}"), None, 404, 5).await;
}

#[tokio::test]
async fn refused() {
    let server = TestServer::start().await;
    let id = server.make_pipeline("p").await;
    let url = json!({ "pipeline_version": { "package_url": { "pipeline_url": "https://x/p.yaml" } } });
    let rows = [
        ("POST @/pipelines".to_owned(), Some(json!({})), 400, 3),
        ("POST @/pipelines".to_owned(), Some(json!({ "name": "p" })), 409, 6),
        ("POST @/pipelines".to_owned(), Some(json!({ "name": "x".repeat(500) })), 400, 3),
        ("POST @/pipelines".to_owned(), Some(json!({ "name": "x", "tags": { "": "v" } })), 400, 3),
        ("POST @/pipelines".to_owned(), Some(json!({ "name": "x", "surprise": 1 })), 400, 3),
        ("POST @/pipelines".to_owned(), Some(json!({ "name": "x", "tags": { "a": 1 } })), 400, 3),
        ("GET @/pipelines/invalid-id-%21%40%23%24%25".to_owned(), None, 404, 5),
        ("DELETE @/pipelines/invalid-id-%21%40%23%24%25".to_owned(), None, 404, 5),
        (format!("GET @/pipelines/{id}/versions/invalid-id-%21%40%23%24%25"), None, 404, 5),
        ("GET @/pipelines/names/nobody".to_owned(), None, 404, 5),
        ("GET @/pipelines/create".to_owned(), None, 404, 5),
        ("POST @/pipelines/create".to_owned(), Some(url.clone()), 400, 3),
        (format!("POST @/pipelines/{id}/versions"), Some(url["pipeline_version"].clone()), 400, 3),
        (
            "POST @/pipelines/5e0cd3f3-4d6c-4b5e-8a8f-000000000000/versions".to_owned(),
            Some(json!({})),
            404,
            5,
        ),
        ("GET @/filters".to_owned(), None, 501, 12),
    ];
    for (line, body, status, code) in rows {
        server.check_error(&line, body, status, code).await;
    }
    let import = server.check_error("POST @/pipelines/create", Some(json!({})), 400, 3).await;
    assert!(import.contains("upload"), "{import}");
}
