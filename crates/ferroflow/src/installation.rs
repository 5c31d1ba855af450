//! What the installation is made of: for `ferroflow doctor`, and for the page about the system.

use std::path::{Path, PathBuf};

use ferroflow_executor_local::is_supervisor_running;
use ferroflow_executor_local::python::PythonTasks;
use ferroflow_ports::SystemFacts;
use ferroflow_ports::system::Fact;

use crate::commands::ExecutorKind;
use crate::data_folder::DataFolder;

/// The machine under a data directory, looked at anew each time.
pub(crate) struct Installation {
    pub(crate) folder: DataFolder,
    pub(crate) python: PythonTasks,
    /// Most tasks at once.
    pub(crate) slots: usize,
    /// Where tasks run.
    pub(crate) executor: ExecutorKind,
}

impl SystemFacts for Installation {
    fn facts(&self) -> Vec<Fact> {
        let fact = |group, name, value| Fact { group, name, value };
        let python = self.python.describe().unwrap_or_else(|error| error.to_string());
        let disk = free_bytes(self.folder.path())
            .map_or_else(|error| format!("unknown: {error}"), |bytes| format!("{:.1} GiB", gibibytes(bytes)));
        let supervisor = if is_supervisor_running(self.folder.path()) { "runs" } else { "does not run" };
        vec![
            fact("storage", "data directory", self.folder.path().display().to_string()),
            fact("storage", "free space", disk),
            fact("python", "interpreter", python),
            fact("tasks", "at once", self.slots.to_string()),
            fact("tasks", "executor", self.executor.name().to_owned()),
            fact("tasks", "supervisor", supervisor.to_owned()),
            fact("server", "process", std::process::id().to_string()),
        ]
    }
}

/// Space for ordinary users on the disk of a folder, which need not exist yet.
pub(crate) fn free_bytes(folder: &Path) -> std::io::Result<u64> {
    let existing =
        folder.ancestors().find(|path| path.exists()).map_or_else(|| PathBuf::from("/"), Path::to_owned);
    let space = rustix::fs::statvfs(&existing)?;
    Ok(space.f_bavail.saturating_mul(space.f_frsize))
}

/// For people.
#[expect(clippy::cast_precision_loss, reason = "shown with one digit after the point")]
pub(crate) fn gibibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 30)
}
