//! What must hold after each step, judged by rows and commands alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ferroflow_engine::{Changes, RunState};
use ferroflow_model::record::{AttemptRecord, TaskRecord};
use ferroflow_model::{AttemptId, RunStatus, TaskKind, TaskPath, TaskStatus};
use ferroflow_spec::ir::{
    ArtifactSource, Component, ComponentBody, ParameterSource, PipelineSpec, Task, TriggerStrategy,
};

use super::behaviour::CACHED_ARTIFACTS;
use super::{Check, ensure};

/// Rows of a run.
#[derive(Clone, Default)]
pub(super) struct Rows {
    pub(super) tasks: BTreeMap<TaskPath, Arc<TaskRecord>>,
    attempts: BTreeMap<AttemptId, Arc<AttemptRecord>>,
    pub(super) status: Option<RunStatus>,
    /// Numbers that were given away.
    numbers: BTreeMap<i64, TaskPath>,
}

impl Rows {
    pub(super) fn take_in(&mut self, changes: Changes) {
        for row in changes.tasks {
            self.numbers.insert(row.execution_id.0, row.path.clone());
            self.tasks.insert(row.path.clone(), Arc::new(row));
        }
        for row in changes.attempts {
            self.attempts.insert(row.id.clone(), Arc::new(row));
        }
        for row in changes.artifacts {
            self.numbers.insert(row.artifact.id.0, TaskPath::new("an artifact"));
        }
        if let Some((_, status)) = changes.run.and_then(|run| run.status) {
            self.status = Some(status);
        }
    }

    pub(super) fn status_of(&self, path: &TaskPath) -> Option<TaskStatus> {
        self.tasks.get(path).map(|row| row.status)
    }

    /// Checks changed rows against those that stand. `reopens` if this step may open ended tasks again, `is_redone` if
    /// a client wanted all from some task on to be done again: what is in groups is opened when these begin.
    pub(super) fn check(&self, changes: &Changes, reopens: bool, is_redone: bool) -> Check {
        let mut seen = BTreeSet::new();
        for row in &changes.tasks {
            ensure(seen.insert(row.execution_id), || format!("`{}` has two rows in one step", row.path))?;
            self.check_task(row, reopens, is_redone)?;
        }
        let mut seen = BTreeSet::new();
        for row in &changes.attempts {
            ensure(seen.insert(&row.id), || format!("{} has two rows in one step", row.id))?;
            self.check_attempt(row)?;
        }
        for artifact in &changes.artifacts {
            let number = artifact.artifact.id.0;
            let given = self.numbers.get(&number);
            ensure(given.is_none(), || format!("the number {number} of an artifact was given to {given:?}"))?;
        }
        for link in &changes.links {
            let artifact = link.artifact_id.0;
            let known = artifact >= CACHED_ARTIFACTS
                || self.numbers.contains_key(&artifact)
                || changes.artifacts.iter().any(|row| row.artifact.id.0 == artifact);
            ensure(known, || format!("a link names artifact {artifact}, which is not known"))?;
        }
        Ok(())
    }

    fn check_task(&self, row: &TaskRecord, reopens: bool, is_redone: bool) -> Check {
        let path = &row.path;
        let owner = self.numbers.get(&row.execution_id.0);
        ensure(owner.is_none_or(|owner| owner == path), || {
            format!("`{path}` has the number {} of `{owner:?}`", row.execution_id)
        })?;
        ensure(row.history.last().map(|change| change.state) == Some(row.status), || {
            format!("the history of `{path}` does not end with its state")
        })?;
        ensure(row.status.is_terminal() == row.ended_at.is_some(), || {
            format!("`{path}` is {} but its end is {:?}", row.status.as_str(), row.ended_at)
        })?;
        let is_clean = row.status.is_terminal() || row.error.is_none();
        ensure(is_clean, || format!("`{path}` has not ended, but has an error: {:?}", row.error))?;
        let Some(old) = self.tasks.get(path) else { return Ok(()) };
        if old.status.is_terminal() && !reopens && !is_redone {
            return ensure(**old == *row, || format!("`{path}` has changed after it had ended"));
        }
        ensure(old.execution_id == row.execution_id, || format!("`{path}` has got another number"))?;
        ensure(row.history.starts_with(&old.history), || format!("the history of `{path}` was rewritten"))?;
        let has_succeeded = matches!(old.status, TaskStatus::Succeeded | TaskStatus::Cached);
        if has_succeeded && old.parent.is_some() && !is_redone {
            ensure(row.status == old.status, || format!("`{path}` had succeeded and is opened again"))?;
        }
        Ok(())
    }

    fn check_attempt(&self, row: &AttemptRecord) -> Check {
        let id = &row.id;
        if let Some(old) = self.attempts.get(id) {
            ensure(!old.status.is_terminal() || **old == *row, || format!("{id} has changed after its end"))?;
        }
        let earlier = self.attempts.range(AttemptId { attempt: 0, ..id.clone() }..id.clone());
        // Those that end in the same step are checked by the executor: it refuses a second live attempt.
        let count = earlier.count();
        ensure(u32::try_from(count).is_ok_and(|count| count < id.attempt), || format!("{id} has no number"))
    }

