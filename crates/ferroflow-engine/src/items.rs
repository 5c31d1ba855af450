//! What a loop runs over.

use std::sync::Arc;

use ferroflow_model::{Artifact, Inputs};
use ferroflow_spec::ir::{Iterator as LoopOver, LoopItems};
use ferroflow_spec::number::normalise;
use serde_json::Value;

/// The items of a loop in order.
pub(crate) enum Items {
    Values(Vec<Value>),
    Artifacts(Vec<Arc<Artifact>>),
}

/// One of them.
pub(crate) enum Item {
    Value(Value),
    Artifact(Arc<Artifact>),
}

impl Items {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Values(values) => values.len(),
            Self::Artifacts(artifacts) => artifacts.len(),
        }
    }

    pub(crate) fn into_items(self) -> Box<dyn std::iter::Iterator<Item = Item>> {
        match self {
            Self::Values(values) => Box::new(values.into_iter().map(Item::Value)),
            Self::Artifacts(artifacts) => Box::new(artifacts.into_iter().map(Item::Artifact)),
        }
    }
}

impl Item {
    /// Becomes the input of this name.
    pub(crate) fn put(self, name: &str, inputs: &mut Inputs) {
        match self {
            Self::Value(value) => {
                inputs.parameters.insert(name.to_owned(), Arc::new(value));
            }
            Self::Artifact(artifact) => {
                inputs.artifacts.insert(name.to_owned(), vec![artifact]);
            }
        }
    }
}

/// The input of the loop that holds the whole list, which its passes do not get.
pub(crate) fn list_input(iterator: &LoopOver) -> Option<&str> {
    match iterator {
        LoopOver::Parameter { items: LoopItems::Input(name), .. } => Some(name),
        LoopOver::Parameter { items: LoopItems::Raw(_), .. } => None,
        LoopOver::Artifact { input, .. } => Some(input),
    }
}

/// The items; the error is a sentence.
pub(crate) fn loop_items(iterator: &LoopOver, inputs: &Inputs) -> Result<Items, String> {
    match iterator {
        LoopOver::Artifact { input, .. } => match inputs.artifacts.get(input) {
            Some(list) => Ok(Items::Artifacts(list.clone())),
            None => Err(format!("the loop runs over the artifacts of input `{input}`, which was not given")),
        },
        LoopOver::Parameter { items: LoopItems::Raw(text), .. } => from_text(text, "the items of the loop"),
        LoopOver::Parameter { items: LoopItems::Input(name), .. } => {
            match inputs.parameters.get(name).map(|v| &**v) {
                Some(Value::Array(items)) => Ok(Items::Values(items.clone())),
                Some(Value::String(text)) => {
                    from_text(text, &format!("input `{name}`, which the loop runs over,"))
                }
                Some(_) => Err(format!("the loop runs over input `{name}`, which is not a list")),
                None => Err(format!("the loop runs over input `{name}`, which was not given")),
            }
        }
    }
}

/// A list from its JSON text; JSON of any other kind has no items, as upstream.
fn from_text(text: &str, what: &str) -> Result<Items, String> {
    match serde_json::from_str(text).map(normalise) {
        Ok(Value::Array(items)) => Ok(Items::Values(items)),
        Ok(_) => Ok(Items::Values(Vec::new())),
        Err(_) => Err(format!("{what} must be a list in JSON, but is `{}`", shortened(text))),
    }
}

fn shortened(text: &str) -> String {
    const MOST: usize = 80;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
