//! What tests start as processes of their own: a supervisor, or a server that can be killed.
//!
//! `supervisor --data-dir DIR` or `server FOLDER TASK WORD...`; the server starts the words as an attempt, says so on
//! its output and goes on until it is killed.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "it is part of the tests")]

#[path = "attempt.rs"]
mod attempt;
#[path = "folder.rs"]
mod folder;

use std::path::Path;

use ferroflow_executor_local::{LocalExecutor, run_supervisor};
use ferroflow_ports::Executor;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["supervisor", "--data-dir", data_dir] => run_supervisor(Path::new(data_dir)).unwrap(),
        ["enter", file] => panic!("{}", ferroflow_executor_local::entry::enter(Path::new(file))),
        ["server", folder, task, command @ ..] => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(serve(Path::new(folder), task, command));
        }
        other => panic!("unknown words {other:?}"),
    }
}

async fn serve(folder: &Path, task: &str, command: &[&str]) {
    let program = std::env::current_exe().unwrap();
    let options = attempt::options(folder, program.to_str().unwrap(), std::env::vars().collect());
    let executor = LocalExecutor::start(options).await.unwrap();
    let root = folder.join("store").display().to_string();
    executor.ensure_started(attempt::attempt(task, &root, command)).await.unwrap();
    println!("started");
    while let Some(report) = executor.next_report().await {
        println!("{report:?}");
    }
}
