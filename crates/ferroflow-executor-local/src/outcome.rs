//! From the end of a process to the outcome of an attempt, with one sentence for each way to fail.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use ferroflow_engine::{AttemptOutcome, ProducedArtifact, ProducedOutputs};
use ferroflow_launcher::protocol::read_outputs;
use ferroflow_model::Timestamp;
use ferroflow_model::record::{AttemptPhases, Failure};
use ferroflow_ports::ArtifactStore;

use crate::container::order::ContainerEnd;
use crate::linux;
use crate::process::{Context, Transfer};
use crate::wire::{End, Times};

/// Parameters are held in memory and stored with each task that gets them.
const LARGEST_FILE_BYTES: u64 = 64 * 1024 * 1024;
/// So much of an installer's log is part of the message.
const LOG_TAIL_BYTES: u64 = 2000;
const LOG_TAIL_LINES: usize = 5;

/// How an attempt ended, given what was stored with it. `data_dir` is where its disk is looked at.
pub(crate) fn outcome(end: &End, context: &str, data_dir: &str) -> AttemptOutcome {
    let failed = |message: String| AttemptOutcome::Failed { error: Failure::new(message) };
    match end {
        End::Exited { code: 0 } => match outputs(context) {
            Ok(outputs) => AttemptOutcome::Succeeded { outputs },
            Err(message) => failed(message),
        },
        End::Exited { code } => {
            if let Some(end) = container_end(context) {
                return AttemptOutcome::Failed { error: contained_failure(&end, *code) };
            }
            if let Some(reason) = complaint(context) {
                return failed(format!("the task was not started: {reason}"));
            }
            let message = format!("the task exited with code {code}{}", disk_note(data_dir));
            AttemptOutcome::Failed { error: Failure { exit_code: Some(*code), ..Failure::new(message) } }
        }
        End::Signalled { signal } => {
            let note = if *signal == KILL { ", as the system does when memory runs out" } else { "" };
            let message = format!(
                "the task was killed by signal {}{note}{}",
                signal_name(*signal),
                disk_note(data_dir)
            );
            AttemptOutcome::Failed { error: Failure { signal: Some(*signal), ..Failure::new(message) } }
        }
        End::TimedOut { limit_ms } => failed(format!(
            "the task was stopped since it ran longer than its timeout of {}",
            seconds(*limit_ms)
        )),
        End::Stopped => AttemptOutcome::Stopped,
        End::NotStarted { reason } => failed(format!("the task was not started: {reason}")),
        End::NotPrepared { reason, log } => failed(format!(
            "the packages of the task could not be installed: the installer {reason}{}",
            tail(log)
        )),
        End::Lost { reason } => AttemptOutcome::Lost { reason: reason.clone() },
    }
}

/// What a successful attempt has made that belongs to stores elsewhere. The reason of a refusal is a sentence.
pub(crate) fn copies(
    outcome: &AttemptOutcome,
    context: &str,
    store: &dyn ArtifactStore,
) -> Result<Vec<Transfer>, String> {
    let AttemptOutcome::Succeeded { outputs } = outcome else { return Ok(Vec::new()) };
    let is_elsewhere = |artifact: &&ProducedArtifact| store.is_elsewhere(&artifact.uri);
    let mut made = outputs.artifacts.values().flatten().filter(is_elsewhere).peekable();
    if made.peek().is_none() {
        return Ok(Vec::new());
    }
    let context: Context = serde_json::from_str(context)
        .map_err(|error| format!("what the task promised to write cannot be read any more: {error}"))?;
    let Some(expected) = &context.expected else { return Ok(Vec::new()) };
    let copy = |artifact: &ProducedArtifact| {
        let path = expected.mapping.local_path(&artifact.uri)?;
        Path::new(&path).exists().then(|| Transfer { uri: artifact.uri.clone(), path })
    };
    let copies: Vec<Transfer> = made.filter_map(copy).collect();
    if context.container.is_some() {
        for Transfer { path, .. } in &copies {
            links_stay_inside(Path::new(path))
                .map_err(|error| format!("what it wrote to `{path}` cannot be kept: {error}"))?;
        }
    }
    Ok(copies)
}

