//! A request's path, query and body as the JSON of one message, after the `google.api.http` annotations.
//!
//! The body fills the field that the annotation names (`*` means the message itself), the query fills the others,
//! the path wins over both. Unknown query parameters are ignored, unknown body fields are errors; `null` means that a
//! field is not set, as in every JSON form of a proto message.

use ferroflow_proto::rest::Route;
use ferroflow_proto::shape::{FieldShape, Kind, Label, MessageShape};
use serde_json::{Map, Value};

use super::route::PathFields;
use crate::status::ApiError;
use crate::v2beta1::CallContext;

/// The message of a request as JSON, and what the message itself cannot tell.
pub(super) fn request(
    route: &Route,
    path: &PathFields<'_>,
    query: &str,
    body: &[u8],
) -> Result<(Value, CallContext), ApiError> {
    let shape = route.request;
    let mut context = CallContext::default();
    let mut whole = Map::new();
    if let (Some(selector), false) = (route.body, body.trim_ascii().is_empty()) {
        check_size(body)?;
        let sent: Value = serde_json::from_slice(body)
            .map_err(|error| ApiError::invalid(format!("the body is not readable as JSON: {error}")))?;
        context.clear_tags = sent.get("tags").and_then(Value::as_object).is_some_and(Map::is_empty);
        if selector == "*" {
            let Value::Object(fields) = sent else {
                return Err(ApiError::invalid("the body must be a JSON object"));
            };
            whole = fields;
        } else {
            whole.insert(selector.to_owned(), sent);
        }
        drop_nulls(&mut whole, shape);
    }
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        let head = key.split('.').next().unwrap_or_default();
        let is_body = route.body.is_some_and(|selector| selector == "*" || selector == head);
        if !is_body {
            set_from_query(&mut whole, shape, &key, &value)?;
        }
    }
    for (field, value) in path {
        set(&mut whole, shape, field, Value::from(&**value));
    }
    Ok((Value::Object(whole), context))
}

/// Values that a JSON body may hold. In memory a value takes many times its text, so a small body could take much.
const MAX_VALUES: usize = 2_000_000;

/// Counts what may begin a value, also inside of strings: far from the bound that makes no difference.
fn check_size(body: &[u8]) -> Result<(), ApiError> {
    let values = body.iter().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count();
    if values > MAX_VALUES {
        return Err(ApiError::invalid(format!(
            "the body holds more than {MAX_VALUES} values: upload a pipeline of this size as a file"
        )));
    }
    Ok(())
}

/// Removes `null` wherever it means "not set": in messages, but not inside of free JSON values.
fn drop_nulls(object: &mut Map<String, Value>, shape: &MessageShape) {
    object.retain(|key, value| {
        let Some(field) = shape.field(key) else { return true };
        match (field.kind, field.label) {
            (Kind::Value, Label::Single) => return true,
            (Kind::Message(inner), Label::Map) => {
                for entry in value.as_object_mut().into_iter().flat_map(Map::values_mut) {
                    drop_nulls_inside(entry, inner);
                }
            }
            (Kind::Message(inner), _) => drop_nulls_inside(value, inner),
            _ => {}
        }
        !value.is_null()
    });
}

fn drop_nulls_inside(value: &mut Value, shape: &MessageShape) {
    match value {
        Value::Object(object) => drop_nulls(object, shape),
        Value::Array(items) => {
            for object in items.iter_mut().filter_map(Value::as_object_mut) {
                drop_nulls(object, shape);
            }
        }
        _ => {}
    }
}

/// Sets one query parameter, by proto or JSON names joined with dots; ignores what is no field of a plain type.
fn set_from_query(
    whole: &mut Map<String, Value>,
    shape: &MessageShape,
    key: &str,
    text: &str,
) -> Result<(), ApiError> {
    let Some(field) = leaf(shape, key) else { return Ok(()) };
    let value = match field.kind {
        Kind::Bool => match text {
            "true" | "1" => Value::Bool(true),
            "false" | "0" | "" => Value::Bool(false),
            _ => {
                return Err(ApiError::invalid(format!(
                    "the parameter `{key}` must be true or false, not `{text}`"
                )));
            }
        },
        Kind::String | Kind::Bytes => Value::from(text),
        Kind::Message(_) | Kind::Struct | Kind::Value | Kind::ListValue => return Ok(()),
        _ if text.is_empty() => return Ok(()),
        Kind::Enum(_) => text.parse::<i32>().map_or_else(|_| Value::from(text), Value::from),
        // Numbers are accepted as text.
        Kind::Int32 | Kind::Int64 | Kind::Uint32 | Kind::Uint64 | Kind::Float | Kind::Double => {
            Value::from(text)
        }
        Kind::Timestamp | Kind::Duration => Value::from(text),
    };
    set(whole, shape, key, value);
    Ok(())
}

/// The field at the end of a path, if that and everything on the way is single.
fn leaf(shape: &MessageShape, path: &str) -> Option<&'static FieldShape> {
    let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
    let field = shape.field(head).filter(|field| field.label == Label::Single)?;
    match (rest, field.kind) {
        (None, _) => Some(field),
        (Some(rest), Kind::Message(inner)) => leaf(inner, rest),
        _ => None,
    }
}

/// Sets a field, whatever was there before under any of its names.
fn set(object: &mut Map<String, Value>, shape: &MessageShape, path: &str, value: Value) {
    let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
    let Some(field) = shape.field(head) else { return };
    let earlier = object.remove(field.json_name).or_else(|| object.remove(field.proto_name));
    let value = match (rest, field.kind) {
        (Some(rest), Kind::Message(inner_shape)) => {
            let mut inner = match earlier {
                Some(Value::Object(inner)) => inner,
                _ => Map::new(),
            };
            set(&mut inner, inner_shape, rest, value);
            Value::Object(inner)
        }
        _ => value,
    };
    object.insert(field.proto_name.to_owned(), value);
}
