//! The store itself.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use ferroflow_model::{RunId, Timestamp};
use ferroflow_ports::artifact::StoredObject;
use ferroflow_ports::{ArtifactStore, ErrorKind, PortError};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::ObjectStore as _;
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;

use crate::place::Root;
use crate::remote::beginning_at;
use crate::walk;

/// Artifacts in a folder of this machine. Share it behind an `Arc`.
#[derive(Debug)]
pub struct LocalArtifacts {
    root: Root,
    objects: LocalFileSystem,
}

impl LocalArtifacts {
    /// Opens the store in `folder`, which is made if it is missing.
    ///
    /// `InvalidArgument` if the path is not UTF-8, `Internal` if the folder cannot be made or read.
    pub fn open(folder: &Path) -> Result<Self, PortError> {
        let root = Root::open(folder)?;
        let objects = LocalFileSystem::new_with_prefix(root.uri())
            .map_err(|error| unreadable(root.uri()).caused_by(error))?;
        Ok(Self { root, objects })
    }

    fn find(&self, uri: &str) -> Result<PathBuf, PortError> {
        self.root.path(&self.root.steps(uri)?, uri)
    }
}

fn unreadable(uri: &str) -> PortError {
    PortError::new(ErrorKind::Internal, format!("cannot read the artifact `{uri}`"))
}

/// Whether the error says that there is nothing at a path.
fn is_nothing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[async_trait]
impl ArtifactStore for LocalArtifacts {
    fn default_root(&self) -> String {
        self.root.uri().to_owned()
    }

    fn check_root(&self, root: &str) -> Result<(), PortError> {
        self.root.check(root)
    }

    fn local_path(&self, uri: &str) -> Option<PathBuf> {
        self.find(uri).ok()
    }

    async fn folders_of_runs(
        &self,
        root: Option<&str>,
        now: Timestamp,
        unchanged: Duration,
    ) -> Result<Vec<(RunId, String)>, PortError> {
        if let Some(root) = root {
            let message =
                format!("`{root}` is not in a store elsewhere; folders of this machine are looked at anyway");
            return Err(PortError::new(ErrorKind::InvalidArgument, message));
        }
        let root = self.root.uri().to_owned();
        let found =
            tokio::task::spawn_blocking(move || walk::folders_of_runs(Path::new(&root), now, unchanged));
        let failed = || unreadable(self.root.uri());
        found.await.map_err(|error| failed().caused_by(error))?.map_err(|error| failed().caused_by(error))
    }

    async fn list(&self, uri: &str) -> Result<Vec<StoredObject>, PortError> {
        let path = self.find(uri)?;
        match tokio::fs::metadata(&path).await {
            Ok(found) if found.is_dir() => {}
            Ok(found) if found.is_file() => {
                return Ok(vec![StoredObject { path: String::new(), size_bytes: found.len() }]);
            }
            Ok(_) => return Ok(Vec::new()),
            Err(error) if is_nothing(&error) => return Ok(Vec::new()),
            Err(error) => return Err(unreadable(uri).caused_by(error)),
        }
        let root = self.root.clone();
        let listed = tokio::task::spawn_blocking(move || walk::files_below(&path, &root)).await;
        match listed {
            Ok(Ok(files)) => Ok(files),
            Ok(Err(error)) => Err(unreadable(uri).caused_by(error)),
            Err(error) => Err(unreadable(uri).caused_by(error)),
        }
    }

    async fn get(
        &self,
        uri: &str,
        from: u64,
    ) -> Result<BoxStream<'static, Result<Bytes, PortError>>, PortError> {
        let steps = self.root.steps(uri)?;
        let path = self.root.path(&steps, uri)?;
        // Folders and pipes have no bytes; opening a pipe would wait for its writer.
        let is_file = tokio::fs::metadata(&path).await.is_ok_and(|found| found.is_file());
        if !is_file || walk::is_reserved(&path) {
            return Err(PortError::not_found("artifact", uri));
        }
        let name = ObjectPath::parse(steps.join("/")).map_err(|error| unreadable(uri).caused_by(error))?;
        let uri = uri.to_owned();
        let found = match self.objects.get_opts(&name, beginning_at(from)).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Err(PortError::not_found("artifact", uri)),
            Err(error) => return Err(unreadable(&uri).caused_by(error)),
        };
        let pieces = found.into_stream();
        Ok(pieces.map(move |piece| piece.map_err(|error| unreadable(&uri).caused_by(error))).boxed())
    }

    async fn delete(&self, uri: &str) -> Result<(), PortError> {
        let steps = self.root.steps(uri)?;
        // A link is removed itself, wherever it leads, so only the way to it must stay inside.
        let (last, folders) = steps.split_last().ok_or_else(|| unreadable(uri))?;
        let path = self.root.path(folders, uri)?.join(last);
        // Not through the object store, which knows neither folders nor links and would leave both behind.
        let is_folder = tokio::fs::symlink_metadata(&path).await.is_ok_and(|found| found.is_dir());
        let removed = if is_folder {
            tokio::fs::remove_dir_all(&path).await
        } else {
            tokio::fs::remove_file(&path).await
        };
        match removed {
            Err(error) if !is_nothing(&error) => {
                let message = format!("cannot remove the artifact `{uri}`");
                Err(PortError::new(ErrorKind::Internal, message).caused_by(error))
            }
            _ => Ok(()),
        }
    }
}