    /// Rows add up to the state, and nothing else stands there.
    pub(super) fn check_dump(&self, state: &RunState) -> Check {
        let mut count = 0;
        for row in state.task_records() {
            count += 1;
            let stored = self.tasks.get(&row.path);
            ensure(stored.is_some_and(|stored| **stored == row), || {
                format!("the row of `{}` is {stored:?}, but the state says {row:?}", row.path)
            })?;
        }
        ensure(count == self.tasks.len(), || {
            format!("there are {} rows for {count} tasks of the state", self.tasks.len())
        })?;
        let status = self.status.unwrap_or(RunStatus::Pending);
        ensure(status == state.status(), || {
            format!("the run is {} in its row, but {} in the state", status.as_str(), state.status().as_str())
        })?;
        self.check_attempts(state)
    }

    /// Each attempt has its row, and the newest one lives if the state says so.
    fn check_attempts(&self, state: &RunState) -> Check {
        let mut count = 0;
        for task in self.tasks.values() {
            count += task.attempt;
            for attempt in 1..=task.attempt {
                let id = AttemptId { run: task.run_id, path: task.path.clone(), attempt };
                let row = self.attempts.get(&id).ok_or_else(|| format!("there is no row for {id}"))?;
                let is_live = state.attempt(&id).is_some();
                ensure(is_live != row.status.is_terminal(), || {
                    format!("{id} is {}, but is live: {is_live}", row.status.as_str())
                })?;
                ensure(!is_live || row.status == task.status, || {
                    format!("{id} is {}, but its task {}", row.status.as_str(), task.status.as_str())
                })?;
            }
        }
        ensure(self.attempts.len() == count as usize, || {
            "there are rows of attempts that never were".to_owned()
        })
    }

    /// The task may start: everything upstream of it, and of the groups around it, has ended as it must.
    pub(super) fn check_may_start(&self, spec: &PipelineSpec, path: &TaskPath) -> Check {
        let mut component = &spec.root;
        let mut at = String::new();
        let mut kind = TaskKind::Root;
        for segment in path.segments() {
            let parent = TaskPath::new(at.clone());
            let is_pass = kind == TaskKind::Loop;
            if !at.is_empty() {
                at.push('/');
            }
            at.push_str(segment);
            if is_pass {
                kind = TaskKind::Iteration;
                continue;
            }
            let task = task_of(component, segment).ok_or_else(|| format!("`{path}` is in no pipeline"))?;
            for upstream in upstream_of(task) {
                self.check_upstream(&parent, upstream, task, path)?;
            }
            kind = if task.iterator.is_some() { TaskKind::Loop } else { TaskKind::Dag };
            let next = spec.components.get(&task.component);
            component = next.ok_or_else(|| format!("`{path}` has no component"))?;
        }
        Ok(())
    }

    fn check_upstream(&self, group: &TaskPath, upstream: &str, task: &Task, path: &TaskPath) -> Check {
        let before = child(group, upstream);
        let status = self.status_of(&before);
        let may = status.is_some_and(|status| {
            status.is_success() || (status.is_terminal() && task.trigger == TriggerStrategy::AllCompleted)
        });
        ensure(may, || format!("`{path}` starts though `{before}` before it is {status:?}"))
    }
}

/// The path of a task in a group.
pub(super) fn child(group: &TaskPath, name: &str) -> TaskPath {
    if group.as_str().is_empty() { TaskPath::new(name) } else { TaskPath::new(format!("{group}/{name}")) }
}

/// A task of a group.
pub(super) fn task_of<'s>(component: &'s Component, name: &str) -> Option<&'s Task> {
    match &component.body {
        ComponentBody::Dag(dag) => dag.tasks.get(name),
        ComponentBody::Executor(_) => None,
    }
}

/// The component of the task at a path.
pub(super) fn component_of<'s>(spec: &'s PipelineSpec, path: &TaskPath) -> Option<&'s Component> {
    let mut component = &spec.root;
    for segment in path.segments() {
        // Numbers of passes are no names of tasks.
        if let Some(task) = task_of(component, segment) {
            component = spec.components.get(&task.component)?;
        }
    }
    Some(component)
}

/// Whether the task at a path, or a group around it, runs whatever became of the tasks before it.
pub(super) fn is_in_exit_task(spec: &PipelineSpec, path: &TaskPath) -> bool {
    let mut component = Some(&spec.root);
    path.segments().any(|segment| {
        // Numbers of passes are no names of tasks.
        let Some(task) = component.and_then(|component| task_of(component, segment)) else { return false };
        component = spec.components.get(&task.component);
        task.trigger == TriggerStrategy::AllCompleted
    })
}

/// Names of all tasks that must end before this one.
pub(super) fn upstream_of(task: &Task) -> BTreeSet<&str> {
    let mut names: BTreeSet<&str> = task.dependencies.iter().map(String::as_str).collect();
    for input in task.parameters.values() {
        match &input.source {
            ParameterSource::TaskOutput(from) => names.insert(&from.task),
            ParameterSource::TaskFinalStatus(name) => names.insert(name),
            ParameterSource::ComponentInput(_) | ParameterSource::Constant(_) => false,
        };
    }
    for source in task.artifacts.values() {
        if let ArtifactSource::TaskOutput(from) = source {
            names.insert(&from.task);
        }
    }
    names
}
