//! The part of a graph that says how a task or group is run: its inputs, its conditions and its policies.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::CompileError;
use crate::cel;
use crate::flow::{Flow, Node};
use crate::graph::{Argument, Channel, Component, Form, Group, GroupKind, Resources, Retry, Task};
use crate::interface::{Definitions, constant};
use crate::{marks, names, types};

/// Where a task or group stands: what its surroundings take, and who stands beside it.
pub(crate) struct Place<'a> {
    pub(crate) around: &'a Definitions,
    pub(crate) beside: &'a HashSet<String>,
    pub(crate) is_root: bool,
}

/// A task as the graph around it has it.
#[derive(Debug, Default)]
pub(crate) struct TaskSpec {
    fields: Map<String, Value>,
    parameters: Map<String, Value>,
    artifacts: Map<String, Value>,
    pub(crate) dependent: Vec<String>,
}

impl TaskSpec {
    fn new(name: &str, display_name: Option<&str>) -> Self {
        let mut spec = Self::default();
        let shown = display_name.filter(|name| !name.is_empty()).unwrap_or(name);
        spec.set("taskInfo", json!({ "name": shown }));
        spec
    }

    fn set(&mut self, field: &str, value: Value) {
        self.fields.insert(field.to_owned(), value);
    }

    fn input(&mut self, name: &str, value: Value, is_artifact: bool) {
        let inputs = if is_artifact { &mut self.artifacts } else { &mut self.parameters };
        inputs.insert(name.to_owned(), value);
    }

    fn final_status(&mut self, input: &str, producer: &str) {
        self.input(input, json!({ "taskFinalStatus": { "producerTask": producer } }), false);
    }

    fn always_runs(&mut self) {
        self.set("triggerPolicy", json!({ "strategy": "ALL_UPSTREAM_TASKS_COMPLETED" }));
    }

    pub(crate) fn into_value(mut self, component: &str) -> Value {
        self.set("componentRef", json!({ "name": component }));
        if !self.dependent.is_empty() {
            let dependent = std::mem::take(&mut self.dependent);
            self.set("dependentTasks", dependent.into());
        }
        let mut inputs = Map::new();
        if !self.parameters.is_empty() {
            inputs.insert("parameters".to_owned(), std::mem::take(&mut self.parameters).into());
        }
        if !self.artifacts.is_empty() {
            inputs.insert("artifacts".to_owned(), std::mem::take(&mut self.artifacts).into());
        }
        if !inputs.is_empty() {
            self.set("inputs", inputs.into());
        }
        self.fields.into()
    }
}

/// A task without what it waits for.
pub(crate) fn of_task(task: &Task, flow: &Flow<'_>, place: &Place<'_>) -> Result<TaskSpec, CompileError> {
    let mut spec = TaskSpec::new(&task.name, task.display_name.as_deref());
    let mut caching = Map::new();
    if task.enable_caching {
        caching.insert("enableCache".to_owned(), true.into());
    }
    if let Some(key) = task.cache_key.as_deref().filter(|key| !key.is_empty()) {
        caching.insert("cacheKey".to_owned(), key.into());
    }
    spec.set("cachingOptions", caching.into());
    if let Some(retry) = &task.retry {
        spec.set("retryPolicy", retry_policy(retry)?);
    }
    for (name, argument) in &task.inputs {
        match argument {
            Argument::Channel(channel) => {
                let (value, is_artifact) = reference(flow.channel(*channel)?, flow, place, &task.shown())?;
                spec.input(name, value, is_artifact);
            }
            Argument::Constant(value) => constant_input(&mut spec, name, value.clone(), flow, place, task)?,
        }
    }
    for (name, text) in settings_with_marks(task) {
        constant_input(&mut spec, name, text.into(), flow, place, task)?;
    }
    Ok(spec)
}

