//! Too long, too slow, too odd.

use std::time::{Duration, Instant};

use ferroflow_server::{ServerOptions, check_listen};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{TestServer, form};

#[tokio::test]
async fn long_bodies_are_refused_at_once() {
    let server = TestServer::start().await;
    let began = Instant::now();
    let (content_type, body) = form("uploadfile", "big.yaml", &vec![b'#'; 50 * 1024 * 1024]);
    let reply =
        server.send("POST @/pipelines/upload?name=big", &[("content-type", &content_type)], body).await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert!(reply.json()["error_message"].as_str().unwrap().contains("32 MiB"), "{}", reply.text());

    // Within the slack of the form, but not as a file.
    let (content_type, body) = form("uploadfile", "big.yaml", &vec![b'#'; 32 * 1024 * 1024 + 1]);
    let reply =
        server.send("POST @/pipelines/upload?name=big", &[("content-type", &content_type)], body).await;
    assert_eq!(reply.status, 400, "{}", reply.text());

    let long = "x".repeat(33 * 1024 * 1024);
    server.check_error("POST @/experiments", Some(json!({ "display_name": long })), 400, 3).await;
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn deep_and_crowded_json_is_refused() {
    let server = TestServer::start().await;
    let crowded =
        format!("{{\"display_name\":\"x\",\"pipeline_spec\":{{\"a\":[{}0]}}}}", "[],".repeat(3_000_000));
    for body in [
        crowded,
        "[".repeat(100_000),
        format!("{{\"display_name\":\"x\",\"pipeline_spec\":{}", "{\"a\":".repeat(50_000)),
    ] {
        let reply = server.send("POST @/runs", &[("content-type", "application/json")], body).await;
        assert_eq!((reply.status, &reply.json()["code"]), (400, &json!(3)));
    }
}

/// Sends bytes and reads what comes until the server hangs up.
async fn raw(server: &TestServer, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn odd_requests() {
    let server = TestServer::start().await;
    let host = format!("host: {}\r\nconnection: close\r\n", server.address);
    let rows = [
        ("GET /apis/v2beta1/runs/../healthz HTTP/1.1\r\n", "404"),
        ("GET /apis/v2beta1/runs/%2e%2e/healthz HTTP/1.1\r\n", "404"),
        ("GET /apis/v2beta1//runs HTTP/1.1\r\n", "404"),
        ("GET //apis/v2beta1/runs HTTP/1.1\r\n", "200"),
        ("GET /pipeline/apis/v2beta1/runs HTTP/1.1\r\n", "200"),
        ("GET /..%2f..%2fetc/passwd HTTP/1.1\r\n", "404"),
        ("GET /app.js/ HTTP/1.1\r\n", "404"),
        ("GET /apis/v2beta1/runs/%ff%fe HTTP/1.1\r\n", "404"),
        ("GET /apis/v2beta1/runs/%zz HTTP/1.1\r\n", "404"),
        ("TRACE / HTTP/1.1\r\n", "404"),
        ("GET / HTTP/3.7\r\n", "400"),
        ("nonsense\r\n", "400"),
    ];
    for (line, status) in rows {
        let answer = raw(&server, format!("{line}{host}\r\n").as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{line} → {answer}");
    }
    let no_host = raw(&server, b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n").await;
    assert!(no_host.starts_with("HTTP/1.1 403 "), "{no_host}");
    let other_target =
        raw(&server, format!("GET http://evil.example/ HTTP/1.1\r\n{host}\r\n").as_bytes()).await;
    assert!(other_target.starts_with("HTTP/1.1 403 "), "{other_target}");
    let many = "x: y\r\n".repeat(200);
    let many = raw(&server, format!("GET / HTTP/1.1\r\n{host}{many}\r\n").as_bytes()).await;
    assert!(many.starts_with("HTTP/1.1 431 "), "{many}");
    let long =
        raw(&server, format!("GET / HTTP/1.1\r\n{host}x: {}\r\n\r\n", "y".repeat(300_000)).as_bytes()).await;
    assert!(long.is_empty() || long.starts_with("HTTP/1.1 431 "), "{long}");
}

#[tokio::test]
async fn every_answer_has_its_own_request_id() {
    let server = TestServer::start().await;
    let mut seen = std::collections::BTreeSet::new();
    for path in ["/", "/nothing", "/apis/v2beta1/healthz", "/apis/v2beta1/runs"] {
        let reply = server.send(&format!("GET {path}"), &[("x-request-id", "mine")], "").await;
        seen.insert(reply.headers["x-request-id"].clone());
    }
    assert_eq!(seen.len(), 4);
}

#[test]
fn other_machines_are_kept_out_unless_asked_for() {
    let open = ServerOptions { allow_unauthenticated: true, ..ServerOptions::default() };
    let rows = [
        ("127.0.0.1:1", true),
        ("127.8.9.1:1", true),
        ("[::1]:1", true),
        ("0.0.0.0:1", false),
        ("[::]:1", false),
        ("192.168.1.7:1", false),
    ];
    for (address, is_local) in rows {
        let address = address.parse().unwrap();
        assert_eq!(check_listen(address, &ServerOptions::default()).is_ok(), is_local, "{address}");
        assert!(check_listen(address, &open).is_ok());
    }
}
