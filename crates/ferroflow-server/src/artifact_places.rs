//! Artifacts by their places, as KFP's web server and its first API hand them out: `/artifacts/get`,
//! `/artifacts/{source}/{bucket}/{key}` and `…/artifacts/{name}:read`.
//!
//! A place from a request is only ever compared with what is recorded: the run that it names has made an artifact there,
//! or there is nothing. So no bucket, file or machine is within reach that a run has not written to.

use std::sync::Arc;

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::BytesMut;
use ferroflow_model::RunId;
use ferroflow_model::artifact::Artifact;
use futures_util::TryStreamExt as _;
use serde_json::{Value, json};

use crate::Services;
use crate::ferroflow_v1::content::{self, Span};
use crate::ferroflow_v1::preview::content_type;
use crate::logs::find_task;
use crate::rest::answer::Answer;
use crate::status::ApiError;
use crate::v2beta1::{parse_id, run};

/// What KFP's web server calls stores, and how their URIs begin.
const SOURCES: [(&str, &str); 4] = [("s3", "s3"), ("minio", "minio"), ("gcs", "gs"), ("azblob", "azblob")];
/// Largest file that is read whole.
const MOST_BYTES: u64 = 32 * 1024 * 1024;

/// What a request says about a place.
pub(crate) struct Place<'a> {
    pub(crate) source: &'a str,
    pub(crate) bucket: &'a str,
    pub(crate) key: &'a str,
}

/// The bytes of a file, at most `peek` of them if given.
pub(crate) async fn file(
    services: &Services,
    place: &Place<'_>,
    peek: Option<&str>,
) -> Result<Answer, ApiError> {
    for (name, value) in [("source", place.source), ("bucket", place.bucket), ("key", place.key)] {
        if value.is_empty() {
            return Err(ApiError::invalid(format!("the parameter `{name}` is missing")));
        }
    }
    let peek = peek.map(str::parse::<u64>).transpose();
    let peek =
        peek.map_err(|_| ApiError::invalid("`peek` must be a number of bytes"))?.filter(|peek| *peek > 0);
    let scheme = SOURCES.iter().find(|(name, _)| *name == place.source).map(|(_, scheme)| scheme);
    let scheme = scheme.ok_or_else(|| {
        let known: Vec<&str> = SOURCES.iter().map(|(name, _)| *name).collect();
        ApiError::invalid(format!("`source` must be one of {}", known.join(", ")))
    })?;
    let uri = format!("{scheme}://{}/{}", place.bucket, place.key);
    let artifact = recorded(services, &uri).await?.ok_or_else(|| ApiError::not_found("artifact", &uri))?;
    let path = uri.strip_prefix(&*artifact.uri).unwrap_or_default().trim_start_matches('/');
    let objects = services.artifacts.list(&artifact.uri).await?;
    let found = objects.iter().find(|object| object.path == path);
    let size = found.ok_or_else(|| ApiError::not_found("artifact", &uri))?.size_bytes;
    let span = peek.filter(|peek| *peek < size).map(|peek| Span::first(peek, size));
    let pieces = services.artifacts.get(&uri, 0).await?;
    let body = Body::from_stream(content::limited(pieces, span));
    Ok(content::download(body, content_type(&artifact.schema_title, &uri), None, None))
}

/// The artifact that a run has made at a URI or above it. Places below a pipeline root have the run's id among their
/// steps.
async fn recorded(services: &Services, uri: &str) -> Result<Option<Arc<Artifact>>, ApiError> {
    let runs = uri.split('/').filter_map(|step| step.parse::<RunId>().ok());
    for run in runs.take(2) {
        for record in services.store.artifacts_of(run).await? {
            let rest = uri.strip_prefix(&*record.artifact.uri);
            if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
                return Ok(Some(record.artifact));
            }
        }
    }
    Ok(None)
}

/// The file that a task has made as an output, whole: `{"data": <base64>}`.
pub(crate) async fn read(services: &Services, run: &str, node: &str, name: &str) -> Result<Value, ApiError> {
    let run: RunId = parse_id(run::WHAT, run)?;
    let task = find_task(services, run, node).await?;
    let made = task.outputs.artifacts.get(name).and_then(|made| made.first());
    let uri = &made.ok_or_else(|| ApiError::not_found("artifact", name))?.uri;
    let objects = services.artifacts.list(uri).await?;
    let file = objects.iter().find(|object| object.path.is_empty());
    let size = file.ok_or_else(|| ApiError::not_found("file of the artifact", name))?.size_bytes;
    if size > MOST_BYTES {
        return Err(ApiError::invalid(format!(
            "the artifact `{name}` has {size} bytes, and at most {} MiB are read at once: download it instead",
            MOST_BYTES >> 20
        )));
    }
    let pieces = services.artifacts.get(uri, 0).await?;
    let whole = pieces.try_fold(BytesMut::new(), |mut whole, piece| async move {
        whole.extend_from_slice(&piece);
        Ok(whole)
    });
    Ok(json!({ "data": STANDARD.encode(whole.await?) }))
}
