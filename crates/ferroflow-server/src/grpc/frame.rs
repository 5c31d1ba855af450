//! Reads the one frame of a call, once its length is known to fit into memory.

use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use crate::rest::body::{BodyBudget, MAX_BODY_BYTES};
use crate::status::{ApiError, Code};

/// A byte that says whether the message is compressed, and four for its length.
const HEAD_BYTES: usize = 5;

/// Longest time for a whole message.
const LIMIT: Duration = Duration::from_mins(2);

/// All of a call's bytes, with the memory they take set aside.
pub(super) async fn read(
    body: tonic::body::Body,
    budget: &BodyBudget,
) -> Result<(Bytes, OwnedSemaphorePermit), ApiError> {
    let late = |_| ApiError::new(Code::DeadlineExceeded, "the request took longer than two minutes");
    timeout(LIMIT, read_whole(body, budget)).await.map_err(late)?
}

async fn read_whole(
    mut body: tonic::body::Body,
    budget: &BodyBudget,
) -> Result<(Bytes, OwnedSemaphorePermit), ApiError> {
    let mut read = BytesMut::new();
    fill(&mut body, &mut read, HEAD_BYTES).await?;
    let declared = read.get(1..HEAD_BYTES).map_or(0, |mut length| length.get_u32());
    let length = usize::try_from(declared).unwrap_or(usize::MAX);
    if length > MAX_BODY_BYTES {
        let text = format!("the message has {length} bytes, at most {MAX_BODY_BYTES} are allowed");
        return Err(ApiError::new(Code::ResourceExhausted, text));
    }
    let permit = budget.reserve(length).await?;
    fill(&mut body, &mut read, HEAD_BYTES + length).await?;
    Ok((read.freeze(), permit))
}

/// Reads on until there are `wanted` bytes, or the client has sent all it has. What is more is left out: a call has one
/// message.
async fn fill(body: &mut tonic::body::Body, read: &mut BytesMut, wanted: usize) -> Result<(), ApiError> {
    while read.len() < wanted {
        let Some(frame) = body.frame().await else { return Ok(()) };
        let frame = frame.map_err(|error| ApiError::invalid(format!("the request broke off: {error}")))?;
        if let Ok(data) = frame.into_data() {
            read.extend_from_slice(&data);
        }
    }
    Ok(())
}
