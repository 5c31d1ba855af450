//! Placeholders in the constants of task inputs that stand for facts about the run.
//!
//! Only what the pipeline's author wrote is looked at, never values that came from user code. References to places on
//! the machine are left for whoever starts the task, and those to other inputs too unless no one starts it: groups and
//! importers have them filled in here.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use crate::inputs::text_of;
use crate::plan::TaskPlan;
use crate::state::{Node, RunState};

/// The constant with its placeholders replaced. `parent` is the group that holds the task.
pub(crate) fn in_constant(value: &Value, state: &RunState, task: &TaskPlan, parent: &Node) -> Arc<Value> {
    Arc::new(replace(value, &|name| lookup(name, state, task, parent)))
}

/// Whether a text in it refers to an input.
pub(crate) fn refers_to_inputs(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("{{$.inputs.parameters["),
        Value::Array(items) => items.iter().any(refers_to_inputs),
        Value::Object(entries) => entries
            .iter()
            .any(|(name, value)| name.contains("{{$.inputs.parameters[") || refers_to_inputs(value)),
        _ => false,
    }
}

/// Names of the inputs that texts in it refer to.
pub(crate) fn inputs_of(value: &Value) -> BTreeSet<String> {
    let names = RefCell::new(BTreeSet::new());
    replace(value, &|reference| {
        names.borrow_mut().extend(input_name(reference).map(str::to_owned));
        None
    });
    names.into_inner()
}

/// The value with references to inputs replaced by their texts; what is not known stays.
pub(crate) fn with_inputs(value: &Value, known: &BTreeMap<String, Arc<Value>>) -> Value {
    replace(value, &|reference| Some(text_of(known.get(input_name(reference)?)?)))
}

/// `name` of `inputs.parameters['name']`.
fn input_name(reference: &str) -> Option<&str> {
    let quoted = reference.strip_prefix("inputs.parameters[")?.strip_suffix(']')?;
    let inside = |quote| quoted.strip_prefix(quote)?.strip_suffix(quote);
    inside('\'').or_else(|| inside('"'))
}

fn lookup(name: &str, state: &RunState, task: &TaskPlan, parent: &Node) -> Option<String> {
    let run = &state.identity;
    Some(match name {
        "pipeline_job_name" => run.display_name.clone(),
        "pipeline_job_resource_name" => run.resource_name.clone(),
        "pipeline_job_uuid" => run.id.to_string(),
        "pipeline_task_name" => task.name.clone(),
        // As upstream: the number of the group that holds the task.
        "pipeline_task_uuid" => parent.id.to_string(),
        "pipeline_job_create_time_utc" => run.created_at.to_rfc3339(),
        "pipeline_job_schedule_time_utc" => run.scheduled_at.to_rfc3339(),
        _ => return None,
    })
}

fn replace(value: &Value, lookup: &dyn Fn(&str) -> Option<String>) -> Value {
    match value {
        Value::String(text) => Value::String(in_text(text, lookup).into_owned()),
        Value::Array(items) => Value::Array(items.iter().map(|item| replace(item, lookup)).collect()),
        Value::Object(entries) => Value::Object(
            entries
                .iter()
                .map(|(name, value)| (in_text(name, lookup).into_owned(), replace(value, lookup)))
                .collect(),
        ),
        other => other.clone(),
    }
}

fn in_text<'t>(text: &'t str, lookup: &dyn Fn(&str) -> Option<String>) -> Cow<'t, str> {
    const OPEN: &str = "{{$.";
    if !text.contains(OPEN) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, from)) = rest.split_once(OPEN) {
        out.push_str(before);
        let found = from.split_once("}}").and_then(|(name, after)| Some((lookup(name.trim())?, after)));
        if let Some((value, after)) = found {
            out.push_str(&value);
            rest = after;
        } else {
            out.push_str(OPEN);
            rest = from;
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names_are_replaced_and_others_stay() {
        let lookup = |name: &str| (name == "pipeline_job_name").then(|| "run {{$.x}}".to_owned());
        for (text, expected) in [
            ("plain", "plain"),
            ("{{$.pipeline_job_name}}", "run {{$.x}}"),
            (
                "a {{$.pipeline_job_name}} b {{$.inputs.parameters['p']}} c",
                "a run {{$.x}} b {{$.inputs.parameters['p']}} c",
            ),
            ("{{$.open", "{{$.open"),
            ("{{$}}", "{{$}}"),
        ] {
            assert_eq!(in_text(text, &lookup), expected, "{text}");
        }
    }

    #[test]
    fn references_to_inputs_become_their_texts() {
        let value = serde_json::json!({
            "{{$.inputs.parameters['key']}}": ["a {{$.inputs.parameters[\"n\"]}}", "{{$.inputs.parameters['other']}}", 1],
        });
        assert!(refers_to_inputs(&value));
        assert_eq!(inputs_of(&value).into_iter().collect::<Vec<_>>(), ["key", "n", "other"]);
        let known =
            [("key", serde_json::json!("{{$.inputs.parameters['n']}}")), ("n", serde_json::json!(2.0))];
        let known = known.map(|(name, value)| (name.to_owned(), Arc::new(value))).into();
        let expected = serde_json::json!({
            "{{$.inputs.parameters['n']}}": ["a 2", "{{$.inputs.parameters['other']}}", 1],
        });
        assert_eq!(with_inputs(&value, &known), expected);
    }
}
