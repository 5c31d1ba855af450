//! An artifact store that keeps the bucket `s3://lab` and plain paths in a folder.

use std::path::PathBuf;

use async_trait::async_trait;
use bytes::Bytes;
use ferroflow_ports::artifact::StoredObject;
use ferroflow_ports::{ArtifactStore, ErrorKind, PortError};
use futures_util::stream::BoxStream;

/// The folder.
pub(crate) struct Folder(pub(crate) PathBuf);

fn unused() -> PortError {
    PortError::new(ErrorKind::Unimplemented, "executors only ask for paths")
}

#[async_trait]
impl ArtifactStore for Folder {
    fn default_root(&self) -> String {
        self.0.display().to_string()
    }

    fn check_root(&self, _: &str) -> Result<(), PortError> {
        Ok(())
    }

    fn local_path(&self, uri: &str) -> Option<PathBuf> {
        if uri.starts_with('/') {
            return Some(uri.into());
        }
        Some(self.0.join("s3").join(uri.strip_prefix("s3://")?))
    }

    async fn list(&self, _: &str) -> Result<Vec<StoredObject>, PortError> {
        Err(unused())
    }

    async fn get(&self, _: &str, _: u64) -> Result<BoxStream<'static, Result<Bytes, PortError>>, PortError> {
        Err(unused())
    }

    async fn delete(&self, _: &str) -> Result<(), PortError> {
        Err(unused())
    }
}
