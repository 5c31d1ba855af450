//! How a run must end: a naive evaluator that walks the pipeline once, given what each container came to.
//!
//! Knows nothing of the engine. It is slow and recursive on purpose, and reads only what the generator writes.

use std::collections::BTreeMap;

use ferroflow_model::{Inputs, TaskPath, TaskStatus};
use ferroflow_spec::ir::{
    ArtifactSource, Component, ComponentBody, Executor as ExecutorSpec, ImportUri, Iterator as LoopOver,
    LoopItems, OutputSelector, ParameterOutput, ParameterSource, ParameterType, PipelineSpec, RetryPolicy,
    Task, TriggerStrategy,
};
use ferroflow_spec::number::normalise;
use serde_json::{Map, Value};

use super::executor::{Conclusion, Executor};
use super::invariant::{Rows, child, upstream_of};
use super::{Check, ensure};

/// Values and URIs by name.
#[derive(Debug, Clone, Default, PartialEq)]
struct Values {
    parameters: BTreeMap<String, Value>,
    artifacts: BTreeMap<String, Vec<String>>,
}

struct Oracle<'a> {
    spec: &'a PipelineSpec,
    executor: &'a Executor<'a>,
    rows: &'a Rows,
    /// Whether everything happened in one go, so that inputs and failures can be told beforehand.
    is_first_round: bool,
    visited: usize,
}

/// Compares the rows of a run that ended by itself with how it must end.
pub(super) fn check(
    spec: &PipelineSpec,
    arguments: &Map<String, Value>,
    executor: &Executor<'_>,
    rows: &Rows,
    is_first_round: bool,
) -> Check {
    let mut oracle = Oracle { spec, executor, rows, is_first_round, visited: 0 };
    let mut inputs = Values::default();
    for (name, declared) in &spec.root.input_parameters {
        let value = arguments.get(name).or(declared.default_value.as_ref());
        inputs.parameters.insert(name.clone(), value.cloned().unwrap_or(Value::Null));
    }
    oracle.group(&spec.root, &inputs, &TaskPath::default(), None)?;
    ensure(oracle.visited == rows.tasks.len(), || {
        format!("the run has {} tasks, but should have {}", rows.tasks.len(), oracle.visited)
    })
}

/// How a task ended, and what it gave.
type Ended = (TaskStatus, Values);

