//! Where the things of one attempt lie on this machine.

use serde::{Deserialize, Serialize};

/// Folders of one attempt. All paths are absolute and without a final slash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    /// Files of output parameters: KFP's `/tmp/kfp/outputs`.
    pub parameters: String,
    /// The workspace that the tasks of a run share: KFP's `/kfp-workspace`.
    pub workspace: String,
    /// How URIs become paths.
    pub mapping: Mapping,
}

impl Places {
    /// The file for an output parameter. Names are only ever one step below the folder.
    pub fn parameter_file(&self, name: &str) -> String {
        let step = name.replace(['/', '\0'], "_");
        let guard = if step.is_empty() || step.starts_with('.') { "_" } else { "" };
        format!("{}/{guard}{step}", self.parameters)
    }
}

/// How the URIs of artifacts and the paths that user code opens correspond.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// Places of other stores that are mirrored on this machine. The longest fitting prefix wins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roots: Vec<MappedRoot>,
    /// What user code gets to see.
    #[serde(default)]
    pub shown: ShownUris,
}

/// A prefix of URIs and the folder that mirrors it; both without a final slash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappedRoot {
    /// Such as `s3://lab/root`.
    pub uri: String,
    /// Such as `/data/attempts/7/roots/0`.
    pub folder: String,
}

/// Which URIs user code sees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShownUris {
    /// The real ones; the slim runtime is told the mapping.
    #[default]
    Real,
    /// Paths in place of URIs, mapped back on the way out: for code that maps `s3://` to `/s3/` by itself.
    Paths,
}

impl Mapping {
    /// The path behind a URI; `None` if its bytes are not on this machine.
    pub fn local_path(&self, uri: &str) -> Option<String> {
        let below = |root: &MappedRoot| Some(format!("{}{}", root.folder, suffix(uri, &root.uri)?));
        let mapped = self.roots.iter().filter(|root| suffix(uri, &root.uri).is_some());
        if let Some(root) = mapped.max_by_key(|root| root.uri.len()) {
            return below(root);
        }
        match uri.strip_prefix("file://") {
            Some(path) if path.starts_with('/') => Some(path.to_owned()),
            _ => uri.starts_with('/').then(|| uri.to_owned()),
        }
    }

    /// The URI as user code sees it.
    pub fn shown(&self, uri: &str) -> String {
        match self.shown {
            ShownUris::Real => uri.to_owned(),
            ShownUris::Paths => self.local_path(uri).unwrap_or_else(|| uri.to_owned()),
        }
    }

    /// The real URI of one that user code wrote.
    pub fn real(&self, shown: &str) -> String {
        let mirrored = self.roots.iter().filter(|root| suffix(shown, &root.folder).is_some());
        match mirrored.max_by_key(|root| root.folder.len()) {
            Some(root) => format!("{}{}", root.uri, suffix(shown, &root.folder).unwrap_or_default()),
            None => shown.to_owned(),
        }
    }
}

/// What follows `prefix`, if `text` is the prefix itself or lies below it.
fn suffix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    text.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}
