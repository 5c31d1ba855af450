//! Copies that are broken off at each of their steps: what is there afterwards is whole, or nothing.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use ferroflow_ports::artifact::CopyProgress;
use futures_util::stream::{BoxStream, StreamExt as _, TryStreamExt as _};
use object_store::memory::InMemory;
use object_store::path::Path as ObjectPath;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt as _, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
    UploadPart,
};

use super::{download, upload};

/// A store that answers so many steps and then no more: a step is a request, a part that is sent, a piece that comes.
#[derive(Debug, Clone)]
struct Breaking {
    store: Arc<InMemory>,
    left: Arc<AtomicUsize>,
}

impl Breaking {
    fn after(store: &Arc<InMemory>, steps: usize) -> Arc<dyn ObjectStore> {
        Arc::new(Self { store: Arc::clone(store), left: Arc::new(AtomicUsize::new(steps)) })
    }

    fn step(&self) -> Result<()> {
        let taken = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        taken.map(drop).map_err(|_| Error::Generic { store: "test", source: "the connection is gone".into() })
    }
}

impl fmt::Display for Breaking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("breaking")
    }
}

#[async_trait::async_trait]
impl ObjectStore for Breaking {
    async fn put_opts(&self, key: &ObjectPath, bytes: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.step()?;
        self.store.put_opts(key, bytes, options).await
    }

    async fn put_multipart_opts(
        &self,
        key: &ObjectPath,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.step()?;
        let parts = self.store.put_multipart_opts(key, options).await?;
        Ok(Box::new(BreakingParts { breaking: self.clone(), parts }))
    }

    async fn get_opts(&self, key: &ObjectPath, options: GetOptions) -> Result<GetResult> {
        self.step()?;
        let found = self.store.get_opts(key, options).await?;
        let (meta, range, attributes, extensions) =
            (found.meta.clone(), found.range.clone(), found.attributes.clone(), found.extensions.clone());
        let bytes = found.bytes().await?;
        let pieces: Vec<Bytes> = bytes.chunks(PIECE).map(Bytes::copy_from_slice).collect();
        let breaking = self.clone();
        let pieces = futures_util::stream::iter(pieces).map(move |piece| breaking.step().map(|()| piece));
        Ok(GetResult {
            payload: GetResultPayload::Stream(pieces.boxed()),
            meta,
            range,
            attributes,
            extensions,
        })
    }

    fn delete_stream(
        &self,
        keys: BoxStream<'static, Result<ObjectPath>>,
    ) -> BoxStream<'static, Result<ObjectPath>> {
        self.store.delete_stream(keys)
    }

    fn list(&self, prefix: Option<&ObjectPath>) -> BoxStream<'static, Result<ObjectMeta>> {
        let breaking = self.clone();
        self.store
            .list(prefix)
            .and_then(move |found| std::future::ready(breaking.step().map(|()| found)))
            .boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&ObjectPath>) -> Result<ListResult> {
        self.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &ObjectPath, to: &ObjectPath, options: CopyOptions) -> Result<()> {
        self.store.copy_opts(from, to, options).await
    }
}

#[derive(Debug)]
struct BreakingParts {
    breaking: Breaking,
    parts: Box<dyn MultipartUpload>,
}

