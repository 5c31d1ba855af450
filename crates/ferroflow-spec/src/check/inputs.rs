//! Inputs of tasks: that each source exists, that what the component needs is given, and that constants fit.

use serde_json::Value;

use super::Checker;
use super::fit::{allowed, is_allowed, is_of_kind, kind, wanted};
use crate::ir::{
    ArtifactSource, Component, Dag, InputParameter, Iterator, LoopItems, ParameterInput, ParameterSource,
    ParameterType, Task,
};
use crate::problem::Path;
use crate::suggest;

impl<'a> Checker<'a> {
    /// Sources of a task's inputs, whatever component it runs.
    pub(super) fn task_inputs(
        &mut self,
        scope: &'a Component,
        dag: &'a Dag,
        name: &str,
        task: &'a Task,
        path: &Path<'_>,
    ) {
        let inputs = path.key("inputs");
        let parameters = inputs.key("parameters");
        for (input, given) in &task.parameters {
            self.parameter_source(scope, dag, name, given, &parameters.key(input));
        }
        let artifacts = inputs.key("artifacts");
        for (input, source) in &task.artifacts {
            self.artifact_source(scope, dag, name, source, &artifacts.key(input));
        }
        self.loop_items(task, path);
    }

    fn parameter_source(
        &mut self,
        scope: &'a Component,
        dag: &'a Dag,
        task: &str,
        given: &ParameterInput,
        path: &Path<'_>,
    ) {
        match &given.source {
            ParameterSource::TaskOutput(selector) => {
                let path = path.key("taskOutputParameter");
                if selector.task == task {
                    self.report(&path, format!("the task `{task}` takes its own output"), String::new);
                } else if let Some(component) = self.producer(dag, selector, &path.key("producerTask")) {
                    self.output_parameter(component, selector, &path.key("outputParameterKey"));
                }
            }
            ParameterSource::ComponentInput(input) => {
                if !scope.input_parameters.contains_key(input) {
                    let hint = if scope.input_artifacts.contains_key(input) {
                        "it is an artifact: pass it under `inputs.artifacts`".to_owned()
                    } else {
                        suggest::hint(input, scope.input_parameters.keys().map(String::as_str))
                    };
                    let message = format!("the surrounding component has no input parameter `{input}`");
                    self.report(&path.key("componentInputParameter"), message, || hint);
                }
            }
            ParameterSource::TaskFinalStatus(producer) => {
                self.task_of(dag, producer, &path.key("taskFinalStatus").key("producerTask"));
            }
            ParameterSource::Constant(_) => {}
        }
    }

    fn artifact_source(
        &mut self,
        scope: &'a Component,
        dag: &'a Dag,
        task: &str,
        source: &ArtifactSource,
        path: &Path<'_>,
    ) {
        match source {
            ArtifactSource::TaskOutput(selector) => {
                let path = path.key("taskOutputArtifact");
                if selector.task == task {
                    self.report(&path, format!("the task `{task}` takes its own output"), String::new);
                } else if let Some(component) = self.producer(dag, selector, &path.key("producerTask")) {
                    self.output_artifact(component, selector, &path.key("outputArtifactKey"));
                }
            }
            ArtifactSource::ComponentInput(input) => {
                if !scope.input_artifacts.contains_key(input) {
                    let hint = if scope.input_parameters.contains_key(input) {
                        "it is a parameter: pass it under `inputs.parameters`".to_owned()
                    } else {
                        suggest::hint(input, scope.input_artifacts.keys().map(String::as_str))
                    };
                    let message = format!("the surrounding component has no input artifact `{input}`");
                    self.report(&path.key("componentInputArtifact"), message, || hint);
                }
            }
        }
    }

    fn loop_items(&mut self, task: &'a Task, path: &Path<'_>) {
        match &task.iterator {
            Some(Iterator::Parameter { items: LoopItems::Raw(raw), .. }) => {
                let message = match serde_json::from_str::<Value>(raw) {
                    Ok(Value::Array(_)) => return,
                    Ok(other) => format!("the loop items are {}, not a list", kind(&other)),
                    Err(error) => format!("the loop items are not JSON: {error}"),
                };
                self.report(&path.key("parameterIterator").key("items").key("raw"), message, || {
                    "write a JSON list, such as `[1, 2]`".to_owned()
                });
            }
            Some(Iterator::Parameter { items: LoopItems::Input(input), .. })
                if !task.parameters.contains_key(input) =>
            {
                let path = path.key("parameterIterator");
                let path = path.key("items");
                self.report(
                    &path.key("inputParameter"),
                    format!("the task has no input `{input}` to loop over"),
                    || suggest::hint(input, task.parameters.keys().map(String::as_str)),
                );
            }
            Some(Iterator::Artifact { input, .. }) if !task.artifacts.contains_key(input) => {
                let path = path.key("artifactIterator");
                let path = path.key("items");
                self.report(
                    &path.key("inputArtifact"),
                    format!("the task has no input `{input}` to loop over"),
                    || suggest::hint(input, task.artifacts.keys().map(String::as_str)),
                );
            }
            _ => {}
        }
    }

