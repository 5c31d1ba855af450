//! `ferroflow check FILE…`: all problems of pipeline files, each with its place and what to do about it.

use std::path::PathBuf;

use crate::exit::Outcome;
use crate::{pipeline_file, printing};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Pipeline files: YAML, JSON, zip or tar.gz
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::Success;
    for path in &arguments.files {
        match pipeline_file::read(path) {
            Ok(Ok(document)) => {
                printing::line(&format!("{}: `{}` is fine", path.display(), document.spec.name))?;
            }
            Ok(Err(problems)) => {
                outcome = Outcome::Refused;
                for problem in &problems.0 {
                    printing::line(&pipeline_file::describe(path, problem))?;
                }
            }
            // One unreadable file is no reason to leave out the others.
            Err(error) => {
                outcome = Outcome::Refused;
                printing::error_line(&format!("error: {error:#}"));
            }
        }
    }
    Ok(outcome)
}
