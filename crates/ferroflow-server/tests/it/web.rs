//! Health and the page.

use serde_json::json;

use crate::harness::TestServer;

#[tokio::test]
async fn health() {
    let server = TestServer::start().await;
    let v2 = json!({ "commit_sha": "abc", "tag_name": "0.1.0", "multi_user": false, "pipeline_store": "database" });
    let v1 = json!({ "commit_sha": "abc", "tag_name": "0.1.0", "multi_user": false, "pipeline_store": null });
    // KFP's web server answers in words of its own.
    let web = json!({ "apiServerTagName": "0.1.0", "apiServerMultiUser": false, "apiServerReady": true });
    for base in ["", "/pipeline"] {
        server.check(&format!("GET {base}/apis/v2beta1/healthz"), None, 200, v2.clone()).await;
        server.check(&format!("GET {base}/apis/v1beta1/healthz"), None, 200, v1.clone()).await;
        server.check(&format!("GET {base}/apis/v2beta1/healthz"), None, 200, web.clone()).await;
    }
    let head = server.send("HEAD @/healthz", &[], "").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
}

/// The value of the first attribute with this begin, such as `src="`.
fn attribute<'t>(text: &'t str, tag: &str, name: &str) -> &'t str {
    let from_tag = &text[text.find(tag).unwrap()..];
    let value = &from_tag[from_tag.find(name).unwrap() + name.len()..];
    &value[..value.find('"').unwrap()]
}

/// Holds for the built page as for the plain one.
#[tokio::test]
async fn every_link_opens_the_page() {
    let server = TestServer::start().await;
    for path in ["/", "//", "/index.html", "/pipeline", "/pipeline/", "//index.html"] {
        let reply = server.send(&format!("GET {path}"), &[("sec-fetch-site", "cross-site")], "").await;
        assert_eq!(reply.status, 200, "{path}");
        let page = reply.text();
        assert!(page.contains("<title>Ferroflow</title>") && !page.contains("__CSP_NONCE__"), "{path}");
        assert_eq!(reply.headers["cache-control"], "no-cache");
        let policy = reply.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'self';") && !policy.contains("unsafe"), "{policy}");
        // Addresses are relative: they work below every base.
        let folder = &path[..=path.rfind('/').unwrap()];
        let files = [
            (attribute(&page, "<script", "src=\""), "text/javascript"),
            (attribute(&page, "<link rel=\"stylesheet\"", "href=\""), "text/css"),
        ];
        for (file, kind) in files {
            let address = format!("GET {folder}{}", file.trim_start_matches("./"));
            let plain = server.send(&address, &[], "").await;
            assert_eq!(plain.status, 200, "{address}");
            assert!(plain.headers["content-type"].to_str().unwrap().starts_with(kind), "{address}");
            assert!(!plain.headers.contains_key("content-encoding"), "{address}");
            if !file.contains("assets/") {
                continue;
            }
            for encoding in ["br", "gzip"] {
                let packed = server.send(&address, &[("accept-encoding", encoding)], "").await;
                assert_eq!(packed.headers["content-encoding"], encoding, "{address}");
                assert!(packed.body.len() < plain.body.len(), "{address}");
                assert!(
                    packed.headers["cache-control"].to_str().unwrap().ends_with("immutable"),
                    "{address}"
                );
            }
        }
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
