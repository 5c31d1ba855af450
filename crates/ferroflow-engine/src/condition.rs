//! Conditions of tasks: CEL over the task's own inputs.
//!
//! The compiler writes comparisons of `inputs.parameter_values['name']` joined by `&&` and `!`, with casts; the whole
//! language is understood all the same, with `parseJson` as KFP's one addition.

use std::sync::Arc;

use cel::{Context, ExecutionError, Program, Value as CelValue};
use ferroflow_model::Parameters;
use serde::Serialize;

#[derive(Serialize)]
struct InputsVariable<'a> {
    parameter_values: &'a Parameters,
}

/// Whether the condition is true for these inputs; the error is a sentence.
pub(crate) fn holds(condition: &str, parameters: &Parameters) -> Result<bool, String> {
    let refused = |reason: &dyn std::fmt::Display| {
        format!(
            "the condition `{condition}` cannot be evaluated: {}",
            reason.to_string().trim().replace('\n', " ")
        )
    };
    let program = Program::compile(condition).map_err(|error| refused(&error))?;
    let mut context = Context::default();
    let variable = InputsVariable { parameter_values: parameters };
    context.add_variable("inputs", variable).map_err(|error| refused(&error))?;
    let parse = |text: Arc<String>| parse_json(&text);
    context.add_function("parseJson", parse).map_err(|error| refused(&error))?;
    match program.execute(&context) {
        Ok(CelValue::Bool(holds)) => Ok(holds),
        Ok(other) => Err(refused(&format_args!("it gives {other:?} instead of true or false"))),
        Err(error) => Err(refused(&error)),
    }
}

fn parse_json(text: &str) -> Result<CelValue, ExecutionError> {
    let refused =
        |reason: String| ExecutionError::FunctionError { function: "parseJson".to_owned(), message: reason };
    let value: serde_json::Value = serde_json::from_str(text).map_err(|error| refused(error.to_string()))?;
    cel::to_value(value).map_err(|error| refused(error.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn evaluate(condition: &str) -> Result<bool, String> {
        let values = [
            ("n", json!(3)),
            ("rate", json!(0.5)),
            ("text", json!("heads")),
            ("digits", json!("12")),
            ("yes", json!(true)),
            ("item", json!("{\"a\": \"x\", \"b\": [1, 2]}")),
        ];
        let parameters = values.map(|(name, value)| (name.to_owned(), Arc::new(value))).into();
        holds(&condition.replace('@', "inputs.parameter_values"), &parameters)
    }

    #[track_caller]
    fn check(expected: bool, conditions: &[&str]) {
        for condition in conditions {
            assert_eq!(evaluate(condition), Ok(expected), "{condition}");
        }
    }

    #[test]
    fn what_the_compiler_writes_is_evaluated() {
        check(
            true,
            &[
                "@['text'] == 'heads'",
                "@['text'] != 'tails'",
                "int(@['n']) == 3",
                "int(@['n']) > 2 && int(@['n']) <= 3",
                "@['n'] == 3.0",
                "double(@['n']) > @['rate']",
                "@['rate'] < 1",
                "int(@['digits']) == 12",
                "@['yes'] == true",
                "!(@['text'] == 'tails')",
                "!(@['text'] == 'tails') && !(int(@['n']) == 4)",
                "@['text'] == @['text']",
                "parseJson(@['item'])['a'] == 'x'",
                "size(parseJson(@['item'])['b']) == 2",
            ],
        );
        check(false, &["@['text'] == 'tails'", "int(@['n']) < 3", "@['digits'] == 12", "@['yes'] == false"]);
    }

    #[test]
    fn what_has_no_truth_is_an_error() {
        for condition in
            ["@['missing'] == 1", "@['n']", "@['n'] ==", "int(@['text']) == 1", "'int(@['n'])' == 'q'"]
        {
            let error = evaluate(condition).unwrap_err();
            assert!(error.starts_with("the condition `"), "{condition}: {error}");
        }
    }
}
