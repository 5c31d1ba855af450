//! The upload routes: multipart with one file, everything else in the query.

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart};
use hyper::Request;
use hyper::http::request::Parts;

use super::answer::{Answer, json, plain_error};
use super::body::{BodyBudget, MAX_BODY_BYTES, MULTIPART_SLACK_BYTES, read_whole, too_long};
use super::encode;
use crate::Services;
use crate::status::ApiError;
use crate::v2beta1::upload::{Upload, upload_pipeline, upload_version};

/// Name of the form field that holds the file.
const FILE_FIELD: &str = "uploadfile";

/// What an upload becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UploadKind {
    Pipeline,
    Version,
}

/// Serves one upload.
pub(super) async fn serve(
    services: &Services,
    budget: &BodyBudget,
    kind: UploadKind,
    request: Request<Body>,
) -> Answer {
    let (context, made) = match kind {
        UploadKind::Pipeline => ("Failed to upload pipeline", pipeline(services, budget, request).await),
        UploadKind::Version => {
            ("Failed to upload pipeline version", version(services, budget, request).await)
        }
    };
    made.map_or_else(|error| plain_error(&error, context), |value| json(&value))
}

async fn pipeline(
    services: &Services,
    budget: &BodyBudget,
    request: Request<Body>,
) -> Result<serde_json::Value, ApiError> {
    let (parts, body) = request.into_parts();
    let (body, _permit) = budget.admit(body, MAX_BODY_BYTES + MULTIPART_SLACK_BYTES).await?;
    encode(&upload_pipeline(services, read(parts, body).await?).await?)
}

async fn version(
    services: &Services,
    budget: &BodyBudget,
    request: Request<Body>,
) -> Result<serde_json::Value, ApiError> {
    let (parts, body) = request.into_parts();
    let (body, _permit) = budget.admit(body, MAX_BODY_BYTES + MULTIPART_SLACK_BYTES).await?;
    encode(&upload_version(services, read(parts, body).await?).await?)
}

async fn read(parts: Parts, body: Body) -> Result<Upload, ApiError> {
    let mut upload = from_query(parts.uri.query().unwrap_or_default());
    let whole = read_whole(body, MAX_BODY_BYTES + MULTIPART_SLACK_BYTES).await?;
    let mut request = Request::from_parts(parts, Body::from(whole));
    DefaultBodyLimit::disable().apply(&mut request);
    let broken =
        |text: String| ApiError::invalid(format!("the upload is no readable multipart form: {text}"));
    let mut form = Multipart::from_request(request, &()).await.map_err(|error| broken(error.body_text()))?;
    while let Some(field) = form.next_field().await.map_err(|error| broken(error.body_text()))? {
        if field.name() != Some(FILE_FIELD) {
            continue;
        }
        upload.file_name = base_name(field.file_name().unwrap_or_default()).to_owned();
        upload.file = field.bytes().await.map_err(|error| broken(error.body_text()))?;
        if upload.file.len() > MAX_BODY_BYTES {
            return Err(too_long());
        }
        return Ok(upload);
    }
    Err(ApiError::invalid(format!("the upload has no file: send it as the form field `{FILE_FIELD}`")))
}

fn from_query(query: &str) -> Upload {
    let mut upload = Upload::default();
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        let field = match &*key {
            "name" => &mut upload.name,
            "display_name" => &mut upload.display_name,
            "description" => &mut upload.description,
            "tags" => &mut upload.tags,
            "code_source_url" => &mut upload.code_source_url,
            "pipelineid" => &mut upload.pipeline_id,
            _ => continue,
        };
        *field = value.into_owned();
    }
    upload
}

/// Some clients send a path.
fn base_name(file_name: &str) -> &str {
    file_name.rsplit(['/', '\\']).next().unwrap_or_default()
}