/// A link that a container has made means something else here: a file of this machine that it could not read.
fn links_stay_inside(path: &Path) -> io::Result<()> {
    stays_inside(path)?;
    let root = path.canonicalize()?;
    let mut open = vec![path.to_owned()];
    while let Some(path) = open.pop() {
        let found = path.symlink_metadata()?;
        if found.is_dir() {
            for entry in std::fs::read_dir(&path)? {
                open.push(entry?.path());
            }
        } else if found.is_symlink() && path.canonicalize().is_ok_and(|target| !target.starts_with(&root)) {
            return Err(io::Error::other(format!(
                "`{}` is a link, which leads out of the container",
                path.display()
            )));
        }
    }
    Ok(())
}

/// When what happened, with `now` as the end of all.
pub(crate) fn phases(times: Times, now: Timestamp) -> AttemptPhases {
    let time = |micros: Option<i64>| micros.map(Timestamp::from_micros);
    AttemptPhases {
        started: time(times.started),
        installed: time(times.installed),
        user_code_finished: time(times.finished),
        uploaded: Some(now),
        finished: Some(now),
        ..AttemptPhases::default()
    }
}

/// What the entry of a task has told if it did not get to user code.
fn complaint(context: &str) -> Option<String> {
    let context: Context = serde_json::from_str(context).ok()?;
    std::fs::read_to_string(context.complaint?).ok()
}

/// How the container of a task ended, if it had one that got so far.
fn container_end(context: &str) -> Option<ContainerEnd> {
    let context: Context = serde_json::from_str(context).ok()?;
    let (end, _) = context.container?;
    serde_json::from_slice(&std::fs::read(end).ok()?).ok()
}

/// What went wrong in a container, or around it.
fn contained_failure(end: &ContainerEnd, code: i32) -> Failure {
    let exit_code = end.exit_code.filter(|code| *code != 0);
    if end.out_of_memory {
        let message = "the task was killed since it used more memory than its limit".to_owned();
        return Failure { exit_code, ..Failure::new(message) };
    }
    if let Some(problem) = &end.problem {
        return Failure { exit_code, ..Failure::new(problem.clone()) };
    }
    // As shells tell of signals.
    let code = exit_code.unwrap_or(code);
    let signal = if code > 128 { format!(" ({})", signal_name(code - 128)) } else { String::new() };
    Failure { exit_code, ..Failure::new(format!("the task exited with code {code}{signal}")) }
}

fn outputs(context: &str) -> Result<ProducedOutputs, String> {
    let context: Context = serde_json::from_str(context)
        .map_err(|error| format!("what the task promised to write cannot be read any more: {error}"))?;
    let Some(expected) = &context.expected else { return Ok(ProducedOutputs::default()) };
    let is_contained = context.container.is_some();
    let read = |path: &str| {
        if is_contained {
            stays_inside(Path::new(path))?;
        }
        read(path)
    };
    let produced = read_outputs(expected, read).map_err(|problems| {
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        texts.join("; ")
    })?;
    for artifact in produced.artifacts.values().flatten() {
        if let (Some(written), Some(place)) =
            (&artifact.custom_path, expected.mapping.local_path(&artifact.uri))
        {
            let copied = context.container.as_ref().map(|(_, copies)| format!("{copies}{written}"));
            let written = copied.as_ref().filter(|copy| Path::new(copy).exists()).unwrap_or(written);
            let is_safe = if is_contained { stays_inside(Path::new(&place)) } else { Ok(()) };
            is_safe.and_then(|()| bring_home(written, &place)).map_err(|error| {
                format!("what it wrote to `{written}` cannot be kept as `{place}`: {error}")
            })?;
        }
    }
    Ok(produced)
}

/// What user code in a container has left must not lead out of it: a link that it made means something else here.
fn stays_inside(path: &Path) -> io::Result<()> {
    let is_link = |path: &Path| path.symlink_metadata().is_ok_and(|found| found.is_symlink());
    // The file itself, its folder, and the folder of the task above that; others are not the container's to change.
    if path.ancestors().take(3).any(is_link) {
        return Err(io::Error::other("it is a link, which leads out of the container"));
    }
    Ok(())
}