impl Oracle<'_> {
    /// Compares one task's row.
    fn expect(&mut self, path: &TaskPath, status: TaskStatus, outputs: Values) -> Check<Ended> {
        self.visited += 1;
        let row = self.rows.tasks.get(path).ok_or_else(|| format!("`{path}` should be there"))?;
        ensure(row.status == status, || {
            let (found, wanted) = (row.status.as_str(), status.as_str());
            format!("`{path}` is {found}, but should be {wanted}: {:?}", row.error)
        })?;
        if status.is_success() {
            let found = plain(&row.outputs);
            ensure(found == outputs, || {
                format!("`{path}` gave {found:?}, but should have given {outputs:?}")
            })?;
        }
        Ok((status, outputs))
    }

    fn group(
        &mut self,
        component: &Component,
        inputs: &Values,
        path: &TaskPath,
        retry: Option<&RetryPolicy>,
    ) -> Check<Ended> {
        let ComponentBody::Dag(dag) = &component.body else { return Err(format!("`{path}` is no group")) };
        let mut ended: BTreeMap<&str, Ended> = BTreeMap::new();
        while ended.len() < dag.tasks.len() {
            let before = ended.len();
            for (name, task) in &dag.tasks {
                let is_next = !ended.contains_key(name.as_str())
                    && upstream_of(task).iter().all(|upstream| ended.contains_key(upstream));
                if is_next {
                    let done = self.task(name, task, &ended, inputs, path, retry)?;
                    ended.insert(name, done);
                }
            }
            ensure(ended.len() > before, || format!("the tasks of `{path}` wait for each other"))?;
        }
        if ended.values().any(|(status, _)| *status == TaskStatus::Failed) {
            return self.expect(path, TaskStatus::Failed, Values::default());
        }
        let mut outputs = Values::default();
        for (name, output) in &dag.output_parameters {
            let selectors = match output {
                ParameterOutput::From(selector) => std::slice::from_ref(selector),
                ParameterOutput::OneOf(selectors) => selectors,
            };
            let found = selectors.iter().find_map(|from| success(&ended, from)?.parameters.get(&from.output));
            outputs.parameters.extend(found.map(|value| (name.clone(), value.clone())));
        }
        for (name, selectors) in &dag.output_artifacts {
            let found = selectors.iter().find_map(|from| success(&ended, from)?.artifacts.get(&from.output));
            outputs.artifacts.extend(found.map(|list| (name.clone(), list.clone())));
        }
        self.expect(path, TaskStatus::Succeeded, outputs)
    }

    fn task(
        &mut self,
        name: &str,
        task: &Task,
        ended: &BTreeMap<&str, Ended>,
        around: &Values,
        group: &TaskPath,
        retry: Option<&RetryPolicy>,
    ) -> Check<Ended> {
        let path = child(group, name);
        let retry = task.retry.as_ref().or(retry);
        let mut states = upstream_of(task).into_iter().filter_map(|upstream| ended.get(upstream));
        let is_blocked = states.any(|(status, _)| !status.is_success());
        if is_blocked && task.trigger == TriggerStrategy::AllSucceeded {
            return self.expect(&path, TaskStatus::Skipped, Values::default());
        }
        let component =
            self.spec.components.get(&task.component).ok_or_else(|| format!("`{path}` has no component"))?;
        let Some(inputs) = resolve(task, component, ended, around) else {
            return self.expect(&path, TaskStatus::Failed, Values::default());
        };
        match condition(&task.condition, &inputs) {
            Some(true) => {}
            Some(false) => return self.expect(&path, TaskStatus::Skipped, Values::default()),
            None => return self.expect(&path, TaskStatus::Failed, Values::default()),
        }
        match &component.body {
            ComponentBody::Executor(label) => match self.spec.executors.get(label) {
                Some(ExecutorSpec::Importer(importer)) => {
                    let uri = match &importer.uri {
                        ImportUri::Constant(uri) => Some(uri.clone()),
                        ImportUri::Input(name) => inputs.parameters.get(name).map(text),
                    };
                    let list = uri.into_iter().map(|uri| ("artifact".to_owned(), vec![uri]));
                    let outputs = Values { artifacts: list.collect(), ..Values::default() };
                    self.expect(&path, TaskStatus::Succeeded, outputs)
                }
                _ => self.container(&path, component, &inputs, retry),
            },
            ComponentBody::Dag(_) => match &task.iterator {
                None => self.group(component, &inputs, &path, retry),
                Some(iterator) => self.looping(component, iterator, inputs, &path, retry),
            },
        }
    }

    fn container(
        &mut self,
        path: &TaskPath,
        component: &Component,
        inputs: &Values,
        retry: Option<&RetryPolicy>,
    ) -> Check<Ended> {
        let tally = self.executor.tasks.get(path);
        let tally = tally.ok_or_else(|| format!("`{path}` should have run"))?;
        let most = retry.map_or(0, |retry| retry.max_retry_count);
        let failures = tally.failures;
        let ended = match &tally.conclusion {
            None => return Err(format!("`{path}` should have come to an end")),
            Some(Conclusion::Failed) => {
                ensure(!self.is_first_round || failures == most + 1, || {
                    format!("`{path}` failed {failures} times, but should have {} tries", most + 1)
                })?;
                self.expect(path, TaskStatus::Failed, Values::default())?
            }
            Some(Conclusion::Cached(hit)) => {
                return self.expect(path, TaskStatus::Cached, plain(&hit.outputs));
            }
            Some(Conclusion::Succeeded(outputs)) => {
                ensure(!self.is_first_round || failures <= most, || {
                    format!("`{path}` failed {failures} times, but has {} tries", most + 1)
                })?;
                let parameters = outputs.parameters.iter();
                let uris = |(name, list): (&String, &Vec<ferroflow_engine::ProducedArtifact>)| {
                    (name.clone(), list.iter().map(|made| made.uri.clone()).collect())
                };
                let outputs = Values {
                    parameters: parameters
                        .map(|(name, value)| (name.clone(), normalise(value.clone())))
                        .collect(),
                    artifacts: outputs.artifacts.iter().map(uris).collect(),
                };
                self.expect(path, TaskStatus::Succeeded, outputs)?
            }
        };
        if let Some(given) = tally.given.as_ref().filter(|_| self.is_first_round) {
            let mut wanted = inputs.clone();
            for (name, declared) in &component.input_parameters {
                if let Some(default) = &declared.default_value {
                    wanted.parameters.entry(name.clone()).or_insert_with(|| default.clone());
                }
            }
            let mut given = plain(&given.inputs);
            // What it says is checked by tables.
            wanted.parameters.remove("final");
            given.parameters.remove("final");
            ensure(given == wanted, || format!("`{path}` was given {given:?} instead of {wanted:?}"))?;
        }
        Ok(ended)
    }

    fn looping(
        &mut self,
        component: &Component,
        iterator: &LoopOver,
        mut inputs: Values,
        path: &TaskPath,
        retry: Option<&RetryPolicy>,
    ) -> Check<Ended> {
        let (passes, item): (Option<Vec<Item>>, &String) = match iterator {
            LoopOver::Parameter { items: LoopItems::Raw(items), item_input } => {
                (list_of(&Value::from(items.as_str())), item_input)
            }
            LoopOver::Parameter { items: LoopItems::Input(list), item_input } => {
                (inputs.parameters.remove(list).as_ref().and_then(list_of), item_input)
            }
            LoopOver::Artifact { input, item_input } => {
                let list = inputs.artifacts.remove(input);
                (list.map(|list| list.into_iter().map(Item::Artifact).collect()), item_input)
            }
        };
        let Some(passes) = passes else { return self.expect(path, TaskStatus::Failed, Values::default()) };
        let mut ended = Vec::new();
        for (number, pass) in passes.into_iter().enumerate() {
            let mut given = inputs.clone();
            match pass {
                Item::Value(value) => drop(given.parameters.insert(item.clone(), value)),
                Item::Artifact(uri) => drop(given.artifacts.insert(item.clone(), vec![uri])),
            }
            ended.push(self.group(component, &given, &child(path, &number.to_string()), retry)?);
        }
        if ended.iter().any(|(status, _)| *status == TaskStatus::Failed) {
            return self.expect(path, TaskStatus::Failed, Values::default());
        }
        let mut outputs = Values::default();
        let ComponentBody::Dag(dag) = &component.body else { return Err(format!("`{path}` is no loop")) };
        for name in dag.output_parameters.keys() {
            let list = ended.iter().filter_map(|(_, pass)| pass.parameters.get(name).cloned()).collect();
            outputs.parameters.insert(name.clone(), Value::Array(list));
        }
        for name in dag.output_artifacts.keys() {
            let lists = ended.iter().filter_map(|(_, pass)| pass.artifacts.get(name).cloned());
            outputs.artifacts.insert(name.clone(), lists.flatten().collect());
        }
        self.expect(path, TaskStatus::Succeeded, outputs)
    }
}

