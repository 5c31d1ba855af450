//! A folder, an executor on it, and how to ask both.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ferroflow_engine::{AttemptOutcome, TaskAttempt};
use ferroflow_executor_local::{LocalExecutor, LocalOptions};
use ferroflow_ports::Executor;
use ferroflow_ports::executor::Report;
use futures_util::StreamExt;
use tempfile::TempDir;

use crate::attempt::{attempt, id, options};

/// Nothing in these tests takes as long, unless it never ends.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_ferroflow-test-program");

pub(crate) struct House {
    pub(crate) executor: Arc<LocalExecutor>,
    pub(crate) folder: TempDir,
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(|_| ()).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut LocalOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let executor = open(folder.path(), change).await;
        Self { executor, folder }
    }

    /// As if the server had ended, and another one came.
    pub(crate) async fn reopen(self) -> Self {
        drop(self.executor);
        let executor = open(self.folder.path(), |_| ()).await;
        Self { executor, folder: self.folder }
    }

    pub(crate) fn root(&self) -> String {
        self.folder.path().join("store").display().to_string()
    }

    pub(crate) fn data(&self, path: &str) -> PathBuf {
        self.folder.path().join("data").join(path)
    }

    pub(crate) fn attempt(&self, task: &str, command: &[&str]) -> TaskAttempt {
        attempt(task, &self.root(), command)
    }

    pub(crate) async fn start(&self, task: &str, command: &[&str]) {
        self.executor.ensure_started(self.attempt(task, command)).await.unwrap();
    }

    pub(crate) async fn report(&self) -> Report {
        in_time(self.executor.next_report()).await.unwrap()
    }

    /// The end of this task, which must be the next one to end.
    pub(crate) async fn end(&self, task: &str) -> AttemptOutcome {
        loop {
            if let Report::Ended { id: ended, outcome, .. } = self.report().await {
                assert_eq!(ended, id(task), "{outcome:?}");
                return outcome;
            }
        }
    }

    /// The message of its failure.
    pub(crate) async fn failure(&self, task: &str) -> String {
        match self.end(task).await {
            AttemptOutcome::Failed { error } => error.message,
            other => panic!("{task}: {other:?}"),
        }
    }

    /// The end of an attempt after it was started.
    pub(crate) async fn run(&self, attempt: TaskAttempt) -> AttemptOutcome {
        let task = attempt.task_name.clone();
        self.executor.ensure_started(attempt).await.unwrap();
        self.end(&task).await
    }

    /// How many scratch folders hold anything.
    pub(crate) fn left_behind(&self) -> usize {
        let folders = std::fs::read_dir(self.data("attempts")).unwrap().map(|entry| entry.unwrap().path());
        folders.filter(|folder| std::fs::read_dir(folder).unwrap().next().is_some()).count()
    }

    /// Its whole log so far.
    pub(crate) async fn log(&self, task: &str) -> String {
        let chunks = self.executor.logs(&id(task), false).await.unwrap();
        text(&chunks.map(Result::unwrap).collect::<Vec<_>>().await)
    }

    /// What the log begins with, once there are so many lines.
    pub(crate) async fn first_lines(&self, task: &str, count: usize) -> Vec<String> {
        let chunks = self.executor.logs(&id(task), true).await.unwrap();
        let mut chunks = std::pin::pin!(chunks);
        let mut seen = String::new();
        while seen.lines().count() < count || !seen.ends_with('\n') {
            let chunk = in_time(chunks.next()).await.expect("the log ends").unwrap();
            seen.push_str(std::str::from_utf8(&chunk).unwrap());
        }
        seen.lines().map(str::to_owned).collect()
    }
}

pub(crate) async fn open(folder: &Path, change: impl FnOnce(&mut LocalOptions)) -> Arc<LocalExecutor> {
    let mut options = options(folder, PROGRAM, std::env::vars().collect());
    change(&mut options);
    LocalExecutor::start(options).await.unwrap()
}

pub(crate) fn text(chunks: &[bytes::Bytes]) -> String {
    String::from_utf8(chunks.concat()).unwrap()
}

pub(crate) async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("this should not take so long")
}

/// Whether a process with this id runs; one that has ended but was not waited for does not.
pub(crate) fn is_alive(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

pub(crate) fn kill(pid: &str) {
    let pid = rustix::process::Pid::from_raw(pid.parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}
