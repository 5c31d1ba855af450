//! Executors of the deployment config.

use serde_json::Value;

use super::{Here, artifact_type, entries, flag, name_of, text, texts};
use crate::ir::{ContainerSpec, Executor, ImportUri, ImporterSpec};
use crate::problem::Sink;
use crate::tree::{NodeRef, View};

pub(super) fn executor(node: NodeRef<'_>, here: Here<'_>, sink: &mut Sink) -> Executor {
    if let Some(container) = node.field("container") {
        return Executor::Container(container_spec(container));
    }
    if let Some(importer) = node.field("importer") {
        let path = here.path.key("importer");
        return Executor::Importer(importer_spec(importer, Here { path: &path, at: here.at }, sink));
    }
    let (message, hint) = if node.entry("resolver").is_some() {
        ("is a resolver, which only Google Cloud can run", "import the artifact with `dsl.importer` instead")
    } else if node.entry("customJob").is_some() {
        ("is a custom job, which only Google Cloud can run", "use a container component instead")
    } else {
        ("has neither a `container` nor an `importer`", "an executor needs one of them")
    };
    here.report(sink, message, hint);
    // Kept, so that components that refer to this label are not reported as well.
    Executor::Container(ContainerSpec::default())
}

fn container_spec(node: NodeRef<'_>) -> ContainerSpec {
    let env = node.field("env").into_iter().flat_map(NodeRef::items);
    ContainerSpec {
        image: text(node, "image"),
        command: texts(node, "command"),
        args: texts(node, "args"),
        env: env.map(|entry| (text(entry, "name"), text(entry, "value"))).collect(),
        resources: node.field("resources").map_or(Value::Null, NodeRef::to_value),
    }
}

fn importer_spec(node: NodeRef<'_>, here: Here<'_>, sink: &mut Sink) -> ImporterSpec {
    let uri = node.field("artifactUri");
    let part = |field: &str| uri.map(|uri| text(uri, field)).unwrap_or_default();
    let old = uri
        .and_then(|uri| uri.field("constantValue"))
        .map(|value| text(value, "stringValue"))
        .unwrap_or_default();
    let input = part("runtimeParameter");
    let constant = if old.is_empty() { part("constant") } else { old };
    // An empty constant is let through: compiled pipelines have one in branches that are never taken.
    if uri.is_none() {
        here.report(sink, "has no artifact URI", "give `artifactUri` a `constant` or a `runtimeParameter`");
    }
    let mut metadata = node.field("metadata").map(NodeRef::to_object).unwrap_or_default();
    for field in ["properties", "customProperties"] {
        for (key, value) in entries(node.field(field)) {
            let value = deprecated_value(value.field("constantValue").unwrap_or(value)).unwrap_or_default();
            metadata.entry(name_of(key)).or_insert(value);
        }
    }
    ImporterSpec {
        uri: if input.is_empty() { ImportUri::Constant(constant) } else { ImportUri::Input(input) },
        artifact_type: artifact_type(node.field("typeSchema"), here, sink),
        reimport: flag(node, "reimport"),
        metadata,
        download_to_workspace: flag(node, "downloadToWorkspace"),
    }
}

/// The deprecated scalar message: `intValue`, `doubleValue` or `stringValue`.
pub(super) fn deprecated_value(node: NodeRef<'_>) -> Option<Value> {
    if let Some(value) = node.field("stringValue").or_else(|| node.field("doubleValue")) {
        return Some(value.to_value());
    }
    let value = node.field("intValue")?;
    match value.view() {
        // 64-bit integers are strings in proto JSON.
        View::Text(digits) => digits.parse::<i64>().ok().map(Value::from),
        _ => Some(value.to_value()),
    }
}
