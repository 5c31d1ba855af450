//! Arguments of a run against the inputs of its pipeline.

use serde_json::{Map, Value};

use super::fit::{allowed, is_allowed, is_of_kind, kind, wanted};
use crate::ir::{InputParameter, ParameterType, PipelineSpec};
use crate::number::normalise_object;
use crate::problem::{Path, Problem, Problems, Sink};
use crate::suggest;

/// Checks the arguments of a run and gives them with numbers in their one form.
///
/// Defaults are not filled in. An explicit null is a mismatch even for an optional input: the name is left out
/// instead. Macros in strings must have been expanded before.
pub fn check_arguments(
    spec: &PipelineSpec,
    arguments: &Map<String, Value>,
) -> Result<Map<String, Value>, Problems> {
    let inputs = &spec.root.input_parameters;
    let mut sink = Sink::default();
    let mut report = |name: &str, message: String, hint: String| {
        let path = Path::ROOT.key("parameters");
        sink.push(Problem { path: path.key(name).to_string(), ..Problem::of_file(message, hint) });
    };
    for (name, value) in arguments {
        match inputs.get(name) {
            None => {
                let hint = if inputs.is_empty() {
                    "the pipeline has no parameters".to_owned()
                } else {
                    suggest::hint(name, inputs.keys().map(String::as_str))
                };
                report(name, format!("the pipeline has no parameter `{name}`"), hint);
            }
            Some(input) => {
                if let Some((message, hint)) = mismatch(input, value) {
                    report(name, message, hint);
                }
            }
        }
    }
    for (name, input) in inputs {
        if !input.is_optional && input.default_value.is_none() && !arguments.contains_key(name) {
            let hint = format!("give {}", wanted(input.parameter_type));
            report(name, format!("the parameter `{name}` is required and has no default"), hint);
        }
    }
    sink.into_result()?;
    Ok(normalise_object(arguments.clone()))
}

fn mismatch(input: &InputParameter, value: &Value) -> Option<(String, String)> {
    match input.parameter_type {
        ParameterType::Unspecified => {
            return Some(("the parameter has no type, so no value can be given".to_owned(), String::new()));
        }
        ParameterType::TaskFinalStatus | ParameterType::TaskConfig => {
            return Some(("the value is filled in by the run, it cannot be given".to_owned(), String::new()));
        }
        _ => {}
    }
    if !is_of_kind(input.parameter_type, value) {
        let message = format!(
            "expected {} ({}), found {}",
            wanted(input.parameter_type),
            input.parameter_type.wire_name(),
            kind(value)
        );
        let hint = if value.is_null() { "leave the parameter out to use its default" } else { "" };
        return Some((message, hint.to_owned()));
    }
    if !is_allowed(input, value) {
        return Some((format!("`{value}` is not one of the allowed values"), allowed(input)));
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pipeline() -> PipelineSpec {
        let spec = json!({
            "pipelineInfo": {"name": "p"},
            "schemaVersion": "2.1.0",
            "root": {
                "dag": {"tasks": {}},
                "inputDefinitions": {"parameters": {
                    "rate": {"parameterType": "NUMBER_DOUBLE", "defaultValue": 0.5},
                    "depth": {"parameterType": "NUMBER_INTEGER"},
                    "label": {"parameterType": "STRING", "isOptional": true},
                    "flag": {"parameterType": "BOOLEAN", "isOptional": true},
                    "items": {"parameterType": "LIST", "isOptional": true},
                    "mode": {"parameterType": "STRING", "isOptional": true, "literals": ["fast", "slow"]},
                    "size": {"parameterType": "NUMBER_INTEGER", "isOptional": true, "literals": [1, 2]},
                    "untyped": {"isOptional": true},
                    "status": {"parameterType": "TASK_FINAL_STATUS", "isOptional": true},
                }},
            },
        });
        crate::document::from_json(&spec).unwrap().spec
    }

    #[track_caller]
    fn check(arguments: &Value, expected: Result<Value, &str>) {
        let arguments = arguments.as_object().unwrap();
        let found = check_arguments(&pipeline(), arguments);
        match expected {
            Ok(value) => assert_eq!(Value::Object(found.unwrap()), value),
            Err(text) => assert_eq!(found.unwrap_err().to_string(), text),
        }
    }

    #[test]
    fn good_arguments_come_back_with_plain_numbers() {
        check(&json!({"depth": 3}), Ok(json!({"depth": 3})));
        check(
            &json!({"depth": 3.0, "items": [1.0, {"a": 2.0}]}),
            Ok(json!({"depth": 3, "items": [1, {"a": 2}]})),
        );
        // Upstream lets a fraction through as an integer.
        check(&json!({"depth": 3.5}), Ok(json!({"depth": 3.5})));
        check(
            &json!({"depth": 1, "mode": "fast", "size": 2.0}),
            Ok(json!({"depth": 1, "mode": "fast", "size": 2})),
        );
    }

    #[test]
    fn bad_arguments_are_all_named() {
        check(
            &json!({}),
            Err("parameters.depth: the parameter `depth` is required and has no default (give a number)"),
        );
        check(
            &json!({"depht": 3, "rate": "0.5"}),
            Err(concat!(
                "parameters.depht: the pipeline has no parameter `depht` (did you mean `depth`?)\n",
                "parameters.rate: expected a number (NUMBER_DOUBLE), found a string\n",
                "parameters.depth: the parameter `depth` is required and has no default (give a number)",
            )),
        );
        check(
            &json!({"depth": null}),
            Err(concat!(
                "parameters.depth: expected a number (NUMBER_INTEGER), found null ",
                "(leave the parameter out to use its default)",
            )),
        );
        check(
            &json!({"depth": 1, "flag": "true"}),
            Err("parameters.flag: expected a boolean (BOOLEAN), found a string"),
        );
        check(
            &json!({"depth": 1, "label": 5}),
            Err("parameters.label: expected a string (STRING), found a number"),
        );
        check(
            &json!({"depth": 1, "items": {}}),
            Err("parameters.items: expected a list (LIST), found a map"),
        );
        check(
            &json!({"depth": 1, "mode": "medium"}),
            Err(
                "parameters.mode: `\"medium\"` is not one of the allowed values (allowed: `\"fast\"`, `\"slow\"`)",
            ),
        );
        check(
            &json!({"depth": 1, "untyped": 1}),
            Err("parameters.untyped: the parameter has no type, so no value can be given"),
        );
        check(
            &json!({"depth": 1, "status": {}}),
            Err("parameters.status: the value is filled in by the run, it cannot be given"),
        );
    }
}
