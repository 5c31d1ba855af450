//! Pipeline files and arguments as the command line gets them.
//!
//! Reading, checking and all rules are in `ferroflow-spec`; here words become values and problems become lines.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use ferroflow_spec::document::{self, PipelineDocument};
use ferroflow_spec::ir::{InputParameter, ParameterType, PipelineSpec};
use ferroflow_spec::problem::{Problem, Problems};
use serde_json::{Map, Value};

use crate::exit::UsageError;

/// Reads and checks a file. The outer error is about the file, the inner one about what it says.
pub(crate) fn read(path: &Path) -> anyhow::Result<Result<PipelineDocument, Problems>> {
    let bytes = std::fs::read(path)
        .map_err(|error| UsageError(format!("cannot read `{}`: {error}", path.display())))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(document::read(&name, &bytes))
}

/// A problem as lines: where it is in the form that editors follow, what it is, and what to do.
pub(crate) fn describe(path: &Path, problem: &Problem) -> String {
    let mut text = path.display().to_string();
    for position in [problem.line, problem.column].into_iter().take_while(|position| *position > 0) {
        let _ = write!(text, ":{position}");
    }
    text.push_str(": ");
    if !problem.path.is_empty() {
        let _ = write!(text, "{}: ", problem.path);
    }
    text.push_str(&problem.message);
    if !problem.hint.is_empty() {
        let _ = write!(text, "\n  hint: {}", problem.hint);
    }
    text
}

/// The same pipeline with caching switched off for every task, as the kfp client does it: in the pipeline itself, so
/// that it holds wherever and whenever the run goes on.
pub(crate) fn without_caching(document: &PipelineDocument) -> anyhow::Result<PipelineDocument> {
    let mut wire = document.wire_json();
    let spec = match wire.get_mut("pipeline_spec") {
        Some(inner) => inner,
        None => &mut wire,
    };
    let components = spec.get_mut("components").and_then(Value::as_object_mut);
    let mut dags: Vec<&mut Value> = components
        .into_iter()
        .flat_map(Map::values_mut)
        .filter_map(|component| component.get_mut("dag"))
        .collect();
    remove_caching(&mut dags);
    if let Some(root) = spec.get_mut("root").and_then(|root| root.get_mut("dag")) {
        remove_caching(&mut [root]);
    }
    document::from_json(&wire).context("the pipeline is not readable without caching")
}

fn remove_caching(dags: &mut [&mut Value]) {
    let tasks =
        dags.iter_mut().filter_map(|dag| dag.get_mut("tasks")?.as_object_mut()).flat_map(Map::values_mut);
    for task in tasks.filter_map(Value::as_object_mut) {
        task.remove("cachingOptions");
    }
}

/// Arguments from a file (an object in JSON) and from words `name=value`, which win. Words are read by the kind of
/// the parameter; what is no value of this kind is an error that names all of them.
pub(crate) fn arguments(
    spec: &PipelineSpec,
    file: Option<&Path>,
    words: &[String],
) -> anyhow::Result<Map<String, Value>> {
    let mut arguments = file.map(read_arguments).transpose()?.unwrap_or_default();
    let mut problems = Vec::new();
    for word in words {
        let Some((name, text)) = word.split_once('=') else {
            problems.push(format!("`{word}` has no `=`: give `-p name=value`"));
            continue;
        };
        match spec
            .root
            .input_parameters
            .get(name)
            .map_or_else(|| Ok(Value::from(text)), |input| value(input, text))
        {
            Ok(value) => {
                arguments.insert(name.to_owned(), value);
            }
            Err(reason) => problems.push(format!("parameter `{name}`: {reason}")),
        }
    }
    if problems.is_empty() { Ok(arguments) } else { Err(UsageError(problems.join("\n")).into()) }
}

fn read_arguments(path: &Path) -> anyhow::Result<Map<String, Value>> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| UsageError(format!("cannot read `{}`: {error}", path.display())))?;
    let arguments = serde_json::from_str(&text)
        .map_err(|error| UsageError(format!("`{}` is not a JSON object: {error}", path.display())))?;
    Ok(arguments)
}

