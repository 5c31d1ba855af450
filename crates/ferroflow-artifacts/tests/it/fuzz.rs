//! Whatever a URI says, nothing outside of the folder is found.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Component, Path};

use ferroflow_ports::ArtifactStore;
use futures_util::TryStreamExt;

use crate::Place;

/// The place of the root among the pieces.
const ROOT: usize = 0;
/// What ways out are made of.
const PIECES: [&str; 22] = [
    "", "/", "..", ".", "%2e", "%2E%2e", "%2f", "file://", "s3://", "a", "in", "out", "to-root", "secret",
    "\\", "//", "\0", "?", "#1", "~", "\u{202e}", "%00",
];

#[test]
fn paths() {
    let place = Place::new();
    place.write(&place.below("a/in"), "inside");
    let folder = place.folder.path();
    symlink(folder, Path::new(&place.root).join("out")).unwrap();
    symlink(folder.join("secret"), Path::new(&place.root).join("a/out")).unwrap();
    symlink("/", Path::new(&place.root).join("to-root")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    bolero::check!().with_type::<Vec<u8>>().for_each(|choice: &Vec<u8>| {
        let mut uri = String::new();
        for byte in choice {
            match usize::from(*byte) {
                ROOT => uri.push_str(&place.root),
                number => match PIECES.get(number) {
                    Some(piece) => uri.push_str(piece),
                    None => uri.push(char::from(*byte)),
                },
            }
        }
        // Most that come to nothing do so by not beginning at the root.
        for uri in [uri.clone(), format!("{}/{uri}", place.root)] {
            let _ = place.store.check_root(&uri);
            if let Some(path) = place.store.local_path(&uri) {
                assert!(path.starts_with(&place.root), "{uri:?}");
                assert!(!path.components().any(|step| step == Component::ParentDir), "{uri:?}");
                if let Ok(real) = path.canonicalize() {
                    assert!(real.starts_with(&place.root), "{uri:?}");
                }
            }
            let read = runtime.block_on(async {
                let pieces: Vec<_> = place.store.get(&uri, 0).await.ok()?.try_collect().await.ok()?;
                Some(pieces.concat())
            });
            assert!(read.is_none_or(|bytes| bytes == b"inside"), "{uri:?}");
            for found in runtime.block_on(place.store.list(&uri)).unwrap_or_default() {
                assert!(!found.path.contains("secret"), "{uri:?} lists {}", found.path);
            }
            // The root itself, and what leads out, cannot be removed; what lies inside is made again.
            if uri.contains("out") || uri.contains("to-root") {
                let _ = runtime.block_on(place.store.delete(&uri));
                assert_eq!(fs::read_to_string(folder.join("secret")).unwrap(), "outside", "{uri:?}");
            }
        }
    });
}
