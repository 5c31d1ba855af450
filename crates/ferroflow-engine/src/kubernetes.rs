//! Kubernetes settings of a task with their references followed, so that executors see plain values.
//!
//! Settings name things (secrets, claims, tolerations) by a constant, an input of the group around the task, or the
//! output of another task. What comes out has the fields of `KubernetesExecutorConfig` in camel case, each reference
//! replaced by what it refers to: `secretNameParameter` by `secretName`, `pvcNameParameter` and its three forerunners by
//! `constant`, and JSON fields by their value. An entry whose reference is null is left out, as if it was never asked
//! for. Nothing here knows what the settings mean.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::fault::EngineFault;
use crate::inputs::text_of;

/// A value, null if there is none, or a sentence about why it cannot be had.
pub(crate) type Found = Result<Result<Value, String>, EngineFault>;

/// Lists whose entries name something: the list, the reference, and the field that takes its place.
const NAMED: [(&str, &str, &str); 5] = [
    ("secretAsVolume", "secretNameParameter", "secretName"),
    ("secretAsEnv", "secretNameParameter", "secretName"),
    ("configMapAsVolume", "configMapNameParameter", "configMapName"),
    ("configMapAsEnv", "configMapNameParameter", "configMapName"),
    ("imagePullSecret", "secretNameParameter", "secretName"),
];

/// Ways to name a claim before there was `pvcNameParameter`.
const OLD_CLAIM_NAMES: [&str; 3] = ["taskOutputParameter", "constant", "componentInputParameter"];

/// The settings with plain values. `follow` finds what a reference refers to.
pub(crate) fn plain(
    settings: &Arc<Value>,
    follow: &dyn Fn(&Value) -> Found,
) -> Result<Result<Arc<Value>, String>, EngineFault> {
    let Some(fields) = settings.as_object().filter(|fields| !fields.is_empty()) else {
        return Ok(Ok(Arc::clone(settings)));
    };
    let mut plain = Map::new();
    for (name, value) in fields {
        let name = camel_case(name);
        match field(&name, value, follow)? {
            Ok(Some(value)) => {
                plain.insert(name, value);
            }
            Ok(None) => {}
            Err(reason) => return Ok(Err(format!("its Kubernetes setting `{name}`: {reason}"))),
        }
    }
    Ok(Ok(Arc::new(Value::Object(plain))))
}

/// Names of the claims that plain settings mount.
pub(crate) fn claims(settings: &Value) -> impl Iterator<Item = &str> {
    let mounts = settings.get("pvcMount").and_then(Value::as_array);
    mounts.into_iter().flatten().filter_map(|mount| mount.get("constant")?.as_str())
}

fn field(
    name: &str,
    value: &Value,
    follow: &dyn Fn(&Value) -> Found,
) -> Result<Result<Option<Value>, String>, EngineFault> {
    if name == "nodeSelector" {
        return node_selector(&entry_of(value), follow);
    }
    let Some(entries) = value.as_array() else { return Ok(Ok(Some(value.clone()))) };
    let mut plain = Vec::with_capacity(entries.len());
    for entry in entries.iter().map(entry_of) {
        match list_entry(name, entry, follow)? {
            Ok(mut entries) => plain.append(&mut entries),
            Err(reason) => return Ok(Err(reason)),
        }
    }
    Ok(Ok((!plain.is_empty()).then_some(Value::Array(plain))))
}

/// One entry of a list: itself, nothing, or several.
fn list_entry(
    name: &str,
    mut entry: Map<String, Value>,
    follow: &dyn Fn(&Value) -> Found,
) -> Result<Result<Vec<Value>, String>, EngineFault> {
    if let Some((_, reference, plain)) = NAMED.iter().find(|(list, _, _)| *list == name) {
        let Some(reference) = entry.remove(*reference) else { return Ok(Ok(vec![Value::Object(entry)])) };
        return Ok(match follow(&reference)? {
            Ok(Value::Null) => Ok(Vec::new()),
            Ok(value) => {
                entry.insert((*plain).to_owned(), Value::from(text_of(&value)));
                Ok(vec![Value::Object(entry)])
            }
            Err(reason) => Err(reason),
        });
    }
    match name {
        "pvcMount" => claim_mount(entry, follow),
        "tolerations" => by_json(entry, "tolerationJson", follow),
        "nodeAffinity" => Ok(by_json(entry, "nodeAffinityJson", follow)?.map(|entries| {
            // The value is another form than the entry: it keeps its field.
            let is_form =
                |value: &Value| value.get("matchExpressions").is_some() || value.get("matchFields").is_some();
            let keep =
                |value: Value| if is_form(&value) { value } else { json!({ "nodeAffinityJson": value }) };
            entries.into_iter().map(keep).collect()
        })),
        _ => Ok(Ok(vec![Value::Object(entry)])),
    }
}

/// A mount without a claim is a mistake, not something to leave out.
fn claim_mount(
    mut entry: Map<String, Value>,
    follow: &dyn Fn(&Value) -> Found,
) -> Result<Result<Vec<Value>, String>, EngineFault> {
    let old = OLD_CLAIM_NAMES.map(|field| Some((field, entry.remove(field)?))).into_iter().flatten().next();
    let old = old.map(|(field, value)| match field {
        "constant" => json!({ "runtimeValue": { "constant": value } }),
        field => json!({ field: value }),
    });
    let Some(reference) = entry.remove("pvcNameParameter").or(old) else {
        return Ok(Err("it names no claim".to_owned()));
    };
    Ok(match follow(&reference)? {
        Ok(value) => match text_of(&value) {
            name if name.is_empty() => Err("the name of its claim is empty".to_owned()),
            name => {
                entry.insert("constant".to_owned(), Value::from(name));
                Ok(vec![Value::Object(entry)])
            }
        },
        Err(reason) => Err(reason),
    })
}

