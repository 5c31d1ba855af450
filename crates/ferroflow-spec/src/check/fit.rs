//! Whether a JSON value fits a parameter's type and literals.

use serde_json::Value;

use crate::ir::{InputParameter, ParameterType};
use crate::number::same;

/// Name of a value's kind for messages.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

/// What a parameter of this type wants, for messages.
pub fn wanted(parameter_type: ParameterType) -> &'static str {
    match parameter_type {
        ParameterType::NumberDouble | ParameterType::NumberInteger => "a number",
        ParameterType::String => "a string",
        ParameterType::Boolean => "a boolean",
        ParameterType::List => "a list",
        ParameterType::Struct | ParameterType::TaskFinalStatus | ParameterType::TaskConfig => "a map",
        ParameterType::Unspecified => "any value",
    }
}

/// Whether the value is of the very kind of the type; a fraction passes as an integer, as upstream.
pub fn is_of_kind(parameter_type: ParameterType, value: &Value) -> bool {
    match parameter_type {
        ParameterType::NumberDouble | ParameterType::NumberInteger => value.is_number(),
        ParameterType::String => value.is_string(),
        ParameterType::Boolean => value.is_boolean(),
        ParameterType::List => value.is_array(),
        ParameterType::Struct | ParameterType::TaskFinalStatus | ParameterType::TaskConfig => {
            value.is_object()
        }
        ParameterType::Unspecified => true,
    }
}

/// Whether the value is one of the parameter's literals, or the parameter has none.
pub fn is_allowed(parameter: &InputParameter, value: &Value) -> bool {
    parameter.literals.is_empty() || parameter.literals.iter().any(|literal| same(literal, value))
}

/// The allowed values, for hints.
pub(super) fn allowed(parameter: &InputParameter) -> String {
    let mut shown: Vec<String> =
        parameter.literals.iter().take(20).map(|value| format!("`{value}`")).collect();
    if parameter.literals.len() > shown.len() {
        shown.push("…".to_owned());
    }
    format!("allowed: {}", shown.join(", "))
}
