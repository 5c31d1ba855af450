//! Exit codes, and how an error is told.

use std::io;
use std::process::ExitCode;

use crate::printing;

/// How a command went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All went well: 0.
    Success,
    /// The run failed, or a check found something wrong with this machine: 1. It has been said already.
    Failed,
    /// The pipeline or an argument is wrong: 2. It has been said already.
    Refused,
}

/// What the user gave is wrong: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct UsageError(pub(crate) String);

/// Tells an error, if there is one, and gives the code for the shell.
pub(crate) fn code_of(result: anyhow::Result<Outcome>) -> ExitCode {
    match result {
        Ok(Outcome::Success) => ExitCode::SUCCESS,
        Ok(Outcome::Failed) => ExitCode::FAILURE,
        Ok(Outcome::Refused) => ExitCode::from(2),
        // Whoever reads the output has had enough; nothing is left to be said to anybody.
        Err(error) if is_broken_pipe(&error) => ExitCode::FAILURE,
        Err(error) => {
            printing::error_line(&format!("error: {error:#}"));
            if error.is::<UsageError>() { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
