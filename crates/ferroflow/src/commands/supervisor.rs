//! `ferroflow supervisor --data-dir DIR`: the process that starts user code and waits for it. Servers start it;
//! nobody types it.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use crate::printing;

/// Runs the supervisor if the command line asks for it. There is no thread and no runtime yet, and none comes.
pub(crate) fn run_if_asked() -> Option<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    if words.next()? != "supervisor" {
        return None;
    }
    let words: Vec<OsString> = words.collect();
    let [flag, data_dir] = words.as_slice() else { return Some(usage()) };
    if flag != "--data-dir" {
        return Some(usage());
    }
    Some(match ferroflow_executor_local::run_supervisor(Path::new(data_dir)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            printing::error_line(&format!("error: {:#}", anyhow::Error::from(error)));
            ExitCode::FAILURE
        }
    })
}

fn usage() -> ExitCode {
    printing::error_line("usage: ferroflow supervisor --data-dir DIR (started by the server itself)");
    ExitCode::from(2)
}
