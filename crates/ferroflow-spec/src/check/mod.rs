//! What must hold before a pipeline is accepted: the shape of its messages, then their meaning.
//!
//! Everything found is reported, each with its path, line and a hint. Begin with [`meaning_of`]; arguments of a run
//! are checked apart, by [`check_arguments`].

mod arguments;
mod fit;
mod graph;
mod inputs;
mod outputs;
mod shape;

use std::borrow::Cow;

use crate::ir::{Component, ComponentBody, Dag, Executor, ImportUri, OutputSelector, PipelineSpec, Task};
use crate::problem::{Path, Problem, Sink};
use crate::suggest;
use crate::tree::NodeRef;

pub use arguments::check_arguments;
pub use fit::{is_allowed, is_of_kind, kind, wanted};
pub(crate) use shape::shape_of;

/// The one version of the format that exists in KFP 2.
const SCHEMA_VERSION: &str = "2.1.0";

/// Checks references, types and graphs of the typed form; the document tells where to point.
pub(crate) fn meaning_of(spec: &PipelineSpec, document: NodeRef<'_>, sink: &mut Sink) {
    let mut checker = Checker { spec, document, sink };
    checker.header();
    let root = Path::ROOT.key("root");
    if document.field("root").is_none() {
        checker
            .report(&root, "the pipeline has no root", || "a pipeline needs `root` with a `dag`".to_owned());
    } else if matches!(&spec.root.body, ComponentBody::Executor(label) if !label.is_empty()) {
        checker.report(&root, "the root must be a DAG", || "give `root` a `dag` with tasks".to_owned());
    } else {
        checker.component(&spec.root, &root);
    }
    let components = Path::ROOT.key("components");
    for (name, component) in &spec.components {
        checker.component(component, &components.key(name));
    }
    checker.nesting();
}

/// Walks the typed form and reports into the sink.
struct Checker<'a> {
    spec: &'a PipelineSpec,
    document: NodeRef<'a>,
    sink: &'a mut Sink,
}

impl<'a> Checker<'a> {
    /// Reports a problem at a path; the hint is made only if the problem is kept.
    fn report<'m>(
        &mut self,
        path: &Path<'_>,
        message: impl Into<Cow<'m, str>>,
        hint: impl FnOnce() -> String,
    ) {
        if self.sink.is_full() {
            self.sink.count_one_more();
            return;
        }
        let at = self.document.locate(&path.steps());
        self.sink.push(Problem { path: path.to_string(), ..at.problem(message.into(), hint()) });
    }

    fn header(&mut self) {
        let text = |field: &str| self.document.field(field).and_then(NodeRef::as_str).unwrap_or_default();
        let version = text("schemaVersion");
        if version != SCHEMA_VERSION {
            let message = if version.is_empty() {
                "the schema version is missing".to_owned()
            } else {
                format!("schema version `{version}` is not supported")
            };
            let hint = format!("only `{SCHEMA_VERSION}` is: compile the pipeline with kfp 2");
            self.report(&Path::ROOT.key("schemaVersion"), message, || hint);
        }
        let name = &self.spec.name;
        if !is_pipeline_name(name) {
            let message = if name.is_empty() {
                "the pipeline has no name".to_owned()
            } else {
                format!("`{name}` cannot be the name of a pipeline")
            };
            self.report(&Path::ROOT.key("pipelineInfo").key("name"), message, || {
                "use 1 to 128 lower-case letters, digits and `-`, beginning with a letter or digit".to_owned()
            });
        }
    }

    fn component(&mut self, component: &'a Component, path: &Path<'_>) {
        match &component.body {
            ComponentBody::Dag(dag) => self.dag(component, dag, &path.key("dag")),
            // An empty label was reported when the component was read.
            ComponentBody::Executor(label) if label.is_empty() => {}
            ComponentBody::Executor(label) => self.executor(component, label, path),
        }
    }

    fn executor(&mut self, component: &Component, label: &str, path: &Path<'_>) {
        let path = path.key("executorLabel");
        match self.spec.executors.get(label) {
            None => {
                let known = &self.spec.executors;
                self.report(&path, format!("there is no executor `{label}`"), || {
                    suggest::hint(label, known.keys().map(String::as_str))
                });
            }
            Some(Executor::Importer(importer)) => {
                let ImportUri::Input(input) = &importer.uri else { return };
                if !component.input_parameters.contains_key(input) {
                    let message = format!(
                        "the importer takes its URI from `{input}`, which the component does not have"
                    );
                    self.report(&path, message, || {
                        suggest::hint(input, component.input_parameters.keys().map(String::as_str))
                    });
                }
            }
            Some(Executor::Container(_)) => {}
        }
    }

    fn dag(&mut self, component: &'a Component, dag: &'a Dag, path: &Path<'_>) {
        let tasks = path.key("tasks");
        for (name, task) in &dag.tasks {
            self.task(component, dag, name, task, &tasks.key(name));
        }
        self.cycles(dag, &tasks);
        self.dag_outputs(dag, &path.key("outputs"));
    }

    fn task(&mut self, scope: &'a Component, dag: &'a Dag, name: &str, task: &'a Task, path: &Path<'_>) {
        let dependencies = path.key("dependentTasks");
        for (index, dependency) in task.dependencies.iter().enumerate() {
            let path = dependencies.index(index);
            if dependency == name {
                self.report(&path, format!("the task `{name}` waits for itself"), String::new);
            } else {
                self.task_of(dag, dependency, &path);
            }
        }
        self.task_inputs(scope, dag, name, task, path);
        let reference = path.key("componentRef");
        if task.component.is_empty() {
            self.report(&reference, "the task names no component", || "give `componentRef.name`".to_owned());
            return;
        }
        let known = &self.spec.components;
        if let Some(component) = known.get(&task.component) {
            self.call(component, task, path);
        } else {
            let message = format!("there is no component `{}`", task.component);
            self.report(&reference.key("name"), message, || {
                suggest::hint(&task.component, known.keys().map(String::as_str))
            });
        }
    }

    /// The task of this name, or a problem.
    fn task_of(&mut self, dag: &'a Dag, name: &str, path: &Path<'_>) -> Option<&'a Task> {
        let found = dag.tasks.get(name);
        if found.is_none() {
            let message = if name.is_empty() {
                "no task is named".to_owned()
            } else {
                format!("there is no task `{name}` here")
            };
            self.report(path, message, || suggest::hint(name, dag.tasks.keys().map(String::as_str)));
        }
        found
    }

    /// The component that the task of an output selector runs, or a problem; unknown components are reported where
    /// the task stands.
    fn producer(
        &mut self,
        dag: &'a Dag,
        selector: &OutputSelector,
        path: &Path<'_>,
    ) -> Option<&'a Component> {
        let task = self.task_of(dag, &selector.task, path)?;
        self.spec.components.get(&task.component)
    }
}

/// `^[a-z0-9][a-z0-9-]{0,127}$`
fn is_pipeline_name(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    name.len() <= 128 && name.bytes().next().is_some_and(fits) && name.bytes().all(|b| fits(b) || b == b'-')
}
