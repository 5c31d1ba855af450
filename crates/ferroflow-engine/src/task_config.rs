//! `TASK_CONFIG`: settings of a task's pod that its component wants to see, to hand them on to pods it starts itself.
//!
//! A component lists the settings; the input gets them in Kubernetes' own form, all seven fields each time. What is
//! listed stays on the task itself only if the component says so, what is not listed always does.

use std::collections::BTreeMap;
use std::sync::Arc;

use ferroflow_spec::ir::{ContainerSpec, ParameterType, Passthrough, PassthroughField};
use serde_json::{Map, Value, json};

use crate::placeholder;
use crate::plan::ComponentPlan;

/// What a task runs with, beside its inputs.
pub(crate) struct Settings {
    pub(crate) container: Arc<ContainerSpec>,
    /// With plain values.
    pub(crate) kubernetes: Arc<Value>,
}

/// Settings of Kubernetes behind each field.
fn kubernetes_fields(field: PassthroughField) -> &'static [&'static str] {
    match field {
        PassthroughField::Env => &["secretAsEnv", "configMapAsEnv", "fieldPathAsEnv"],
        PassthroughField::Affinity => &["nodeAffinity", "podAffinity"],
        PassthroughField::Tolerations => &["tolerations"],
        PassthroughField::NodeSelector => &["nodeSelector"],
        PassthroughField::Volumes => {
            &["secretAsVolume", "configMapAsVolume", "pvcMount", "emptyDirMounts", "genericEphemeralVolume"]
        }
        PassthroughField::Resources => &[],
    }
}

/// Fills the `TASK_CONFIG` inputs of a component among `parameters`, and takes away what is only for them.
pub(crate) fn hand_over(
    component: &ComponentPlan,
    settings: Settings,
    parameters: &mut BTreeMap<String, Arc<Value>>,
) -> Settings {
    let is_wanted =
        |input: &ferroflow_spec::ir::InputParameter| input.parameter_type == ParameterType::TaskConfig;
    let wanted = component.input_parameters.iter().filter(|(_, input)| is_wanted(input));
    let wanted: Vec<&String> = wanted.map(|(name, _)| name).collect();
    if wanted.is_empty() {
        return settings;
    }
    let config = Arc::new(config(&component.passthroughs, &settings, parameters));
    for name in wanted {
        parameters.insert(name.clone(), Arc::clone(&config));
    }
    without(&component.passthroughs, &settings)
}

fn without(passthroughs: &[Passthrough], settings: &Settings) -> Settings {
    let mut container = ContainerSpec::clone(&settings.container);
    let mut kubernetes = Value::clone(&settings.kubernetes);
    for passthrough in passthroughs.iter().filter(|passthrough| !passthrough.applies_to_task) {
        match passthrough.field {
            PassthroughField::Env => container.env.clear(),
            PassthroughField::Resources => container.resources = Value::Null,
            _ => {}
        }
        if let Some(fields) = kubernetes.as_object_mut() {
            for name in kubernetes_fields(passthrough.field) {
                fields.remove(*name);
            }
        }
    }
    Settings { container: Arc::new(container), kubernetes: Arc::new(kubernetes) }
}

fn config(
    passthroughs: &[Passthrough],
    settings: &Settings,
    parameters: &BTreeMap<String, Arc<Value>>,
) -> Value {
    let kubernetes = &*settings.kubernetes;
    let mut config = json!({
        "affinity": null, "tolerations": null, "nodeSelector": null, "env": null,
        "volumes": null, "volumeMounts": null, "resources": {},
    });
    for Passthrough { field, .. } in passthroughs {
        let found = match field {
            PassthroughField::Resources => {
                vec![("resources", resources(&settings.container.resources, parameters))]
            }
            PassthroughField::Env => vec![("env", variables(&settings.container.env, kubernetes))],
            PassthroughField::Affinity => vec![("affinity", affinity(kubernetes))],
            PassthroughField::Tolerations => {
                vec![("tolerations", kubernetes.get("tolerations").cloned().unwrap_or_default())]
            }
            PassthroughField::NodeSelector => {
                vec![(
                    "nodeSelector",
                    kubernetes.pointer("/nodeSelector/labels").cloned().unwrap_or_default(),
                )]
            }
            PassthroughField::Volumes => {
                let (volumes, mounts) = volumes(kubernetes);
                vec![("volumes", volumes), ("volumeMounts", mounts)]
            }
        };
        for (name, value) in found {
            config[name] = value;
        }
    }
    config
}

