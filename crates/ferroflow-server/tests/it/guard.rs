//! What a web page in the user's browser may not do. The rules themselves are tested beside their code.

use serde_json::json;

use crate::harness::{TestServer, form, hello, hello_file};

#[tokio::test]
async fn foreign_names_are_refused_everywhere() {
    let server = TestServer::start().await;
    for path in ["/", "/app.js", "/apis/v2beta1/healthz", "/apis/v2beta1/runs", "/nothing"] {
        for host in ["evil.example", "evil.example:8080", "localhost.evil.example"] {
            let reply = server.send(&format!("GET {path}"), &[("host", host)], "").await;
            assert_eq!((reply.status, &reply.json()["code"]), (403, &json!(7)), "{path} {host}");
        }
        for host in ["localhost", "localhost:1", "[::1]:8080", "127.0.0.1"] {
            let reply = server.send(&format!("GET {path}"), &[("host", host)], "").await;
            assert_ne!(reply.status, 403, "{path} {host}");
        }
    }
}

#[tokio::test]
async fn pages_cannot_start_runs() {
    let server = TestServer::start().await;
    let run = json!({ "display_name": "evil", "pipeline_spec": hello() }).to_string();
    let (multipart, file) = form("uploadfile", "a.yaml", &hello_file());
    let address = server.address.to_string();
    let own = format!("http://{address}");
    let json = "application/json";
    let rows: [(&[(&str, &str)], u16); 9] = [
        (&[("content-type", "text/plain")], 403),
        (&[("content-type", "application/x-www-form-urlencoded")], 403),
        (&[], 403),
        (&[("content-type", json), ("origin", "http://evil.example")], 403),
        (&[("content-type", json), ("origin", "null")], 403),
        (&[("content-type", json), ("origin", "http://localhost:3000")], 403),
        (&[("content-type", json), ("sec-fetch-site", "cross-site")], 403),
        (&[("content-type", json), ("origin", &own), ("sec-fetch-site", "same-origin")], 200),
        (&[("content-type", json)], 200),
    ];
    for (headers, status) in rows {
        let reply = server.send("POST @/runs", headers, run.clone()).await;
        assert_eq!(reply.status, status, "{headers:?}: {}", reply.text());
    }
    let foreign = [("content-type", multipart.as_str()), ("origin", "http://evil.example")];
    let reply = server.send("POST @/pipelines/upload", &foreign, file).await;
    assert_eq!(reply.status, 403);
    server.check("GET @/runs", None, 200, json!({ "total_size": 2 })).await;
    server.check("GET @/pipelines", None, 200, json!({ "total_size": null })).await;

    // A form without fields, and one that ends things.
    let id = server.make_run("r").await;
    let line = format!("POST @/runs/{id}:terminate");
    let form = [("content-type", "application/x-www-form-urlencoded"), ("origin", "http://evil.example")];
    assert_eq!(server.send(&line, &form, "").await.status, 403);
    assert_eq!(server.send(&line, &form[..1], "").await.status, 403);
    assert_eq!(server.send(&line, &form[1..], "").await.status, 403);
    assert_eq!(server.send(&line, &[], "").await.status, 200, "as curl sends it");
}

#[tokio::test]
async fn answers_give_nothing_to_other_pages() {
    let server = TestServer::start().await;
    let reply = server.send("OPTIONS @/runs", &[("origin", "http://evil.example")], "").await;
    assert_eq!(reply.status, 403);
    let reply = server.send("GET @/runs", &[], "").await;
    assert!(!reply.headers.contains_key("access-control-allow-origin"));
    assert_eq!(reply.headers["x-content-type-options"], "nosniff");
    assert_eq!(reply.headers["cross-origin-resource-policy"], "same-origin");
    assert_eq!(reply.headers["content-type"], "application/json");
}