fn value(input: &InputParameter, text: &str) -> Result<Value, String> {
    let json = || serde_json::from_str::<Value>(text).ok();
    match input.parameter_type {
        ParameterType::NumberInteger | ParameterType::NumberDouble => {
            json().filter(Value::is_number).ok_or_else(|| format!("`{text}` is not a number"))
        }
        ParameterType::Boolean => match text {
            "true" | "True" => Ok(Value::from(true)),
            "false" | "False" => Ok(Value::from(false)),
            _ => Err(format!("`{text}` is neither `true` nor `false`")),
        },
        ParameterType::List => json()
            .filter(Value::is_array)
            .ok_or_else(|| format!("`{text}` is not a list in JSON, such as `[1, 2]`")),
        ParameterType::Struct => json()
            .filter(Value::is_object)
            .ok_or_else(|| format!("`{text}` is not an object in JSON, such as `{{\"a\": 1}}`")),
        // The check says what is wrong with the kinds that cannot be given.
        ParameterType::String
        | ParameterType::Unspecified
        | ParameterType::TaskFinalStatus
        | ParameterType::TaskConfig => Ok(Value::from(text)),
    }
}

#[cfg(test)]
mod tests {
    use ferroflow_spec::check::check_arguments;
    use serde_json::json;

    use super::*;

    fn pipeline() -> Value {
        let task = json!({
            "taskInfo": {"name": "t"}, "componentRef": {"name": "comp-t"}, "cachingOptions": {"enableCache": true},
        });
        json!({
            "pipelineInfo": {"name": "p"}, "schemaVersion": "2.1.0",
            "root": {
                "dag": {"tasks": {"t": task, "inner": {
                    "taskInfo": {"name": "inner"}, "componentRef": {"name": "comp-inner"},
                }}},
                "inputDefinitions": {"parameters": {
                    "rate": {"parameterType": "NUMBER_DOUBLE", "isOptional": true},
                    "count": {"parameterType": "NUMBER_INTEGER", "isOptional": true},
                    "name": {"parameterType": "STRING", "isOptional": true},
                    "flag": {"parameterType": "BOOLEAN", "isOptional": true},
                    "items": {"parameterType": "LIST", "isOptional": true},
                    "map": {"parameterType": "STRUCT", "isOptional": true},
                }},
            },
            "components": {
                "comp-t": {"executorLabel": "exec-t"},
                "comp-inner": {"dag": {"tasks": {"t": task}}},
            },
            "deploymentSpec": {"executors": {"exec-t": {"container": {"image": "i", "command": ["true"]}}}},
        })
    }

    #[track_caller]
    fn check(words: &[&str], expected: Result<Value, &str>) {
        let spec = document::from_json(&pipeline()).unwrap().spec;
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let found = arguments(&spec, None, &words);
        match expected {
            Ok(value) => {
                let found = check_arguments(&spec, &found.unwrap()).unwrap();
                assert_eq!(Value::Object(found), value, "{words:?}");
            }
            Err(text) => assert_eq!(found.unwrap_err().to_string(), text, "{words:?}"),
        }
    }

    #[test]
    fn words_are_read_by_the_kind_of_the_parameter() {
        check(&["rate=0.5", "count=3", "name=3"], Ok(json!({"rate": 0.5, "count": 3, "name": "3"})));
        check(&["name=", "name=a=b"], Ok(json!({"name": "a=b"})));
        check(
            &["flag=True", "items=[1, \"x\"]", "map={\"a\": 1.0}"],
            Ok(json!({
                "flag": true, "items": [1, "x"], "map": {"a": 1},
            })),
        );
        check(
            &["count=three", "flag=yes", "items=1,2", "nonsense"],
            Err(concat!(
                "parameter `count`: `three` is not a number\n",
                "parameter `flag`: `yes` is neither `true` nor `false`\n",
                "parameter `items`: `1,2` is not a list in JSON, such as `[1, 2]`\n",
                "`nonsense` has no `=`: give `-p name=value`",
            )),
        );
    }

    #[test]
    fn caching_goes_off_at_every_depth() {
        let document = document::from_json(&pipeline()).unwrap();
        assert!(document.wire_text().contains("enableCache"));
        assert!(!without_caching(&document).unwrap().wire_text().contains("enableCache"));
    }
}
