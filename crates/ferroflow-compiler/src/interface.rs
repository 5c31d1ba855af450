//! What a component takes and gives, as PipelineSpec says it.

use serde_json::{Map, Value, json};

use crate::CompileError;
use crate::graph::{Input, Interface, Output};
use crate::{number, types};

/// The definitions of a component: what stands in `components` and `root` besides how it is done.
#[derive(Debug, Clone, Default)]
pub(crate) struct Definitions {
    pub(crate) parameters: Map<String, Value>,
    pub(crate) artifacts: Map<String, Value>,
    pub(crate) output_parameters: Map<String, Value>,
    pub(crate) output_artifacts: Map<String, Value>,
    passthroughs: Vec<Value>,
}

impl Definitions {
    pub(crate) fn of(interface: &Interface) -> Result<Self, CompileError> {
        let mut definitions = Self::default();
        for input in &interface.inputs {
            if let Some(kind) = types::parameter(&input.kind) {
                definitions.parameters.insert(input.name.clone(), parameter(input, kind)?);
                continue;
            }
            let mut body = artifact(&input.kind, input.list)?;
            if input.optional {
                body.insert("isOptional".to_owned(), true.into());
            }
            describe(&mut body, input.description.as_deref());
            definitions.artifacts.insert(input.name.clone(), body.into());
        }
        for output in &interface.outputs {
            definitions.give(output)?;
        }
        for (field, applies) in &interface.passthroughs {
            let mut body = Map::from_iter([("field".to_owned(), Value::from(field.as_str()))]);
            if *applies {
                body.insert("applyToTask".to_owned(), true.into());
            }
            definitions.passthroughs.push(body.into());
        }
        Ok(definitions)
    }

    fn give(&mut self, output: &Output) -> Result<(), CompileError> {
        let (outputs, mut body) = if let Some(kind) = types::channel_parameter(&output.kind) {
            (&mut self.output_parameters, Map::from_iter([("parameterType".to_owned(), Value::from(kind))]))
        } else {
            (&mut self.output_artifacts, artifact(&output.kind, output.list)?)
        };
        describe(&mut body, output.description.as_deref());
        outputs.insert(output.name.clone(), body.into());
        Ok(())
    }

    /// Adds an input that the compiler makes.
    pub(crate) fn take(
        &mut self,
        name: &str,
        kind: &str,
        list: bool,
        is_artifact: bool,
    ) -> Result<(), CompileError> {
        if is_artifact {
            self.artifacts.insert(name.to_owned(), artifact(kind, list)?.into());
        } else {
            self.parameters.insert(name.to_owned(), plain_parameter(kind, name)?);
        }
        Ok(())
    }

    /// Adds an output that the compiler makes.
    pub(crate) fn bring_out(
        &mut self,
        name: &str,
        kind: &str,
        list: bool,
        is_artifact: bool,
    ) -> Result<(), CompileError> {
        if is_artifact {
            self.output_artifacts.insert(name.to_owned(), artifact(kind, list)?.into());
        } else {
            self.output_parameters.insert(name.to_owned(), plain_parameter(kind, name)?);
        }
        Ok(())
    }

    /// The component, to which its executor or its graph is added.
    pub(crate) fn into_component(self) -> Map<String, Value> {
        let mut component = Map::new();
        let sides = [
            ("inputDefinitions", self.parameters, self.artifacts),
            ("outputDefinitions", self.output_parameters, self.output_artifacts),
        ];
        for (side, parameters, artifacts) in sides {
            let mut body = Map::new();
            if !parameters.is_empty() {
                body.insert("parameters".to_owned(), parameters.into());
            }
            if !artifacts.is_empty() {
                body.insert("artifacts".to_owned(), artifacts.into());
            }
            if !body.is_empty() {
                component.insert(side.to_owned(), body.into());
            }
        }
        if !self.passthroughs.is_empty() {
            component.insert("taskConfigPassthroughs".to_owned(), self.passthroughs.into());
        }
        component
    }
}

fn describe(body: &mut Map<String, Value>, description: Option<&str>) {
    if let Some(description) = description.filter(|text| !text.is_empty()) {
        body.insert("description".to_owned(), description.into());
    }
}

fn plain_parameter(kind: &str, name: &str) -> Result<Value, CompileError> {
    let found = types::channel_parameter(kind);
    let found = found.ok_or_else(|| {
        CompileError::Type(format!("'{kind}', the type of '{name}', is not a type of parameters"))
    })?;
    Ok(json!({ "parameterType": found }))
}

fn parameter(input: &Input, kind: &str) -> Result<Value, CompileError> {
    let mut body = Map::from_iter([("parameterType".to_owned(), Value::from(kind))]);
    let is_given_by_the_system = matches!(kind, "TASK_FINAL_STATUS" | "TASK_CONFIG");
    if input.optional || is_given_by_the_system {
        body.insert("isOptional".to_owned(), true.into());
    }
    if let Some(default) = input.default.as_ref().filter(|_| input.optional && !is_given_by_the_system) {
        body.insert("defaultValue".to_owned(), default_value(&input.name, kind, default)?);
    }
    describe(&mut body, input.description.as_deref());
    Ok(body.into())
}

/// A default as the wire has it: numbers are doubles, and it must be of the parameter's type.
pub(crate) fn default_value(name: &str, kind: &str, default: &Value) -> Result<Value, CompileError> {
    let value = match (kind, default) {
        ("NUMBER_INTEGER" | "NUMBER_DOUBLE", Value::Bool(value)) => {
            Some(Value::from(f64::from(u8::from(*value))))
        }
        ("NUMBER_INTEGER" | "NUMBER_DOUBLE", Value::Number(_))
        | ("STRING", Value::String(_))
        | ("BOOLEAN", Value::Bool(_))
        | ("STRUCT" | "LIST", _) => Some(constant(default)?),
        ("BOOLEAN", Value::Number(value)) => value.as_f64().map(|value| Value::from(value != 0.0)),
        _ => None,
    };
    value.ok_or_else(|| {
        let word = types::comment(kind);
        CompileError::Type(format!("the default of '{name}' must be of type {word}, but is {default}"))
    })
}

/// A constant as the wire has it: all numbers are doubles.
pub(crate) fn constant(value: &Value) -> Result<Value, CompileError> {
    Ok(match value {
        Value::Null => {
            return Err(CompileError::Value(
                "None cannot be passed on, not even inside of lists and dictionaries: leave the argument out, or pass an empty value".to_owned(),
            ));
        }
        Value::Number(value) => number::double(value),
        Value::Array(items) => items.iter().map(constant).collect::<Result<_, _>>()?,
        Value::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| Ok((key.clone(), constant(value)?)));
            Value::Object(entries.collect::<Result<_, CompileError>>()?)
        }
        other => other.clone(),
    })
}

/// `system.Dataset@0.0.1` as an artifact's definition.
pub(crate) fn artifact(kind: &str, list: bool) -> Result<Map<String, Value>, CompileError> {
    let mut body = Map::from_iter([("artifactType".to_owned(), schema(kind)?)]);
    if list {
        body.insert("isArtifactList".to_owned(), true.into());
    }
    Ok(body)
}

pub(crate) fn schema(kind: &str) -> Result<Value, CompileError> {
    let (title, version) = kind.split_once('@').ok_or_else(|| {
        CompileError::Type(format!("'{kind}' is neither a type of parameters nor one of artifacts"))
    })?;
    Ok(json!({ "schemaTitle": title, "schemaVersion": version }))
}
