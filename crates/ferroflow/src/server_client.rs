//! Talks to the server that holds a data directory: HTTP on this machine, one connection for each call.

use std::fmt::Write as _;

use anyhow::{Context as _, anyhow};
use ferroflow_server::results::RunResults;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::data_folder::Holder;
use crate::exit::UsageError;
use crate::pinned_tls;

/// A server by its address, such as `http://127.0.0.1:8080`.
#[derive(Debug, Clone)]
pub(crate) struct ServerClient {
    address: String,
    /// Fingerprint of its certificate, if it speaks TLS.
    certificate: Option<String>,
}

impl ServerClient {
    /// The server that holds a data directory; `None` if it does not serve yet.
    pub(crate) fn of(holder: &Holder) -> Option<Self> {
        Some(Self { address: holder.address.clone()?, certificate: holder.certificate.clone() })
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Creates a run from an inline pipeline and returns its id.
    pub(crate) async fn create_run(
        &self,
        name: &str,
        pipeline: Value,
        parameters: Value,
    ) -> anyhow::Result<String> {
        let body = json!({
            "display_name": name,
            "pipeline_spec": pipeline,
            "runtime_config": { "parameters": parameters },
        });
        let answer = self.call(Method::POST, "/apis/v2beta1/runs", Some(body)).await?;
        let id = answer.get("run_id").and_then(Value::as_str);
        Ok(id.context("the server's answer names no run")?.to_owned())
    }

    /// What a run has made so far.
    pub(crate) async fn results(&self, run_id: &str) -> anyhow::Result<RunResults> {
        let answer = self.call(Method::GET, &format!("/apis/ferroflow/v1/runs/{run_id}"), None).await?;
        serde_json::from_value(answer).context("the server's answer is not readable")
    }

    /// Asks a run to end.
    pub(crate) async fn terminate(&self, run_id: &str) -> anyhow::Result<()> {
        self.call(Method::POST, &format!("/apis/v2beta1/runs/{run_id}:terminate"), None).await?;
        Ok(())
    }

    /// Runs a part of a run again: what failed, and all from a task on if one is named.
    pub(crate) async fn retry(&self, run_id: &str, from: Option<&str>) -> anyhow::Result<()> {
        let body = from.map_or_else(|| json!({}), |task| json!({ "from_task": task }));
        self.call(Method::POST, &format!("/apis/ferroflow/v1/runs/{run_id}:retry"), Some(body)).await?;
        Ok(())
    }

    /// One answer of our own API about a task.
    pub(crate) async fn of_task(&self, run_id: &str, task: &str, what: &str) -> anyhow::Result<Value> {
        self.call(Method::GET, &task_path(run_id, task, what), None).await
    }

    /// The log of a task's attempts, until the task has ended if it is followed.
    pub(crate) async fn log(&self, run_id: &str, task_id: &str, follow: bool) -> anyhow::Result<Incoming> {
        let path = format!("/apis/v2beta1/runs/{run_id}/nodes/{task_id}/log?follow={follow}");
        self.bytes(&path).await
    }

    /// The log that a task shows: of a cached one that of whoever made its results.
    pub(crate) async fn shown_log(&self, run_id: &str, task: &str) -> anyhow::Result<Incoming> {
        self.bytes(&task_path(run_id, task, "/log/raw")).await
    }

    async fn bytes(&self, path: &str) -> anyhow::Result<Incoming> {
        let response = self.send(Method::GET, path, None).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(response.into_body());
        }
        let bytes =
            response.into_body().collect().await.context("the server broke off its answer")?.to_bytes();
        let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let message = answer.get("message").and_then(Value::as_str).map(str::to_owned);
        let message = message.unwrap_or_else(|| String::from_utf8_lossy(&bytes).trim().to_owned());
        if status.is_client_error() {
            return Err(UsageError(format!("the server refuses: {message}")).into());
        }
        Err(anyhow!("the server answers {status}: {message}"))
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let response = self.send(method, path, body).await?;
        let status = response.status();
        let bytes =
            response.into_body().collect().await.context("the server broke off its answer")?.to_bytes();
        let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if status.is_success() {
            return Ok(answer);
        }
        let message =
            answer.get("message").and_then(Value::as_str).unwrap_or("no reason was given").to_owned();
        if status.is_client_error() {
            return Err(UsageError(format!("the server refuses: {message}")).into());
        }
        Err(anyhow!("the server answers {status}: {message}"))
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> anyhow::Result<Response<Incoming>> {
        let (_, host) = self.address.split_once("://").context("the server's address is unknown")?;
        let lost = || format!("cannot reach the server at {}", self.address);
        let stream = TcpStream::connect(host).await.with_context(lost)?;
        let mut sender = match &self.certificate {
            None => open(stream).await.with_context(lost)?,
            Some(fingerprint) => {
                let stream = pinned_tls::connect(stream, fingerprint).await;
                let stream = stream.map_err(|error| anyhow!(error)).with_context(lost)?;
                open(stream).await.with_context(lost)?
            }
        };
        let bytes = body.map_or_else(Bytes::new, |body| body.to_string().into());
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, host)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(bytes))?;
        sender.send_request(request).await.with_context(lost)
    }
}

async fn open<Stream>(stream: Stream) -> hyper::Result<SendRequest<Full<Bytes>>>
where
    Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // Ends with the answer; what goes wrong in it is seen there.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(sender)
}

/// Address of something about a task; its name may be any text.
fn task_path(run_id: &str, task: &str, what: &str) -> String {
    let mut name = String::with_capacity(task.len());
    for byte in task.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => name.push(char::from(byte)),
            // Writing to a string cannot fail.
            other => {
                let _ = write!(name, "%{other:02X}");
            }
        }
    }
    format!("/apis/ferroflow/v1/runs/{run_id}/tasks/{name}{what}")
}
