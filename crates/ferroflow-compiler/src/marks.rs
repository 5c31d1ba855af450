//! Marks: how channels stand in text that an author puts together, until the compiler makes inputs of them.

use serde_json::Value;

use crate::graph::{Channel, Form};
use crate::types;

const BEGIN: &str = "{{channel:task=";
const NAME: &str = ";name=";
const TYPE: &str = ";type=";
const END: &str = ";}}";

/// The mark of a channel.
#[must_use]
pub fn mark(task: &str, name: &str, kind: &str) -> String {
    format!("{BEGIN}{task}{NAME}{name}{TYPE}{kind}{END}")
}

/// Channels whose marks stand in the text, each once.
#[must_use]
pub fn find(text: &str) -> Vec<Channel> {
    let mut found: Vec<Channel> = Vec::new();
    let mut rest = text;
    while let Some(begin) = rest.find(BEGIN) {
        rest = rest.get(begin + BEGIN.len()..).unwrap_or_default();
        let Some(end) = rest.find(END) else { break };
        let inside = rest.get(..end).unwrap_or_default();
        if let Some(channel) = read(inside) {
            if !found.iter().any(|known| known.mark() == channel.mark()) {
                found.push(channel);
            }
            rest = rest.get(end..).unwrap_or_default();
        }
    }
    found
}

fn read(inside: &str) -> Option<Channel> {
    let (task, rest) = inside.split_once(NAME)?;
    let (name, kind) = rest.split_once(TYPE)?;
    if inside.contains("{{") {
        return None;
    }
    let form = if types::channel_parameter(kind).is_some() { Form::Parameter } else { Form::Artifact };
    Some(Channel {
        name: name.to_owned(),
        kind: kind.to_owned(),
        producer: (!task.is_empty()).then(|| task.to_owned()),
        list: false,
        form,
    })
}

/// As [`find`], in all texts of a value.
pub(crate) fn find_in(value: &Value, found: &mut Vec<Channel>) {
    match value {
        Value::String(text) => {
            for channel in find(text) {
                if !found.iter().any(|known| known.mark() == channel.mark()) {
                    found.push(channel);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| find_in(item, found)),
        Value::Object(entries) => entries.iter().for_each(|(key, value)| {
            find_in(&Value::String(key.clone()), found);
            find_in(value, found);
        }),
        _ => {}
    }
}

/// The value with a text put in place of another, at every depth.
pub(crate) fn replace(value: &mut Value, old: &str, new: &str) {
    match value {
        Value::String(text) if text.contains(old) => *text = text.replace(old, new),
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, old, new)),
        Value::Object(entries) => entries.values_mut().for_each(|value| replace(value, old, new)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{find, mark};

    #[test]
    fn marks_are_found_once_each() {
        let (first, second) = (mark("a-task", "Output", "typing.List[int]"), mark("", "text", "String"));
        let text = format!("{{{{channel:task=broken {first} and {second} and {first}");
        let names: Vec<_> = find(&text).into_iter().map(|channel| channel.full_name()).collect();
        assert_eq!(names, ["a-task-Output", "text"]);
    }
}
