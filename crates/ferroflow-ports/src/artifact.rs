//! Bytes of artifacts by URI.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use ferroflow_model::{RunId, Timestamp};
use futures_util::stream::BoxStream;

use crate::error::PortError;

/// One object below an artifact's URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// Path below the artifact's URI; empty if the artifact is a single file.
    pub path: String,
    /// Size in bytes.
    pub size_bytes: u64,
}

/// How far a copy has come. Whoever copies adds to it; whoever is curious reads it meanwhile.
#[derive(Debug, Default)]
pub struct CopyProgress {
    /// Bytes that were copied.
    pub copied_bytes: AtomicU64,
    /// Bytes of all files that were begun: the whole, once the last one is.
    pub known_bytes: AtomicU64,
}

/// Where artifacts live. URIs come from our own records, never straight from a request;
/// a store still refuses any that lie outside its root.
#[async_trait]
pub trait ArtifactStore: Send + Sync {
    /// The default pipeline root, without a final slash.
    fn default_root(&self) -> String;

    /// Whether runs may write below this root; says why not. `InvalidArgument` if the scheme or place is not served.
    fn check_root(&self, root: &str) -> Result<(), PortError>;

    /// The local path behind a URI if user code can read and write it in place; `None` if it must be copied.
    fn local_path(&self, uri: &str) -> Option<PathBuf>;

    /// Whether a URI belongs to a store elsewhere, whose bytes must be copied for user code.
    fn is_elsewhere(&self, _uri: &str) -> bool {
        false
    }

    /// Copies everything at or below a URI of a store elsewhere to a path. `NotFound` if there is nothing;
    /// `FailedPrecondition` if access is denied; `Unavailable` if the store is out of reach.
    async fn download(&self, uri: &str, _to: &Path, _progress: &CopyProgress) -> Result<(), PortError> {
        Err(PortError::not_found("artifact", uri))
    }

    /// Copies a file or folder to a URI of a store elsewhere. What is there already is written over.
    async fn upload(&self, _from: &Path, uri: &str, _progress: &CopyProgress) -> Result<(), PortError> {
        Err(PortError::not_found("artifact", uri))
    }

    /// Folders that runs have made and not changed for a while, with their URIs: so that what nobody knows of can be
    /// found. They lie below `root`, a place in a store elsewhere, or, without one, on this machine.
    async fn folders_of_runs(
        &self,
        _root: Option<&str>,
        _now: Timestamp,
        _unchanged: Duration,
    ) -> Result<Vec<(RunId, String)>, PortError> {
        Ok(Vec::new())
    }

    /// The objects at or below a URI, in order of path. Empty if there are none.
    async fn list(&self, uri: &str) -> Result<Vec<StoredObject>, PortError>;

    /// The bytes of the object at `uri` (a file of an artifact folder is `<uri>/<path>`) from the byte `from` on, which
    /// is 0 or lies before the end. `NotFound` if there is none.
    async fn get(
        &self,
        uri: &str,
        from: u64,
    ) -> Result<BoxStream<'static, Result<Bytes, PortError>>, PortError>;

    /// Removes everything at or below a URI. Not an error if there is nothing. Idempotent.
    async fn delete(&self, uri: &str) -> Result<(), PortError>;
}
