//! What the port promises, written against the traits alone, so that every database can be held to it.

pub(crate) mod experiments;
pub(crate) mod lists;
pub(crate) mod pipelines;
pub(crate) mod recurring;
pub(crate) mod runs;
pub(crate) mod samples;
pub(crate) mod steps;

use ferroflow_ports::{ErrorKind, PortError};

/// The error must be of this kind and mention this text.
pub(crate) fn check_refused<T: std::fmt::Debug>(result: Result<T, PortError>, kind: ErrorKind, text: &str) {
    let error = result.expect_err("must be refused");
    assert_eq!(error.kind, kind, "{error}");
    assert!(error.message.contains(text), "`{error}` does not mention `{text}`");
}
