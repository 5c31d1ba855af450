//! Files of nobody in particular: read or refused, never a panic.

use ferroflow_spec::document;

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

const YAML: [&str; 28] = [
    "pipelineInfo:",
    "name:",
    "root:",
    "dag:",
    "tasks:",
    "components:",
    "deploymentSpec:",
    "schemaVersion: 2.1.0",
    "\n",
    "\n  ",
    "\n    ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    ": ",
    "&a ",
    "*a",
    "!!binary ",
    "|\n",
    "'",
    "\"",
    "---\n",
    "# ",
    "null",
    "1e999",
    "<<: ",
];

#[test]
fn yaml_files() {
    bolero::check!().with_type::<Vec<u8>>().for_each(|choice: &Vec<u8>| {
        let _ = document::read("pipeline.yaml", &words(choice, &YAML));
    });
}

const JSON: [&str; 16] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"pipelineInfo\"",
    "\"root\"",
    "\"dag\"",
    "\"name\"",
    "\"\\ud800\"",
    "1",
    "-0.0",
    "1e400",
    "true",
    "null",
];

#[test]
fn json_files() {
    bolero::check!().with_type::<Vec<u8>>().for_each(|choice: &Vec<u8>| {
        let _ = document::read("pipeline.json", &words(choice, &JSON));
    });
}

#[test]
fn archives() {
    bolero::check!().with_type::<Vec<u8>>().for_each(|rest: &Vec<u8>| {
        for begin in [b"PK\x03\x04".as_slice(), b"\x1f\x8b\x08\x00", b"PK\x05\x06"] {
            let _ = document::read("pipeline.bin", &[begin, rest].concat());
        }
    });
}