    /// What the component that a task runs wants. Inputs that it does not have are allowed: the compiler passes
    /// values that placeholders name that way.
    pub(super) fn call(&mut self, component: &'a Component, task: &'a Task, path: &Path<'_>) {
        let inputs = path.key("inputs");
        let item = self.item_input(component, task, path);
        let mut missing = Vec::new();
        for (name, input) in &component.input_parameters {
            let filled = input.is_optional || input.default_value.is_some() || item == Some(name.as_str());
            match task.parameters.get(name) {
                Some(given) => self.constant(given, input, &inputs.key("parameters").key(name)),
                // The executor fills these.
                None if filled || input.parameter_type == ParameterType::TaskConfig => {}
                None => missing.push((name, "parameters")),
            }
        }
        for (name, input) in &component.input_artifacts {
            let filled = input.is_optional || item == Some(name.as_str());
            if !filled && !task.artifacts.contains_key(name) {
                missing.push((name, "artifacts"));
            }
        }
        for (name, kind) in missing {
            let message =
                format!("the component `{}` needs the input `{name}`, which is not given", task.component);
            self.report(&inputs.key(kind).key(name), message, || {
                let known = |given: &&str| {
                    component.input_parameters.contains_key(*given)
                        || component.input_artifacts.contains_key(*given)
                };
                let given = task.parameters.keys().chain(task.artifacts.keys()).map(String::as_str);
                suggest::nearest(name, given.filter(|given| !known(given)))
                    .map(|near| format!("`{near}` is given: is it meant?"))
                    .unwrap_or_default()
            });
        }
    }

    /// The input under which a loop's body sees its item.
    fn item_input(&mut self, component: &'a Component, task: &'a Task, path: &Path<'_>) -> Option<&'a str> {
        let (iterator, name, known): (_, &'a str, Vec<&str>) = match task.iterator.as_ref()? {
            Iterator::Parameter { item_input, .. } => {
                let known = component.input_parameters.keys();
                ("parameterIterator", item_input, known.map(String::as_str).collect())
            }
            Iterator::Artifact { item_input, .. } => {
                let known = component.input_artifacts.keys();
                ("artifactIterator", item_input, known.map(String::as_str).collect())
            }
        };
        if !known.contains(&name) {
            let message =
                format!("the component `{}` has no input `{name}` for the loop item", task.component);
            self.report(&path.key(iterator).key("itemInput"), message, || suggest::hint(name, known));
        }
        Some(name)
    }

    fn constant(&mut self, given: &ParameterInput, input: &InputParameter, path: &Path<'_>) {
        let ParameterSource::Constant(value) = &given.source else { return };
        // Placeholders and selectors give their values at run time; an optional input may be null, as if left out.
        let is_late = value.as_str().is_some_and(|text| text.contains("{{$")) || !given.selector.is_empty();
        if is_late || (value.is_null() && input.is_optional) {
            return;
        }
        let runtime_value = path.key("runtimeValue");
        let path = runtime_value.key("constant");
        let takes_anything = input.parameter_type == ParameterType::String;
        if !takes_anything && !is_of_kind(input.parameter_type, value) {
            let message = format!(
                "expected {} ({}), found {}",
                wanted(input.parameter_type),
                input.parameter_type.wire_name(),
                kind(value)
            );
            self.report(&path, message, || hint_for_number(value, input.parameter_type));
        } else if !is_allowed(input, value) {
            self.report(&path, format!("`{value}` is not one of the allowed values"), || allowed(input));
        }
    }
}

/// Numbers that compilers write are never ambiguous, but hand-written ones may be.
fn hint_for_number(value: &Value, parameter_type: ParameterType) -> String {
    let is_number = matches!(parameter_type, ParameterType::NumberDouble | ParameterType::NumberInteger);
    let number = value.as_str().filter(|_| is_number).and_then(|text| text.parse::<f64>().ok());
    match number {
        Some(number) if number.is_finite() => {
            "write the number without quotes, with a point before its exponent".to_owned()
        }
        _ => String::new(),
    }
}
