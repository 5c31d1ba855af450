//! Messages of any type with something in every field.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value};

/// Depth of messages in messages; deeper ones stay empty.
const DEPTH: usize = 6;

/// One message for each choice in oneofs: the first has the first member of every oneof, the second the second, …
pub(crate) fn samples(shape: &MessageDescriptor) -> Vec<DynamicMessage> {
    (0..8).map(|choice| message(shape, choice, DEPTH)).collect()
}

fn message(shape: &MessageDescriptor, choice: usize, depth: usize) -> DynamicMessage {
    let mut sample = DynamicMessage::new(shape.clone());
    if shape.full_name() == "google.protobuf.Any" {
        let status = shape.parent_pool().get_message_by_name("google.rpc.Status").unwrap();
        sample.transcode_from(&DynamicMessage::new(status)).unwrap();
        sample
            .set_field_by_name("type_url", Value::String("type.googleapis.com/google.rpc.Status".to_owned()));
        return sample;
    }
    if depth == 0 && !shape.full_name().starts_with("google.protobuf.") {
        return sample;
    }
    let fields: Vec<FieldDescriptor> = shape
        .fields()
        .filter(|field| match field.containing_oneof() {
            Some(oneof) => {
                let members = oneof.fields().count();
                oneof.fields().nth(choice % members).as_ref() == Some(field)
            }
            None => true,
        })
        .collect();
    for field in fields {
        sample.set_field(&field, value(&field, choice, depth.saturating_sub(1)));
    }
    sample
}

fn value(field: &FieldDescriptor, choice: usize, depth: usize) -> Value {
    if field.is_map() {
        let Kind::Message(entry) = field.kind() else { unreachable!("maps have messages as entries") };
        let value = single(&entry.map_entry_value_field(), choice, depth);
        return Value::Map([(MapKey::String("a key".to_owned()), value)].into());
    }
    let single = single(field, choice, depth);
    if field.is_list() { Value::List(vec![single.clone(), single]) } else { single }
}

fn single(field: &FieldDescriptor, choice: usize, depth: usize) -> Value {
    match field.kind() {
        Kind::Bool => Value::Bool(true),
        Kind::Int32 => Value::I32(-7),
        Kind::Int64 => Value::I64(i64::MAX),
        Kind::Double => Value::F64(1.5),
        Kind::String => Value::String(format!("{} \u{e9}\"\n", field.name())),
        Kind::Bytes => Value::Bytes(Vec::from([0, 255]).into()),
        Kind::Enum(values) => {
            let last = values.values().last().unwrap();
            Value::EnumNumber(last.number())
        }
        // Free JSON could contain itself for ever. A field that is free JSON and null reads as not set, which no field
        // of the API tells apart; in a map a null is a value.
        Kind::Message(shape) if shape.full_name() == "google.protobuf.Value" => {
            let mut free = DynamicMessage::new(shape);
            let (name, value) = match choice % 4 {
                0 => ("string_value", Value::String("free".to_owned())),
                1 => ("number_value", Value::F64(-2.25)),
                3 if field.parent_message().is_map_entry() => ("null_value", Value::EnumNumber(0)),
                _ => ("bool_value", Value::Bool(false)),
            };
            free.set_field_by_name(name, value);
            Value::Message(free)
        }
        Kind::Message(shape) if shape.full_name() == "google.protobuf.Timestamp" => {
            let mut time = DynamicMessage::new(shape);
            time.set_field_by_name("seconds", Value::I64(1_769_860_800));
            if choice % 2 == 1 {
                time.set_field_by_name("nanos", Value::I32(500_000_000));
            }
            Value::Message(time)
        }
        Kind::Message(shape) => Value::Message(message(&shape, choice, depth)),
        other => unreachable!("no message of the API has a field of kind {other:?}"),
    }
}
