//! `ferroflow logs RUN TASK`: the log of a task, all attempts in order.
//!
//! From the server that holds the data directory. Without one the files are read as they are, which also works while a
//! `ferroflow run` is at work; then a followed log ends with that process.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use ferroflow_model::{AttemptId, RunId, TaskPath};
use ferroflow_ports::view::TaskKey;
use ferroflow_ports::view::TaskViews as _;
use ferroflow_server::tasks::task_named;
use ferroflow_store::SqliteStore;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use super::{DataArguments, parse_run};
use crate::data_folder::{DataFolder, LockAttempt};
use crate::exit::{Outcome, UsageError};
use crate::run::place::refusal;
use crate::run::records::Records;
use crate::server_client::ServerClient;
use crate::tracing_setup;

/// How often a file that grows is looked at again.
const LOOK_PAUSE: Duration = Duration::from_millis(200);

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Id of the run
    #[arg(value_name = "RUN", value_parser = parse_run)]
    run: RunId,
    /// The task: its id or path, such as `for-loop-1/0/train`
    #[arg(value_name = "TASK")]
    task: String,
    /// Go on until the task has ended
    #[arg(short, long)]
    follow: bool,
    #[command(flatten)]
    data: DataArguments,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    tracing_setup::start()?;
    super::on_one_thread(print(arguments))
}

async fn print(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let folder = arguments.data.folder()?;
    folder.create()?;
    // A `ferroflow run` at work serves nobody, but its files can be read.
    if matches!(folder.try_lock()?, LockAttempt::Held(holder) if holder.as_ref().is_none_or(|holder| holder.address.is_none()))
    {
        return tail(&folder, arguments).await;
    }
    match Records::find(&folder).await? {
        Records::Server(client) => from_server(&client, arguments).await,
        Records::Here { store, .. } => from_files(&folder, &store, arguments).await,
    }
}

async fn from_server(client: &ServerClient, arguments: &Arguments) -> anyhow::Result<Outcome> {
    let run = arguments.run.to_string();
    let task = client.of_task(&run, &arguments.task, "").await?;
    let id = task.pointer("/state/task_id").and_then(serde_json::Value::as_str);
    let id = id.context("the server's answer names no task")?;
    let log = match client.log(&run, id, arguments.follow).await {
        Err(error) if error.is::<UsageError>() => client.shown_log(&run, &arguments.task).await?,
        log => log?,
    };
    copy(log).await
}

async fn copy(mut log: Incoming) -> anyhow::Result<Outcome> {
    while let Some(frame) = log.frame().await {
        let frame = frame.context("the server broke off the log")?;
        if let Some(bytes) = frame.data_ref() {
            write(bytes)?;
        }
    }
    Ok(Outcome::Success)
}

/// Nothing is at work in the directory, so what is there is all.
async fn from_files(
    folder: &DataFolder,
    store: &SqliteStore,
    arguments: &Arguments,
) -> anyhow::Result<Outcome> {
    let mut task = task_named(store, arguments.run, &arguments.task).await.map_err(refusal)?;
    if let Some(origin) = task.cached_from {
        let gone = || UsageError("the run that made these results was removed with its logs".to_owned());
        let origin = store.executions(&[origin]).await?.pop().ok_or_else(gone)?;
        task = store.task(origin.run_id, TaskKey::Path(origin.path)).await.map_err(refusal)?;
    }
    let mut found = false;
    for attempt in 1..=task.attempt {
        let file = log_file(folder, &AttemptId { run: task.run_id, path: task.path.clone(), attempt });
        if let Ok(mut file) = File::open(file) {
            found = true;
            io::copy(&mut file, &mut io::stdout().lock())?;
        }
    }
    if found { Ok(Outcome::Success) } else { Err(no_log(arguments).into()) }
}

/// Attempt by attempt while another process is at work.
async fn tail(folder: &DataFolder, arguments: &Arguments) -> anyhow::Result<Outcome> {
    let path =
        if arguments.task.contains('/') { arguments.task.clone() } else { arguments.task.replace('.', "/") };
    let path = TaskPath::new(path);
    let mut attempt = 1;
    let mut open: Option<File> = None;
    let mut found = false;
    loop {
        let is_over = !arguments.follow || !matches!(folder.try_lock()?, LockAttempt::Held(_));
        // What was written before the process ended is still to be read.
        loop {
            if let Some(file) = &mut open {
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes)?;
                write(&bytes)?;
            }
            let Ok(next) =
                File::open(log_file(folder, &AttemptId { run: arguments.run, path: path.clone(), attempt }))
            else {
                break;
            };
            found = true;
            attempt += 1;
            open = Some(next);
        }
        if is_over {
            break;
        }
        tokio::time::sleep(LOOK_PAUSE).await;
    }
    if found { Ok(Outcome::Success) } else { Err(no_log(arguments).into()) }
}

fn no_log(arguments: &Arguments) -> UsageError {
    UsageError(format!("task `{}` of this run has no log", arguments.task))
}

fn log_file(folder: &DataFolder, id: &AttemptId) -> PathBuf {
    ferroflow_executor_local::log_file(folder.path(), id)
}

fn write(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}
