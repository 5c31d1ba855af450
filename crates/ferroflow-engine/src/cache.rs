//! The key by which results are found again: byte for byte KFP's, so that its stored keys stay good.
//!
//! SHA-256 over the message `CacheKey` as Go's encoder prints it. Environment, resources, retries and the versions of
//! the programs are not in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io;
use std::sync::Arc;

use ferroflow_model::Inputs;
use ferroflow_model::record::{CacheParts, CacheRecord};
use ferroflow_spec::ir::ArtifactType;
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::event::RunIdentity;
use crate::kubernetes;
use crate::plan::{Body, ComponentPlan};
use crate::semantics::{Semantics, Switch};

/// The log of a task is an output of it to upstream, by default.
const EXECUTOR_LOGS: &str = "executor-logs";

/// Key of KFP's in the metadata of artifacts that tasks are to find in the workspace of their run.
pub(crate) const IN_WORKSPACE: &str = "_kfp_workspace";

/// Images by which KFP means its own work on volumes.
const CREATE_CLAIM: &str = "argostub/createpvc";
const DELETE_CLAIM: &str = "argostub/deletepvc";

/// Whether the task does the same each time, so that an earlier result will do: not if it makes a volume under a new
/// name, and not if it removes one.
pub(crate) fn may_be_reused(component: &ComponentPlan, inputs: &Inputs) -> bool {
    let Body::Container(body) = &component.body else { return true };
    match body.container.image.as_str() {
        CREATE_CLAIM => inputs
            .parameters
            .get("pvc_name")
            .and_then(|name| name.as_str())
            .is_some_and(|name| !name.is_empty()),
        DELETE_CLAIM => false,
        _ => true,
    }
}

/// Claims that the task sees the contents of, in order: those that its plain `settings` mount, and the workspace of its
/// run, which is never that of another run.
pub(crate) fn claims(settings: &Value, inputs: &Inputs, run: &RunIdentity) -> BTreeSet<String> {
    let mut claims: BTreeSet<String> = kubernetes::claims(settings).map(str::to_owned).collect();
    let is_there = |artifact: &Arc<ferroflow_model::Artifact>| artifact.metadata.contains_key(IN_WORKSPACE);
    if inputs.parameters.values().any(|value| names_workspace(value))
        || inputs.artifacts.values().flatten().any(is_there)
    {
        claims.insert(format!("{}-kfp-workspace", run.resource_name));
    }
    claims
}

fn names_workspace(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("{{$.workspace_path}}") || text.contains("/kfp-workspace"),
        Value::Array(items) => items.iter().any(names_workspace),
        Value::Object(entries) => entries.values().any(names_workspace),
        _ => false,
    }
}

/// The key by which an importer finds what an earlier one brought in. Nobody else uses such keys.
pub(crate) fn import_key(kind: &ArtifactType, uri: &str, metadata: &Map<String, Value>) -> CacheRecord {
    let mut imported = spec_of("artifact", kind, metadata);
    if let Value::Object(fields) = &mut imported {
        fields.insert("uri".to_owned(), Value::from(uri));
    }
    let parts = Map::from_iter([("importedArtifact".to_owned(), imported)]);
    CacheRecord { fingerprint: sha256(&[&go_json(&parts)]), parts: CacheParts::from(&parts), refusal: None }
}

/// What is the same in the keys of all tasks of a component, as JSON text: what goes before and behind the inputs.
#[derive(Debug)]
pub(crate) struct KeyFrame {
    head: Arc<str>,
    tail: Arc<str>,
}

/// The key of a container task with these inputs (without defaults) that mounts these `claims`. A `custom` key, if not
/// empty, takes the place of everything but the component's name.
pub(crate) fn key(
    component: &ComponentPlan,
    inputs: &Inputs,
    custom: &str,
    claims: &BTreeSet<String>,
    semantics: &Semantics,
) -> CacheRecord {
    if !custom.is_empty() {
        return custom_key(&component.name, custom, &semantics.cache_scope);
    }
    let frame = match &component.body {
        Body::Container(body) if claims.is_empty() => {
            let frame = body.key_frame.get_or_init(|| frame(component, claims, semantics));
            (Arc::clone(&frame.head), Arc::clone(&frame.tail))
        }
        _ => {
            let frame = frame(component, claims, semantics);
            (frame.head, frame.tail)
        }
    };
    let own = own_parts(inputs);
    // The pieces are objects of their own: their braces become commas where something stands on both sides.
    let (head, tail) = frame;
    let own = match (own.is_empty(), head.len() > 1) {
        (true, _) => String::new(),
        (false, true) => format!(",{}", members(&go_json(&own))),
        (false, false) => members(&go_json(&own)).to_owned(),
    };
    let is_joined = head.len() > 1 || !own.is_empty();
    let tail = if is_joined { tail } else { tail.trim_start_matches(',').into() };
    CacheRecord {
        fingerprint: sha256(&[&head, &own, &tail]),
        parts: CacheParts::from_pieces([head, own.into(), tail]),
        refusal: None,
    }
}