enum Item {
    Value(Value),
    Artifact(String),
}

fn list_of(value: &Value) -> Option<Vec<Item>> {
    match value {
        Value::Array(items) => Some(items.iter().cloned().map(Item::Value).collect()),
        Value::String(text) => match serde_json::from_str(text).ok()? {
            Value::Array(items) => Some(items.into_iter().map(Item::Value).collect()),
            _ => Some(Vec::new()),
        },
        _ => None,
    }
}

fn success<'e>(ended: &'e BTreeMap<&str, Ended>, from: &OutputSelector) -> Option<&'e Values> {
    ended.get(from.task.as_str()).filter(|(status, _)| status.is_success()).map(|(_, outputs)| outputs)
}

/// `None` if the task fails for want of an input.
fn resolve(
    task: &Task,
    component: &Component,
    ended: &BTreeMap<&str, Ended>,
    around: &Values,
) -> Option<Values> {
    let mut inputs = Values::default();
    let is_group = matches!(component.body, ComponentBody::Dag(_));
    let item = task.iterator.as_ref().map(|iterator| match iterator {
        LoopOver::Parameter { item_input, .. } | LoopOver::Artifact { item_input, .. } => item_input.as_str(),
    });
    for (name, declared) in &component.input_parameters {
        if item == Some(name.as_str()) {
            continue;
        }
        let found = match task.parameters.get(name).map(|input| &input.source) {
            None => None,
            Some(ParameterSource::Constant(value)) => Some(value.clone()),
            Some(ParameterSource::ComponentInput(from)) => around.parameters.get(from).cloned(),
            Some(ParameterSource::TaskOutput(from)) => {
                success(ended, from).and_then(|outputs| outputs.parameters.get(&from.output).cloned())
            }
            Some(ParameterSource::TaskFinalStatus(_)) => Some(Value::Object(Map::new())),
        };
        match found.filter(|value| !value.is_null()) {
            Some(value) => {
                inputs.parameters.insert(name.clone(), fit(declared.parameter_type, value)?);
            }
            None if !declared.is_optional => return None,
            None if is_group => {
                let default = declared.default_value.clone();
                inputs.parameters.insert(name.clone(), default.unwrap_or(Value::Null));
            }
            None => {}
        }
    }
    for (name, declared) in &component.input_artifacts {
        let found = match task.artifacts.get(name) {
            Some(ArtifactSource::ComponentInput(from)) => around.artifacts.get(from),
            Some(ArtifactSource::TaskOutput(from)) => {
                success(ended, from).and_then(|outputs| outputs.artifacts.get(&from.output))
            }
            None => continue,
        };
        match found {
            Some(list) => drop(inputs.artifacts.insert(name.clone(), list.clone())),
            None if declared.is_optional => {}
            None => return None,
        }
    }
    Some(inputs)
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

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// What the generator writes: `int(inputs.parameter_values['c']) >= 2`, perhaps in `!( )`. `None` if it is an error.
fn condition(condition: &str, inputs: &Values) -> Option<bool> {
    if condition.is_empty() {
        return Some(true);
    }
    if let Some(inner) = condition.strip_prefix("!(").and_then(|rest| rest.strip_suffix(')')) {
        return self::condition(inner, inputs).map(|holds| !holds);
    }
    let mut words = condition.split(' ').skip(1);
    let (operator, number) = (words.next()?, words.next()?.parse::<i64>().ok()?);
    let value = inputs.parameters.get("c")?.as_i64()?;
    Some(match operator {
        "==" => value == number,
        "!=" => value != number,
        "<" => value < number,
        _ => value >= number,
    })
}

fn plain(inputs: &Inputs) -> Values {
    let uris = |list: &Vec<std::sync::Arc<ferroflow_model::Artifact>>| {
        list.iter().map(|artifact| artifact.uri.clone()).collect()
    };
    Values {
        parameters: inputs
            .parameters
            .iter()
            .map(|(name, value)| (name.clone(), Value::clone(value)))
            .collect(),
        artifacts: inputs.artifacts.iter().map(|(name, list)| (name.clone(), uris(list))).collect(),
    }
}