#[async_trait::async_trait]
impl MultipartUpload for BreakingParts {
    fn put_part(&mut self, bytes: PutPayload) -> UploadPart {
        match self.breaking.step() {
            Ok(()) => self.parts.put_part(bytes),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    async fn complete(&mut self) -> Result<PutResult> {
        self.breaking.step()?;
        self.parts.complete().await
    }

    async fn abort(&mut self) -> Result<()> {
        self.breaking.step()?;
        self.parts.abort().await
    }
}

/// Bytes of a piece that a reader gets.
const PIECE: usize = 4 * 1024 * 1024;
/// More steps than any copy here takes.
const ENOUGH: usize = 1000;

/// Bytes that differ from place to place.
fn content(length: usize) -> Vec<u8> {
    (0..length).map(|place| (place / 251 % 256).to_le_bytes()[0]).collect()
}

#[tokio::test]
async fn a_large_file_that_is_broken_off_anywhere_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    let bytes = content(20_000_000);
    std::fs::write(&from, &bytes).unwrap();
    let key = ObjectPath::from("root/large");
    let mut broken = 0;
    for steps in 0..ENOUGH {
        let store = Arc::new(InMemory::new());
        if upload(&Breaking::after(&store, steps), &from, &key, &CopyProgress::default()).await.is_ok() {
            break;
        }
        broken += 1;
        assert!(store.head(&key).await.is_err(), "broken off after {steps} steps");
        // The next try is not disturbed by the first one.
        upload(&Breaking::after(&store, ENOUGH), &from, &key, &CopyProgress::default()).await.unwrap();
        assert_eq!(store.get(&key).await.unwrap().bytes().await.unwrap(), bytes);
    }
    // Its begin, four parts, its end.
    assert_eq!(broken, 6);
    let store = Arc::new(InMemory::new());
    store.put(&key, bytes.clone().into()).await.unwrap();
    let mut broken = 0;
    for steps in 0..ENOUGH {
        if download(&Breaking::after(&store, steps), &key, &to, &CopyProgress::default()).await.is_ok() {
            break;
        }
        broken += 1;
        assert!(!to.exists(), "broken off after {steps} steps");
    }
    // The request, five pieces.
    assert_eq!(broken, 6);
    assert_eq!(std::fs::read(&to).unwrap(), bytes);
}

#[tokio::test]
async fn a_folder_that_is_broken_off_anywhere_is_copied_by_the_next_try() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    std::fs::create_dir_all(from.join("deep")).unwrap();
    for number in 0..10 {
        std::fs::write(from.join(format!("deep/{number}")), content(number * 1000)).unwrap();
    }
    let key = ObjectPath::from("root/folder");
    for steps in 0..ENOUGH {
        let store = Arc::new(InMemory::new());
        let is_done =
            upload(&Breaking::after(&store, steps), &from, &key, &CopyProgress::default()).await.is_ok();
        for object in store.list(Some(&key)).try_collect::<Vec<_>>().await.unwrap() {
            check(&from, &object);
        }
        upload(&Breaking::after(&store, ENOUGH), &from, &key, &CopyProgress::default()).await.unwrap();
        assert_eq!(store.list(Some(&key)).count().await, 10);
        if download(&Breaking::after(&store, steps), &key, &to, &CopyProgress::default()).await.is_err() {
            assert!(!to.exists(), "broken off after {steps} steps");
            continue;
        }
        for number in 0..10 {
            assert_eq!(std::fs::read(to.join(format!("deep/{number}"))).unwrap(), content(number * 1000));
        }
        assert!(is_done, "reading takes more steps than writing");
        return;
    }
    panic!("it takes more than {ENOUGH} steps");
}

/// An object has the size of its file.
fn check(from: &Path, object: &ObjectMeta) {
    let file = from.join("deep").join(object.location.filename().unwrap());
    assert_eq!(object.size, file.metadata().unwrap().len(), "{}", object.location);
}

#[tokio::test]
async fn progress_is_told_in_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    std::fs::create_dir_all(&from).unwrap();
    for (name, length) in [("large", 9_000_000), ("small", 100), ("empty", 0)] {
        std::fs::write(from.join(name), content(length)).unwrap();
    }
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let key = ObjectPath::from("folder");
    let told = |progress: &CopyProgress| {
        (progress.copied_bytes.load(Ordering::Relaxed), progress.known_bytes.load(Ordering::Relaxed))
    };
    let progress = CopyProgress::default();
    upload(&store, &from, &key, &progress).await.unwrap();
    assert_eq!(told(&progress), (9_000_100, 9_000_100));
    let progress = CopyProgress::default();
    download(&store, &key, &to, &progress).await.unwrap();
    assert_eq!(told(&progress), (9_000_100, 9_000_100));
}
