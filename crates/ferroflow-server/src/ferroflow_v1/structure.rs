//! A pipeline as screens walk it: which task of the file stands behind a path, and what it waits for.
//!
//! Holds no state of any run. Checked pipelines only; a path that fits nothing is `None`.

use std::collections::BTreeSet;
use std::sync::Arc;

use ferroflow_spec::ir::{
    ArtifactSource, Component, ComponentBody, Dag, Executor, ParameterSource, PipelineSpec, Task,
};

/// Stands for any index in the path of a task in a loop.
pub(super) const ANY_ITERATION: &str = "*";

/// A pipeline with the text by which it is known.
#[derive(Debug, Clone)]
pub(super) struct Structure {
    /// The same for the same pipeline file.
    pub(super) version: String,
    /// The pipeline.
    pub(super) spec: Arc<PipelineSpec>,
}

/// A task of the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'s> {
    /// Its use of the component.
    pub(super) task: &'s Task,
    /// What it runs.
    pub(super) component: &'s Component,
}

impl Structure {
    /// The DAG of the pipeline itself.
    pub(super) fn root(&self) -> Option<&Dag> {
        dag_of(&self.spec.root)
    }

    /// The component of a task.
    pub(super) fn component(&self, task: &Task) -> Option<&Component> {
        self.spec.components.get(&task.component)
    }

    /// The task behind a path; indexes of iterations are passed over. `None` for the pipeline itself, for an
    /// iteration, and for paths that fit nothing.
    pub(super) fn place<'s>(&'s self, path: &str) -> Option<Place<'s>> {
        let mut dag = self.root()?;
        let mut found = None;
        let mut segments = path.split('/').filter(|segment| !segment.is_empty()).peekable();
        while let Some(segment) = segments.next() {
            let task = dag.tasks.get(segment)?;
            let component = self.component(task)?;
            found = Some(Place { task, component });
            if segments.peek().is_none() {
                break;
            }
            dag = dag_of(component)?;
            if task.iterator.is_some() {
                segments.next();
                segments.peek()?;
            }
        }
        found
    }

    /// The executor of a task with user code or an importer.
    pub(super) fn executor(&self, component: &Component) -> Option<&Executor> {
        match &component.body {
            ComponentBody::Executor(label) => self.spec.executors.get(label),
            ComponentBody::Dag(_) => None,
        }
    }

    /// Tasks with user code (and importers) in a DAG, at any depth.
    pub(super) fn task_count(&self, dag: &Dag) -> u32 {
        let counts = dag
            .tasks
            .values()
            .filter_map(|task| self.component(task))
            .map(|component| dag_of(component).map_or(1, |inner| self.task_count(inner)));
        counts.fold(0, u32::saturating_add)
    }

    /// Calls `visit` with the path (without indexes of iterations) of every task, outer ones first.
    pub(super) fn walk<'s>(&'s self, visit: &mut impl FnMut(&str, Place<'s>)) {
        if let Some(root) = self.root() {
            self.walk_dag(root, "", visit);
        }
    }

    fn walk_dag<'s>(&'s self, dag: &'s Dag, prefix: &str, visit: &mut impl FnMut(&str, Place<'s>)) {
        for (key, task) in &dag.tasks {
            let Some(component) = self.component(task) else { continue };
            let path = join(prefix, key);
            visit(&path, Place { task, component });
            if let Some(inner) = dag_of(component) {
                self.walk_dag(inner, &path, visit);
            }
        }
    }
}

/// The DAG of a component, if it is one.
pub(super) fn dag_of(component: &Component) -> Option<&Dag> {
    match &component.body {
        ComponentBody::Dag(dag) => Some(dag),
        ComponentBody::Executor(_) => None,
    }
}

/// Keys of the tasks of the same DAG that a task waits for.
pub(super) fn upstream(task: &Task) -> BTreeSet<&str> {
    let mut keys: BTreeSet<&str> = task.dependencies.iter().map(String::as_str).collect();
    for input in task.parameters.values() {
        match &input.source {
            ParameterSource::TaskOutput(selector) => keys.insert(&selector.task),
            ParameterSource::TaskFinalStatus(of) => keys.insert(of),
            ParameterSource::ComponentInput(_) | ParameterSource::Constant(_) => false,
        };
    }
    for source in task.artifacts.values() {
        if let ArtifactSource::TaskOutput(selector) = source {
            keys.insert(&selector.task);
        }
    }
    keys
}

/// A path with one more part.
pub(super) fn join(prefix: &str, part: &str) -> String {
    if prefix.is_empty() { part.to_owned() } else { format!("{prefix}/{part}") }
}

/// A path with `*` in the place of every index of an iteration.
pub(super) fn without_indexes(path: &str) -> String {
    let parts = path.split('/').map(|part| {
        let is_index = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if is_index { ANY_ITERATION } else { part }
    });
    parts.collect::<Vec<_>>().join("/")
}
