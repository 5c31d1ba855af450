//! What can be wrong with a command, and with what user code left behind.

/// Why the words of a process cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// A word names an input parameter without a value.
    #[error(
        "`{placeholder}` in the command names input `{name}`, which has no value; give it one or a default"
    )]
    MissingInput {
        /// The placeholder as written.
        placeholder: String,
        /// The input.
        name: String,
    },
    /// The place of the outputs is at a store whose files are not on this machine.
    #[error("`{uri}` has no local path; use a pipeline root that this executor serves")]
    NoLocalPath {
        /// The URI.
        uri: String,
    },
}

/// Why a task that exited with code 0 did not hand over its outputs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutputProblem {
    /// The metadata file is not what it must be.
    #[error("the output metadata file {0}")]
    Metadata(String),
    /// Nothing was written.
    #[error("output parameter `{name}` was not written: the task ended without giving it a value")]
    Missing {
        /// The output.
        name: String,
    },
    /// The text does not fit the declared type.
    #[error("output parameter `{name}` must be {expected}, but the task wrote `{text}`")]
    Mismatch {
        /// The output.
        name: String,
        /// Type in words, with KFP's name.
        expected: &'static str,
        /// What was written, shortened.
        text: String,
    },
    /// The file could not be read.
    #[error("output parameter `{name}` cannot be read: {reason}")]
    Unreadable {
        /// The output.
        name: String,
        /// Why.
        reason: String,
    },
}
