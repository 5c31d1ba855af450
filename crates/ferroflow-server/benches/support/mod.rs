//! The real binary as a server, and a client with one connection.

// Each benchmark uses a part of it.
#![allow(dead_code)]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::SendRequest;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

pub(crate) type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The program that was named, else the release build.
pub(crate) fn the_binary(named: Option<String>) -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("../../target"), PathBuf::from);
    named.map_or_else(|| target.join("release/ferroflow"), PathBuf::from)
}

/// Most MiB that a process has had in memory.
pub(crate) fn most_memory(process: u32) -> Fallible<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no memory is told")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? / 1024)
}

/// The server and its address.
pub(crate) fn start(binary: &Path, folder: &Path) -> Fallible<(Child, String)> {
    let mut command = Command::new(binary);
    command.args(["up", "--listen", "127.0.0.1:0", "--start-delay", "3600", "--data-dir"]);
    begin(command.arg(folder.join("data")))
}

/// A server, and the address that it says it has.
pub(crate) fn begin(command: &mut Command) -> Fallible<(Child, String)> {
    let mut server = command.stdout(Stdio::piped()).spawn()?;
    let output = server.stdout.take().ok_or("no output")?;
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    let address = line.split_whitespace().find_map(|word| word.strip_prefix("http://"));
    Ok((server, address.ok_or("the server is not ready")?.to_owned()))
}

pub(crate) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// A run that waits.
pub(crate) fn wanted() -> Value {
    let task = json!({ "taskInfo": { "name": "say" }, "componentRef": { "name": "comp-say" } });
    json!({ "display_name": "a run", "pipeline_spec": {
        "pipelineInfo": { "name": "waits" },
        "schemaVersion": "2.1.0",
        "sdkVersion": "kfp-2.17.0",
        "root": { "dag": { "tasks": { "say": task } } },
        "components": { "comp-say": { "executorLabel": "exec-say" } },
        "deploymentSpec": { "executors": { "exec-say": { "container": { "image": "any", "command": ["true"] } } } },
    } })
}

/// One connection that is kept.
pub(crate) struct Client {
    sender: SendRequest<Full<Bytes>>,
    host: String,
}

impl Client {
    pub(crate) async fn open(address: &str) -> Fallible<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { sender, host: address.to_owned() })
    }

    pub(crate) async fn bytes(&mut self, method: Method, path: &str, body: Option<Value>) -> Fallible<Bytes> {
        let body = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", &self.host)
            .header("content-type", "application/json")
            .body(Full::new(body))?;
        self.sender.ready().await?;
        let answer = self.sender.send_request(request).await?;
        let status = answer.status();
        let bytes = answer.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            return Err(format!("{path}: {status} {}", String::from_utf8_lossy(&bytes)).into());
        }
        Ok(bytes)
    }

    pub(crate) async fn json(&mut self, method: Method, path: &str, body: Option<Value>) -> Fallible<Value> {
        Ok(serde_json::from_slice(&self.bytes(method, path, body).await?)?)
    }
}
