//! Components out of files: what was compiled before, and the older format in which `implementation` says how.

mod older;

use serde_json::{Map, Value};

use crate::compiled::Compiled;
use crate::graph::{Component, Input, Interface, Output};
use crate::{CompileError, names, number};

/// A component out of a file.
#[derive(Debug)]
pub struct Loaded {
    /// The component; a pipeline has neither image nor command.
    pub component: Component,
    /// What was compiled before; none if the file is of the older format.
    pub compiled: Option<Compiled>,
}

impl Loaded {
    /// Whether it is a pipeline.
    #[must_use]
    pub fn is_pipeline(&self) -> bool {
        self.compiled.is_some() && self.component.image.is_empty()
    }
}

/// Reads a component.
pub fn load(text: &str) -> Result<Loaded, CompileError> {
    let documents = ferroflow_spec::document::values(text)
        .map_err(|problems| CompileError::Value(problems.to_string()))?;
    let mut documents = documents.into_iter();
    let (first, second, third) = (documents.next(), documents.next(), documents.next());
    let (Some(Value::Object(first)), None) = (first, third) else {
        return Err(CompileError::Value(
            "a component's file holds one document, or two if it has settings of a platform".to_owned(),
        ));
    };
    if first.contains_key("implementation") {
        return Ok(Loaded { component: older::component(&first)?, compiled: None });
    }
    let platform = match second {
        Some(Value::Object(platform)) => Some(platform),
        _ => None,
    };
    compiled(doubles_where_due(first, false), platform.map(|platform| doubles_where_due(platform, false)))
}

/// Numbers are doubles wherever the wire has no type for them; a file may leave out the point.
fn doubles_where_due(fields: Map<String, Value>, is_due: bool) -> Map<String, Value> {
    const UNTYPED: [&str; 5] = ["defaultValue", "constant", "deploymentSpec", "metadata", "backoffFactor"];
    fields
        .into_iter()
        .map(|(name, value)| {
            let is_due = is_due || UNTYPED.contains(&name.as_str());
            (name, doubles_in(value, is_due))
        })
        .collect()
}

fn doubles_in(value: Value, is_due: bool) -> Value {
    match value {
        Value::Number(number) if is_due => number::double(&number),
        Value::Array(items) => items.into_iter().map(|item| doubles_in(item, is_due)).collect(),
        Value::Object(fields) => doubles_where_due(fields, is_due).into(),
        other => other,
    }
}

fn compiled(
    pipeline: Map<String, Value>,
    platform: Option<Map<String, Value>>,
) -> Result<Loaded, CompileError> {
    let name = pipeline.get("pipelineInfo").and_then(|info| info.get("name")).and_then(Value::as_str);
    let name = name.ok_or_else(|| {
        CompileError::Value("the file is neither a compiled pipeline (it has no pipelineInfo.name) nor a component (it has no implementation)".to_owned())
    })?;
    let name = name.to_owned();
    let component = pipeline.get("components").and_then(|components| components.get(names::component(&name)));
    let component = component.or_else(|| pipeline.get("root")).cloned().unwrap_or_default();
    let interface = Interface {
        name: name.clone(),
        description: None,
        inputs: definitions(&component, "inputDefinitions")
            .map(|(name, body)| input(name, body))
            .collect::<Result<_, _>>()?,
        outputs: definitions(&component, "outputDefinitions")
            .map(|(name, body)| output(name, body))
            .collect::<Result<_, _>>()?,
        passthroughs: passthroughs(&component),
    };
    let executors = pipeline.get("deploymentSpec").and_then(|deployment| deployment.get("executors"));
    let container = executors.and_then(|executors| executors.get(names::executor(&name))?.get("container"));
    let texts = |field: &str| {
        let list = container.and_then(|container| container.get(field)).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
    };
    let variables = container.and_then(|container| container.get("env")).and_then(Value::as_array);
    let text =
        |value: &Value, field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let component = Component {
        interface,
        image: container.map(|container| text(container, "image")).unwrap_or_default(),
        command: texts("command"),
        args: texts("args"),
        env: variables
            .into_iter()
            .flatten()
            .map(|entry| (text(entry, "name"), text(entry, "value")))
            .collect(),
        importer: None,
        pipeline: None,
    };
    Ok(Loaded { component, compiled: Some(Compiled::from_documents(pipeline, platform)) })
}

fn definitions<'a>(component: &'a Value, side: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let side = component.get(side);
    ["parameters", "artifacts"]
        .into_iter()
        .filter_map(move |part| side.and_then(|side| side.get(part)).and_then(Value::as_object))
        .flatten()
}

fn input(name: &str, body: &Value) -> Result<Input, CompileError> {
    let flag = |field: &str| body.get(field).and_then(Value::as_bool);
    let default = body.get("defaultValue").cloned();
    Ok(Input {
        name: name.to_owned(),
        kind: kind(name, body)?,
        optional: flag("isOptional").unwrap_or_else(|| default.is_some()),
        default,
        list: flag("isArtifactList").unwrap_or_default(),
        description: None,
    })
}

fn output(name: &str, body: &Value) -> Result<Output, CompileError> {
    let list = body.get("isArtifactList").and_then(Value::as_bool).unwrap_or_default();
    Ok(Output { name: name.to_owned(), kind: kind(name, body)?, list, description: None })
}

/// The type as Python names it.
fn kind(name: &str, body: &Value) -> Result<String, CompileError> {
    let unknown = |kind: &str| CompileError::Value(format!("'{name}' is of the unknown type {kind}"));
    if let Some(kind) = body.get("parameterType").and_then(Value::as_str) {
        return Ok(match kind {
            "STRING" => "String",
            "NUMBER_INTEGER" => "Integer",
            "NUMBER_DOUBLE" => "Float",
            "LIST" => "List",
            "STRUCT" => "Dict",
            "BOOLEAN" => "Boolean",
            "TASK_FINAL_STATUS" => "PipelineTaskFinalStatus",
            "TASK_CONFIG" => "TaskConfig",
            _ => return Err(unknown(kind)),
        }
        .to_owned());
    }
    let text =
        |field: &str| body.get("artifactType").and_then(|kind| kind.get(field)).and_then(Value::as_str);
    let title = text("schemaTitle").ok_or_else(|| unknown("of no name"))?;
    Ok(format!("{title}@{}", text("schemaVersion").unwrap_or("0.0.1")))
}

fn passthroughs(component: &Value) -> Vec<(String, bool)> {
    let all = component.get("taskConfigPassthroughs").and_then(Value::as_array);
    let one = |body: &Value| {
        let applies = body.get("applyToTask").and_then(Value::as_bool).unwrap_or_default();
        body.get("field").and_then(Value::as_str).map(|field| (field.to_owned(), applies))
    };
    all.into_iter().flatten().filter_map(one).collect()
}
