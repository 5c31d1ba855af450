//! Stores elsewhere: S3 and what speaks it, Google Cloud Storage, Azure.

mod access;
mod address;
mod providers;
mod transfer;

use std::collections::HashMap;
use std::future::ready;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use ferroflow_model::{RunId, Timestamp};
use ferroflow_ports::artifact::{CopyProgress, StoredObject};
use ferroflow_ports::{ErrorKind, PortError};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt as _};

pub use access::Access;
pub(crate) use address::is_remote;
use address::{Address, Kind};
pub use providers::Providers;
use transfer::TransferError;

use crate::walk::DEEPEST_RUN;

/// Kind of store, bucket, and which settings of KFP's are for it.
type Way = (Kind, String, Option<usize>);

/// Opened when first needed, each bucket for itself.
#[derive(Debug)]
pub(crate) struct Remote {
    access: Access,
    open: Mutex<HashMap<Way, Arc<dyn ObjectStore>>>,
}

impl Remote {
    pub(crate) fn new(access: Access) -> Self {
        // Says which implementation TLS clients take; whoever was first has said the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { access, open: Mutex::default() }
    }

    /// Whether a URI belongs to a store that is set up.
    pub(crate) fn serves(&self, uri: &str) -> bool {
        Address::parse(uri).is_ok_and(|address| self.access.is_set_up(address.kind))
    }

    fn find(&self, uri: &str) -> Result<(Arc<dyn ObjectStore>, Address), PortError> {
        let address = Address::parse(uri)?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        // Settings may differ by prefix, so a bucket may be reached in several ways.
        let name = (address.kind, address.bucket.clone(), self.access.providers.place(&address));
        if let Some(store) = open.get(&name) {
            return Ok((Arc::clone(store), address));
        }
        let store = self.access.open(&address)?;
        open.insert(name, Arc::clone(&store));
        Ok((store, address))
    }

    pub(crate) fn check_root(&self, root: &str) -> Result<(), PortError> {
        let (_, address) = self.find(root)?;
        let Some((_, query)) = root.split_once('?') else { return Ok(()) };
        self.access.check_query(&address, query).map_err(|reason| {
            PortError::new(ErrorKind::InvalidArgument, format!("the pipeline root `{root}` {reason}"))
        })
    }

    pub(crate) async fn list(&self, uri: &str) -> Result<Vec<StoredObject>, PortError> {
        let (store, Address { key, .. }) = self.find(uri)?;
        match store.head(&key).await {
            Ok(object) => return Ok(vec![StoredObject { path: String::new(), size_bytes: object.size }]),
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(failed("read", uri, error)),
        }
        let objects: Vec<_> =
            store.list(Some(&key)).try_collect().await.map_err(|error| failed("read", uri, error))?;
        let mut found: Vec<StoredObject> = objects
            .into_iter()
            .filter_map(|object| {
                let steps: Vec<_> =
                    object.location.prefix_match(&key)?.map(|step| step.as_ref().to_owned()).collect();
                Some(StoredObject { path: steps.join("/"), size_bytes: object.size })
            })
            .filter(|object| !object.path.is_empty())
            .collect();
        found.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(found)
    }

