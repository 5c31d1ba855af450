//! Starts processes.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::Pid;

use super::{MARK_ATTEMPT, MARK_SUPERVISOR};
use crate::linux;
use crate::wire::Process;

/// A process that was just started, alone in a new process group.
#[derive(Debug)]
pub(super) struct Spawned {
    pub(super) pid: Pid,
    /// Readable once it has ended.
    pub(super) watch: OwnedFd,
    /// It was started between these moments since boot.
    pub(super) from_ns: u64,
    pub(super) to_ns: u64,
}

/// Starts a process whose output goes to the end of `log`. The reason of a failure is a sentence.
pub(super) fn spawn(process: &Process, log: &str, supervisor: &str, mark: &str) -> Result<Spawned, String> {
    spawn_with(process, Stdio::null(), log, supervisor, Some(mark))
}

/// The same with something as standard input, and perhaps for no attempt.
pub(super) fn spawn_with(
    process: &Process,
    input: Stdio,
    log: &str,
    supervisor: &str,
    mark: Option<&str>,
) -> Result<Spawned, String> {
    let output = open_log(log).map_err(|error| format!("its log `{log}` cannot be written: {error}"))?;
    let errors = output.try_clone().map_err(|error| format!("its log `{log}` cannot be written: {error}"))?;
    let mut command = Command::new(&process.program);
    // Nothing here may need code between fork and exec: then the standard library uses posix_spawn, whose cost does
    // not grow with this process.
    if let Some((name, rest)) = process.argv.split_first() {
        command.arg0(name).args(rest);
    }
    command
        .current_dir(&process.cwd)
        .env_clear()
        .envs(process.env.iter().map(|(name, value)| (name, value)))
        .env(MARK_SUPERVISOR, supervisor)
        .envs(mark.map(|mark| (MARK_ATTEMPT, mark)))
        .process_group(0)
        .stdin(input)
        .stdout(output)
        .stderr(errors);
    let from_ns = linux::since_boot_ns();
    let child = command.spawn().map_err(|error| reason(process, &error))?;
    let to_ns = linux::since_boot_ns();
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or("its process has no id")?;
    match linux::watch(pid) {
        Ok(watch) => Ok(Spawned { pid, watch, from_ns, to_ns }),
        Err(error) => {
            // Nothing may run that nobody waits for.
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
            let _ = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty());
            Err(format!("its process cannot be watched: {error}"))
        }
    }
}

/// The first log of a run finds no folder.
pub(super) fn open_log(path: &str) -> io::Result<File> {
    let open = || OpenOptions::new().append(true).create(true).open(path);
    match (open(), Path::new(path).parent()) {
        (Err(error), Some(folder)) if error.kind() == io::ErrorKind::NotFound => {
            std::fs::create_dir_all(folder)?;
            open()
        }
        (opened, _) => opened,
    }
}

fn reason(process: &Process, error: &io::Error) -> String {
    let program = process.argv.first().unwrap_or(&process.program);
    match error.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
        Some(rustix::io::Errno::TOOBIG) => {
            let bytes: usize = process.argv.iter().map(String::len).sum();
            format!(
                "`{program}` cannot be started: its {} words of {bytes} bytes together are more than the system takes; \
                 hand large values over as artifacts",
                process.argv.len()
            )
        }
        Some(rustix::io::Errno::NOENT) => format!("`{program}` cannot be started: there is no such program"),
        Some(rustix::io::Errno::ACCESS) => format!("`{program}` cannot be started: it may not be executed"),
        Some(rustix::io::Errno::NOEXEC) => {
            format!(
                "`{program}` cannot be started: it is neither a program for this machine nor a script with `#!`"
            )
        }
        _ => format!("`{program}` cannot be started: {error}"),
    }
}
