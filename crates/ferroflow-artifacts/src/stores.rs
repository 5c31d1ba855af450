//! All stores behind one: the folder of this machine, and stores elsewhere.

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use ferroflow_model::{RunId, Timestamp};
use ferroflow_ports::artifact::{CopyProgress, StoredObject};
use ferroflow_ports::{ArtifactStore, PortError};
use futures_util::stream::BoxStream;

use crate::folder::LocalArtifacts;
use crate::remote::{Access, Remote, is_remote};

/// Artifacts of this machine and of stores elsewhere, told apart by their URIs. Share it behind an `Arc`.
#[derive(Debug)]
pub struct Artifacts {
    local: LocalArtifacts,
    remote: Remote,
    /// Where runs write that say nothing, if not into the folder.
    default_root: Option<String>,
}

impl Artifacts {
    /// Opens the folder, which is made if it is missing. `InvalidArgument` if the default root is not served.
    pub fn open(folder: &Path, access: Access, default_root: Option<String>) -> Result<Self, PortError> {
        let stores = Self { local: LocalArtifacts::open(folder)?, remote: Remote::new(access), default_root };
        if let Some(root) = &stores.default_root {
            stores.check_root(root)?;
        }
        Ok(stores)
    }

    /// The folder of this machine.
    pub fn folder(&self) -> String {
        self.local.default_root()
    }
}

#[async_trait]
impl ArtifactStore for Artifacts {
    fn default_root(&self) -> String {
        let root = self.default_root.as_ref().map(|root| root.trim_end_matches('/').to_owned());
        root.unwrap_or_else(|| self.local.default_root())
    }

    fn check_root(&self, root: &str) -> Result<(), PortError> {
        if is_remote(root) { self.remote.check_root(root) } else { self.local.check_root(root) }
    }

    fn local_path(&self, uri: &str) -> Option<PathBuf> {
        if is_remote(uri) { None } else { self.local.local_path(uri) }
    }

    fn is_elsewhere(&self, uri: &str) -> bool {
        self.remote.serves(uri)
    }

    async fn folders_of_runs(
        &self,
        root: Option<&str>,
        now: Timestamp,
        unchanged: Duration,
    ) -> Result<Vec<(RunId, String)>, PortError> {
        match root.filter(|root| is_remote(root)) {
            Some(root) => self.remote.folders_of_runs(root, now, unchanged).await,
            None => self.local.folders_of_runs(root, now, unchanged).await,
        }
    }

    async fn list(&self, uri: &str) -> Result<Vec<StoredObject>, PortError> {
        if is_remote(uri) { self.remote.list(uri).await } else { self.local.list(uri).await }
    }

    async fn get(
        &self,
        uri: &str,
        from: u64,
    ) -> Result<BoxStream<'static, Result<Bytes, PortError>>, PortError> {
        if is_remote(uri) { self.remote.get(uri, from).await } else { self.local.get(uri, from).await }
    }

    async fn delete(&self, uri: &str) -> Result<(), PortError> {
        if is_remote(uri) { self.remote.delete(uri).await } else { self.local.delete(uri).await }
    }

    async fn download(&self, uri: &str, to: &Path, progress: &CopyProgress) -> Result<(), PortError> {
        self.remote.download(uri, to, progress).await
    }

    async fn upload(&self, from: &Path, uri: &str, progress: &CopyProgress) -> Result<(), PortError> {
        self.remote.upload(from, uri, progress).await
    }
}
