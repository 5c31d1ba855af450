//! What clients are told when something goes wrong: one table from kinds of errors to gRPC codes and HTTP statuses.
//!
//! The only module that knows HTTP status codes of errors. Handlers say [`ApiError`]; the transports ask the table.
//! An internal error never shows its text: it is logged with its cause, clients get a fixed sentence.

use std::error::Error;

use ferroflow_ports::{ErrorKind, PortError};
use hyper::StatusCode;
use serde_json::{Value, json};

/// Kinds of failures as gRPC names them; the discriminant is the number on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Code {
    /// The request itself is wrong.
    InvalidArgument = 3,
    /// It took too long.
    DeadlineExceeded = 4,
    /// No such thing, or no such path.
    NotFound = 5,
    /// The name is taken.
    AlreadyExists = 6,
    /// Refused, whoever asks.
    PermissionDenied = 7,
    /// Out of disk, memory or quota.
    ResourceExhausted = 8,
    /// The state of things forbids it.
    FailedPrecondition = 9,
    /// KFP's "bad request" class, and lost races.
    Aborted = 10,
    /// A known path with a wrong method, or a call that is not built.
    Unimplemented = 12,
    /// A defect, or the machine failed.
    Internal = 13,
    /// Not now.
    Unavailable = 14,
}

/// Code, HTTP status, and the words that KFP puts in front of the message (clients search logs for them).
const TABLE: [(Code, StatusCode, &str); 11] = [
    (Code::InvalidArgument, StatusCode::BAD_REQUEST, "Invalid input error: "),
    (Code::DeadlineExceeded, StatusCode::GATEWAY_TIMEOUT, ""),
    (Code::NotFound, StatusCode::NOT_FOUND, "ResourceNotFoundError: "),
    (Code::AlreadyExists, StatusCode::CONFLICT, "Already exist error: "),
    (Code::PermissionDenied, StatusCode::FORBIDDEN, ""),
    (Code::ResourceExhausted, StatusCode::TOO_MANY_REQUESTS, ""),
    (Code::FailedPrecondition, StatusCode::BAD_REQUEST, "Failed precondition error: "),
    (Code::Aborted, StatusCode::CONFLICT, "Bad request error: "),
    (Code::Unimplemented, StatusCode::NOT_IMPLEMENTED, ""),
    (Code::Internal, StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError: "),
    (Code::Unavailable, StatusCode::SERVICE_UNAVAILABLE, ""),
];

/// What clients read instead of the text of an internal error.
const INTERNAL_TEXT: &str = "Internal Server Error";

impl Code {
    fn row(self) -> (StatusCode, &'static str) {
        let found = TABLE.iter().find(|row| row.0 == self);
        found.map_or((StatusCode::INTERNAL_SERVER_ERROR, ""), |row| (row.1, row.2))
    }

    /// The number on the wire.
    pub(crate) fn number(self) -> i32 {
        self as i32
    }

    /// The HTTP status.
    pub(crate) fn http(self) -> StatusCode {
        self.row().0
    }
}

impl From<ErrorKind> for Code {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::AlreadyExists => Self::AlreadyExists,
            ErrorKind::InvalidArgument => Self::InvalidArgument,
            ErrorKind::FailedPrecondition => Self::FailedPrecondition,
            ErrorKind::Aborted => Self::Aborted,
            ErrorKind::ResourceExhausted => Self::ResourceExhausted,
            ErrorKind::Unavailable => Self::Unavailable,
            ErrorKind::Unimplemented => Self::Unimplemented,
            ErrorKind::Internal => Self::Internal,
        }
    }
}

/// A failed call, whatever the transport.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct ApiError {
    /// What kind.
    pub(crate) code: Code,
    message: String,
    #[source]
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl ApiError {
    /// An error with a sentence for people.
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), cause: None }
    }

    /// The request is wrong.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, message)
    }

    /// There is no `what` of this id.
    pub(crate) fn not_found(what: &str, id: &str) -> Self {
        PortError::not_found(what, id).into()
    }

    /// A defect of the server.
    pub(crate) fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { code: Code::Internal, message: INTERNAL_TEXT.to_owned(), cause: Some(cause.into()) }
    }

    /// What clients may read: one sentence, without internals.
    pub(crate) fn public_text(&self) -> &str {
        if self.code == Code::Internal { INTERNAL_TEXT } else { &self.message }
    }

    /// What the log gets: the sentence and every cause below it.
    pub(crate) fn full_text(&self) -> String {
        let mut text = self.message.clone();
        let mut next = self.source();
        while let Some(cause) = next {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            next = cause.source();
        }
        text
    }

    /// Tells the log: as an error if it is the server's fault.
    pub(crate) fn log(&self) {
        if self.code == Code::Internal {
            tracing::error!(error = self.full_text(), "request failed");
        } else {
            tracing::debug!(code = self.code.number(), error = self.full_text(), "request refused");
        }
    }

    /// What clients may read, behind the words that KFP puts in front.
    pub(crate) fn chain_text(&self) -> String {
        format!("{}{}", self.code.row().1, self.public_text())
    }

    /// The `google.rpc.Status` JSON that the REST gateway of KFP answers with.
    pub(crate) fn status_json(&self) -> Value {
        let text = self.public_text();
        json!({
            "code": self.code.number(),
            "message": self.chain_text(),
            "details": [{
                "@type": "type.googleapis.com/google.rpc.Status",
                "code": self.code.number(),
                "message": text,
            }],
        })
    }

    /// The payload of the routes outside the protos (uploads, logs). `context` says what failed.
    pub(crate) fn plain_json(&self, context: &str) -> Value {
        json!({ "error_message": format!("{context}: {}", self.public_text()), "error_details": self.public_text() })
    }
}

impl From<PortError> for ApiError {
    fn from(error: PortError) -> Self {
        Self { code: error.kind.into(), message: error.to_string(), cause: error.source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_kfp() {
        let expected = [
            (ErrorKind::InvalidArgument, 3, 400),
            (ErrorKind::NotFound, 5, 404),
            (ErrorKind::AlreadyExists, 6, 409),
            (ErrorKind::ResourceExhausted, 8, 429),
            (ErrorKind::FailedPrecondition, 9, 400),
            (ErrorKind::Aborted, 10, 409),
            (ErrorKind::Unimplemented, 12, 501),
            (ErrorKind::Internal, 13, 500),
            (ErrorKind::Unavailable, 14, 503),
        ];
        for (kind, number, http) in expected {
            let code = Code::from(kind);
            assert_eq!((code.number(), code.http().as_u16()), (number, http), "{kind:?}");
        }
    }

    #[test]
    fn internals_stay_inside() {
        let beneath = std::io::Error::other("disk /dev/secret on fire");
        let error: ApiError = PortError::new(ErrorKind::Internal, "SELECT failed").caused_by(beneath).into();
        assert!(error.full_text().contains("SELECT failed: disk /dev/secret on fire"));
        for shown in [error.status_json(), error.plain_json("Failed to upload pipeline")] {
            let shown = shown.to_string();
            assert!(
                shown.contains("Internal Server Error")
                    && !shown.contains("SELECT")
                    && !shown.contains("secret")
            );
        }
    }
}
