//! Artifact store over a local folder.
