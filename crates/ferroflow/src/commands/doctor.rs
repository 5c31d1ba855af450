//! `ferroflow doctor`: what is there on this machine, what is missing, and what that means.

use std::path::PathBuf;

use ferroflow_executor_docker::Daemon;
use ferroflow_executor_local::is_supervisor_running;
use ferroflow_executor_local::python::PythonTasks;

use super::{DataArguments, ExecutorKind, TaskArguments};
use crate::data_folder::{DataFolder, Holder};
use crate::exit::Outcome;
use crate::installation::{free_bytes, gibibytes};
use crate::{environment, printing, wiring};

/// Less free space than this is told as a problem.
const LITTLE_SPACE_BYTES: u64 = 1 << 30;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    data: DataArguments,
    #[command(flatten)]
    tasks: TaskArguments,
}

/// One thing that was looked at.
struct Finding {
    name: &'static str,
    is_problem: bool,
    text: String,
}

impl Finding {
    fn good(name: &'static str, text: impl Into<String>) -> Self {
        Self { name, is_problem: false, text: text.into() }
    }

    fn bad(name: &'static str, text: impl Into<String>) -> Self {
        Self { name, is_problem: true, text: text.into() }
    }
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let folder = arguments.data.folder()?;
    let findings = [
        python(&folder, &arguments.tasks)?,
        uv(),
        docker(&arguments.tasks),
        data(&folder)?,
        disk(&folder),
        supervisor(&folder),
    ];
    for finding in &findings {
        let mark = if finding.is_problem { "problem" } else { "ok" };
        printing::line(&format!("{mark:<8} {:<11} {}", finding.name, finding.text))?;
    }
    let has_problem = findings.iter().any(|finding| finding.is_problem);
    Ok(if has_problem { Outcome::Failed } else { Outcome::Success })
}

fn python(folder: &DataFolder, tasks: &TaskArguments) -> anyhow::Result<Finding> {
    let tasks = PythonTasks::new(folder.path(), wiring::python_options(tasks)?);
    Ok(match tasks.describe() {
        Ok(text) => Finding::good("python", text),
        Err(error) => Finding::bad("python", error.to_string()),
    })
}

fn uv() -> Finding {
    match find_program("uv") {
        Some(path) => {
            Finding::good("uv", format!("{}: packages of tasks are installed with it", path.display()))
        }
        None => {
            Finding::good("uv", "not found: packages of tasks are installed with pip, which takes longer")
        }
    }
}

fn docker(tasks: &TaskArguments) -> Finding {
    let host = environment::docker_host();
    let facts = async { Daemon::reach(&host).await?.facts().await };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return Finding::bad("docker", error.to_string()),
    };
    let is_needed = tasks.executor != ExecutorKind::Process;
    match runtime.block_on(facts) {
        Ok(facts) => {
            let kind = if facts.is_rootless { ", rootless" } else { "" };
            let use_of_it =
                if is_needed { "runs tasks" } else { "runs tasks with `--executor docker` or `auto`" };
            Finding::good("docker", format!("daemon {}{kind} at {host}: {use_of_it}", facts.version))
        }
        Err(error) if is_needed => Finding::bad("docker", error.to_string()),
        Err(error) => Finding::good("docker", format!("not needed, tasks run as processes ({error})")),
    }
}

fn data(folder: &DataFolder) -> anyhow::Result<Finding> {
    let path = folder.path().display();
    if !folder.path().exists() {
        return Ok(Finding::good("data", format!("{path} will be made by the first run")));
    }
    if rustix::fs::access(folder.path(), rustix::fs::Access::WRITE_OK).is_err() {
        return Ok(Finding::bad("data", format!("{path} cannot be written: give another `--data-dir`")));
    }
    Ok(Finding::good(
        "data",
        match folder.holder()? {
            None => format!("{path}, in use by nobody"),
            Some(Holder { pid, address: Some(address), .. }) => {
                format!("{path}, served at {address} (process {pid})")
            }
            Some(Holder { pid, address: None, .. }) => format!("{path}, in use by process {pid}"),
        },
    ))
}

fn disk(folder: &DataFolder) -> Finding {
    match free_bytes(folder.path()) {
        Ok(free) => {
            let text = format!("{:.1} GiB free for the data directory", gibibytes(free));
            if free < LITTLE_SPACE_BYTES { Finding::bad("disk", text) } else { Finding::good("disk", text) }
        }
        Err(error) => Finding::bad("disk", format!("the free space is unknown: {error}")),
    }
}

fn supervisor(folder: &DataFolder) -> Finding {
    if is_supervisor_running(folder.path()) {
        Finding::good("supervisor", "runs for this data directory")
    } else {
        Finding::good("supervisor", "none runs: it is started with the first server or run")
    }
}

fn find_program(name: &str) -> Option<PathBuf> {
    let is_program =
        |path: &PathBuf| rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok() && path.is_file();
    environment::search_path().into_iter().map(|folder| folder.join(name)).find(is_program)
}