/// An entry that may be given whole by a reference to an object or a list of objects.
fn by_json(
    mut entry: Map<String, Value>,
    reference: &str,
    follow: &dyn Fn(&Value) -> Found,
) -> Result<Result<Vec<Value>, String>, EngineFault> {
    let Some(reference) = entry.remove(reference) else { return Ok(Ok(vec![Value::Object(entry)])) };
    let is_empty = |value: &Value| value.as_object().is_some_and(Map::is_empty);
    Ok(match follow(&reference)? {
        Ok(Value::Null) => Ok(Vec::new()),
        Ok(Value::Array(items)) => Ok(items.into_iter().filter(|item| !is_empty(item)).collect()),
        Ok(value) if is_empty(&value) => Ok(Vec::new()),
        Ok(value @ Value::Object(_)) => Ok(vec![value]),
        Ok(_) => Err("a JSON object or a list of them is wanted".to_owned()),
        Err(reason) => Err(reason),
    })
}

fn node_selector(
    entry: &Map<String, Value>,
    follow: &dyn Fn(&Value) -> Found,
) -> Result<Result<Option<Value>, String>, EngineFault> {
    let Some(reference) = entry.get("nodeSelectorJson") else {
        return Ok(Ok(Some(Value::Object(entry.clone()))));
    };
    Ok(match follow(reference)? {
        Ok(Value::Null) => Ok(None),
        Ok(labels @ Value::Object(_)) => Ok(Some(json!({ "labels": labels }))),
        Ok(_) => Err("a JSON object of labels is wanted".to_owned()),
        Err(reason) => Err(reason),
    })
}

/// The fields of an entry, in camel case; those below are as they stand, for they may be labels.
fn entry_of(value: &Value) -> Map<String, Value> {
    let fields = value.as_object().into_iter().flatten();
    fields
        .map(|(name, value)| {
            let name = camel_case(name);
            let value = match value.as_array().filter(|_| name == "keyToEnv") {
                Some(items) => items.iter().map(|item| Value::Object(entry_of(item))).collect(),
                None => value.clone(),
            };
            (name, value)
        })
        .collect()
}

fn camel_case(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut is_next_upper = false;
    for letter in name.chars() {
        match letter {
            '_' => is_next_upper = !camel.is_empty(),
            letter if is_next_upper => {
                camel.extend(letter.to_uppercase());
                is_next_upper = false;
            }
            letter => camel.push(letter),
        }
    }
    camel
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(settings: Value, expected: Result<Value, &str>) {
        let follow = |reference: &Value| {
            Ok(match reference.get("componentInputParameter").and_then(Value::as_str) {
                Some("none") => Ok(Value::Null),
                Some("object") => Ok(json!({ "key": "gpu" })),
                Some("list") => Ok(json!([{ "key": "a" }, {}, { "key": "b" }])),
                Some("gone") => Err("task `a` gave no output `name`".to_owned()),
                Some(name) => Ok(json!(name)),
                None => Ok(reference.pointer("/runtimeValue/constant").cloned().unwrap_or_default()),
            })
        };
        let found = plain(&Arc::new(settings), &follow).unwrap();
        assert_eq!(found.map(|value| Value::clone(&value)), expected.map_err(str::to_owned));
    }

    fn input(name: &str) -> Value {
        json!({ "componentInputParameter": name })
    }

    #[test]
    fn references_become_values_and_null_drops_the_entry() {
        check(
            json!({ "secretAsEnv": [
                { "secretNameParameter": input("s"), "keyToEnv": [{ "secret_key": "k", "env_var": "K" }] },
                { "secretNameParameter": input("none") },
                { "secretName": "old" },
            ]}),
            Ok(json!({ "secretAsEnv": [
                { "secretName": "s", "keyToEnv": [{ "secretKey": "k", "envVar": "K" }] },
                { "secretName": "old" },
            ]})),
        );
        check(
            json!({ "config_map_as_volume": [{ "config_map_name_parameter": input("none"), "mount_path": "/c" }] }),
            Ok(json!({})),
        );
        check(
            json!({ "pvcMount": [
                { "pvcNameParameter": input("a"), "componentInputParameter": "a", "mountPath": "/data" },
                { "constant": "b", "mountPath": "/more", "subPath": "x" },
            ]}),
            Ok(json!({ "pvcMount": [
                { "constant": "a", "mountPath": "/data" },
                { "constant": "b", "mountPath": "/more", "subPath": "x" },
            ]})),
        );
        check(
            json!({
                "tolerations": [{ "tolerationJson": input("list") }, { "key": "c" }, { "tolerationJson": input("none") }],
                "nodeSelector": { "nodeSelectorJson": input("object") },
                "nodeAffinity": [{ "nodeAffinityJson": input("none") }],
                "podMetadata": { "labels": { "snake_label": "1" } },
            }),
            Ok(json!({
                "tolerations": [{ "key": "a" }, { "key": "b" }, { "key": "c" }],
                "nodeSelector": { "labels": { "key": "gpu" } },
                "podMetadata": { "labels": { "snake_label": "1" } },
            })),
        );
    }

    #[test]
    fn a_claim_must_have_a_name() {
        check(
            json!({ "pvcMount": [{ "pvcNameParameter": input("none"), "mountPath": "/data" }] }),
            Err("its Kubernetes setting `pvcMount`: the name of its claim is empty"),
        );
        check(
            json!({ "pvcMount": [{ "taskOutputParameter": "x", "pvcNameParameter": input("gone") }] }),
            Err("its Kubernetes setting `pvcMount`: task `a` gave no output `name`"),
        );
    }
}
