//! The reference interpreter: what a pipeline comes to, by one recursive walk.
//!
//! It says how every task must end and what it must give, whatever the order in which things happen. It knows the form
//! of pipelines and nothing of the engine: no time, no attempts at once, no events. Only what the generator writes is
//! understood. What containers do stands in a [`Script`]; what this is compared with, in `verdict`.

use std::collections::BTreeMap;

use ferroflow_spec::ir::{
    ArtifactSource, Component, ComponentBody, Dag, Executor, ImportUri, Iterator as LoopOver, LoopItems,
    OutputSelector, ParameterOutput, ParameterSource, ParameterType, PipelineSpec, RetryPolicy, Task,
    TriggerStrategy,
};
use serde_json::{Map, Value, json};

/// Parameters, and URIs of artifacts, by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Values {
    pub(super) parameters: BTreeMap<String, Value>,
    pub(super) artifacts: BTreeMap<String, Vec<String>>,
}

/// What a container does.
#[derive(Debug, Clone)]
pub(super) struct Behaviour {
    /// How often it fails before it succeeds.
    pub(super) failures: u32,
    /// What it gives when it succeeds.
    pub(super) makes: Values,
    /// What an earlier run left for it, if that is all it promises.
    pub(super) earlier: Option<Values>,
}

/// What the container of this component does at this path.
pub(super) trait Script {
    fn behaviour(&self, path: &str, component: &Component) -> Behaviour;
}

/// How a task ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Succeeded,
    Cached,
    Failed,
    Skipped,
}

impl End {
    pub(super) fn is_success(self) -> bool {
        matches!(self, Self::Succeeded | Self::Cached)
    }
}

/// What a task comes to.
#[derive(Debug, Clone)]
pub(super) struct Ended {
    pub(super) end: End,
    /// Empty unless it succeeds.
    pub(super) outputs: Values,
    /// How often its container fails, and what it is given; `None` where no container runs.
    pub(super) ran: Option<(u32, Values)>,
}

impl Ended {
    fn new(end: End) -> Self {
        Self { end, outputs: Values::default(), ran: None }
    }

    fn giving(end: End, outputs: Values) -> Self {
        Self { outputs, ..Self::new(end) }
    }
}

/// What all tasks of a pipeline come to, by path; the pipeline itself has the empty path.
pub(super) fn interpret(
    spec: &PipelineSpec,
    arguments: &Map<String, Value>,
    script: &dyn Script,
) -> Result<BTreeMap<String, Ended>, String> {
    let mut inputs = Values::default();
    for (name, declared) in &spec.root.input_parameters {
        let value = arguments.get(name).or(declared.default_value.as_ref());
        inputs.parameters.insert(name.clone(), value.cloned().unwrap_or(Value::Null));
    }
    let mut interpreter = Interpreter { spec, script, ended: BTreeMap::new() };
    let ComponentBody::Dag(dag) = &spec.root.body else { return Err("the pipeline is no group".to_owned()) };
    let whole = interpreter.group(dag, &inputs, "", None)?;
    interpreter.ended.insert(String::new(), whole);
    Ok(interpreter.ended)
}

struct Interpreter<'a> {
    spec: &'a PipelineSpec,
    script: &'a dyn Script,
    ended: BTreeMap<String, Ended>,
}

/// What the tasks of a group have come to, by name.
type Beside<'a> = BTreeMap<&'a str, Ended>;

