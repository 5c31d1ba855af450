//! The comment at the head of a file: what the pipeline is called, takes and gives.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::{number, types};

/// Below the text of the first line of a description.
const FURTHER_LINE: &str = "\n#              ";

/// The comment, with its last line break.
pub(crate) fn of(pipeline: &Map<String, Value>, description: Option<&str>) -> String {
    let name = pipeline.get("pipelineInfo").and_then(|info| info.get("name")).and_then(Value::as_str);
    let mut out = format!("# PIPELINE DEFINITION\n# Name: {}", name.unwrap_or_default());
    if let Some(description) = description.filter(|text| !text.is_empty()) {
        let lines: Vec<&str> = description.lines().collect();
        out.push_str("\n# Description: ");
        out.push_str(&lines.join(FURTHER_LINE));
    }
    for (side, heading) in [("inputDefinitions", "# Inputs:"), ("outputDefinitions", "# Outputs:")] {
        let Some(definitions) = pipeline.get("root").and_then(|root| root.get(side)) else { continue };
        out.push('\n');
        out.push_str(heading);
        let mut entries: Vec<_> =
            entries(definitions, "parameters").chain(entries(definitions, "artifacts")).collect();
        entries.sort_by_key(|(name, _)| *name);
        for (name, body) in entries {
            // Writing to a string cannot fail.
            let _ = write!(out, "\n#    {name}: {}", kind(body));
            if let Some(default) = body.get("defaultValue") {
                let _ = write!(out, " [Default: {}]", printed(default));
            }
        }
    }
    out.push('\n');
    out
}

fn entries<'a>(definitions: &'a Value, part: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    definitions.get(part).and_then(Value::as_object).into_iter().flatten()
}

fn kind(body: &Value) -> &str {
    match body.get("parameterType").and_then(Value::as_str) {
        Some(kind) => types::comment(kind),
        None => body.pointer("/artifactType/schemaTitle").and_then(Value::as_str).unwrap_or_default(),
    }
}

/// A default as Python prints it: texts in quotes of no escape at the top, in Python's own below.
fn printed(value: &Value) -> String {
    match value {
        // Further lines would leave the comment.
        Value::String(text) => format!("'{}'", text.replace('\n', "\n#    ")),
        other => python(other),
    }
}

fn python(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(value) => value.as_f64().map_or_else(|| value.to_string(), number::python),
        Value::String(text) => repr(text),
        Value::Array(items) => format!("[{}]", items.iter().map(python).collect::<Vec<_>>().join(", ")),
        Value::Object(entries) => {
            let entries: Vec<_> =
                entries.iter().map(|(key, value)| format!("{}: {}", repr(key), python(value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

/// A text as Python's `repr` prints it.
pub(crate) fn repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::from(quote);
    for sign in text.chars() {
        match sign {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if sign == quote => out.extend(['\\', sign]),
            '\0'..='\x1f' | '\x7f'..='\u{a0}' | '\u{ad}' => {
                let _ = write!(out, "\\x{:02x}", u32::from(sign));
            }
            _ => out.push(sign),
        }
    }
    out.push(quote);
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{printed, repr};

    #[test]
    fn values_are_printed_as_python_does() {
        assert_eq!(printed(&json!("it's")), "'it's'");
        assert_eq!(printed(&json!({ "a": [1.0, true, null, "x"] })), "{'a': [1.0, True, None, 'x']}");
        assert_eq!(repr("it's"), "\"it's\"");
        assert_eq!(repr("a\n'\"\u{7}"), "'a\\n\\'\"\\x07'");
    }
}