/// Settings of the container that take values of channels become inputs, too.
pub(crate) fn settings_with_marks(task: &Task) -> impl Iterator<Item = (&'static str, String)> {
    let none = Resources::default();
    let resources = task.container.resources.as_ref().unwrap_or(&none);
    let settings = [
        ("cpu_request", &resources.cpu_request),
        ("cpu_limit", &resources.cpu_limit),
        ("memory_request", &resources.memory_request),
        ("memory_limit", &resources.memory_limit),
        ("accelerator_type", &resources.accelerator_type),
        ("accelerator_count", &resources.accelerator_count),
        ("base_image", &task.container.image),
    ];
    let found: Vec<_> = settings
        .into_iter()
        .filter_map(|(name, text)| text.as_ref().map(|text| (name, text.clone())))
        .filter(|(_, text)| !marks::find(text).is_empty())
        .collect();
    found.into_iter()
}

fn retry_policy(retry: &Retry) -> Result<Value, CompileError> {
    let seconds = |text: &Option<String>, default: &str| {
        let text = text.as_deref().filter(|text| !text.is_empty()).unwrap_or(default);
        duration(text).map(|seconds| format!("{seconds}s"))
    };
    let mut policy = Map::from_iter([
        ("backoffDuration".to_owned(), seconds(&retry.backoff_duration, "0s")?.into()),
        ("backoffMaxDuration".to_owned(), seconds(&retry.backoff_max_duration, "3600s")?.into()),
        (
            "backoffFactor".to_owned(),
            retry.backoff_factor.filter(|factor| *factor != 0.0).unwrap_or(2.0).into(),
        ),
    ]);
    if retry.count != 0 {
        policy.insert("maxRetryCount".to_owned(), retry.count.into());
    }
    Ok(policy.into())
}

/// Seconds of `30s`, `2 hours`, `1w`.
fn duration(text: &str) -> Result<i64, CompileError> {
    let bare: String = text.chars().filter(|sign| *sign != ' ').collect();
    let end = bare.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(bare.len());
    let (digits, unit) = bare.split_at(end);
    let unit = match unit.chars().next() {
        Some('s') => Some(1),
        Some('m') => Some(60),
        Some('h') => Some(3_600),
        Some('d') => Some(86_400),
        Some('w') => Some(604_800),
        _ => None,
    };
    let seconds = unit.zip(digits.parse::<i64>().ok()).and_then(|(unit, count)| count.checked_mul(unit));
    seconds.ok_or_else(|| {
        CompileError::Value(format!(
            "'{text}' is not a duration: write a whole number and a unit, such as '30s' or '2 hours'"
        ))
    })
}

/// Where the value of a channel comes from, seen from a task, and whether it is an artifact.
fn reference(
    channel: &Channel,
    flow: &Flow<'_>,
    place: &Place<'_>,
    task: &str,
) -> Result<(Value, bool), CompileError> {
    let is_artifact = channel.is_artifact();
    match &channel.form {
        Form::LoopItem(_) | Form::LoopArtifact(_) => {
            Ok((surrounding(&passed(channel, is_artifact, place, task)?, is_artifact), is_artifact))
        }
        Form::LoopKey(item, key) => {
            let item = flow.channel(*item)?;
            let mut value = surrounding(&passed(item, false, place, task)?, false);
            select_key(&mut value, key);
            Ok((value, false))
        }
        _ => Ok((plain_reference(channel, is_artifact, place, task)?, is_artifact)),
    }
}

fn select_key(value: &mut Value, key: &str) {
    if let Some(fields) = value.as_object_mut() {
        fields.insert(
            "parameterExpressionSelector".to_owned(),
            format!("parseJson(string_value)[\"{key}\"]").into(),
        );
    }
}

fn plain_reference(
    channel: &Channel,
    is_artifact: bool,
    place: &Place<'_>,
    task: &str,
) -> Result<Value, CompileError> {
    match channel.producer.as_deref() {
        Some(producer) if place.beside.contains(producer) => {
            Ok(produced(producer, &channel.name, is_artifact))
        }
        Some(_) => Ok(surrounding(&passed(channel, is_artifact, place, task)?, is_artifact)),
        None => {
            let known = if is_artifact { &place.around.artifacts } else { &place.around.parameters };
            let name = channel.full_name();
            Ok(surrounding(&if known.contains_key(&name) { name } else { channel.input_name() }, is_artifact))
        }
    }
}