impl Interpreter<'_> {
    /// One task after another, each when all before it have ended.
    fn group(
        &mut self,
        dag: &Dag,
        inputs: &Values,
        path: &str,
        retry: Option<&RetryPolicy>,
    ) -> Result<Ended, String> {
        let mut beside = Beside::new();
        while beside.len() < dag.tasks.len() {
            let before = beside.len();
            for (name, task) in &dag.tasks {
                let is_new = !beside.contains_key(name.as_str());
                if is_new && upstream(task).iter().all(|name| beside.contains_key(name)) {
                    let path = join(path, name);
                    let ended = self.task(task, &beside, inputs, &path, retry)?;
                    self.ended.insert(path, ended.clone());
                    beside.insert(name, ended);
                }
            }
            if beside.len() == before {
                return Err(format!("the tasks of `{path}` wait for each other"));
            }
        }
        if beside.values().any(|task| task.end == End::Failed) {
            return Ok(Ended::new(End::Failed));
        }
        let mut outputs = Values::default();
        for (name, output) in &dag.output_parameters {
            let selectors = match output {
                ParameterOutput::From(selector) => std::slice::from_ref(selector),
                ParameterOutput::OneOf(selectors) => selectors,
            };
            if let Some(value) = selectors.iter().find_map(|from| parameter(&beside, from)) {
                outputs.parameters.insert(name.clone(), value);
            }
        }
        for (name, selectors) in &dag.output_artifacts {
            if let Some(list) = selectors.iter().find_map(|from| artifacts(&beside, from)) {
                outputs.artifacts.insert(name.clone(), list);
            }
        }
        Ok(Ended::giving(End::Succeeded, outputs))
    }

    fn task(
        &mut self,
        task: &Task,
        beside: &Beside<'_>,
        around: &Values,
        path: &str,
        retry: Option<&RetryPolicy>,
    ) -> Result<Ended, String> {
        let mut before = upstream(task).into_iter().filter_map(|name| beside.get(name));
        if task.trigger == TriggerStrategy::AllSucceeded && before.any(|task| !task.end.is_success()) {
            return Ok(Ended::new(End::Skipped));
        }
        let component = self.spec.components.get(&task.component);
        let component = component.ok_or_else(|| format!("`{path}` has no component"))?;
        let Some(inputs) = resolve(task, component, beside, around) else {
            return Ok(Ended::new(End::Failed));
        };
        match holds(&task.condition, &inputs) {
            Some(true) => {}
            Some(false) => return Ok(Ended::new(End::Skipped)),
            None => return Ok(Ended::new(End::Failed)),
        }
        let retry = task.retry.as_ref().or(retry);
        match &component.body {
            ComponentBody::Dag(dag) => match &task.iterator {
                None => self.group(dag, &inputs, path, retry),
                Some(iterator) => self.looping(dag, iterator, inputs, path, retry),
            },
            ComponentBody::Executor(label) => match self.spec.executors.get(label) {
                Some(Executor::Importer(importer)) => Ok(import(&importer.uri, &inputs)),
                _ => Ok(self.container(component, inputs, path, task.caching.enabled, retry)),
            },
        }
    }

    fn container(
        &self,
        component: &Component,
        mut inputs: Values,
        path: &str,
        may_reuse: bool,
        retry: Option<&RetryPolicy>,
    ) -> Ended {
        let behaviour = self.script.behaviour(path, component);
        if let Some(earlier) = behaviour.earlier.filter(|_| may_reuse) {
            return Ended::giving(End::Cached, earlier);
        }
        for (name, declared) in &component.input_parameters {
            if let Some(default) = &declared.default_value {
                inputs.parameters.entry(name.clone()).or_insert_with(|| default.clone());
            }
        }
        let tries = 1 + retry.map_or(0, |retry| retry.max_retry_count);
        if behaviour.failures >= tries {
            return Ended { ran: Some((tries, inputs)), ..Ended::new(End::Failed) };
        }
        let mut outputs = behaviour.makes;
        for value in outputs.parameters.values_mut() {
            *value = without_point(value.take());
        }
        Ended { ran: Some((behaviour.failures, inputs)), ..Ended::giving(End::Succeeded, outputs) }
    }

    /// One pass after another. The outputs are lists: what no pass gave is not in them.
    fn looping(
        &mut self,
        dag: &Dag,
        iterator: &LoopOver,
        mut inputs: Values,
        path: &str,
        retry: Option<&RetryPolicy>,
    ) -> Result<Ended, String> {
        let Some(items) = take_items(iterator, &mut inputs) else { return Ok(Ended::new(End::Failed)) };
        let mut outputs = Values::default();
        for name in dag.output_parameters.keys() {
            outputs.parameters.insert(name.clone(), json!([]));
        }
        for name in dag.output_artifacts.keys() {
            outputs.artifacts.insert(name.clone(), Vec::new());
        }
        let mut has_failed = false;
        for (number, item) in items.into_iter().enumerate() {
            let mut given = inputs.clone();
            given.parameters.extend(item.parameters);
            given.artifacts.extend(item.artifacts);
            let path = join(path, &number.to_string());
            let pass = self.group(dag, &given, &path, retry)?;
            has_failed |= pass.end == End::Failed;
            for (name, value) in &pass.outputs.parameters {
                if let Some(Value::Array(list)) = outputs.parameters.get_mut(name) {
                    list.push(value.clone());
                }
            }
            for (name, list) in &pass.outputs.artifacts {
                outputs.artifacts.entry(name.clone()).or_default().extend(list.iter().cloned());
            }
            self.ended.insert(path, pass);
        }
        Ok(if has_failed { Ended::new(End::Failed) } else { Ended::giving(End::Succeeded, outputs) })
    }
}

