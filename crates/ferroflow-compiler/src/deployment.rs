//! Executors: how tasks are done. Everything here is written as doubles and texts, as KFP's untyped struct has it.

use serde_json::{Map, Value, json};

use crate::CompileError;
use crate::graph::{Component, Importer, Resources, Task};
use crate::interface::{constant, schema};
use crate::marks;
use crate::task::placeholder;

const GIGA: f64 = 1e9;

/// The container of a task.
pub(crate) fn container(task: &Task, component: &Component) -> Result<Value, CompileError> {
    check_passthroughs(task, component)?;
    let own = &task.container;
    let image = with_placeholders(own.image.as_ref().unwrap_or(&component.image));
    let mut body = Map::from_iter([("image".to_owned(), Value::from(image))]);
    let command = own.command.as_ref().unwrap_or(&component.command);
    if !command.is_empty() {
        body.insert("command".to_owned(), command.clone().into());
    }
    let args = own.args.as_ref().unwrap_or(&component.args);
    if !args.is_empty() {
        body.insert("args".to_owned(), args.clone().into());
    }
    let env: Vec<_> = own
        .env
        .as_ref()
        .unwrap_or(&component.env)
        .iter()
        .map(|(name, value)| variable(name, value))
        .collect();
    if !env.is_empty() {
        body.insert("env".to_owned(), env.into());
    }
    if let Some(resources) = &own.resources {
        body.insert("resources".to_owned(), resources_of(resources)?.into());
    }
    Ok(json!({ "container": body }))
}

fn variable(name: &str, value: &str) -> Value {
    if value.is_empty() { json!({ "name": name }) } else { json!({ "name": name, "value": value }) }
}

fn with_placeholders(text: &str) -> String {
    let mut text = text.to_owned();
    for channel in marks::find(&text.clone()) {
        text = text.replace(&channel.mark(), &placeholder(&channel.input_name()));
    }
    text
}

/// Both forms are written: the text for newer servers, and the number, if it is one, for older ones.
fn resources_of(resources: &Resources) -> Result<Map<String, Value>, CompileError> {
    let mut body = Map::new();
    let amounts = [
        ("cpuRequest", "resourceCpuRequest", &resources.cpu_request, cpu as fn(&str) -> Option<f64>),
        ("cpuLimit", "resourceCpuLimit", &resources.cpu_limit, cpu),
        ("memoryRequest", "resourceMemoryRequest", &resources.memory_request, memory),
        ("memoryLimit", "resourceMemoryLimit", &resources.memory_limit, memory),
    ];
    for (old, new, text, amount) in amounts {
        let Some(text) = text else { continue };
        let placed = with_placeholders(text);
        if placed == *text {
            let amount = amount(text)
                .ok_or_else(|| CompileError::Value(format!("'{text}' is not an amount of resources")))?;
            if amount != 0.0 {
                body.insert(old.to_owned(), amount.into());
            }
        }
        body.insert(new.to_owned(), placed.into());
    }
    if let Some(count) = &resources.accelerator_count {
        body.insert("accelerator".to_owned(), accelerator(count, resources.accelerator_type.as_deref()));
    }
    Ok(body)
}

fn accelerator(count: &str, kind: Option<&str>) -> Value {
    let mut body = Map::new();
    let placed = with_placeholders(count);
    if placed == count && count != "0" {
        body.insert("count".to_owned(), count.into());
    }
    body.insert("resourceCount".to_owned(), placed.into());
    if let Some(kind) = kind.filter(|kind| !kind.is_empty()) {
        let placed = with_placeholders(kind);
        if placed == kind {
            body.insert("type".to_owned(), kind.into());
        }
        body.insert("resourceType".to_owned(), placed.into());
    }
    body.into()
}

fn cpu(text: &str) -> Option<f64> {
    match text.strip_suffix('m') {
        Some(thousandths) => thousandths.parse::<f64>().ok().map(|value| value / 1000.0),
        None => text.parse().ok(),
    }
}

/// In units of 10⁹ bytes.
fn memory(text: &str) -> Option<f64> {
    const BINARY: [(&str, f64); 6] = [
        ("Ei", 1_152_921_504_606_846_976.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("Ti", 1_099_511_627_776.0),
        ("Gi", 1_073_741_824.0),
        ("Mi", 1_048_576.0),
        ("Ki", 1024.0),
    ];
    const DECIMAL: [(&str, f64); 5] = [("E", 1e18), ("P", 1e15), ("T", 1e12), ("M", 1e6), ("K", 1e3)];
    if let Some(value) = text.strip_suffix('G') {
        return value.parse().ok();
    }
    for (unit, size) in BINARY.into_iter().chain(DECIMAL) {
        if let Some(value) = text.strip_suffix(unit) {
            return value.parse::<f64>().ok().map(|value| value * size / GIGA);
        }
    }
    text.parse::<f64>().ok().map(|value| value / GIGA)
}

/// A component that hands settings on itself must be told which ones.
fn check_passthroughs(task: &Task, component: &Component) -> Result<(), CompileError> {
    let passthroughs = &component.interface.passthroughs;
    if passthroughs.is_empty() {
        return Ok(());
    }
    let kubernetes = task.platform.get("kubernetes");
    let has = |fields: &[&str]| {
        fields.iter().any(|field| {
            kubernetes.and_then(|settings| settings.get(field)).is_some_and(|value| !is_empty(value))
        })
    };
    let used = [
        ("RESOURCES", task.container.resources.is_some()),
        ("ENV", task.container.env.as_ref().is_some_and(|env| !env.is_empty())),
        ("KUBERNETES_TOLERATIONS", has(&["tolerations"])),
        ("KUBERNETES_NODE_SELECTOR", has(&["nodeSelector"])),
        ("KUBERNETES_AFFINITY", has(&["nodeAffinity", "podAffinity"])),
        ("KUBERNETES_VOLUMES", has(&["pvcMount", "secretAsVolume", "configMapAsVolume"])),
    ];
    for (field, is_used) in used {
        if is_used && !passthroughs.iter().any(|(known, _)| known == field) {
            return Err(CompileError::Value(format!(
                "task {} has settings of the kind {field}, which its component does not hand on: add dsl.TaskConfigField.{field} to task_config_passthroughs of the component",
                task.shown()
            )));
        }
    }
    Ok(())
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        _ => false,
    }
}

/// The importer of a task; its URI is fixed, or comes from the input `uri`.
pub(crate) fn importer(importer: &Importer, uri: Option<&str>) -> Result<Value, CompileError> {
    let uri = uri.map_or_else(|| json!({ "runtimeParameter": "uri" }), |uri| json!({ "constant": uri }));
    let mut body =
        Map::from_iter([("artifactUri".to_owned(), uri), ("typeSchema".to_owned(), schema(&importer.kind)?)]);
    if let Some(metadata) = importer.metadata.as_ref().filter(|metadata| !metadata.is_empty()) {
        body.insert("metadata".to_owned(), constant(&metadata.clone().into())?);
    }
    for (field, is_set) in
        [("reimport", importer.reimport), ("downloadToWorkspace", importer.download_to_workspace)]
    {
        if is_set {
            body.insert(field.to_owned(), true.into());
        }
    }
    Ok(json!({ "importer": body }))
}
