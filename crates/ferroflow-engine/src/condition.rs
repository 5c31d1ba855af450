//! Conditions of tasks: CEL over the task's own inputs.
//!
//! The compiler writes comparisons of `inputs.parameter_values['name']` joined by `&&` and `!`, with casts; the whole
//! language is understood all the same, with `parseJson` as KFP's one addition.

use std::sync::{Arc, LazyLock, OnceLock};

use cel::{Context, Env, ExecutionError, Program, Value as CelValue};
use ferroflow_model::Parameters;
use serde::Serialize;

/// The language's own functions: the same for all, and dear to make.
static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// A condition, read when it is first needed and never again: loops ask it once for each pass.
pub(crate) struct Condition {
    text: String,
    program: OnceLock<Result<Program, String>>,
}

impl std::fmt::Debug for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.text.fmt(f)
    }
}

#[derive(Serialize)]
struct InputsVariable<'a> {
    parameter_values: &'a Parameters,
}

impl Condition {
    pub(crate) fn new(text: String) -> Self {
        Self { text, program: OnceLock::new() }
    }

    /// Whether the condition is true for these inputs, or there is none; the error is a sentence.
    pub(crate) fn holds(&self, parameters: &Parameters) -> Result<bool, String> {
        if self.text.is_empty() {
            return Ok(true);
        }
        let refused = |reason: &dyn std::fmt::Display| self.refusal(reason);
        let compile = || Program::compile(&self.text).map_err(|error| refused(&error));
        let program = self.program.get_or_init(compile).as_ref().map_err(Clone::clone)?;
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
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

    fn refusal(&self, reason: &dyn std::fmt::Display) -> String {
        let reason = reason.to_string();
        format!("the condition `{}` cannot be evaluated: {}", self.text, reason.trim().replace('\n', " "))
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
        Condition::new(condition.replace('@', "inputs.parameter_values")).holds(&parameters)
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