fn custom_key(component: &str, custom: &str, scope: &str) -> CacheRecord {
    let mut parts = Map::from_iter([
        ("componentName".to_owned(), Value::from(component)),
        ("cacheKey".to_owned(), Value::from(custom)),
    ]);
    let mut pieces = vec![component, "\0", custom];
    if !scope.is_empty() {
        parts.insert("cacheScope".to_owned(), Value::from(scope));
        pieces.extend(["\0", scope]);
    }
    CacheRecord { fingerprint: sha256(&pieces), parts: CacheParts::from(&parts), refusal: None }
}

/// The text of an object without its braces.
fn members(object: &str) -> &str {
    object.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(object)
}

/// `{"containerSpec":{…}` and `,"outputArtifactsSpec":{…},"outputParametersSpec":{…}}`: as the names of the parts stand
/// in order, inputs go between them.
fn frame(component: &ComponentPlan, claims: &BTreeSet<String>, semantics: &Semantics) -> KeyFrame {
    let mut head = Map::new();
    if !semantics.cache_scope.is_empty() {
        head.insert("cacheScope".to_owned(), Value::from(semantics.cache_scope.as_str()));
    }
    if let Body::Container(body) = &component.body {
        let mut container = Map::new();
        let words: Vec<&str> =
            body.container.command.iter().chain(&body.container.args).map(String::as_str).collect();
        if !words.is_empty() {
            container.insert("cmdArgs".to_owned(), json!(words));
        }
        let env: BTreeMap<_, _> = body.container.env.iter().map(|(name, value)| (name, value)).collect();
        if !env.is_empty() && semantics.has(Switch::EnvironmentInCacheKey) {
            container.insert("env".to_owned(), json!(env));
        }
        if !body.container.image.is_empty() {
            container.insert("image".to_owned(), json!(body.container.image));
        }
        if !claims.is_empty() {
            container.insert("pvcNames".to_owned(), json!(claims));
        }
        put(&mut head, "containerSpec", container);
    }
    let mut tail = Map::new();
    put(&mut tail, "outputArtifactsSpec", artifacts(component, !semantics.has(Switch::NoLogInCacheKey)));
    let types = component.output_parameters.iter();
    let types = types.map(|(name, kind)| (name.clone(), Value::from(kind.wire_name())));
    put(&mut tail, "outputParametersSpec", types.collect());
    let (head, tail_text) = (go_json(&head), go_json(&tail));
    let comma = if tail.is_empty() { "" } else { "," };
    KeyFrame {
        head: head.strip_suffix('}').unwrap_or_default().into(),
        tail: format!("{comma}{}}}", members(&tail_text)).into(),
    }
}

/// An empty field does not exist on the wire.
fn put(parts: &mut Map<String, Value>, name: &str, part: Map<String, Value>) {
    if !part.is_empty() {
        parts.insert(name.to_owned(), Value::Object(part));
    }
}

fn own_parts(inputs: &Inputs) -> Map<String, Value> {
    let mut parts = Map::new();
    let names = |(name, list): (&String, &Vec<Arc<ferroflow_model::Artifact>>)| {
        let ids: Vec<String> = list.iter().map(|artifact| artifact.id.to_string()).collect();
        (name.clone(), json!({ "artifactNames": ids }))
    };
    put(&mut parts, "inputArtifactNames", inputs.artifacts.iter().map(names).collect());
    let values = inputs.parameters.iter().map(|(name, value)| (name.clone(), Value::clone(value)));
    put(&mut parts, "inputParameterValues", values.collect());
    parts
}

fn artifacts(component: &ComponentPlan, has_log: bool) -> Map<String, Value> {
    let logs = ArtifactType { schema_title: "system.Artifact".to_owned(), ..ArtifactType::default() };
    let mut artifacts: BTreeMap<&str, Value> = BTreeMap::new();
    if has_log {
        artifacts.insert(EXECUTOR_LOGS, spec_of(EXECUTOR_LOGS, &logs, &Map::new()));
    }
    for (name, output) in &component.output_artifacts {
        artifacts.insert(name, spec_of(name, &output.artifact_type, &output.metadata));
    }
    artifacts.into_iter().map(|(name, spec)| (name.to_owned(), spec)).collect()
}