    pub(crate) async fn get(
        &self,
        uri: &str,
        from: u64,
    ) -> Result<BoxStream<'static, Result<Bytes, PortError>>, PortError> {
        let (store, Address { key, .. }) = self.find(uri)?;
        let found =
            store.get_opts(&key, beginning_at(from)).await.map_err(|error| failed("read", uri, error))?;
        let uri = uri.to_owned();
        Ok(found.into_stream().map_err(move |error| failed("read", &uri, error)).boxed())
    }

    pub(crate) async fn delete(&self, uri: &str) -> Result<(), PortError> {
        let (store, Address { key, .. }) = self.find(uri)?;
        let gone = |result: Result<(), object_store::Error>| match result {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed("remove", uri, error)),
        };
        if key.as_ref().is_empty() {
            let message = format!("`{uri}` is a whole bucket, which is not removed");
            return Err(PortError::new(ErrorKind::InvalidArgument, message));
        }
        gone(store.delete(&key).await)?;
        let below = store.list(Some(&key)).map_ok(|object| object.location).boxed();
        gone(store.delete_stream(below).try_for_each(|_| async { Ok(()) }).await)
    }

    /// Folders named after a run, below a root, in which no object is younger than a while.
    pub(crate) async fn folders_of_runs(
        &self,
        root: &str,
        now: Timestamp,
        unchanged: Duration,
    ) -> Result<Vec<(RunId, String)>, PortError> {
        let (store, Address { kind: _, bucket, key }) = self.find(root)?;
        let scheme = root.split_once("://").map_or("s3", |(scheme, _)| scheme);
        let refused = |error| failed("read", root, error);
        let mut found = Vec::new();
        let mut open = vec![(key, 0)];
        while let Some((folder, depth)) = open.pop() {
            let listed = store.list_with_delimiter(Some(&folder)).await.map_err(refused)?;
            for below in listed.common_prefixes {
                let name = below.filename().unwrap_or_default();
                let Ok(run) = name.parse::<RunId>() else {
                    if depth < DEEPEST_RUN {
                        open.push((below, depth + 1));
                    }
                    continue;
                };
                let objects = store.list(Some(&below));
                let last = objects
                    .try_fold(0, |last, object| ready(Ok(last.max(object.last_modified.timestamp_micros()))))
                    .await
                    .map_err(refused)?;
                if now.since(Timestamp::from_micros(last)) >= unchanged {
                    found.push((run, format!("{scheme}://{bucket}/{below}")));
                }
            }
        }
        found.sort();
        Ok(found)
    }

    pub(crate) async fn download(
        &self,
        uri: &str,
        to: &Path,
        progress: &CopyProgress,
    ) -> Result<(), PortError> {
        let (store, Address { key, .. }) = self.find(uri)?;
        match transfer::download(&store, &key, to, progress).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(PortError::not_found("artifact", uri)),
            Err(error) => Err(not_copied(uri, error)),
        }
    }

    pub(crate) async fn upload(
        &self,
        from: &Path,
        uri: &str,
        progress: &CopyProgress,
    ) -> Result<(), PortError> {
        let (store, Address { key, .. }) = self.find(uri)?;
        transfer::upload(&store, from, &key, progress).await.map_err(|error| not_copied(uri, error))
    }
}

/// Asks for what stands from a byte on.
pub(crate) fn beginning_at(from: u64) -> GetOptions {
    GetOptions { range: (from > 0).then_some(GetRange::Offset(from)), ..GetOptions::default() }
}

fn failed(verb: &str, uri: &str, error: object_store::Error) -> PortError {
    use object_store::Error;
    let kind = match &error {
        Error::NotFound { .. } => return PortError::not_found("artifact", uri).caused_by(error),
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => ErrorKind::FailedPrecondition,
        _ => ErrorKind::Unavailable,
    };
    PortError::new(kind, format!("cannot {verb} `{uri}`: {}", reason(&error))).caused_by(error)
}

fn not_copied(uri: &str, error: TransferError) -> PortError {
    match error {
        TransferError::Store(error) => failed("copy", uri, error),
        TransferError::Disk(path, error) => {
            let kind = match error.kind() {
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                    ErrorKind::ResourceExhausted
                }
                _ => ErrorKind::Internal,
            };
            PortError::new(kind, format!("cannot copy `{uri}`: `{}`: {error}", path.display()))
                .caused_by(error)
        }
    }
}

/// The kind of trouble and its first cause, without what was asked of whom in between.
fn reason(error: &object_store::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    let first = error.to_string();
    let first = first.lines().next().unwrap_or_default();
    let last = cause.to_string();
    if first.contains(&last) { first.to_owned() } else { format!("{first}: {last}") }
}
