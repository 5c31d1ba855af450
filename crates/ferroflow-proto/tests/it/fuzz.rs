//! Messages of nobody in particular, as JSON and in binary form: read or refused, and what was read can be written.

use ferroflow_proto::v2beta1::{CreateRecurringRunRequest, CreateRunRequest, Filter, Run};
use prost::Message;

/// Words of the language in any order, with raw bytes between them: most of it is nonsense that looks right.
fn words(choice: &[u8], pieces: &[&str]) -> Vec<u8> {
    let mut text = Vec::new();
    for byte in choice {
        match pieces.get(usize::from(*byte)) {
            Some(piece) => text.extend_from_slice(piece.as_bytes()),
            None => text.push(*byte),
        }
    }
    text
}

const JSON: [&str; 28] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"run\"",
    "\"display_name\"",
    "\"displayName\"",
    "\"runtime_config\"",
    "\"parameters\"",
    "\"created_at\"",
    "\"1970-01-01T00:00:00Z\"",
    "\"9999-99-99T99:99:99Z\"",
    "\"state\"",
    "\"RUNNING\"",
    "5",
    "-1",
    "1e999",
    "\"12\"",
    "null",
    "true",
    "\"pipeline_spec\"",
    "\"predicates\"",
    "\"operation\"",
    "\"EQUALS\"",
    "\"string_value\"",
    "\"\\ud800\"",
];

#[test]
fn json_messages() {
    bolero::check!().with_type::<Vec<u8>>().for_each(|choice: &Vec<u8>| {
        let text = words(choice, &JSON);
        if let Ok(message) = serde_json::from_slice::<CreateRunRequest>(&text) {
            // Numbers that JSON has no form for are the only reason for refusing to write.
            let _ = serde_json::to_string(&message);
        }
        let _ = serde_json::from_slice::<CreateRecurringRunRequest>(&text);
        let _ = serde_json::from_slice::<Filter>(&text);
    });
}

#[test]
fn binary_messages() {
    bolero::check!().with_type::<Vec<u8>>().for_each(|bytes: &Vec<u8>| {
        if let Ok(message) = Run::decode(bytes.as_slice()) {
            assert_eq!(
                Run::decode(message.encode_to_vec().as_slice()).unwrap().encode_to_vec(),
                message.encode_to_vec()
            );
        }
    });
}
