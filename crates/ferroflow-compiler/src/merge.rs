//! A pipeline used as a task: its components and executors move into the outer pipeline under names that are free.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use crate::compiled::Compiled;
use crate::names::{self, Taken};
use crate::platform::Platform;

/// What a nested pipeline moves into.
pub(crate) struct Outer<'a> {
    pub(crate) components: &'a mut Map<String, Value>,
    pub(crate) component_names: &'a mut Taken,
    pub(crate) executors: &'a mut Map<String, Value>,
    pub(crate) executor_names: &'a mut Taken,
    pub(crate) platform: &'a mut Platform,
}

/// Moves a nested pipeline in; its root comes back as the component of the task.
pub(crate) fn merge(nested: &Compiled, outer: &mut Outer<'_>) -> Map<String, Value> {
    let labels = merge_executors(nested, outer);
    let mut root = object(nested.pipeline.get("root"));
    let mut components = object(nested.pipeline.get("components"));
    for component in components.values_mut() {
        if let Some(label) = component.get_mut("executorLabel")
            && let Some(new) = label.as_str().and_then(|label| labels.get(label))
        {
            *label = new.as_str().into();
        }
    }
    let renamed = free_names(&components, outer.component_names);
    rename_references(&mut root, &renamed);
    for (name, mut component) in components {
        if let Some(component) = component.as_object_mut() {
            rename_references(component, &renamed);
        }
        let name = renamed.get(&name).cloned().unwrap_or(name);
        outer.component_names.claim(&name);
        outer.components.insert(name, component);
    }
    root
}

fn merge_executors(nested: &Compiled, outer: &mut Outer<'_>) -> HashMap<String, String> {
    let executors = nested.pipeline.get("deploymentSpec").and_then(|deployment| deployment.get("executors"));
    let mut labels = HashMap::new();
    for (label, executor) in object(executors) {
        let new = outer.executor_names.claim(&label);
        outer.executors.insert(new.clone(), executor);
        labels.insert(label, new);
    }
    if let Some(platform) = &nested.platform {
        let new_label = |label: &str| labels.get(label).cloned().unwrap_or_else(|| label.to_owned());
        outer.platform.add_nested(platform, new_label);
    }
    labels
}

/// New names avoid those of the outer pipeline, and those of the nested one before and after renaming.
fn free_names(components: &Map<String, Value>, taken: &Taken) -> HashMap<String, String> {
    let mut renamed = HashMap::new();
    let mut seen: HashSet<String> = HashSet::new();
    for name in components.keys() {
        let new = names::unique(name, |name| taken.contains(name) || seen.contains(name));
        seen.insert(name.clone());
        seen.insert(new.clone());
        renamed.insert(name.clone(), new);
    }
    renamed
}

fn rename_references(component: &mut Map<String, Value>, renamed: &HashMap<String, String>) {
    let tasks = component.get_mut("dag").and_then(|dag| dag.get_mut("tasks")).and_then(Value::as_object_mut);
    for task in tasks.into_iter().flat_map(|tasks| tasks.values_mut()) {
        if let Some(reference) = task.get_mut("componentRef").and_then(|reference| reference.get_mut("name"))
            && let Some(new) = reference.as_str().and_then(|name| renamed.get(name))
        {
            *reference = new.as_str().into();
        }
    }
}

fn object(value: Option<&Value>) -> Map<String, Value> {
    value.and_then(Value::as_object).cloned().unwrap_or_default()
}
