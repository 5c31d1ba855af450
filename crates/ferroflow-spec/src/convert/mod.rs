//! Tree to typed form: the messages of a spec as the types of [`crate::ir`].
//!
//! Never stops: what has the wrong kind was or will be reported by the shape check and is read as absent here. Only
//! what the typed form cannot express is reported here (executors of other products, inputs without a source).

mod executor;
mod settle;
mod task;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::ir::{
    ArtifactType, Component, ComponentBody, Executor, InputArtifact, InputParameter, OutputArtifact,
    ParameterType, Passthrough, PassthroughField, PipelineSpec,
};
use crate::problem::{Path, Problem, Sink};
use crate::tree::{At, NodeRef, View, pointed};

/// Where the converter stands: the path for messages and the place to point at.
#[derive(Clone, Copy)]
struct Here<'a> {
    path: &'a Path<'a>,
    at: At,
}

impl Here<'_> {
    fn report(&self, sink: &mut Sink, message: impl Into<String>, hint: impl Into<String>) {
        sink.push(Problem { path: self.path.to_string(), ..self.at.problem(message, hint) });
    }
}

/// Converts the pipeline's document and, if there is one, its platform document.
pub(crate) fn pipeline(spec: NodeRef<'_>, platform: Option<NodeRef<'_>>, sink: &mut Sink) -> PipelineSpec {
    let info = spec.field("pipelineInfo");
    let info = |field: &str| info.map(|info| text(info, field)).unwrap_or_default();
    let kubernetes = platform.and_then(|platform| {
        platform
            .field("platforms")?
            .entries()
            .find(|(key, _)| key.as_str() == Some("kubernetes"))
            .map(|(_, node)| node)
    });
    let root = spec.entry("root").filter(|(_, node)| node.is_map());
    let mut pipeline = PipelineSpec {
        name: info("name"),
        display_name: info("displayName"),
        description: info("description"),
        sdk_version: text(spec, "sdkVersion"),
        root: match root {
            Some((key, node)) => {
                component(node, Here { path: &Path::ROOT.key("root"), at: pointed(key, node) }, sink)
            }
            None => Component {
                input_parameters: BTreeMap::new(),
                input_artifacts: BTreeMap::new(),
                output_parameters: BTreeMap::new(),
                output_artifacts: BTreeMap::new(),
                passthroughs: Vec::new(),
                body: ComponentBody::Executor(String::new()),
            },
        },
        components: each(spec.field("components"), &Path::ROOT.key("components"), |node, here| {
            Some(component(node, here, sink))
        }),
        executors: executors(spec, sink),
        kubernetes: entries(kubernetes.and_then(|node| node.field("deploymentSpec")?.field("executors")))
            .map(|(key, node)| (name_of(key), node.to_value()))
            .collect(),
        pipeline_config: kubernetes
            .and_then(|node| node.field("pipelineConfig"))
            .map_or(Value::Null, NodeRef::to_value),
    };
    settle::booleans(&mut pipeline);
    pipeline
}

fn executors(spec: NodeRef<'_>, sink: &mut Sink) -> BTreeMap<String, Executor> {
    let deployment = Path::ROOT.key("deploymentSpec");
    let executors = spec.field("deploymentSpec").and_then(|node| node.field("executors"));
    each(executors, &deployment.key("executors"), |node, here| Some(executor::executor(node, here, sink)))
}

fn component(node: NodeRef<'_>, here: Here<'_>, sink: &mut Sink) -> Component {
    let inputs = node.field("inputDefinitions");
    let outputs = node.field("outputDefinitions");
    let (inputs_path, outputs_path) = (here.path.key("inputDefinitions"), here.path.key("outputDefinitions"));
    Component {
        input_parameters: entries(inputs.and_then(|node| node.field("parameters")))
            .map(|(key, node)| (name_of(key), input_parameter(node)))
            .collect(),
        input_artifacts: each(
            inputs.and_then(|node| node.field("artifacts")),
            &inputs_path.key("artifacts"),
            |node, here| {
                Some(InputArtifact {
                    artifact_type: artifact_type(node.field("artifactType"), here, sink),
                    is_list: flag(node, "isArtifactList"),
                    is_optional: flag(node, "isOptional"),
                })
            },
        ),
        output_parameters: entries(outputs.and_then(|node| node.field("parameters")))
            .map(|(key, node)| (name_of(key), parameter_type(node)))
            .collect(),
        output_artifacts: each(
            outputs.and_then(|node| node.field("artifacts")),
            &outputs_path.key("artifacts"),
            |node, here| {
                Some(OutputArtifact {
                    artifact_type: artifact_type(node.field("artifactType"), here, sink),
                    is_list: flag(node, "isArtifactList"),
                    metadata: node.field("metadata").map(NodeRef::to_object).unwrap_or_default(),
                })
            },
        ),
        passthroughs: node
            .field("taskConfigPassthroughs")
            .map(|list| list.items().filter_map(passthrough).collect())
            .unwrap_or_default(),
        body: body(node, here, sink),
    }
}