/// Copies an artifact from the path that user code chose to where it belongs. Nothing there is nothing to copy, as with
/// any artifact that is not written.
fn bring_home(written: &str, place: &str) -> io::Result<()> {
    let (from, to) = (Path::new(written), Path::new(place));
    if !from.is_absolute() || from == to || to.exists() || !from.exists() {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder)?;
    }
    copy(from, to)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return std::fs::copy(from, to).map(|_| ());
    }
    std::fs::create_dir(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        // Links are followed to files only: to folders they may lead in a circle.
        if kind.is_dir() || kind.is_file() || entry.path().is_file() {
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// The bytes of a file that user code wrote; `None` if there is none.
fn read(path: &str) -> io::Result<Option<Vec<u8>>> {
    let found = match std::fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    // Opening a pipe would wait for ever.
    if !found.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    if found.len() > LARGEST_FILE_BYTES {
        let mib = LARGEST_FILE_BYTES / (1024 * 1024);
        return Err(io::Error::other(format!(
            "it is larger than {mib} MiB; hand large values over as artifacts"
        )));
    }
    std::fs::read(path).map(Some)
}

/// Said of failures on a full disk, which the task itself may not have told.
fn disk_note(data_dir: &str) -> &'static str {
    if linux::is_disk_full(data_dir) { "; the disk is full" } else { "" }
}

fn seconds(millis: u64) -> String {
    if millis.is_multiple_of(1000) { format!("{} s", millis / 1000) } else { format!("{millis} ms") }
}

/// The last lines of a log, as the end of a sentence.
fn tail(log: &str) -> String {
    let read = || -> io::Result<String> {
        let mut file = File::open(log)?;
        let size = file.metadata()?.len();
        file.seek(SeekFrom::Start(size.saturating_sub(LOG_TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.take(LOG_TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = read().unwrap_or_default();
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let last = lines.get(lines.len().saturating_sub(LOG_TAIL_LINES)..).unwrap_or_default();
    if last.is_empty() { String::new() } else { format!("; it said last: {}", last.join(" | ")) }
}

const KILL: i32 = 9;

/// The name of a signal, or its number if it has none.
fn signal_name(signal: i32) -> String {
    const NAMES: [(i32, &str); 14] = [
        (1, "SIGHUP"),
        (2, "SIGINT"),
        (3, "SIGQUIT"),
        (4, "SIGILL"),
        (5, "SIGTRAP"),
        (6, "SIGABRT"),
        (7, "SIGBUS"),
        (8, "SIGFPE"),
        (KILL, "SIGKILL"),
        (11, "SIGSEGV"),
        (13, "SIGPIPE"),
        (14, "SIGALRM"),
        (15, "SIGTERM"),
        (24, "SIGXCPU"),
    ];
    NAMES
        .iter()
        .find(|(number, _)| *number == signal)
        .map_or_else(|| signal.to_string(), |(_, name)| String::from(*name))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_of_containers_lead_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        let made = base.join("a/b/out");
        std::fs::create_dir_all(made.join("deep")).unwrap();
        std::fs::write(made.join("deep/file"), "x").unwrap();
        std::fs::write(base.join("secret"), "s").unwrap();
        symlink("deep/file", made.join("inside")).unwrap();
        symlink("/nowhere", made.join("dangling")).unwrap();
        links_stay_inside(&made).unwrap();

        symlink("../../../../secret", made.join("deep/outside")).unwrap();
        let error = links_stay_inside(&made).unwrap_err().to_string();
        assert!(error.contains("deep/outside"), "{error}");
        std::fs::remove_file(made.join("deep/outside")).unwrap();
        symlink(&base, made.join("deep/outside")).unwrap();
        links_stay_inside(&made).unwrap_err();

        symlink(base.join("secret"), base.join("a/b/link")).unwrap();
        links_stay_inside(&base.join("a/b/link")).unwrap_err();
    }
}
