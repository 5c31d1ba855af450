//! Attempts to run, and an executor on a folder.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use ferroflow_engine::{RunIdentity, TaskAttempt};
use ferroflow_executor_local::{LocalOptions, PythonOptions, SupervisorCommand};
use ferroflow_model::{AttemptId, ExecutionId, Inputs, TaskPath, Timestamp};
use ferroflow_spec::ir::ContainerSpec;

use crate::folder::Folder;

/// The run of all attempts.
pub(crate) const RUN: &str = "5d0f3b0e-6f57-4c1c-9a3d-2f4c1b9d7e11";

/// The id of the first attempt of this task.
pub(crate) fn id(task: &str) -> AttemptId {
    AttemptId { run: RUN.parse().unwrap(), path: TaskPath::new(task), attempt: 1 }
}

/// An attempt without inputs and outputs.
pub(crate) fn attempt(task: &str, root: &str, command: &[&str]) -> TaskAttempt {
    let id = id(task);
    let run = RunIdentity {
        id: id.run,
        display_name: "a run".into(),
        pipeline_name: "p".into(),
        resource_name: "p-x7k2p".into(),
        root: root.to_owned(),
        created_at: Timestamp::from_seconds(1_709_210_096),
        scheduled_at: Timestamp::from_seconds(1_709_210_096),
    };
    let command = command.iter().map(|word| (*word).to_owned()).collect();
    TaskAttempt {
        task_root: format!("{root}/{task}"),
        id,
        execution_id: ExecutionId(9),
        task_name: task.to_owned(),
        run: Arc::new(run),
        container: Arc::new(ContainerSpec { image: "img".into(), command, ..ContainerSpec::default() }),
        kubernetes: Arc::default(),
        inputs: Arc::new(Inputs::default()),
        output_parameters: BTreeMap::new(),
        output_artifacts: BTreeMap::new(),
        timeout: None,
    }
}

/// Options for a data directory below `folder`, with `program` as the supervisor.
pub(crate) fn options(folder: &Path, program: &str, host_env: Vec<(String, String)>) -> LocalOptions {
    let python = PythonOptions {
        python: None,
        host_env,
        working_folder: folder.to_owned(),
        environments_limit_bytes: u64::MAX,
    };
    let mut options = LocalOptions::new(folder.join("data"), Arc::new(Folder(folder.join("store"))), python);
    options.supervisor =
        Some(SupervisorCommand { program: program.into(), words: vec!["supervisor".into()] });
    options
}
