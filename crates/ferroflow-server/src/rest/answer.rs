//! Makes HTTP answers.

use axum::body::Body;
use bytes::Bytes;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::Value;

use crate::status::ApiError;

pub(crate) type Answer = Response<Body>;

/// An answer of any type that must not be kept by caches.
pub(crate) fn answer(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Answer {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// 200 with JSON.
pub(crate) fn json(value: &Value) -> Answer {
    answer(StatusCode::OK, "application/json", Bytes::from(value.to_string()))
}

/// An error in the shape of KFP's gateway. Logs it if it is the server's fault.
pub(crate) fn error(error: &ApiError) -> Answer {
    failed(error, &error.status_json())
}

/// An error in the shape of the routes outside the protos.
pub(crate) fn plain_error(error: &ApiError, context: &str) -> Answer {
    failed(error, &error.plain_json(context))
}

fn failed(error: &ApiError, body: &Value) -> Answer {
    error.log();
    answer(error.code.http(), "application/json", Bytes::from(body.to_string()))
}
