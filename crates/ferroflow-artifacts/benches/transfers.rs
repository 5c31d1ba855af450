//! Copies to and from a store that speaks S3, beside a bare loop over `object_store`.
//!
//! `python tests/stores/bench.py` starts a store, calls this, and does the same with boto3. By itself: `cargo bench -p
//! ferroflow-artifacts --bench transfers -- FOLDER BUCKET`, with the variables `AWS_…` of the store. `FOLDER` holds what is
//! copied: the file `large` and the folder `many`. Rows are `<what> <seconds of ours> <seconds of the loop>`.

#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use ferroflow_artifacts::{Access, Artifacts};
use ferroflow_ports::ArtifactStore as _;
use ferroflow_ports::artifact::CopyProgress;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::aws::AmazonS3Builder;
use object_store::path::Path as ObjectPath;
use object_store::{ClientOptions, ObjectStore, ObjectStoreExt as _, WriteMultipart};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// As many files at once as ours.
const AT_ONCE: usize = 16;

fn main() -> Fallible<()> {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let (Some(folder), Some(bucket)) = (arguments.next(), arguments.next()) else {
        println!("left out: it needs a folder and a bucket, see `python tests/stores/bench.py`");
        return Ok(());
    };
    tokio::runtime::Runtime::new()?.block_on(measure(Path::new(&folder), &bucket))
}

async fn measure(folder: &Path, bucket: &str) -> Fallible<()> {
    let ours = Artifacts::open(&folder.join("artifacts"), Access::new(std::env::vars()), None)?;
    let endpoint = std::env::var("AWS_ENDPOINT_URL")?;
    let bare = AmazonS3Builder::from_env()
        .with_endpoint(endpoint)
        .with_bucket_name(bucket)
        .with_client_options(ClientOptions::new().with_allow_http(true).with_timeout_disabled())
        .build()?;
    let bare: Arc<dyn ObjectStore> = Arc::new(bare);
    let progress = CopyProgress::default();
    for what in ["large", "many"] {
        let from = folder.join(what);
        let uri = format!("s3://{bucket}/ours/{what}");
        let key = ObjectPath::from(format!("bare/{what}"));
        let begin = Instant::now();
        ours.upload(&from, &uri, &progress).await?;
        let mine = begin.elapsed().as_secs_f64();
        let begin = Instant::now();
        upload(&bare, &from, &key).await?;
        println!("upload-{what} {mine:.3} {:.3}", begin.elapsed().as_secs_f64());
        let (to, bare_to) = (folder.join(format!("ours-{what}")), folder.join(format!("bare-{what}")));
        let begin = Instant::now();
        ours.download(&uri, &to, &progress).await?;
        let mine = begin.elapsed().as_secs_f64();
        let begin = Instant::now();
        download(&bare, &key, &bare_to).await?;
        println!("download-{what} {mine:.3} {:.3}", begin.elapsed().as_secs_f64());
        for done in [to, bare_to] {
            if done.is_dir() { std::fs::remove_dir_all(done)? } else { std::fs::remove_file(done)? }
        }
    }
    let status = std::fs::read_to_string("/proc/self/status")?;
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown");
    println!("memory {} 0", most.trim().trim_end_matches(" kB"));
    Ok(())
}

async fn upload(store: &Arc<dyn ObjectStore>, from: &Path, key: &ObjectPath) -> Fallible<()> {
    if from.is_file() {
        let mut file = tokio::fs::File::open(from).await?;
        let mut parts = WriteMultipart::new(store.put_multipart(key).await?);
        let mut buffer = vec![0; 1 << 20];
        loop {
            parts.wait_for_capacity(8).await?;
            match file.read(&mut buffer).await? {
                0 => break,
                count => parts.write(buffer.get(..count).unwrap_or_default()),
            }
        }
        parts.finish().await?;
        return Ok(());
    }
    let names: Vec<_> = std::fs::read_dir(from)?.collect::<Result<_, _>>()?;
    let copies = names.into_iter().map(|entry| async move {
        let bytes = tokio::fs::read(entry.path()).await?;
        store.put(&key.clone().join(&*entry.file_name().to_string_lossy()), bytes.into()).await?;
        Fallible::Ok(())
    });
    futures_util::stream::iter(copies).buffer_unordered(AT_ONCE).try_collect().await
}

async fn download(store: &Arc<dyn ObjectStore>, key: &ObjectPath, to: &Path) -> Fallible<()> {
    if let Ok(found) = store.get(key).await {
        let mut file = tokio::fs::File::create(to).await?;
        let mut pieces = found.into_stream();
        while let Some(piece) = pieces.try_next().await? {
            file.write_all(&piece).await?;
        }
        return Ok(file.flush().await?);
    }
    std::fs::create_dir_all(to)?;
    let copies =
        store.list(Some(key)).map_err(Box::<dyn Error + Send + Sync>::from).map_ok(|object| async move {
            let bytes = store.get(&object.location).await?.bytes().await?;
            tokio::fs::write(to.join(object.location.filename().unwrap_or_default()), bytes).await?;
            Fallible::Ok(())
        });
    copies.try_buffer_unordered(AT_ONCE).try_collect().await
}
