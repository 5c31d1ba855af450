//! The key that signs page tokens: made once for a data directory and kept in it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use ferroflow_server::PageTokenKey;
use uuid::Uuid;

const FILE: &str = "page-tokens.key";

/// Reads the key, or makes it. The caller holds the lock of the directory.
pub(crate) fn load(data_dir: &Path) -> anyhow::Result<PageTokenKey> {
    let path = data_dir.join(FILE);
    match fs::read(&path) {
        // Anything else than 32 bytes is the rest of a crash; tokens live for minutes, a new key harms nobody.
        Ok(bytes) if bytes.len() == 32 => Ok(PageTokenKey(bytes.try_into().unwrap_or_default())),
        Ok(_) => make(&path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(&path),
        Err(error) => Err(error).with_context(|| format!("cannot read `{}`", path.display())),
    }
}

fn make(path: &Path) -> anyhow::Result<PageTokenKey> {
    let mut key = [0; 32];
    for half in key.chunks_exact_mut(16) {
        half.copy_from_slice(Uuid::new_v4().as_bytes());
    }
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot make `{}`", path.display()))?;
    file.write_all(&key).with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok(PageTokenKey(key))
}
