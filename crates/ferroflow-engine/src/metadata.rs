//! What becomes of an artifact's metadata in ML Metadata and back, for runs that are to read it so.

use serde_json::{Map, Value, json};

/// Booleans come back as 0 or 1, lists and maps inside a map of one entry; null cannot be stored and is left out.
pub(crate) fn round_trip(metadata: &Map<String, Value>) -> Map<String, Value> {
    let stored = |value: &Value| match value {
        Value::Null => None,
        Value::Bool(flag) => Some(Value::from(u8::from(*flag))),
        Value::Array(_) => Some(json!({ "list": value })),
        Value::Object(_) => Some(json!({ "struct": value })),
        Value::Number(_) | Value::String(_) => Some(value.clone()),
    };
    metadata.iter().filter_map(|(name, value)| Some((name.clone(), stored(value)?))).collect()
}
