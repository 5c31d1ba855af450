//! What a group makes of what its tasks have made.

use std::sync::Arc;

use ferroflow_model::{Outputs, TaskKind};
use serde_json::Value;

use crate::fault::EngineFault;
use crate::plan::Selector;
use crate::semantics::Switch;
use crate::state::{Index, Node, RunState};

/// Outputs of a group whose children have all ended. What no task has made is left out: consumers tell.
pub(crate) fn of_group(state: &RunState, index: Index) -> Result<Outputs, EngineFault> {
    let node = state.node(index)?;
    if node.kind == TaskKind::Loop { of_loop(state, node) } else { of_dag(state, node) }
}

fn of_dag(state: &RunState, node: &Node) -> Result<Outputs, EngineFault> {
    let dag = state.plan.dag(node.component)?;
    let mut outputs = Outputs::default();
    for (name, selectors) in &dag.output_parameters {
        if let Some(value) =
            first(state, node, selectors, |task, key| task.outputs.parameters.get(key).cloned())?
        {
            outputs.parameters.insert(name.clone(), value);
        }
    }
    for (name, selectors) in &dag.output_artifacts {
        if let Some(list) =
            first(state, node, selectors, |task, key| task.outputs.artifacts.get(key).cloned())?
        {
            outputs.artifacts.insert(name.clone(), list);
        }
    }
    Ok(outputs)
}

/// The output of the first task that succeeded and has it: the taken branch of several.
fn first<T>(
    state: &RunState,
    group: &Node,
    selectors: &[Selector],
    get: impl Fn(&Node, &str) -> Option<T>,
) -> Result<Option<T>, EngineFault> {
    for selector in selectors {
        let task = state.node(group.group.first + selector.task)?;
        if task.status.is_success()
            && let Some(found) = get(task, &selector.output)
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Lists in the order of the passes, whatever the order they ended in; passes that did not make the output are left
/// out. Parameters of nested loops become nested lists, artifacts one flat list, as their types say.
fn of_loop(state: &RunState, node: &Node) -> Result<Outputs, EngineFault> {
    let dag = state.plan.dag(node.component)?;
    let is_flat = state.semantics.has(Switch::FlatCollected);
    let mut outputs = Outputs::default();
    for (name, _) in &dag.output_parameters {
        let mut list = Vec::with_capacity(node.group.count as usize);
        for pass in node.group.children() {
            match state.node(pass)?.outputs.parameters.get(name).map(|value| Value::clone(value)) {
                Some(Value::Array(inner)) if is_flat && state.plan.collects(node.component, name)? => {
                    list.extend(inner);
                }
                value => list.extend(value),
            }
        }
        outputs.parameters.insert(name.clone(), Arc::new(Value::Array(list)));
    }
    for (name, _) in &dag.output_artifacts {
        let mut list = Vec::new();
        for pass in node.group.children() {
            list.extend(state.node(pass)?.outputs.artifacts.get(name).into_iter().flatten().cloned());
        }
        outputs.artifacts.insert(name.clone(), list);
    }
    Ok(outputs)
}
