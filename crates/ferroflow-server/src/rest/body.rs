//! Reads request bodies with bounds on size, time and the memory of all requests together.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Body as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::status::{ApiError, Code};

/// Longest file that may be uploaded, and longest JSON body: 32 MiB, as KFP has it.
pub(crate) const MAX_BODY_BYTES: usize = 32 * 1024 * 1024;
/// What multipart may add around a file.
pub(crate) const MULTIPART_SLACK_BYTES: usize = 64 * 1024;
/// A body that is too long is still read (and thrown away) up to here, since most clients read no answer before they
/// have sent everything.
const MAX_DRAINED_BYTES: usize = 256 * 1024 * 1024;
/// Longest pause between two pieces of a body, and longest time for all of it.
const PAUSE_LIMIT: Duration = Duration::from_secs(15);
const TOTAL_LIMIT: Duration = Duration::from_mins(2);
const DRAIN_LIMIT: Duration = Duration::from_secs(5);

const UNIT_BYTES: usize = 1024;
/// All bodies in memory together: a long one is worked on alone, others wait for their turn.
const BUDGET_UNITS: usize = 64 * 1024;

/// The memory that request bodies may take together.
#[derive(Debug, Clone)]
pub(crate) struct BodyBudget(Arc<Semaphore>);

impl BodyBudget {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(BUDGET_UNITS)))
    }

    /// Waits until a body of this declared length fits. Hold the permit as long as what was made from the body.
    /// `InvalidArgument` (after reading the body away) if it is longer than `max_bytes`.
    pub(crate) async fn admit(
        &self,
        body: Body,
        max_bytes: usize,
    ) -> Result<(Body, OwnedSemaphorePermit), ApiError> {
        let declared =
            body.size_hint().exact().map_or(max_bytes, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        if declared > max_bytes {
            drain(body).await;
            return Err(too_long());
        }
        Ok((body, self.reserve(declared).await?))
    }

    /// Waits until this many bytes fit.
    pub(crate) async fn reserve(&self, bytes: usize) -> Result<OwnedSemaphorePermit, ApiError> {
        let units = u32::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX);
        let waiting = timeout(TOTAL_LIMIT, Arc::clone(&self.0).acquire_many_owned(units)).await;
        let busy =
            || ApiError::new(Code::Unavailable, "the server is busy with other large requests, try again");
        waiting.map_err(|_| busy())?.map_err(|_| busy())
    }
}

/// Reads a body whole.
pub(crate) async fn read_whole(body: Body, max_bytes: usize) -> Result<Bytes, ApiError> {
    timeout(TOTAL_LIMIT, read_pieces(body, max_bytes)).await.unwrap_or_else(|_| Err(too_slow()))
}

async fn read_pieces(mut body: Body, max_bytes: usize) -> Result<Bytes, ApiError> {
    let mut whole = BytesMut::new();
    while let Some(frame) = timeout(PAUSE_LIMIT, body.frame()).await.map_err(|_| too_slow())? {
        let frame = frame.map_err(|_| ApiError::invalid("the request ended before its body was complete"))?;
        let Ok(data) = frame.into_data() else { continue };
        if whole.len() + data.len() > max_bytes {
            drain(body).await;
            return Err(too_long());
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}

/// Reads the rest of a body away, within bounds.
pub(crate) async fn drain(mut body: Body) {
    let reading = async {
        let mut bytes = 0;
        while let Some(Ok(frame)) = body.frame().await {
            bytes += frame.data_ref().map_or(0, Bytes::len);
            if bytes > MAX_DRAINED_BYTES {
                break;
            }
        }
    };
    // Nothing depends on how far it came.
    let _ = timeout(DRAIN_LIMIT, reading).await;
}

pub(crate) fn too_long() -> ApiError {
    ApiError::invalid(format!(
        "the file or body is too large: at most {} MiB are allowed",
        MAX_BODY_BYTES >> 20
    ))
}

fn too_slow() -> ApiError {
    ApiError::new(Code::DeadlineExceeded, "the request body came too slowly")
}
