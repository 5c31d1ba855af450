//! What clients send for plugins. This server has none, so it is kept and shown.

use std::collections::BTreeMap;

use ferroflow_proto::protobuf;
use serde_json::{Map, Value};

use super::wire_values::{from_struct, to_struct};
use crate::settings::PluginLimits;
use crate::status::ApiError;

/// Reads `plugins_input` within its limits.
pub(super) fn read(
    sent: BTreeMap<String, protobuf::Struct>,
    limits: &PluginLimits,
) -> Result<Map<String, Value>, ApiError> {
    if sent.len() > limits.keys {
        let (given, most) = (sent.len(), limits.keys);
        return Err(ApiError::invalid(format!(
            "`plugins_input` has {given} entries, at most {most} are allowed"
        )));
    }
    let mut read = Map::new();
    let mut total = 0;
    for (name, input) in sent {
        let input = Value::Object(from_struct(input)?);
        if depth(&input) > limits.depth {
            let most = limits.depth;
            return Err(ApiError::invalid(format!(
                "`plugins_input` of `{name}` is nested too deeply, at most {most} levels are allowed"
            )));
        }
        let bytes = input.to_string().len();
        if bytes > limits.entry_bytes {
            let most = limits.entry_bytes;
            return Err(ApiError::invalid(format!(
                "`plugins_input` of `{name}` has {bytes} bytes, at most {most} are allowed"
            )));
        }
        total += name.len() + bytes;
        read.insert(name, input);
    }
    if total > limits.total_bytes {
        let most = limits.total_bytes;
        return Err(ApiError::invalid(format!(
            "`plugins_input` has {total} bytes, at most {most} are allowed"
        )));
    }
    Ok(read)
}

/// As answers show it.
pub(super) fn to_wire(kept: &Map<String, Value>) -> BTreeMap<String, protobuf::Struct> {
    let entry = |(name, input): (&String, &Value)| Some((name.clone(), to_struct(input.as_object()?)));
    kept.iter().filter_map(entry).collect()
}

/// Levels of objects and lists. Whoever decodes the message bounds them too, so this ends.
fn depth(value: &Value) -> usize {
    let inner = match value {
        Value::Object(object) => object.values().map(depth).max(),
        Value::Array(items) => items.iter().map(depth).max(),
        _ => return 0,
    };
    1 + inner.unwrap_or(0)
}