/// What each pass has as its item; the list is no input of them. `None` if there is no list.
fn take_items(iterator: &LoopOver, inputs: &mut Values) -> Option<Vec<Values>> {
    let (list, name) = match iterator {
        LoopOver::Artifact { input, item_input } => {
            let list = inputs.artifacts.remove(input)?;
            let item = |uri| Values {
                artifacts: BTreeMap::from([(item_input.clone(), vec![uri])]),
                ..Values::default()
            };
            return Some(list.into_iter().map(item).collect());
        }
        LoopOver::Parameter { items: LoopItems::Raw(text), item_input } => {
            (Value::from(text.as_str()), item_input)
        }
        LoopOver::Parameter { items: LoopItems::Input(list), item_input } => {
            (inputs.parameters.remove(list)?, item_input)
        }
    };
    let list = match list {
        Value::Array(list) => list,
        Value::String(text) => match serde_json::from_str(&text).ok()? {
            Value::Array(list) => list,
            _ => Vec::new(),
        },
        _ => return None,
    };
    let item = |value| Values { parameters: BTreeMap::from([(name.clone(), value)]), ..Values::default() };
    Some(list.into_iter().map(item).collect())
}

fn import(uri: &ImportUri, inputs: &Values) -> Ended {
    let uri = match uri {
        ImportUri::Constant(uri) => Some(uri.clone()),
        ImportUri::Input(name) => inputs.parameters.get(name).map(text),
    };
    let Some(uri) = uri else { return Ended::new(End::Failed) };
    let artifacts = BTreeMap::from([("artifact".to_owned(), vec![uri])]);
    Ended::giving(End::Succeeded, Values { artifacts, ..Values::default() })
}

/// The inputs of a task. `None` if it fails for want of one, or because one does not fit.
fn resolve(task: &Task, component: &Component, beside: &Beside<'_>, around: &Values) -> Option<Values> {
    let mut inputs = Values::default();
    let is_group = matches!(component.body, ComponentBody::Dag(_));
    let item = task.iterator.as_ref().map(|iterator| match iterator {
        LoopOver::Parameter { item_input, .. } | LoopOver::Artifact { item_input, .. } => item_input,
    });
    for (name, declared) in &component.input_parameters {
        if item == Some(name) {
            continue;
        }
        let found = task.parameters.get(name).and_then(|input| match &input.source {
            ParameterSource::Constant(value) => Some(value.clone()),
            ParameterSource::ComponentInput(from) => around.parameters.get(from).cloned(),
            ParameterSource::TaskOutput(from) => parameter(beside, from),
            ParameterSource::TaskFinalStatus(name) => Some(final_status(name, beside)),
        });
        match found.filter(|value| !value.is_null()) {
            Some(value) => {
                inputs.parameters.insert(name.clone(), fit(declared.parameter_type, value)?);
            }
            None if !declared.is_optional => return None,
            // In a group, what it was not given can be asked for; a container is not told of it.
            None if is_group => {
                let default = declared.default_value.clone().unwrap_or(Value::Null);
                inputs.parameters.insert(name.clone(), default);
            }
            None => {}
        }
    }
    for (name, declared) in &component.input_artifacts {
        let found = match task.artifacts.get(name) {
            None => continue,
            Some(ArtifactSource::ComponentInput(from)) => around.artifacts.get(from).cloned(),
            Some(ArtifactSource::TaskOutput(from)) => artifacts(beside, from),
        };
        match found {
            Some(list) => drop(inputs.artifacts.insert(name.clone(), list)),
            None if declared.is_optional => {}
            None => return None,
        }
    }
    Some(inputs)
}

