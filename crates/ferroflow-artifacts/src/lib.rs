//! Artifact stores: a local folder, stores elsewhere, and files of the web. [`Artifacts`] is all of them.
//!
//! Roots are plain absolute paths: then an artifact's `uri` and `path` are the same text in user code, with our slim
//! runtime and with the real `kfp` alike, and `dsl.get_uri` gives a folder that can be written to. The same place as
//! `file://<path>` is understood too. No percent codes are decoded: a URI is the name of the file, character by
//! character.
//!
//! Nothing outside of the root is ever read or removed, be it named by `..`, by another scheme, or reached through a
//! symbolic link. Writing is not done here: user code writes to [`ArtifactStore::local_path`] in place.
//! [`WebFetcher`] fetches files of the web for clients, within rules.
//! Files whose name ends in `#` and digits are not seen; the store underneath keeps such names for itself.

mod folder;
mod place;
mod remote;
mod stores;
mod walk;
mod web;

pub use folder::LocalArtifacts;
pub use remote::{Access, Providers};
pub use stores::Artifacts;
pub use web::{WebFetcher, WebRules};

#[cfg(doc)]
use ferroflow_ports::ArtifactStore;