fn list<'k>(kubernetes: &'k Value, name: &str) -> impl Iterator<Item = &'k Value> + use<'k> {
    kubernetes.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn or_null(items: Vec<Value>) -> Value {
    if items.is_empty() { Value::Null } else { Value::Array(items) }
}

fn variables(env: &[(String, String)], kubernetes: &Value) -> Value {
    let mut found: Vec<Value> =
        env.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    for (settings, name, key, reference) in [
        ("secretAsEnv", "secretName", "secretKey", "secretKeyRef"),
        ("configMapAsEnv", "configMapName", "configMapKey", "configMapKeyRef"),
    ] {
        for entry in list(kubernetes, settings) {
            for pair in list(entry, "keyToEnv") {
                let mut from = json!({ "name": entry[name], "key": pair[key] });
                if entry["optional"] == true {
                    from["optional"] = Value::Bool(true);
                }
                found.push(json!({ "name": pair["envVar"], "valueFrom": { reference: from } }));
            }
        }
    }
    for entry in list(kubernetes, "fieldPathAsEnv") {
        let from = json!({ "fieldRef": { "fieldPath": entry["fieldPath"] } });
        found.push(json!({ "name": entry["name"], "valueFrom": from }));
    }
    or_null(found)
}

/// Limits and requests by Kubernetes' names; the text form wins over the old numbers, whose memory is in GB.
fn resources(written: &Value, parameters: &BTreeMap<String, Arc<Value>>) -> Value {
    let written = placeholder::with_inputs(written, parameters);
    let text = |name: &str, old: &str, unit: &str| {
        let text = written.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let old = || written.get(old)?.as_f64().filter(|number| *number > 0.0);
        text.map(str::to_owned).or_else(|| Some(format!("{}{unit}", old()?)))
    };
    let mut found = Map::new();
    for (kind, cpu, memory) in [
        ("limits", ("resourceCpuLimit", "cpuLimit"), ("resourceMemoryLimit", "memoryLimit")),
        ("requests", ("resourceCpuRequest", "cpuRequest"), ("resourceMemoryRequest", "memoryRequest")),
    ] {
        let cpu = text(cpu.0, cpu.1, "").map(|cpu| ("cpu".to_owned(), Value::from(cpu)));
        let memory = text(memory.0, memory.1, "G").map(|memory| ("memory".to_owned(), Value::from(memory)));
        let mut amounts: Map<String, Value> = cpu.into_iter().chain(memory).collect();
        let accelerator = written.get("accelerator").filter(|_| kind == "limits").unwrap_or(&Value::Null);
        let first = |names: [&str; 2]| names.iter().find_map(|name| filled(accelerator.get(*name)?));
        if let (Some(name), Some(count)) =
            (first(["resourceType", "type"]), first(["resourceCount", "count"]))
        {
            amounts.insert(name, Value::from(count));
        }
        if !amounts.is_empty() {
            found.insert(kind.to_owned(), Value::Object(amounts));
        }
    }
    Value::Object(found)
}

/// A text that is not empty, or a number that is not zero, as text.
fn filled(value: &Value) -> Option<String> {
    let text = crate::inputs::text_of(value);
    (!text.is_empty() && text != "0").then_some(text)
}

/// Terms with a weight are preferred, the others required.
fn affinity(kubernetes: &Value) -> Value {
    let (mut required, mut preferred) = (Vec::new(), Vec::new());
    let mut whole = Map::new();
    for entry in list(kubernetes, "nodeAffinity") {
        if let Some(Value::Object(form)) = entry.get("nodeAffinityJson") {
            whole.extend(form.clone());
            continue;
        }
        let mut term = Map::new();
        for name in ["matchExpressions", "matchFields"] {
            term.extend(entry.get(name).map(|value| (name.to_owned(), value.clone())));
        }
        match entry.get("weight") {
            _ if term.is_empty() => {}
            Some(weight) => preferred.push(json!({ "weight": weight, "preference": term })),
            None => required.push(Value::Object(term)),
        }
    }
    if !required.is_empty() {
        let name = "requiredDuringSchedulingIgnoredDuringExecution".to_owned();
        whole.insert(name, json!({ "nodeSelectorTerms": required }));
    }
    if !preferred.is_empty() {
        whole.insert("preferredDuringSchedulingIgnoredDuringExecution".to_owned(), Value::Array(preferred));
    }
    if whole.is_empty() { Value::Null } else { json!({ "nodeAffinity": whole }) }
}

/// Volumes and where they are mounted.
fn volumes(kubernetes: &Value) -> (Value, Value) {
    let (mut volumes, mut mounts) = (Vec::new(), Vec::new());
    let mut add = |entry: &Value, name: &Value, source: Value| {
        let mut volume = Map::from_iter([("name".to_owned(), name.clone())]);
        volume.extend(source.as_object().cloned().unwrap_or_default());
        volumes.push(Value::Object(volume));
        let mut mount = json!({ "name": name, "mountPath": entry["mountPath"] });
        if let Some(path) = entry.get("subPath").filter(|path| **path != "") {
            mount["subPath"] = path.clone();
        }
        mounts.push(mount);
    };
    for entry in list(kubernetes, "secretAsVolume") {
        let source = json!({ "secretName": entry["secretName"], "optional": entry["optional"] == true });
        add(entry, &entry["secretName"], json!({ "secret": source }));
    }
    for entry in list(kubernetes, "configMapAsVolume") {
        let source = json!({ "name": entry["configMapName"], "optional": entry["optional"] == true });
        add(entry, &entry["configMapName"], json!({ "configMap": source }));
    }
    for entry in list(kubernetes, "pvcMount") {
        let source = json!({ "claimName": entry["constant"] });
        add(entry, &entry["constant"], json!({ "persistentVolumeClaim": source }));
    }
    for entry in list(kubernetes, "emptyDirMounts") {
        let given =
            ["medium", "sizeLimit"].iter().filter_map(|name| Some((*name, entry.get(*name)?.clone())));
        let source: Map<String, Value> = given.map(|(name, value)| (name.to_owned(), value)).collect();
        add(entry, &entry["volumeName"], json!({ "emptyDir": source }));
    }
    for entry in list(kubernetes, "genericEphemeralVolume") {
        let mut spec = json!({
            "accessModes": entry["accessModes"],
            "resources": { "requests": { "storage": entry["size"] } },
        });
        if entry["defaultStorageClass"] != true {
            spec["storageClassName"] = entry["storageClassName"].clone();
        }
        let template = json!({ "volumeClaimTemplate": { "metadata": entry["metadata"], "spec": spec } });
        add(entry, &entry["volumeName"], json!({ "ephemeral": template }));
    }
    (or_null(volumes), or_null(mounts))
}
