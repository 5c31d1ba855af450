//! References between inputs: what an f-string in a pipeline compiles to.
//!
//! `comp(text=f'hi {t.output}')` becomes the constant `hi {{$.inputs.parameters['pipelinechannel--t-Output']}}` beside
//! an extra input of that name. References are resolved in the values themselves, before anything is JSON text, each
//! once; the extra inputs carry data of users and are never looked into.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ferroflow_model::Parameters;
use serde_json::Value;

use super::path::{Step, parse};

/// Inputs of this prefix are made by the compiler for values that cross a border.
const CHANNEL: &str = "pipelinechannel--";

/// Text of a placeholder other than an input parameter, for example of the run's name.
pub(super) type Lookup<'l> = dyn Fn(&[Step<'_>]) -> Option<String> + 'l;

/// The parameters with references resolved; untouched, and not copied, if there are none.
pub(super) fn resolve<'a>(parameters: &'a Parameters, other: &Lookup<'_>) -> Cow<'a, Parameters> {
    let holds_reference =
        |(name, value): (&String, &Arc<Value>)| !name.starts_with(CHANNEL) && mentions(value);
    if !parameters.iter().any(holds_reference) {
        return Cow::Borrowed(parameters);
    }
    let mut work = Work { parameters, other, done: BTreeMap::new(), open: BTreeSet::new() };
    let resolved = parameters.keys().filter_map(|name| Some((name.clone(), work.value(name)?)));
    Cow::Owned(resolved.collect())
}

fn mentions(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("{{$"),
        Value::Array(items) => items.iter().any(mentions),
        Value::Object(entries) => entries.values().any(mentions),
        _ => false,
    }
}

struct Work<'a> {
    parameters: &'a Parameters,
    other: &'a Lookup<'a>,
    done: BTreeMap<String, Arc<Value>>,
    /// Names on the way down, so that a circle ends.
    open: BTreeSet<String>,
}

impl Work<'_> {
    /// The resolved value; `None` for unknown names and in a circle.
    fn value(&mut self, name: &str) -> Option<Arc<Value>> {
        if let Some(value) = self.done.get(name) {
            return Some(Arc::clone(value));
        }
        let written = self.parameters.get(name)?;
        let value = if name.starts_with(CHANNEL) || !mentions(written) {
            Arc::clone(written)
        } else {
            if !self.open.insert(name.to_owned()) {
                return None;
            }
            let value = Arc::new(self.inside(written));
            self.open.remove(name);
            value
        };
        self.done.insert(name.to_owned(), Arc::clone(&value));
        Some(value)
    }

    fn inside(&mut self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => Value::Array(items.iter().map(|item| self.inside(item)).collect()),
            Value::Object(entries) => {
                Value::Object(entries.iter().map(|(key, value)| (key.clone(), self.inside(value))).collect())
            }
            other => other.clone(),
        }
    }

    fn text(&mut self, template: &str) -> String {
        let replaced: Result<String, std::convert::Infallible> = render(template, |_, body| {
            let Some(steps) = parse(body) else { return Ok(None) };
            Ok(match steps.as_slice() {
                [Step::Name("inputs"), Step::Name("parameters"), Step::Key(name)] => {
                    self.value(name).map(|value| value_text(&value))
                }
                steps => (self.other)(steps),
            })
        });
        match replaced {
            Ok(text) => text,
            Err(never) => match never {},
        }
    }
}

/// Replaces each `{{$…}}` by what `replace` makes of it (the placeholder as written, and its inside); `None` leaves
/// the text as it is. Replacements are not looked at again.
pub(super) fn render<E>(
    template: &str,
    mut replace: impl FnMut(&str, &str) -> Result<Option<String>, E>,
) -> Result<String, E> {
    const OPEN: &str = "{{$";
    const CLOSE: &str = "}}";
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find(OPEN) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let inside = from.strip_prefix(OPEN).unwrap_or_default();
        let Some((body, after)) = inside.split_once(CLOSE) else {
            out.push_str(from);
            return Ok(out);
        };
        let (written, _) = from.split_at(from.len() - after.len());
        if let Some(text) = replace(written, body)? {
            out.push_str(&text);
            rest = after;
        } else {
            out.push_str(OPEN);
            rest = inside;
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// A value inside a text: strings as they are, numbers without an exponent, everything else as JSON.
pub(super) fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => {
            number.as_f64().map_or_else(|| number.to_string(), super::number_text::plain_number)
        }
        other => super::json_text(other),
    }
}
