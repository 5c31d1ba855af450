//! Settings that only some platforms know: the second document.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::CompileError;
use crate::interface::Definitions;
use crate::{names, number};

/// Settings by platform.
#[derive(Debug, Clone, Default)]
pub(crate) struct Platform {
    platforms: Map<String, Value>,
}

impl Platform {
    /// With what is configured for the pipeline as a whole.
    pub(crate) fn with_config(config: &Map<String, Value>) -> Self {
        let mut platform = Self::default();
        let mut config = config.clone();
        if let Some(workspace) = config.get_mut("workspace") {
            *workspace = doubles(std::mem::take(workspace));
        }
        if !config.is_empty() {
            platform.platforms.insert("kubernetes".to_owned(), json!({ "pipelineConfig": config }));
        }
        platform
    }

    /// Adds what a task is given by its author.
    pub(crate) fn add_task(
        &mut self,
        settings: &Map<String, Value>,
        executor: &str,
        around: &Definitions,
        beside: &HashSet<String>,
    ) -> Result<(), CompileError> {
        for (name, settings) in settings {
            let mut settings = settings.clone();
            refer_to_surroundings(&mut settings, around, beside)?;
            self.add(name, executor, settings);
        }
        Ok(())
    }

    /// Adds the executors of a nested pipeline under their new labels.
    pub(crate) fn add_nested(&mut self, nested: &Map<String, Value>, new_label: impl Fn(&str) -> String) {
        for (name, platform) in nested.get("platforms").and_then(Value::as_object).into_iter().flatten() {
            let executors = platform.pointer("/deploymentSpec/executors").and_then(Value::as_object);
            for (label, settings) in executors.into_iter().flatten() {
                self.add(name, &new_label(label), settings.clone());
            }
        }
    }

    fn add(&mut self, platform: &str, executor: &str, settings: Value) {
        let entry = |map: &mut Value, key: &str| {
            if !map.is_object() {
                *map = json!({});
            }
            let map = map.as_object_mut()?;
            if !map.contains_key(key) {
                map.insert(key.to_owned(), json!({}));
            }
            map.get_mut(key).map(std::mem::take)
        };
        let mut body = self.platforms.remove(platform).unwrap_or_else(|| json!({}));
        let mut deployment = entry(&mut body, "deploymentSpec").unwrap_or_default();
        let mut executors = entry(&mut deployment, "executors").unwrap_or_default();
        executors[executor] = doubles(settings);
        deployment["executors"] = executors;
        body["deploymentSpec"] = deployment;
        self.platforms.insert(platform.to_owned(), body);
    }

    /// The document; none if no platform is named.
    pub(crate) fn into_document(self) -> Option<Map<String, Value>> {
        (!self.platforms.is_empty())
            .then(|| Map::from_iter([("platforms".to_owned(), self.platforms.into())]))
    }
}

/// Settings are an untyped struct on the wire, whose numbers are doubles.
fn doubles(value: Value) -> Value {
    match value {
        Value::Number(number) => number::double(&number),
        Value::Array(items) => items.into_iter().map(doubles).collect(),
        Value::Object(entries) => entries.into_iter().map(|(key, value)| (key, doubles(value))).collect(),
        other => other,
    }
}

/// References that were made in the body of the pipeline, seen from the group in which the task stands.
fn refer_to_surroundings(
    value: &mut Value,
    around: &Definitions,
    beside: &HashSet<String>,
) -> Result<(), CompileError> {
    let fields = match value {
        Value::Array(items) => {
            return items.iter_mut().try_for_each(|item| refer_to_surroundings(item, around, beside));
        }
        Value::Object(fields) => fields,
        _ => return Ok(()),
    };
    fields.values_mut().try_for_each(|value| refer_to_surroundings(value, around, beside))?;
    let input = fields
        .get("componentInputParameter")
        .and_then(Value::as_str)
        .filter(|name| !around.parameters.contains_key(*name));
    if let Some(name) = input.map(|name| format!("{}{name}", names::INJECTED))
        && around.parameters.contains_key(&name)
    {
        fields.insert("componentInputParameter".to_owned(), name.into());
    }
    let text = |fields: &Map<String, Value>, field: &str| {
        fields
            .get("taskOutputParameter")
            .and_then(|output| output.get(field))
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    if let (Some(producer), Some(output)) = (text(fields, "producerTask"), text(fields, "outputParameterKey"))
        && !beside.contains(&producer)
    {
        let name = format!("{}{producer}-{output}", names::INJECTED);
        if !around.parameters.contains_key(&name) {
            return Err(CompileError::Topology(format!(
                "a platform setting uses output '{output}' of task '{producer}', which does not reach it"
            )));
        }
        fields.remove("taskOutputParameter");
        fields.insert("componentInputParameter".to_owned(), name.into());
    }
    Ok(())
}
