//! Values that several messages share: times, numbers, JSON.

use ferroflow_model::Timestamp;
use ferroflow_proto::protobuf;
use serde_json::{Map, Value};

use crate::status::ApiError;

/// Whole seconds, as KFP stores and shows them.
pub(super) fn time(at: Timestamp) -> protobuf::Timestamp {
    protobuf::Timestamp { seconds: at.as_seconds(), nanos: 0 }
}

/// A moment that has not come shows as the epoch, not as a missing field.
pub(super) fn time_or_epoch(at: Option<Timestamp>) -> protobuf::Timestamp {
    time(at.unwrap_or_default())
}

/// A count for an int32 field.
pub(super) fn whole_number(count: u64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// A JSON object as a `Struct`.
pub(super) fn to_struct(object: &Map<String, Value>) -> protobuf::Struct {
    protobuf::Struct { fields: object.iter().map(|(key, value)| (key.clone(), to_wire(value))).collect() }
}

/// A JSON value as a `Value`.
pub(super) fn to_wire(value: &Value) -> protobuf::Value {
    use protobuf::value::Kind;
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(flag) => Kind::BoolValue(*flag),
        Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or_default()),
        Value::String(text) => Kind::StringValue(text.clone()),
        Value::Array(items) => {
            Kind::ListValue(protobuf::ListValue { values: items.iter().map(to_wire).collect() })
        }
        Value::Object(object) => Kind::StructValue(to_struct(object)),
    };
    protobuf::Value { kind: Some(kind) }
}

/// A `Struct` as a JSON object; whole numbers become integers.
pub(super) fn from_struct(message: protobuf::Struct) -> Result<Map<String, Value>, ApiError> {
    message.fields.into_iter().map(|(key, value)| Ok((key, from_wire(value)?))).collect()
}

/// A `Value` as JSON; whole numbers become integers.
pub(super) fn from_wire(value: protobuf::Value) -> Result<Value, ApiError> {
    use protobuf::value::Kind;
    Ok(match value.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(flag)) => Value::Bool(flag),
        Some(Kind::NumberValue(number)) => json_number(number)?,
        Some(Kind::StringValue(text)) => Value::String(text),
        Some(Kind::ListValue(list)) => {
            Value::Array(list.values.into_iter().map(from_wire).collect::<Result<_, _>>()?)
        }
        Some(Kind::StructValue(object)) => Value::Object(from_struct(object)?),
    })
}

fn json_number(number: f64) -> Result<Value, ApiError> {
    ferroflow_spec::number::from_double(number)
        .map(Value::Number)
        .ok_or_else(|| ApiError::invalid("a number must be finite"))
}
