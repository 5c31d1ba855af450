//! Where user code finds the artifacts of stores that name them by other URIs than paths.

use std::path::Path;

use ferroflow_engine::TaskAttempt;
use ferroflow_launcher::protocol::{MappedRoot, Mapping, ShownUris};
use ferroflow_model::Artifact;
use ferroflow_ports::ArtifactStore;

use crate::executor::Settings;

/// Stores whose artifacts KFP shows below a fixed folder, and that folder.
const FIXED: [(&str, &str); 7] = [
    ("gs:/", "gcs"),
    ("s3:/", "s3"),
    ("minio:/", "minio"),
    ("azblob:/", "azblob"),
    ("az:/", "az"),
    ("abfs:/", "abfs"),
    ("abfss:/", "abfss"),
];

/// Images, of which tasks see the folder `/models`.
pub(crate) const IMAGE: &str = "oci://";
/// Files of the web, which are fetched for the task.
pub(crate) const WEB: [&str; 2] = ["http://", "https://"];
/// Key of KFP's in the metadata of artifacts that tasks are to find in the workspace of their run.
const IN_WORKSPACE: &str = "_kfp_workspace";

/// The folder of an image in a local store of images, `images`.
pub(crate) fn image_folder(images: &str, uri: &str) -> String {
    format!("{images}/{}", uri.strip_prefix(IMAGE).unwrap_or(uri).replace('/', "_"))
}

/// The file in which something of the web is kept for the tasks of a run.
pub(crate) fn web_file(workspace: &str, uri: &str) -> String {
    let plain = uri.split(['?', '#']).next().unwrap_or_default();
    let name = plain.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let name = if name.is_empty() || name.starts_with('.') { "file" } else { name };
    let hash = blake3::hash(uri.as_bytes()).to_hex();
    format!("{workspace}/.artifacts/web/{}/{name}", hash.get(..32).unwrap_or_default())
}

/// Where the content of an input is, and where in the workspace of its run it is to be: for inputs that the pipeline
/// wants there, if they are on this machine.
pub(crate) fn workspace_copy(
    artifact: &Artifact,
    artifacts: &dyn ArtifactStore,
    workspace: &str,
) -> Option<(String, String)> {
    artifact.metadata.get(IN_WORKSPACE).filter(|flag| **flag == true)?;
    let plain = || Some(artifact.uri.strip_prefix("file://").unwrap_or(&artifact.uri).to_owned());
    let source = store_path(artifacts, &artifact.uri).or_else(plain).filter(|path| path.starts_with('/'))?;
    // Each in a folder of its own: one may lie within another.
    let name = source.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let hash = blake3::hash(source.as_bytes()).to_hex();
    let target = format!("{workspace}/.artifacts/local/{}/{name}", hash.get(..32).unwrap_or_default());
    Path::new(&source).exists().then_some((source, target))
}

/// How the URIs of this attempt become paths: where the store has the bytes on this machine, else below the attempt's
/// own folder. The place of outputs is only mapped if the store serves it, so that nothing is lost unseen.
pub(crate) fn mapping(
    attempt: &TaskAttempt,
    settings: &Settings,
    scratch: &str,
    shown: ShownUris,
) -> Mapping {
    let mut mapping = Mapping { roots: Vec::new(), shown };
    let inputs = || attempt.inputs.artifacts.values().flatten().map(|artifact| artifact.uri.as_str());
    for uri in std::iter::once(attempt.task_root.as_str()).chain(inputs()) {
        if mapping.local_path(uri).is_none()
            && let Some(path) = store_path(settings.artifacts.as_ref(), uri)
        {
            mapping.roots.push(common_root(uri, &path));
        }
    }
    let is_elsewhere = settings.artifacts.is_elsewhere(&attempt.task_root);
    if mapping.local_path(&attempt.task_root).is_none() && !is_elsewhere {
        return mapping;
    }
    let root = is_elsewhere.then_some(attempt.task_root.as_str());
    for (prefix, folder) in FIXED {
        let mut uris = inputs().chain(root);
        if uris.any(|uri| uri.starts_with(prefix) && mapping.local_path(uri).is_none()) {
            mapping.roots.push(MappedRoot { uri: prefix.to_owned(), folder: format!("{scratch}/{folder}") });
        }
    }
    let (images, workspace) = (settings.layout.images(), settings.layout.workspace(attempt.id.run));
    for artifact in attempt.inputs.artifacts.values().flatten() {
        if let Some((_, folder)) = workspace_copy(artifact, settings.artifacts.as_ref(), &workspace) {
            mapping.roots.push(MappedRoot { uri: artifact.uri.clone(), folder });
        }
    }
    for uri in inputs() {
        let file = if uri.starts_with(IMAGE) {
            format!("{}/models", image_folder(&images, uri))
        } else if WEB.iter().any(|scheme| uri.starts_with(scheme)) {
            web_file(&workspace, uri)
        } else {
            continue;
        };
        if mapping.local_path(uri).is_none() {
            mapping.roots.push(MappedRoot { uri: uri.to_owned(), folder: file });
        }
    }
    mapping
}

/// What the slim runtime is told of it, as JSON; `None` if there is nothing to tell.
pub(crate) fn local_roots(mapping: &Mapping) -> Option<String> {
    let mut entries = serde_json::Map::new();
    for MappedRoot { uri, folder } in &mapping.roots {
        let image = folder.strip_suffix("/models").and_then(|image| image.rsplit_once('/'));
        if let Some((images, _)) = image.filter(|_| uri.starts_with(IMAGE)) {
            // The runtime goes on from there by itself.
            entries.insert(IMAGE.to_owned(), images.into());
        } else {
            entries.insert(format!("{uri}/"), folder.as_str().into());
            entries.insert(uri.clone(), folder.as_str().into());
        }
    }
    (!entries.is_empty()).then(|| serde_json::Value::Object(entries).to_string())
}

fn store_path(artifacts: &dyn ArtifactStore, uri: &str) -> Option<String> {
    artifacts.local_path(uri)?.into_os_string().into_string().ok()
}

/// The highest place from which on URI and path run alike: one entry then serves all artifacts of a bucket.
fn common_root(uri: &str, path: &str) -> MappedRoot {
    let (mut uri, mut folder) = (uri.trim_end_matches('/'), path.trim_end_matches('/'));
    while let (Some((uri_above, uri_name)), Some((folder_above, folder_name))) =
        (uri.rsplit_once('/'), folder.rsplit_once('/'))
        && uri_name == folder_name
        && !folder_above.is_empty()
        && uri_above.split_once("://").is_some_and(|(_, rest)| !rest.is_empty())
    {
        (uri, folder) = (uri_above, folder_above);
    }
    MappedRoot { uri: uri.to_owned(), folder: folder.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::common_root;

    #[track_caller]
    fn check(uri: &str, path: &str, root: &str, folder: &str) {
        let found = common_root(uri, path);
        assert_eq!((found.uri.as_str(), found.folder.as_str()), (root, folder));
    }

    #[test]
    fn one_entry_serves_a_bucket() {
        check("minio://b/v2/p/run/t", "/data/minio/b/v2/p/run/t", "minio://b", "/data/minio/b");
        check("s3://b/v2/p", "/data/store/p", "s3://b/v2", "/data/store");
        check("s3://b/x/y", "/x/y", "s3://b/x", "/x");
        check("gs://b/one", "/other", "gs://b/one", "/other");
    }
}
