//! Artifacts that user code wrote to paths of its own choice, which nobody outside of its container sees.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};

use bollard::query_parameters::DownloadFromContainerOptionsBuilder;
use ferroflow_executor_local::container::order::Order;
use futures_util::StreamExt as _;
use serde_json::Value;

use crate::daemon::Daemon;
use crate::problem::{Problem, is_absent, words};

/// Copies what the task tells of out of its container. Nothing there is nothing to copy.
pub(crate) async fn fetch(daemon: &Daemon, order: &Order) -> Result<(), Problem> {
    let Some(file) = &order.told_outputs else { return Ok(()) };
    let told = fs::read(file).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
    for path in paths(&told).into_iter().filter(|path| !is_mounted(order, path)) {
        let copied = copy(daemon, order, &path).await;
        copied.map_err(|reason| Problem::Copy { path: path.clone(), reason })?;
    }
    Ok(())
}

/// The paths in KFP's executor output.
fn paths(told: &Value) -> Vec<String> {
    let artifacts = told.get("artifacts").and_then(Value::as_object);
    let lists = artifacts.into_iter().flatten().filter_map(|(_, list)| list.get("artifacts")?.as_array());
    let path = |artifact: &Value| {
        let path = artifact.get("custom_path").or_else(|| artifact.get("customPath"))?.as_str()?;
        is_plain(path).then(|| path.to_owned())
    };
    lists.flatten().filter_map(path).collect()
}

/// Absolute, and without steps upwards.
fn is_plain(path: &str) -> bool {
    let mut steps = Path::new(path).components();
    steps.next() == Some(Component::RootDir)
        && steps.all(|step| matches!(step, Component::Normal(_)))
        && path != "/"
}

fn is_mounted(order: &Order, path: &str) -> bool {
    order
        .mounts
        .iter()
        .any(|mount| mount.source == mount.target && Path::new(path).starts_with(&mount.target))
}

async fn copy(daemon: &Daemon, order: &Order, path: &str) -> Result<(), String> {
    let place = PathBuf::from(format!("{}{path}", order.copies));
    let folder = place.parent().unwrap_or_else(|| Path::new(&order.copies)).to_owned();
    let failed = |error: io::Error| error.to_string();
    fs::create_dir_all(&folder).map_err(failed)?;
    let archive = folder.join(".archive");
    let options = DownloadFromContainerOptionsBuilder::default().path(path).build();
    let mut pieces = daemon.docker.download_from_container(&order.name, Some(options));
    let mut file = File::create(&archive).map_err(failed)?;
    while let Some(piece) = pieces.next().await {
        match piece {
            Ok(bytes) => file.write_all(&bytes).map_err(failed)?,
            Err(error) if is_absent(&error) => return Ok(()),
            Err(error) => return Err(words(&error)),
        }
    }
    unpack(&archive, &folder).and_then(|()| fs::remove_file(&archive)).map_err(failed)
}

/// Files and folders only: links would lead out of the container.
fn unpack(archive: &Path, folder: &Path) -> io::Result<()> {
    let mut archive = tar::Archive::new(File::open(archive)?);
    archive.set_preserve_ownerships(false);
    for entry in archive.entries()? {
        let mut entry = entry?;
        if entry.header().entry_type().is_file() || entry.header().entry_type().is_dir() {
            entry.unpack_in(folder)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_plain_paths_are_copied() {
        let artifact = |path: &str| json!({"uri": "/a", "custom_path": path});
        let told = json!({"artifacts": {
            "a": {"artifacts": [artifact("/tmp/out"), artifact("relative"), artifact("/../up"), artifact("/")]},
            "b": {"artifacts": [{"uri": "/b"}, {"customPath": "/data/b"}]}
        }});
        assert_eq!(paths(&told), ["/tmp/out", "/data/b"]);
        assert!(paths(&Value::Null).is_empty());
    }

    #[test]
    fn links_stay_in_the_container() {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("archive");
        let mut builder = tar::Builder::new(File::create(&archive).unwrap());
        let mut header = tar::Header::new_gnu();
        header.set_size(2);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append_data(&mut header, "out/file", &b"hi"[..]).unwrap();
        let mut link = tar::Header::new_gnu();
        link.set_entry_type(tar::EntryType::Symlink);
        link.set_size(0);
        builder.append_link(&mut link, "out/link", "/etc/passwd").unwrap();
        builder.into_inner().unwrap();
        let place = folder.path().join("place");
        fs::create_dir(&place).unwrap();
        unpack(&archive, &place).unwrap();
        assert_eq!(fs::read_to_string(place.join("out/file")).unwrap(), "hi");
        assert!(place.join("out/link").symlink_metadata().is_err());
    }
}
