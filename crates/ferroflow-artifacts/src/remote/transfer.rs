//! Copies between a store and this machine, of files and of folders, in bounded memory.

use std::future::ready;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ferroflow_ports::artifact::CopyProgress;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt as _, WriteMultipart};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Semaphore;

/// Files of a folder that are under way at once.
const FILES_AT_ONCE: usize = 16;
/// Larger files go in parts of this size, the smallest that S3 takes: more of them are under way in the same memory.
const PART_BYTES: u64 = 5 * 1024 * 1024;
/// Stores take ten thousand parts, and a little room is left.
const MOST_PARTS: u64 = 9_000;
/// Parts under way at once, beside the one that is read: of the only large file, and of each of two.
const PARTS_AT_ONCE: (usize, usize) = (6, 3);
/// Large files under way at once: with their parts they take at most 55 MiB, and small ones 10.
static LARGE_FILES: Semaphore = Semaphore::const_new(2);

/// A copy that did not come about.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransferError {
    #[error(transparent)]
    Store(#[from] object_store::Error),
    #[error("`{0}`: {1}")]
    Disk(PathBuf, #[source] io::Error),
}

fn disk(path: &Path) -> impl FnOnce(io::Error) -> TransferError {
    let path = path.to_owned();
    |error| TransferError::Disk(path, error)
}

/// Copies the object at `key`, or all below it, to `to`, where nothing is yet. Whether there was anything. What was
/// copied in part is removed.
pub(crate) async fn download(
    store: &Arc<dyn ObjectStore>,
    key: &ObjectPath,
    to: &Path,
    progress: &CopyProgress,
) -> Result<bool, TransferError> {
    let done = download_all(store, key, to, progress).await;
    if done.is_err() {
        // The first error tells more than one about tidying would.
        let is_folder = tokio::fs::metadata(to).await.is_ok_and(|found| found.is_dir());
        let _ =
            if is_folder { tokio::fs::remove_dir_all(to).await } else { tokio::fs::remove_file(to).await };
    }
    done
}

async fn download_all(
    store: &Arc<dyn ObjectStore>,
    key: &ObjectPath,
    to: &Path,
    progress: &CopyProgress,
) -> Result<bool, TransferError> {
    match download_file(store, key, to, progress).await {
        Err(TransferError::Store(object_store::Error::NotFound { .. })) => {}
        done => return done.map(|()| true),
    }
    let has_failed = AtomicBool::new(false);
    let found = store.list(Some(key)).take_while(|_| ready(!has_failed.load(Ordering::Relaxed)));
    let copies = found.map(|object| async {
        let object = object?;
        let Some(parts) = object.location.prefix_match(key) else { return Ok(false) };
        let mut path = to.to_owned();
        path.extend(parts.map(|part| part.as_ref().to_owned()));
        // Some tools keep folders as empty objects that end in a slash.
        if path == to {
            return Ok(false);
        }
        download_file(store, &object.location, &path, progress).await.map(|()| true)
    });
    finish_all(copies, &has_failed).await
}

/// Waits for copies, some at once, and tells whether one of them says so. After the first failure `has_failed` is set and
/// those under way are still waited for: who is left alone in the middle may yet write to a place that is being tidied.
async fn finish_all(
    copies: impl Stream<Item = impl Future<Output = Result<bool, TransferError>>>,
    has_failed: &AtomicBool,
) -> Result<bool, TransferError> {
    let mut copies = std::pin::pin!(copies.buffer_unordered(FILES_AT_ONCE));
    let mut outcome = Ok(false);
    while let Some(copied) = copies.next().await {
        match (&mut outcome, copied) {
            (Ok(any), Ok(one)) => *any |= one,
            (Ok(_), Err(error)) => {
                has_failed.store(true, Ordering::Relaxed);
                outcome = Err(error);
            }
            (Err(_), _) => {}
        }
    }
    outcome
}

async fn download_file(
    store: &Arc<dyn ObjectStore>,
    key: &ObjectPath,
    to: &Path,
    progress: &CopyProgress,
) -> Result<(), TransferError> {
    let found = store.get(key).await?;
    progress.known_bytes.fetch_add(found.meta.size, Ordering::Relaxed);
    let mut pieces = found.into_stream();
    if let Some(folder) = to.parent() {
        tokio::fs::create_dir_all(folder).await.map_err(disk(folder))?;
    }
    let mut file = tokio::fs::File::create(to).await.map_err(disk(to))?;
    while let Some(piece) = pieces.try_next().await? {
        file.write_all(&piece).await.map_err(disk(to))?;
        progress.copied_bytes.fetch_add(piece.len() as u64, Ordering::Relaxed);
    }
    file.flush().await.map_err(disk(to))
}

/// Copies a file, or all files of a folder, to `key` and below it.
pub(crate) async fn upload(
    store: &Arc<dyn ObjectStore>,
    from: &Path,
    key: &ObjectPath,
    progress: &CopyProgress,
) -> Result<(), TransferError> {
    let found = tokio::fs::metadata(from).await.map_err(disk(from))?;
    if !found.is_dir() {
        return upload_file(store, from, key.clone(), progress).await;
    }
    let folder = from.to_owned();
    let files = tokio::task::spawn_blocking(move || files_below(&folder)).await;
    let files = files.map_err(io::Error::other).and_then(|files| files).map_err(disk(from))?;
    let has_failed = AtomicBool::new(false);
    let files = futures_util::stream::iter(files).take_while(|_| ready(!has_failed.load(Ordering::Relaxed)));
    let copies = files.map(|steps| async move {
        let path = steps.iter().fold(from.to_owned(), |path, step| path.join(step));
        // Parsed, for joining would encode what is odd in a name.
        let key =
            ObjectPath::parse(format!("{key}/{}", steps.join("/"))).map_err(object_store::Error::from)?;
        upload_file(store, &path, key, progress).await.map(|()| true)
    });
    finish_all(copies, &has_failed).await.map(drop)
}

async fn upload_file(
    store: &Arc<dyn ObjectStore>,
    from: &Path,
    key: ObjectPath,
    progress: &CopyProgress,
) -> Result<(), TransferError> {
    let mut file = tokio::fs::File::open(from).await.map_err(disk(from))?;
    let size = file.metadata().await.map_err(disk(from))?.len();
    progress.known_bytes.fetch_add(size, Ordering::Relaxed);
    if size <= PART_BYTES / 8 {
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        file.read_to_end(&mut bytes).await.map_err(disk(from))?;
        store.put(&key, bytes.into()).await?;
        progress.copied_bytes.fetch_add(size, Ordering::Relaxed);
        return Ok(());
    }
    // Never closed.
    let _place = LARGE_FILES.acquire().await;
    let part = usize::try_from(PART_BYTES.max(size / MOST_PARTS)).unwrap_or(usize::MAX);
    let mut parts = WriteMultipart::new_with_chunk_size(store.put_multipart(&key).await?, part);
    if let Err(error) = send_parts(&mut parts, &mut file, from, progress).await {
        // Else the store keeps the parts that it has, and counts them. It may be out of reach; the first error tells more.
        let _ = parts.abort().await;
        return Err(error);
    }
    parts.finish().await?;
    Ok(())
}

async fn send_parts(
    parts: &mut WriteMultipart,
    file: &mut tokio::fs::File,
    from: &Path,
    progress: &CopyProgress,
) -> Result<(), TransferError> {
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let (alone, of_two) = PARTS_AT_ONCE;
        let at_once = if LARGE_FILES.available_permits() > 0 { alone } else { of_two };
        parts.wait_for_capacity(at_once).await?;
        match file.read(&mut buffer).await.map_err(disk(from))? {
            0 => return Ok(()),
            count => {
                parts.write(buffer.get(..count).unwrap_or_default());
                progress.copied_bytes.fetch_add(count as u64, Ordering::Relaxed);
            }
        }
    }
}

/// The files of a folder, each as its steps below it. Links are followed to files only: to folders they may lead in a
/// circle.
fn files_below(folder: &Path) -> io::Result<Vec<Vec<String>>> {
    let mut files = Vec::new();
    let mut folders = vec![(folder.to_owned(), Vec::new())];
    while let Some((folder, steps)) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name().into_string();
            let name =
                name.map_err(|name| io::Error::other(format!("the name `{}` is not UTF-8", name.display())))?;
            let mut steps: Vec<String> = steps.clone();
            steps.push(name);
            if entry.file_type()?.is_dir() {
                folders.push((entry.path(), steps));
            } else if entry.path().is_file() {
                files.push(steps);
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests;
