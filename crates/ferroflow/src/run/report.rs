//! What is told at the end of a run: outputs and artifacts, or what failed, why, and where its log is.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use ferroflow_model::{RunStatus, TaskKind, TaskStatus};
use ferroflow_server::results::{ArtifactResult, RunResults, TaskResult};

/// Lines of a log that are shown, and how far back they are looked for.
const LOG_LINES: usize = 15;
const LOG_BYTES: u64 = 32 * 1024;
/// Failed tasks and artifacts that are shown one by one.
const SHOWN_FAILURES: usize = 3;
const SHOWN_ARTIFACTS: usize = 20;

/// The end of a run in words, without a final newline. `log_file` finds the log of a task.
pub(crate) fn describe(results: &RunResults, log_file: impl Fn(&TaskResult) -> Option<PathBuf>) -> String {
    let mut text = String::new();
    if results.state != RunStatus::Succeeded {
        describe_failures(&mut text, results, log_file);
    }
    describe_outputs(&mut text, results);
    describe_artifacts(&mut text, results);
    text.push_str(&headline(results));
    text
}

fn headline(results: &RunResults) -> String {
    let took = results.seconds.map(|seconds| format!(" in {seconds:.2} s")).unwrap_or_default();
    let state = results.state.as_str().to_ascii_lowercase();
    let reason = results.error.as_ref().map(|error| format!(": {}", error.message)).unwrap_or_default();
    format!("{} {state}{took}{reason} (run {})", results.pipeline_name, results.run_id)
}

fn describe_failures(
    text: &mut String,
    results: &RunResults,
    log_file: impl Fn(&TaskResult) -> Option<PathBuf>,
) {
    let is_failure = |task: &&TaskResult| {
        task.state == TaskStatus::Failed && matches!(task.kind, TaskKind::Container | TaskKind::Importer)
    };
    let failed: Vec<&TaskResult> = results.tasks.iter().filter(is_failure).collect();
    for task in failed.iter().take(SHOWN_FAILURES) {
        describe_failure(text, task, log_file(task));
    }
    if failed.len() > SHOWN_FAILURES {
        let _ = writeln!(text, "and {} more tasks failed\n", failed.len() - SHOWN_FAILURES);
    }
}

fn describe_failure(text: &mut String, task: &TaskResult, log: Option<PathBuf>) {
    let reason = task.error.as_ref().map_or("no reason is known", |error| &*error.message);
    let _ = writeln!(text, "task {} failed: {reason}", task.path);
    if task.attempt > 1 {
        let _ = writeln!(text, "  after {} attempts", task.attempt);
    }
    let Some(log) = log else { return text.push('\n') };
    let lines = last_lines(&log).unwrap_or_default();
    if !lines.is_empty() {
        text.push_str("  last lines of its log:\n");
        for line in lines {
            let _ = writeln!(text, "    {line}");
        }
    }
    let _ = writeln!(text, "  the whole log: {}\n", log.display());
}

/// The end of a log, without what no terminal should get.
fn last_lines(path: &Path) -> io::Result<Vec<String>> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let from = size.saturating_sub(LOG_BYTES);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(LOG_BYTES).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    // A line that begins before what was read is not shown in part, unless there is no other.
    let whole = text
        .split_once('\n')
        .filter(|(_, rest)| from > 0 && !rest.is_empty())
        .map_or(&*text, |(_, rest)| rest);
    let lines: Vec<&str> = whole.lines().collect();
    let shown = lines.iter().skip(lines.len().saturating_sub(LOG_LINES));
    Ok(shown.map(|line| line.chars().filter(|c| *c == '\t' || !c.is_control()).collect()).collect())
}

fn describe_outputs(text: &mut String, results: &RunResults) {
    for (name, value) in &results.outputs.parameters {
        let _ = writeln!(text, "{name} = {value}");
    }
    for (name, artifacts) in &results.outputs.artifacts {
        for artifact in artifacts {
            let _ = writeln!(text, "{name} = {}", shown_artifact(artifact));
        }
    }
}

fn describe_artifacts(text: &mut String, results: &RunResults) {
    let made = |task: &TaskResult| matches!(task.kind, TaskKind::Container | TaskKind::Importer);
    let mut lines = Vec::new();
    for task in results.tasks.iter().filter(|task| made(task)) {
        for (name, artifacts) in &task.outputs.artifacts {
            lines.extend(
                artifacts
                    .iter()
                    .map(|artifact| format!("  {}/{name}: {}", task.path, shown_artifact(artifact))),
            );
        }
    }
    if lines.is_empty() {
        return;
    }
    text.push_str("artifacts:\n");
    for line in lines.iter().take(SHOWN_ARTIFACTS) {
        let _ = writeln!(text, "{line}");
    }
    if lines.len() > SHOWN_ARTIFACTS {
        let _ = writeln!(text, "  and {} more (`--json` tells all)", lines.len() - SHOWN_ARTIFACTS);
    }
}

fn shown_artifact(artifact: &ArtifactResult) -> String {
    let kind = artifact.schema_title.strip_prefix("system.").unwrap_or(&artifact.schema_title);
    let mut text = format!("{kind} {}", artifact.uri);
    // Metrics are their metadata; that of others may be long.
    if kind == "Metrics" {
        for (name, value) in artifact.metadata.iter().filter(|(name, _)| *name != "display_name") {
            let _ = write!(text, " {name}={value}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn results(value: Value) -> RunResults {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_success_tells_outputs_and_artifacts() {
        let done = results(json!({
            "run_id": "r", "display_name": "d", "pipeline_name": "train", "state": "SUCCEEDED", "seconds": 1.5,
            "outputs": {
                "parameters": {"best": 0.5, "name": "a"},
                "artifacts": {"model": [{"type": "system.Model", "uri": "/m"}]},
            },
            "tasks": [{
                "task_id": "t", "path": "loop/0/rate", "display_name": "rate", "kind": "CONTAINER",
                "state": "SUCCEEDED", "attempt": 1,
                "outputs": {"artifacts": {"metrics": [
                    {"type": "system.Metrics", "uri": "/x", "metadata": {"accuracy": 0.9}},
                ]}},
            }],
        }));
        assert_eq!(
            describe(&done, |_| None),
            "best = 0.5\nname = \"a\"\nmodel = Model /m\nartifacts:\n  loop/0/rate/metrics: Metrics /x accuracy=0.9\n\
             train succeeded in 1.50 s (run r)"
        );
    }

    #[test]
    fn a_failure_tells_the_end_of_the_log_and_where_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let lines: Vec<String> = (1..=3000).map(|number| format!("line {number} \u{1b}[31mred\n")).collect();
        std::fs::write(&log, lines.concat()).unwrap();
        let failed = results(json!({
            "run_id": "r", "display_name": "d", "pipeline_name": "p", "state": "FAILED",
            "error": {"message": "task work failed"}, "outputs": {},
            "tasks": [{
                "task_id": "t", "path": "work", "display_name": "work", "kind": "CONTAINER",
                "state": "FAILED", "attempt": 2, "error": {"message": "it exited with code 3", "exit_code": 3},
            }],
        }));
        let text = describe(&failed, |_| Some(log.clone()));
        assert!(text.starts_with("task work failed: it exited with code 3\n  after 2 attempts\n"), "{text}");
        assert!(text.contains("    line 3000 [31mred\n") && !text.contains("line 2985 "), "{text}");
        assert!(text.contains(&format!("the whole log: {}\n", log.display())), "{text}");
        assert!(text.ends_with("p failed: task work failed (run r)"), "{text}");
    }
}
