//! The Ferroflow binary: wiring, command line, printing. No rules of pipelines or runs are here.
//!
//! One file for each verb in `commands`; what is connected to what stands in `wiring`; every variable of the
//! environment that matters is read in `environment` or named beside its flag. Exit codes: 0 all went well, 1 the run
//! failed or the machine did, 2 bad usage or a bad pipeline.

mod clock;
mod commands;
mod containers;
mod data_folder;
mod environment;
mod exit;
mod installation;
mod page_key;
mod pinned_tls;
mod pipeline_file;
mod printing;
mod run;
mod samples;
mod server_client;
mod signals;
mod stores;
mod tracing_setup;
mod wiring;

use std::process::ExitCode;

fn main() -> ExitCode {
    // The supervisor outlives everybody and stays as small as it was born: it goes before all set-up and any thread.
    let asked = commands::supervisor::run_if_asked()
        .or_else(commands::entry::run_if_asked)
        .or_else(commands::contain::run_if_asked);
    if let Some(code) = asked {
        return code;
    }
    exit::code_of(commands::dispatch())
}
