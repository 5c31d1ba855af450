//! Outputs: that the task named by a selector gives the output named by it.

use std::collections::BTreeMap;

use super::Checker;
use crate::ir::{Component, ComponentBody, Dag, OutputSelector, ParameterOutput};
use crate::problem::Path;
use crate::suggest;

impl<'a> Checker<'a> {
    /// How a DAG's own outputs are picked from its tasks.
    pub(super) fn dag_outputs(&mut self, dag: &'a Dag, path: &Path<'_>) {
        let parameters = path.key("parameters");
        for (name, output) in &dag.output_parameters {
            let path = parameters.key(name);
            match output {
                ParameterOutput::From(selector) => {
                    self.picked_parameter(dag, selector, &path.key("valueFromParameter"));
                }
                ParameterOutput::OneOf(selectors) => {
                    let path = path.key("valueFromOneof");
                    let path = path.key("parameterSelectors");
                    self.some(selectors, &path);
                    for (index, selector) in selectors.iter().enumerate() {
                        self.picked_parameter(dag, selector, &path.index(index));
                    }
                }
            }
        }
        let artifacts = path.key("artifacts");
        for (name, selectors) in &dag.output_artifacts {
            let path = artifacts.key(name);
            let path = path.key("artifactSelectors");
            self.some(selectors, &path);
            for (index, selector) in selectors.iter().enumerate() {
                let path = path.index(index);
                if let Some(component) = self.producer(dag, selector, &path.key("producerSubtask")) {
                    self.output_artifact(component, selector, &path.key("outputArtifactKey"));
                }
            }
        }
    }

    fn some(&mut self, selectors: &[OutputSelector], path: &Path<'_>) {
        if selectors.is_empty() {
            self.report(path, "the output comes from no task", || "give at least one selector".to_owned());
        }
    }

    fn picked_parameter(&mut self, dag: &'a Dag, selector: &OutputSelector, path: &Path<'_>) {
        if let Some(component) = self.producer(dag, selector, &path.key("producerSubtask")) {
            self.output_parameter(component, selector, &path.key("outputParameterKey"));
        }
    }

    /// Reports a parameter that the component of a producer does not give.
    pub(super) fn output_parameter(
        &mut self,
        component: &Component,
        selector: &OutputSelector,
        path: &Path<'_>,
    ) {
        let is_declared = component.output_parameters.contains_key(&selector.output);
        let ComponentBody::Dag(dag) = &component.body else {
            if !is_declared {
                self.no_output(
                    selector,
                    component.output_parameters.keys(),
                    &component.output_artifacts,
                    path,
                );
            }
            return;
        };
        if dag.output_parameters.contains_key(&selector.output) {
            return;
        }
        if is_declared {
            self.not_picked(selector, path);
        } else {
            self.no_output(selector, dag.output_parameters.keys(), &component.output_artifacts, path);
        }
    }

    /// Reports an artifact that the component of a producer does not give.
    pub(super) fn output_artifact(
        &mut self,
        component: &Component,
        selector: &OutputSelector,
        path: &Path<'_>,
    ) {
        let is_declared = component.output_artifacts.contains_key(&selector.output);
        let ComponentBody::Dag(dag) = &component.body else {
            if !is_declared {
                self.no_output(
                    selector,
                    component.output_artifacts.keys(),
                    &component.output_parameters,
                    path,
                );
            }
            return;
        };
        if dag.output_artifacts.contains_key(&selector.output) {
            return;
        }
        if is_declared {
            self.not_picked(selector, path);
        } else {
            self.no_output(selector, dag.output_artifacts.keys(), &component.output_parameters, path);
        }
    }

    /// The sub-pipeline promises the output in its signature, but its DAG picks no task for it.
    fn not_picked(&mut self, OutputSelector { task, output }: &OutputSelector, path: &Path<'_>) {
        let message = format!("`{task}` declares the output `{output}`, but none of its tasks gives it");
        self.report(path, message, || "add it to `dag.outputs` of that component".to_owned());
    }

    /// `others` are the outputs of the other sort, parameters or artifacts.
    fn no_output<'n, T>(
        &mut self,
        OutputSelector { task, output }: &OutputSelector,
        given: impl Iterator<Item = &'n String> + Clone,
        others: &BTreeMap<String, T>,
        path: &Path<'_>,
    ) {
        let message = if output.is_empty() {
            "no output is named".to_owned()
        } else {
            format!("the task `{task}` has no output `{output}`")
        };
        self.report(path, message, || match others.contains_key(output) {
            true if path.ends_with("outputParameterKey") => format!("`{output}` is an artifact there"),
            true => format!("`{output}` is a parameter there"),
            false => suggest::hint(output, given.map(String::as_str)),
        });
    }
}
