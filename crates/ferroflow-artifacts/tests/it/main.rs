//! The local store on a real folder.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fuzz;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use ferroflow_artifacts::LocalArtifacts;
use ferroflow_ports::{ArtifactStore, ErrorKind, PortError};
use futures_util::TryStreamExt;
use tempfile::TempDir;

/// A store in `<folder>/artifacts`, with a file outside of it.
struct Place {
    folder: TempDir,
    store: LocalArtifacts,
    root: String,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("secret"), "outside").unwrap();
        let store = LocalArtifacts::open(&folder.path().join("artifacts")).unwrap();
        let root = store.default_root();
        Self { folder, store, root }
    }

    fn write(&self, uri: &str, text: &str) {
        let path = self.store.local_path(uri).unwrap();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn below(&self, rest: &str) -> String {
        format!("{}/{rest}", self.root)
    }

    async fn read(&self, uri: &str) -> Result<String, ErrorKind> {
        let kind = |error: PortError| error.kind;
        let stream = self.store.get(uri, 0).await.map_err(kind)?;
        let pieces: Vec<_> = stream.try_collect().await.map_err(kind)?;
        Ok(String::from_utf8(pieces.concat()).unwrap())
    }

    async fn listed(&self, uri: &str) -> Vec<(String, u64)> {
        let objects = self.store.list(uri).await.unwrap();
        objects.into_iter().map(|object| (object.path, object.size_bytes)).collect()
    }
}

#[tokio::test]
async fn files_are_read_under_both_forms_of_their_uri() {
    let place = Place::new();
    assert!(Path::new(&place.root).is_absolute());
    // Odd names are names: nothing is decoded.
    for name in ["run/a/model", "run/b c/ü.csv", "run/100%25.txt", "run/x?y=1#z", "run/{a}[b]~^`\"<>|\\"] {
        let uri = place.below(name);
        place.write(&uri, name);
        assert_eq!(place.read(&uri).await, Ok(name.to_owned()));
        assert_eq!(place.read(&format!("file://{uri}")).await, Ok(name.to_owned()));
        assert_eq!(place.store.local_path(&uri), Some(PathBuf::from(&uri)));
        assert_eq!(place.listed(&uri).await, [(String::new(), name.len() as u64)]);
    }
    assert_eq!(place.read(&place.below("run/none")).await, Err(ErrorKind::NotFound));
    assert_eq!(place.read(&place.below("run/a")).await, Err(ErrorKind::NotFound), "a folder");
    assert_eq!(place.read(&place.below("run/a/model/x")).await, Err(ErrorKind::NotFound), "below a file");
}

#[tokio::test]
async fn a_large_file_comes_in_pieces() {
    let place = Place::new();
    let uri = place.below("large");
    let text = "0123456789abcdef".repeat(200_000);
    place.write(&uri, &text);
    let pieces: Vec<_> = place.store.get(&uri, 0).await.unwrap().try_collect().await.unwrap();
    assert!(pieces.len() > 1 && pieces.iter().all(|piece| piece.len() < text.len()));
    assert_eq!(pieces.concat(), text.as_bytes());
    let rest: Vec<_> = place.store.get(&uri, 3_199_990).await.unwrap().try_collect().await.unwrap();
    assert_eq!(rest.concat(), b"6789abcdef");
}

#[tokio::test]
async fn a_folder_is_listed_with_all_below_it() {
    let place = Place::new();
    let uri = place.below("run/data");
    for (file, text) in [("b.txt", "22"), ("a/z", "333"), ("a/b/c", ""), ("a.txt", "1")] {
        place.write(&format!("{uri}/{file}"), text);
    }
    place.write(&place.below("run/data2"), "a neighbour");
    let expected = [("a.txt", 1), ("a/b/c", 0), ("a/z", 3), ("b.txt", 2)];
    assert_eq!(place.listed(&uri).await, expected.map(|(path, size)| (path.to_owned(), size)));
    assert_eq!(place.listed(&place.below("nothing")).await, []);
    assert_eq!(place.listed(&place.below("run/data2/x")).await, []);
}

