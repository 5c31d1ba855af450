//! `ferroflow enter FILE`: what some tasks begin with before they become user code. The supervisor starts it; nobody
//! types it.

use std::path::Path;
use std::process::ExitCode;

use crate::printing;

/// Begins a task if the command line asks for it. There is no thread and no runtime yet, and none comes.
pub(crate) fn run_if_asked() -> Option<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    if words.next()? != "enter" {
        return None;
    }
    let (Some(file), None) = (words.next(), words.next()) else {
        printing::error_line("usage: ferroflow enter FILE (started by the supervisor)");
        return Some(ExitCode::from(2));
    };
    let error = ferroflow_executor_local::entry::enter(Path::new(&file));
    printing::error_line(&format!("error: {error}"));
    Some(ExitCode::from(ferroflow_executor_local::entry::FAILED))
}