/// The name by which the surroundings hand a channel in.
fn passed(
    channel: &Channel,
    is_artifact: bool,
    place: &Place<'_>,
    task: &str,
) -> Result<String, CompileError> {
    let known = if is_artifact { &place.around.artifacts } else { &place.around.parameters };
    let name = channel.input_name();
    if known.contains_key(&name) {
        return Ok(name);
    }
    Err(CompileError::Topology(format!(
        "task {task} uses '{}', which does not reach it: an item can be used only within its loop, and what a task in a loop, condition or exit handler makes only there",
        channel.full_name()
    )))
}

fn produced(producer: &str, output: &str, is_artifact: bool) -> Value {
    if is_artifact {
        json!({ "taskOutputArtifact": { "producerTask": producer, "outputArtifactKey": output } })
    } else {
        json!({ "taskOutputParameter": { "producerTask": producer, "outputParameterKey": output } })
    }
}

fn surrounding(name: &str, is_artifact: bool) -> Value {
    if is_artifact {
        json!({ "componentInputArtifact": name })
    } else {
        json!({ "componentInputParameter": name })
    }
}

/// A constant; each mark in it becomes a placeholder, and the channel an input of its own.
fn constant_input(
    spec: &mut TaskSpec,
    name: &str,
    mut value: Value,
    flow: &Flow<'_>,
    place: &Place<'_>,
    task: &Task,
) -> Result<(), CompileError> {
    let mut found = Vec::new();
    marks::find_in(&value, &mut found);
    for channel in found {
        let extra = channel.input_name();
        marks::replace(&mut value, &channel.mark(), &placeholder(&extra));
        let reference = match (flow.item_of(&channel), channel.producer.as_deref()) {
            (Some(item), _) => reference(item, flow, place, &task.shown())?.0,
            (None, Some(producer)) if !place.beside.contains(producer) => surrounding(&extra, false),
            (None, _) => plain_reference(&channel, false, place, &task.shown())?,
        };
        spec.input(&extra, reference, false);
    }
    spec.input(name, json!({ "runtimeValue": { "constant": constant(&value)? } }), false);
    Ok(())
}

/// How a container's text refers to an input.
pub(crate) fn placeholder(input: &str) -> String {
    format!("{{{{$.inputs.parameters['{input}']}}}}")
}

/// Adds what a task that always runs needs; `waits` are the names that it waits for.
pub(crate) fn always_run(
    spec: &mut TaskSpec,
    task: &Task,
    component: &Component,
) -> Result<(), CompileError> {
    spec.always_runs();
    for input in component.interface.inputs.iter().filter(|input| is_status(&input.kind)) {
        let [producer] = spec.dependent.as_slice() else {
            return Err(CompileError::Topology(format!(
                "task {} asks for a PipelineTaskFinalStatus and ignores failures, so it must wait for exactly one task beside it, but waits for {}: name that one with after()",
                task.shown(),
                spec.dependent.len()
            )));
        };
        let producer = producer.clone();
        spec.final_status(&input.name, &producer);
    }
    Ok(())
}

pub(crate) fn is_status(kind: &str) -> bool {
    types::parameter(kind) == Some("TASK_FINAL_STATUS")
}