#[tokio::test]
async fn removing_takes_everything_below_and_nothing_else() {
    let place = Place::new();
    for name in ["run/a/x", "run/a/b/y", "run/ab", "run/c"] {
        place.write(&place.below(name), name);
    }
    symlink(place.folder.path(), place.below("run/a/out")).unwrap();
    symlink(place.folder.path().join("secret"), place.below("run/link")).unwrap();
    for name in ["run/a", "run/c", "run/link", "run/none", "run/ab/none"] {
        for _ in 0..2 {
            place.store.delete(&place.below(name)).await.unwrap();
        }
    }
    assert_eq!(fs::read_dir(place.below("run")).unwrap().count(), 1);
    assert_eq!(place.read(&place.below("run/ab")).await, Ok("run/ab".to_owned()));
    assert_eq!(fs::read_to_string(place.folder.path().join("secret")).unwrap(), "outside");
    // The store itself stays.
    assert_eq!(place.store.delete(&place.root).await.unwrap_err().kind, ErrorKind::InvalidArgument);
}

#[tokio::test]
async fn nothing_outside_is_reached_by_name() {
    let place = Place::new();
    place.write(&place.below("run/x"), "x");
    let elsewhere = [
        place.folder.path().join("secret").display().to_string(),
        place.below("../secret"),
        place.below("run/../../secret"),
        place.below("run/%2e%2e/%2E./secret"),
        place.below("..%2fsecret"),
        place.below("./run/x"),
        place.below("run/\0x"),
        format!("{}-other/x", place.root),
        format!("FILE://{}", place.below("run/x")),
        format!("file://localhost{}", place.below("run/x")),
        format!("file:{}", place.below("run/x")),
        format!("s3:/{}", place.below("run/x")),
        "gs://bucket/x".to_owned(),
        "run/x".to_owned(),
        String::new(),
    ];
    for uri in elsewhere {
        check_refused(&place, &uri).await;
    }
}

#[tokio::test]
async fn links_that_lead_out_are_not_followed() {
    let place = Place::new();
    place.write(&place.below("run/x"), "x");
    let links = [
        ("run/file", "../../secret"),
        ("run/folder", "../.."),
        ("run/round", "."),
        ("run/inside", "x"),
        ("run/broken", "none"),
    ];
    for (link, target) in links {
        symlink(target, place.below(link)).unwrap();
    }
    for uri in ["run/file", "run/folder", "run/folder/secret", "run/broken"] {
        check_refused_to_read(&place, &place.below(uri)).await;
    }
    assert_eq!(
        place.store.delete(&place.below("run/folder/secret")).await.unwrap_err().kind,
        ErrorKind::InvalidArgument
    );
    assert_eq!(place.read(&place.below("run/inside")).await, Ok("x".to_owned()));
    assert_eq!(place.listed(&place.below("run")).await, [("inside".to_owned(), 1), ("x".to_owned(), 1)]);
}

async fn check_refused(place: &Place, uri: &str) {
    check_refused_to_read(place, uri).await;
    let deleted = place.store.delete(uri).await;
    assert_eq!(deleted.unwrap_err().kind, ErrorKind::InvalidArgument, "{uri}");
    assert_eq!(place.store.check_root(uri).unwrap_err().kind, ErrorKind::InvalidArgument, "{uri}");
}

async fn check_refused_to_read(place: &Place, uri: &str) {
    assert_eq!(place.read(uri).await, Err(ErrorKind::InvalidArgument), "{uri}");
    assert_eq!(place.store.list(uri).await.unwrap_err().kind, ErrorKind::InvalidArgument, "{uri}");
    assert_eq!(place.store.local_path(uri), None, "{uri}");
}

#[tokio::test]
async fn roots_may_be_the_folder_or_lie_below_it() {
    let place = Place::new();
    for root in [
        place.root.clone(),
        format!("{}/", place.root),
        place.below("team/a"),
        format!("file://{}", place.root),
    ] {
        place.store.check_root(&root).unwrap();
    }
    // A folder that is reached through a link is known under both names.
    let link = place.folder.path().join("link");
    symlink("artifacts", &link).unwrap();
    let store = LocalArtifacts::open(&link).unwrap();
    assert_eq!(store.default_root(), place.root);
    store.check_root(&link.display().to_string()).unwrap();
    assert_eq!(store.local_path(&format!("{}/x", link.display())), Some(PathBuf::from(place.below("x"))));
}
