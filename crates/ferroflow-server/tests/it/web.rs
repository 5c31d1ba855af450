//! Health and the page.

use serde_json::json;

use crate::harness::TestServer;

#[tokio::test]
async fn health() {
    let server = TestServer::start().await;
    let v2 = json!({ "commit_sha": "abc", "tag_name": "0.1.0", "multi_user": false, "pipeline_store": "database" });
    let v1 = json!({ "commit_sha": "abc", "tag_name": "0.1.0", "multi_user": false });
    assert_eq!(server.check("GET @/healthz", None, 200, json!({})).await, v2);
    assert_eq!(server.check("GET /apis/v1beta1/healthz", None, 200, json!({})).await, v1);
    let head = server.send("HEAD @/healthz", &[], "").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[tokio::test]
async fn every_link_opens_the_page() {
    let server = TestServer::start().await;
    for path in ["/", "//", "/index.html", "/pipeline", "/pipeline/", "//index.html"] {
        let reply = server.send(&format!("GET {path}"), &[("sec-fetch-site", "cross-site")], "").await;
        assert_eq!(reply.status, 200, "{path}");
        assert!(reply.text().contains("<script src=\"app.js\""), "{path}");
        let policy = reply.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'self';") && !policy.contains("unsafe"), "{policy}");
    }
    for (path, kind) in
        [("/app.js", "text/javascript"), ("//app.js", "text/javascript"), ("/pipeline/app.css", "text/css")]
    {
        let reply = server.send(&format!("GET {path}"), &[], "").await;
        assert!(reply.headers["content-type"].to_str().unwrap().starts_with(kind), "{path}");
    }
}

#[test]
fn the_page_inserts_no_html() {
    let script = include_str!("../../web/app.js");
    for danger in
        ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "http://", "https://"]
    {
        assert!(!script.contains(danger), "{danger}");
    }
}
