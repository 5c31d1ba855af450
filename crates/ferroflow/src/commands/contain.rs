//! `ferroflow contain FILE`: the process of a task that runs in a container. The supervisor starts it; nobody types it.

use std::path::Path;
use std::process::ExitCode;

use crate::printing;

/// Runs a container if the command line asks for it.
pub(crate) fn run_if_asked() -> Option<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    if words.next()? != ferroflow_executor_local::container::WORD {
        return None;
    }
    let (Some(file), None) = (words.next(), words.next()) else {
        printing::error_line("usage: ferroflow contain FILE (started by the supervisor)");
        return Some(ExitCode::from(2));
    };
    Some(ExitCode::from(ferroflow_executor_docker::contain(Path::new(&file))))
}