/// Of what exit tasks are told, only how the other task ended.
fn final_status(name: &str, beside: &Beside<'_>) -> Value {
    let state = beside.get(name).map(|task| match task.end {
        End::Succeeded => "COMPLETE",
        End::Cached => "CACHED",
        End::Failed => "FAILED",
        End::Skipped => "CANCELED",
    });
    json!({ "state": state, "pipelineTaskName": name })
}

/// What a task that succeeded gave.
fn parameter(beside: &Beside<'_>, from: &OutputSelector) -> Option<Value> {
    beside.get(from.task.as_str())?.outputs.parameters.get(&from.output).cloned()
}

fn artifacts(beside: &Beside<'_>, from: &OutputSelector) -> Option<Vec<String>> {
    beside.get(from.task.as_str())?.outputs.artifacts.get(&from.output).cloned()
}

/// Names of the tasks before this one.
fn upstream(task: &Task) -> Vec<&str> {
    let of_parameters = task.parameters.values().filter_map(|input| match &input.source {
        ParameterSource::TaskOutput(from) => Some(&from.task),
        ParameterSource::TaskFinalStatus(name) => Some(name),
        ParameterSource::ComponentInput(_) | ParameterSource::Constant(_) => None,
    });
    let of_artifacts = task.artifacts.values().filter_map(|source| match source {
        ArtifactSource::TaskOutput(from) => Some(&from.task),
        ArtifactSource::ComponentInput(_) => None,
    });
    task.dependencies.iter().chain(of_parameters).chain(of_artifacts).map(String::as_str).collect()
}

fn fit(wanted: ParameterType, value: Value) -> Option<Value> {
    let fits = match wanted {
        ParameterType::String => return Some(Value::from(text(&value))),
        ParameterType::NumberInteger | ParameterType::NumberDouble => value.is_number(),
        ParameterType::Boolean => value.is_boolean(),
        ParameterType::List => value.is_array(),
        ParameterType::Unspecified => true,
        ParameterType::Struct | ParameterType::TaskFinalStatus | ParameterType::TaskConfig => {
            value.is_object()
        }
    };
    fits.then_some(value)
}

/// What the generator writes: `int(inputs.parameter_values['c']) >= 2`, perhaps in `!( )`, perhaps several joined by
/// ` && `. `None` if that is an error; but false and an error is false.
fn holds(condition: &str, inputs: &Values) -> Option<bool> {
    if condition.is_empty() {
        return Some(true);
    }
    let parts: Vec<_> = condition.split(" && ").map(|part| part_holds(part, inputs)).collect();
    if parts.contains(&Some(false)) {
        return Some(false);
    }
    (!parts.contains(&None)).then_some(true)
}

fn part_holds(part: &str, inputs: &Values) -> Option<bool> {
    if let Some(inner) = part.strip_prefix("!(").and_then(|rest| rest.strip_suffix(')')) {
        return part_holds(inner, inputs).map(|holds| !holds);
    }
    let (_, rest) = part.split_once(' ')?;
    let (operator, number) = rest.split_once(' ')?;
    let (value, number) = (inputs.parameters.get("c")?.as_i64()?, number.parse::<i64>().ok()?);
    match operator {
        "==" => Some(value == number),
        "!=" => Some(value != number),
        "<" => Some(value < number),
        ">=" => Some(value >= number),
        _ => None,
    }
}

/// 2, not 2.0.
fn without_point(value: Value) -> Value {
    match value.as_f64() {
        // Containers of the script give small numbers only.
        Some(number) if number.fract() == 0.0 => {
            serde_json::from_str(&format!("{number:.0}")).unwrap_or(value)
        }
        _ => value,
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

fn join(group: &str, name: &str) -> String {
    if group.is_empty() { name.to_owned() } else { format!("{group}/{name}") }
}
