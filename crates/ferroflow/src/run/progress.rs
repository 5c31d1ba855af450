//! What is seen of a run while it goes on: a bar on a terminal, a line for each change elsewhere. On standard error.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::time::Duration;

use ferroflow_model::{TaskKind, TaskStatus};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::printing;

/// How often the bar is drawn although nothing happened, for its clock.
pub(crate) const TICK: Duration = Duration::from_millis(250);
/// Names of running tasks that the bar shows.
const SHOWN: usize = 3;
const TEMPLATE: &str = "{spinner} {pos}/{len} tasks [{bar:24}] {elapsed} {wide_msg}";

/// A task as it is now.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TaskNews {
    pub(crate) path: String,
    pub(crate) kind: TaskKind,
    pub(crate) state: TaskStatus,
    pub(crate) attempt: u32,
    /// From start to end.
    pub(crate) seconds: Option<f64>,
    /// Why it failed or was skipped.
    pub(crate) reason: Option<String>,
}

/// Shows news; keeps what was shown, so that the same news twice is no harm.
pub(crate) struct Progress {
    shown: HashMap<String, (TaskStatus, u32)>,
    ended: u64,
    running: Vec<String>,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// A bar if standard error is a terminal, else lines.
    pub(crate) fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
                bar.set_style(style);
            }
            bar
        });
        Self { shown: HashMap::new(), ended: 0, running: Vec::new(), bar }
    }

    /// Whether [`Self::tick`] does anything.
    pub(crate) fn has_clock(&self) -> bool {
        self.bar.is_some()
    }

    /// Moves the clock.
    pub(crate) fn tick(&self) {
        if let Some(bar) = &self.bar {
            bar.tick();
        }
    }

    /// Shows what has changed.
    pub(crate) fn show(&mut self, news: Vec<TaskNews>) {
        for task in
            news.into_iter().filter(|task| matches!(task.kind, TaskKind::Container | TaskKind::Importer))
        {
            self.show_task(&task);
        }
        if let Some(bar) = &self.bar {
            bar.set_length(self.shown.len().try_into().unwrap_or(u64::MAX));
            bar.set_position(self.ended);
            bar.set_message(message(&self.running));
        }
    }

    fn show_task(&mut self, task: &TaskNews) {
        let now = (task.state, task.attempt);
        let before = self.shown.insert(task.path.clone(), now);
        if before == Some(now) {
            return;
        }
        let had_ended = before.is_some_and(|(state, _)| state.is_terminal());
        match (had_ended, task.state.is_terminal()) {
            (false, true) => self.ended += 1,
            (true, false) => self.ended = self.ended.saturating_sub(1),
            _ => {}
        }
        self.running.retain(|path| *path != task.path);
        if task.state == TaskStatus::Running {
            self.running.push(task.path.clone());
        }
        let Some(line) = line(task) else { return };
        match &self.bar {
            None => printing::error_line(&line),
            Some(bar) if matches!(task.state, TaskStatus::Failed) => bar.println(line),
            Some(_) => {}
        }
    }

    /// A remark between the news.
    pub(crate) fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => printing::error_line(text),
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn message(running: &[String]) -> String {
    let mut text = running.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if running.len() > SHOWN {
        let _ = write!(text, " and {} more", running.len() - SHOWN);
    }
    text
}

/// Words about a task; nothing while it waits.
fn line(task: &TaskNews) -> Option<String> {
    let took = task.seconds.map(|seconds| format!(" in {seconds:.2} s")).unwrap_or_default();
    let reason = task.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let words = match task.state {
        TaskStatus::Pending => return None,
        TaskStatus::Running if task.attempt > 1 => format!("started (attempt {})", task.attempt),
        TaskStatus::Running => "started".to_owned(),
        TaskStatus::Succeeded => format!("succeeded{took}"),
        TaskStatus::Cached => "taken from the cache".to_owned(),
        TaskStatus::Skipped => format!("skipped{reason}"),
        TaskStatus::Failed => format!("failed{took}{reason}"),
        TaskStatus::Canceled => "stopped".to_owned(),
    };
    Some(format!("{}: {words}", task.path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn news(path: &str, state: TaskStatus, attempt: u32) -> TaskNews {
        TaskNews {
            path: path.to_owned(),
            kind: TaskKind::Container,
            state,
            attempt,
            seconds: None,
            reason: None,
        }
    }

    #[test]
    fn tasks_are_counted_once_however_often_they_are_told() {
        let mut progress = Progress { shown: HashMap::new(), ended: 0, running: Vec::new(), bar: None };
        for (state, attempt, ended, running) in [
            (TaskStatus::Pending, 1, 0, 0),
            (TaskStatus::Running, 1, 0, 1),
            (TaskStatus::Running, 1, 0, 1),
            (TaskStatus::Failed, 1, 1, 0),
            (TaskStatus::Running, 2, 0, 1),
            (TaskStatus::Succeeded, 2, 1, 0),
            (TaskStatus::Succeeded, 2, 1, 0),
        ] {
            progress.show(vec![news("a", state, attempt)]);
            assert_eq!((progress.ended, progress.running.len()), (ended, running), "{state:?} {attempt}");
        }
    }

    #[test]
    fn words_about_tasks() {
        let rows = [
            (news("a/0/b", TaskStatus::Pending, 1), None),
            (news("a/0/b", TaskStatus::Running, 2), Some("a/0/b: started (attempt 2)")),
            (
                TaskNews { seconds: Some(1.234), ..news("a", TaskStatus::Succeeded, 1) },
                Some("a: succeeded in 1.23 s"),
            ),
            (
                TaskNews { reason: Some("no luck".to_owned()), ..news("a", TaskStatus::Failed, 1) },
                Some("a: failed: no luck"),
            ),
        ];
        for (news, expected) in rows {
            assert_eq!(line(&news).as_deref(), expected);
        }
    }
}