/// Fields of none or of an unknown kind mean nothing.
fn passthrough(node: NodeRef<'_>) -> Option<Passthrough> {
    let known = [
        ("RESOURCES", PassthroughField::Resources),
        ("ENV", PassthroughField::Env),
        ("KUBERNETES_AFFINITY", PassthroughField::Affinity),
        ("KUBERNETES_TOLERATIONS", PassthroughField::Tolerations),
        ("KUBERNETES_NODE_SELECTOR", PassthroughField::NodeSelector),
        ("KUBERNETES_VOLUMES", PassthroughField::Volumes),
    ];
    let (_, field) = match node.field("field")?.view() {
        View::Text(name) => known.into_iter().find(|field| field.0 == name)?,
        // Number 0 is none of them.
        View::Number(number) => *known.get(usize::try_from(number.as_u64()?.checked_sub(1)?).ok()?)?,
        _ => return None,
    };
    Some(Passthrough { field, applies_to_task: flag(node, "applyToTask") })
}

fn body(node: NodeRef<'_>, here: Here<'_>, sink: &mut Sink) -> ComponentBody {
    if let Some(dag) = node.field("dag") {
        return ComponentBody::Dag(task::dag(dag, &here.path.key("dag"), sink));
    }
    let label = text(node, "executorLabel");
    if label.is_empty() {
        here.report(sink, "has neither a `dag` nor an `executorLabel`", "a component needs one of them");
    }
    ComponentBody::Executor(label)
}

fn input_parameter(node: NodeRef<'_>) -> InputParameter {
    InputParameter {
        parameter_type: parameter_type(node),
        default_value: node.field("defaultValue").map(NodeRef::to_value),
        is_optional: flag(node, "isOptional"),
        literals: node
            .field("literals")
            .map(|list| list.items().map(NodeRef::to_value).collect())
            .unwrap_or_default(),
    }
}

/// `parameterType`, else what the deprecated `type` says.
fn parameter_type(node: NodeRef<'_>) -> ParameterType {
    let known = [
        ParameterType::Unspecified,
        ParameterType::NumberDouble,
        ParameterType::NumberInteger,
        ParameterType::String,
        ParameterType::Boolean,
        ParameterType::List,
        ParameterType::Struct,
        ParameterType::TaskFinalStatus,
        ParameterType::TaskConfig,
    ];
    let found = node.field("parameterType").and_then(|value| match value.view() {
        View::Text(name) => known.into_iter().find(|kind| kind.wire_name() == name),
        View::Number(number) => known.get(usize::try_from(number.as_u64()?).ok()?).copied(),
        _ => None,
    });
    let deprecated = || match node.field("type")?.view() {
        View::Text("INT") => Some(ParameterType::NumberInteger),
        View::Text("DOUBLE") => Some(ParameterType::NumberDouble),
        View::Text("STRING") => Some(ParameterType::String),
        View::Number(number) => match number.as_u64() {
            Some(1) => Some(ParameterType::NumberInteger),
            Some(2) => Some(ParameterType::NumberDouble),
            Some(3) => Some(ParameterType::String),
            _ => None,
        },
        _ => None,
    };
    found
        .filter(|kind| *kind != ParameterType::Unspecified)
        .or_else(deprecated)
        .unwrap_or(ParameterType::Unspecified)
}

fn artifact_type(node: Option<NodeRef<'_>>, here: Here<'_>, sink: &mut Sink) -> ArtifactType {
    let Some(node) = node else { return ArtifactType::default() };
    if !text(node, "schemaUri").is_empty() {
        here.report(sink, "`schemaUri` is not supported", "give the type as `schemaTitle`");
    }
    ArtifactType {
        schema_title: text(node, "schemaTitle"),
        instance_schema: text(node, "instanceSchema"),
        schema_version: text(node, "schemaVersion"),
    }
}

/// Converts each entry of a map field.
fn each<'t, T>(
    map: Option<NodeRef<'t>>,
    path: &Path<'_>,
    mut convert: impl FnMut(NodeRef<'t>, Here<'_>) -> Option<T>,
) -> BTreeMap<String, T> {
    entries(map)
        .filter_map(|(key, node)| {
            let name = name_of(key);
            let path = path.key(&name);
            let converted = convert(node, Here { path: &path, at: pointed(key, node) })?;
            Some((name.clone(), converted))
        })
        .collect()
}

fn entries(map: Option<NodeRef<'_>>) -> impl Iterator<Item = (NodeRef<'_>, NodeRef<'_>)> {
    map.into_iter().flat_map(NodeRef::entries)
}

fn name_of(key: NodeRef<'_>) -> String {
    key.as_str().unwrap_or_default().to_owned()
}

/// A string field, empty if absent.
fn text(node: NodeRef<'_>, field: &str) -> String {
    node.field(field).and_then(NodeRef::as_str).unwrap_or_default().to_owned()
}

/// A boolean field, false if absent.
fn flag(node: NodeRef<'_>, field: &str) -> bool {
    matches!(node.field(field).map(NodeRef::view), Some(View::Bool(true)))
}

/// A list of strings, empty if absent.
fn texts(node: NodeRef<'_>, field: &str) -> Vec<String> {
    node.field(field)
        .map(|list| list.items().map(|item| item.as_str().unwrap_or_default().to_owned()).collect())
        .unwrap_or_default()
}
