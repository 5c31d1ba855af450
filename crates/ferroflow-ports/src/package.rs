//! Fetches pipeline packages that are imported by URL.

use async_trait::async_trait;
use bytes::Bytes;

use crate::error::PortError;

/// Fetches files of the web for clients, within rules.
#[async_trait]
pub trait PackageFetcher: Send + Sync {
    /// The bytes behind a URL. `InvalidArgument` if the URL is not allowed, does not answer with success, or holds more
    /// than `most_bytes`. Nothing is kept.
    async fn fetch(&self, url: &str, most_bytes: u64) -> Result<Bytes, PortError>;
}
