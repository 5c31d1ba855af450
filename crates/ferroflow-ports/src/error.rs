//! One error for all ports: what kind, and a sentence.

/// Kinds of errors; the server maps them to gRPC and HTTP codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// No such thing.
    NotFound,
    /// The name or id is taken.
    AlreadyExists,
    /// The request itself is wrong.
    InvalidArgument,
    /// The request is fine, the state of things is not.
    FailedPrecondition,
    /// Someone else was faster, or the state forbids it (KFP's "bad request" class).
    Aborted,
    /// Out of disk, memory or quota.
    ResourceExhausted,
    /// Not now; trying again may help.
    Unavailable,
    /// Not built.
    Unimplemented,
    /// A defect, or the machine failed.
    Internal,
}

/// An error of a port.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct PortError {
    /// What kind.
    pub kind: ErrorKind,
    /// One sentence, lower case, no final stop; safe to show to clients unless the kind is internal.
    pub message: String,
    /// What lies beneath.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl PortError {
    /// An error without a deeper cause.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// `<type> <id> not found`.
    pub fn not_found(what: &str, id: impl std::fmt::Display) -> Self {
        Self::new(ErrorKind::NotFound, format!("{what} `{id}` not found"))
    }

    /// Adds the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Whether trying again may help.
    pub fn is_retryable(&self) -> bool {
        self.kind == ErrorKind::Unavailable
    }
}
