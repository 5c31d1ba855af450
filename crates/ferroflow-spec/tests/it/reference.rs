//! The reference pipelines kept beside the project: all valid ones are read, all invalid ones refused.
//!
//! The folder is `FERROFLOW_REFERENCE`, else `../shared` seen from the workspace. This is the only suite of the crate
//! that may report itself absent.

use std::path::{Path, PathBuf};

use ferroflow_spec::document::{self, PipelineDocument};
use ferroflow_spec::number::normalise;
use serde_json::Value;

/// The folder of reference pipelines, or one line that says it is absent.
#[expect(clippy::print_stdout, reason = "an absent suite says so")]
fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("FERROFLOW_REFERENCE")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let upstream = folder.join("upstream");
    if upstream.is_dir() {
        return Some(upstream);
    }
    println!("absent: no reference pipelines in `{}`, set FERROFLOW_REFERENCE", folder.display());
    None
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { open.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    files
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

fn read(path: &Path) -> PipelineDocument {
    let bytes = std::fs::read(path).unwrap();
    document::read(&name_of(path), &bytes)
        .unwrap_or_else(|problems| panic!("{}:\n{problems}", path.display()))
}

#[test]
fn every_valid_pipeline_is_read_and_round_trips() {
    let Some(upstream) = folder() else { return };
    let files = files_under(&upstream.join("valid"));
    assert!(files.len() >= 150, "only {} files", files.len());
    for path in files {
        let document = read(&path);
        assert!(!document.spec.name.is_empty(), "{}", path.display());
        // What is sent over the wire is the same pipeline again.
        let wire = document.wire_json();
        assert_eq!(serde_json::from_str::<Value>(&document.wire_text()).unwrap(), wire);
        let again =
            document::from_json(&wire).unwrap_or_else(|problems| panic!("{}:\n{problems}", path.display()));
        assert_eq!(again.spec, document.spec, "{}", path.display());
        assert_eq!(again.wire_json(), wire, "{}", path.display());
        let text = document::read_text(&wire_as_file(&document)).unwrap();
        assert_eq!(text.wire_json(), wire, "{}", path.display());
    }
}

/// Both documents as JSON, which is YAML too.
fn wire_as_file(document: &PipelineDocument) -> String {
    let mut text = serde_json::to_string_pretty(&document.spec_json()).unwrap();
    if let Some(platform) = document.platform_json() {
        text.push_str("\n---\n");
        text.push_str(&platform.to_string());
    }
    text
}

#[test]
fn json_files_say_what_an_independent_reader_sees() {
    let Some(upstream) = folder() else { return };
    let mut seen = 0;
    for path in files_under(&upstream.join("valid")) {
        if path.extension().is_some_and(|extension| extension == "json") {
            let independent: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            assert_eq!(read(&path).spec_json(), normalise(independent), "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 0);
}

#[test]
fn every_invalid_pipeline_gets_a_clear_error() {
    let Some(upstream) = folder() else { return };
    let expected = [
        ("empty_file.yaml", "the file is empty"),
        ("empty_zip.zip", "`empty_zip.zip` is not a pipeline file"),
        ("invalid-zip.zip", "unknown field `components_1`"),
        ("invalid_yaml.yaml", "unknown field `components_1`"),
        ("no_name.yaml", "the pipeline has no name"),
    ];
    let mut seen = 0;
    for path in files_under(&upstream.join("invalid")) {
        let name = name_of(&path);
        let problems = document::read(&name, &std::fs::read(&path).unwrap())
            .err()
            .unwrap_or_else(|| panic!("{} was accepted", path.display()))
            .to_string();
        // Files that upstream adds later must fail too, in whatever words.
        if let Some((_, text)) = expected.iter().find(|(known, _)| *known == name) {
            assert!(problems.contains(text), "{name}:\n{problems}");
            seen += 1;
        }
    }
    assert_eq!(seen, expected.len());
}