/// A `RuntimeArtifact` without its URI.
fn spec_of(name: &str, kind: &ArtifactType, metadata: &Map<String, Value>) -> Value {
    let mut schema = Map::new();
    for (field, text) in [
        ("schemaTitle", &kind.schema_title),
        ("instanceSchema", &kind.instance_schema),
        ("schemaVersion", &kind.schema_version),
    ] {
        if !text.is_empty() {
            schema.insert(field.to_owned(), Value::from(text.as_str()));
        }
    }
    let mut spec =
        Map::from_iter([("name".to_owned(), Value::from(name)), ("type".to_owned(), Value::Object(schema))]);
    if !metadata.is_empty() {
        spec.insert("metadata".to_owned(), Value::Object(metadata.clone()));
    }
    Value::Object(spec)
}

fn sha256(pieces: &[&str]) -> String {
    let mut digest = Sha256::new();
    for piece in pieces {
        digest.update(piece.as_bytes());
    }
    let mut text = String::with_capacity(64);
    for byte in digest.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// JSON as Go's encoder prints it: keys in order (the map sees to that), `<`, `>` and `&` escaped, integral numbers
/// without a point.
fn go_json(value: &impl Serialize) -> String {
    let mut bytes = Vec::with_capacity(512);
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, GoFormatter);
    // Plain JSON always has a text.
    let written = value.serialize(&mut serializer);
    debug_assert!(written.is_ok(), "cache keys are plain JSON");
    String::from_utf8(bytes).unwrap_or_default()
}

struct GoFormatter;

impl Formatter for GoFormatter {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        let size = value.abs();
        if size == 0.0 || (1e-6..1e21).contains(&size) {
            return write!(writer, "{value}");
        }
        // Go writes the sign of an exponent, and at least one digit: `1e+21`, `1e-7`.
        let text = format!("{value:e}");
        match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => write!(writer, "{digits}e+{exponent}"),
            _ => writer.write_all(text.as_bytes()),
        }
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}']) {
            let (before, from) = rest.split_at(at);
            CompactFormatter.write_string_fragment(writer, before)?;
            let mut letters = from.chars();
            if let Some(letter) = letters.next() {
                write!(writer, "\\u{:04x}", u32::from(letter))?;
            }
            rest = letters.as_str();
        }
        CompactFormatter.write_string_fragment(writer, rest)
    }
}

#[cfg(test)]
mod tests {
    use ferroflow_spec::ir::{ContainerSpec, ParameterType};

    use super::*;
    use crate::plan::ContainerPlan;

    fn component() -> ComponentPlan {
        let container = ContainerSpec {
            image: "python:3.11".to_owned(),
            command: vec!["sh".to_owned(), "-c".to_owned()],
            args: vec!["echo hi".to_owned()],
            ..ContainerSpec::default()
        };
        ComponentPlan {
            name: "comp-train".to_owned(),
            input_parameters: BTreeMap::new(),
            input_artifacts: BTreeMap::new(),
            output_parameters: BTreeMap::from([("score".to_owned(), ParameterType::NumberDouble)]),
            output_artifacts: BTreeMap::new(),
            passthroughs: Vec::new(),
            body: Body::Container(ContainerPlan {
                container: Arc::new(container),
                kubernetes: Arc::new(Value::Null),
                timeout: None,
                key_frame: std::sync::OnceLock::new(),
            }),
        }
    }

    #[test]
    fn keys_are_those_of_upstream() {
        let values = [("depth", json!(4)), ("label", json!("a<b & c")), ("rate", json!(0.25))];
        let parameters = values.map(|(name, value)| (name.to_owned(), Arc::new(value)));
        let inputs = Inputs { parameters: parameters.into(), ..Inputs::default() };
        let record = key(&component(), &inputs, "", &BTreeSet::new(), &Semantics::default());
        assert_eq!(record.fingerprint, "377bd06c1be450596ce1768b55eb9d03af901f78c124b3c4289622eb7cd5a013");
        let parts = record.parts.read();
        let names: Vec<_> = parts.keys().collect();
        assert_eq!(
            names,
            ["containerSpec", "inputParameterValues", "outputArtifactsSpec", "outputParametersSpec"]
        );
        let custom = key(&component(), &inputs, "nightly-1", &BTreeSet::new(), &Semantics::default());
        assert_eq!(custom.fingerprint, "91eb480465daa73c45ccc06fa99b0d8193947f51fe9228dc3ae3126c96266aa5");
    }

    #[test]
    fn numbers_and_texts_are_printed_as_go_does() {
        let value = json!([1, 2.5, 1e21, 1.5e-7, 123_456_789_012.0, "<\u{2028}>\"\n"]);
        assert_eq!(go_json(&value), r#"[1,2.5,1e+21,1.5e-7,123456789012,"\u003c\u2028\u003e\"\n"]"#);
    }
}