/// A group without what it waits for; `inputs` are the channels that are passed into it.
pub(crate) fn of_group(
    group: &Group,
    inputs: &[usize],
    flow: &Flow<'_>,
    place: &Place<'_>,
) -> Result<TaskSpec, CompileError> {
    let mut spec = TaskSpec::new(&group.name, group.display_name.as_deref());
    for channel in inputs {
        let channel = flow.channel(*channel)?;
        let is_artifact = channel.is_artifact();
        let value = match channel.producer.as_deref() {
            Some(producer) if place.beside.contains(producer) => {
                produced(producer, output_name(channel, flow)?, is_artifact)
            }
            _ => surrounding(&surrounding_name(channel, flow, place)?, is_artifact),
        };
        spec.input(&channel.input_name(), value, is_artifact);
        if let Form::LoopKey(_, key) = &channel.form
            && let Some(value) = spec.parameters.get_mut(&channel.input_name())
        {
            select_key(value, key);
        }
    }
    match &group.kind {
        GroupKind::ForLoop { item, raw, parallelism } => {
            iterate(&mut spec, *item, raw.as_deref(), *parallelism, flow)?;
        }
        GroupKind::Condition { comparisons, .. } => {
            let condition = cel::conjunction(comparisons, &flow.channels)?;
            spec.set("triggerPolicy", json!({ "condition": condition }));
        }
        _ => {}
    }
    Ok(spec)
}

/// A key of an item comes from whatever gives the list of items.
fn output_name<'a>(channel: &'a Channel, flow: &'a Flow<'_>) -> Result<&'a str, CompileError> {
    if let Form::LoopKey(item, _) = &channel.form
        && let Form::LoopItem(Some(list)) = &flow.channel(*item)?.form
    {
        return Ok(&flow.channel(*list)?.name);
    }
    Ok(&channel.name)
}

fn surrounding_name(channel: &Channel, flow: &Flow<'_>, place: &Place<'_>) -> Result<String, CompileError> {
    let named = match &channel.form {
        Form::LoopKey(item, _) => flow.channel(*item)?,
        _ => channel,
    };
    if place.is_root {
        return Ok(named.full_name());
    }
    Ok(if channel.is_artifact() { channel.input_name() } else { named.input_name() })
}

fn iterate(
    spec: &mut TaskSpec,
    item: usize,
    raw: Option<&str>,
    parallelism: i64,
    flow: &Flow<'_>,
) -> Result<(), CompileError> {
    let item = flow.channel(item)?;
    let item_input = item.input_name();
    match (&item.form, raw) {
        (Form::LoopItem(Some(list)), _) => {
            let list = flow.channel(*list)?;
            let list_input = list.input_name();
            spec.set(
                "parameterIterator",
                json!({ "items": { "inputParameter": list_input }, "itemInput": item_input }),
            );
            if let Form::LoopKey(outer, key) = &list.form {
                let mut value = surrounding(&flow.channel(*outer)?.input_name(), false);
                select_key(&mut value, key);
                spec.input(&list_input, value, false);
            }
        }
        (Form::LoopArtifact(list), _) => {
            let list = flow.channel(*list)?.input_name();
            spec.set(
                "artifactIterator",
                json!({ "items": { "inputArtifact": list }, "itemInput": item_input }),
            );
        }
        (_, Some(raw)) => {
            spec.set("parameterIterator", json!({ "items": { "raw": raw }, "itemInput": item_input }));
        }
        _ => return Err(CompileError::Value(format!("the loop over '{}' has no items", item.name))),
    }
    spec.parameters.remove(&item_input);
    spec.artifacts.remove(&item_input);
    if parallelism > 0 {
        spec.set("iteratorPolicy", json!({ "parallelismLimit": parallelism }));
    }
    Ok(())
}

/// Names that the task or group waits for, as the graph has them.
pub(crate) fn waits(flow: &Flow<'_>, node: Node) -> Vec<String> {
    flow.order(node).map(|name| names::kubernetes(name)).collect()
}

/// An exit task, which runs after its group.
pub(crate) fn exit_task(spec: &mut TaskSpec, component: &Component, group: &str) {
    spec.dependent = vec![group.to_owned()];
    spec.always_runs();
    for input in component.interface.inputs.iter().filter(|input| is_status(&input.kind)) {
        spec.final_status(&input.name, group);
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_are_read_with_their_units() {
        for (text, expected) in
            [("30s", 30), ("2 hours", 7200), ("1w", 604_800), ("10 minutes", 600), ("3d", 259_200)]
        {
            assert_eq!(duration(text), Ok(expected), "{text}");
        }
        for text in ["", "s", "1", "soon", "1 parsec", "-1s", "99999999999999999999s"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
