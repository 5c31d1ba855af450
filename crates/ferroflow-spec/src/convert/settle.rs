//! Corrections that need the whole pipeline: what compilers once wrote wrongly and what is still clear.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::ir::{ComponentBody, Dag, ParameterSource, ParameterType, PipelineSpec};

/// Makes the constants 0 and 1 booleans where a boolean is wanted: the betas of kfp 2.0 wrote `True` as `1.0`.
pub(crate) fn booleans(spec: &mut PipelineSpec) {
    let wanted: BTreeMap<String, Vec<String>> = spec
        .components
        .iter()
        .filter_map(|(name, component)| {
            let inputs = component.input_parameters.iter();
            let names: Vec<String> = inputs
                .filter(|(_, input)| input.parameter_type == ParameterType::Boolean)
                .map(|(name, _)| name.clone())
                .collect();
            (!names.is_empty()).then(|| (name.clone(), names))
        })
        .collect();
    for component in spec.components.values_mut().chain([&mut spec.root]) {
        if let ComponentBody::Dag(dag) = &mut component.body {
            settle(dag, &wanted);
        }
    }
}

fn settle(dag: &mut Dag, wanted: &BTreeMap<String, Vec<String>>) {
    for task in dag.tasks.values_mut() {
        for name in wanted.get(&task.component).into_iter().flatten() {
            let Some(ParameterSource::Constant(value)) =
                task.parameters.get_mut(name).map(|given| &mut given.source)
            else {
                continue;
            };
            match value.as_u64() {
                Some(0) => *value = Value::Bool(false),
                Some(1) => *value = Value::Bool(true),
                _ => {}
            }
        }
    }
}
