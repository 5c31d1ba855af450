//! The document behind `{{$}}`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use ferroflow_engine::TaskAttempt;
use ferroflow_model::{Artifact, Parameters};
use serde::Serialize;
use serde_json::{Map, Serializer, Value};

use super::error::ProtocolError;
use super::number_text::GoNumbers;
use super::places::Places;

/// KFP's `ExecutorInput`: inputs of a task, and where its outputs go.
#[derive(Debug, Serialize)]
pub struct ExecutorInput<'a> {
    inputs: InputsPart<'a>,
    outputs: OutputsPart<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct InputsPart<'a> {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    parameter_values: &'a Parameters,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    artifacts: BTreeMap<&'a str, ArtifactList<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OutputsPart<'a> {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    parameters: BTreeMap<&'a str, OutputParameter>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    artifacts: BTreeMap<&'a str, ArtifactList<'a>>,
    output_file: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OutputParameter {
    output_file: String,
}

#[derive(Debug, Serialize)]
struct ArtifactList<'a> {
    artifacts: Vec<RuntimeArtifact<'a>>,
}

#[derive(Debug, Serialize)]
struct RuntimeArtifact<'a> {
    name: String,
    #[serde(rename = "type")]
    artifact_type: TypeSchema<'a>,
    uri: String,
    metadata: Cow<'a, Map<String, Value>>,
}

/// Inputs carry an empty schema, as upstream: the Python side then takes the annotated class.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase", untagged)]
enum TypeSchema<'a> {
    #[serde(rename_all = "camelCase")]
    Unknown { instance_schema: &'static str },
    #[serde(rename_all = "camelCase")]
    Titled { schema_title: &'a str, schema_version: &'a str },
    #[serde(rename_all = "camelCase")]
    Schema { instance_schema: &'a str },
}

impl<'a> ExecutorInput<'a> {
    /// The document of an attempt; `parameters` are its parameters with references resolved.
    pub fn new(
        attempt: &'a TaskAttempt,
        parameters: &'a Parameters,
        places: &Places,
    ) -> Result<Self, ProtocolError> {
        let input_list = |list: &'a Vec<Arc<Artifact>>| ArtifactList {
            artifacts: list.iter().map(|artifact| input_artifact(artifact, places)).collect(),
        };
        let inputs = InputsPart {
            parameter_values: parameters,
            artifacts: attempt
                .inputs
                .artifacts
                .iter()
                .map(|(name, list)| (name.as_str(), input_list(list)))
                .collect(),
        };
        let file = |name: &str| OutputParameter { output_file: places.parameter_file(name) };
        let outputs = OutputsPart {
            parameters: attempt.output_parameters.keys().map(|name| (name.as_str(), file(name))).collect(),
            artifacts: output_artifacts(attempt, places),
            output_file: output_file(attempt, places)?,
        };
        Ok(Self { inputs, outputs })
    }

    /// Compact JSON with numbers as Go prints them.
    pub fn to_json(&self) -> String {
        json_text(self)
    }
}

fn input_artifact<'a>(artifact: &'a Artifact, places: &Places) -> RuntimeArtifact<'a> {
    RuntimeArtifact {
        name: artifact.id.to_string(),
        artifact_type: TypeSchema::Unknown { instance_schema: "" },
        uri: places.mapping.shown(&artifact.uri),
        metadata: shown_metadata(&artifact.metadata),
    }
}

/// Artifacts in the workspace have a key by which KFP's code looks for them there. Paths lead there by themselves here.
fn shown_metadata(metadata: &Map<String, Value>) -> Cow<'_, Map<String, Value>> {
    const IN_WORKSPACE: &str = "_kfp_workspace";
    if !metadata.contains_key(IN_WORKSPACE) {
        return Cow::Borrowed(metadata);
    }
    let mut metadata = metadata.clone();
    metadata.remove(IN_WORKSPACE);
    Cow::Owned(metadata)
}

fn output_artifacts<'a>(attempt: &'a TaskAttempt, places: &Places) -> BTreeMap<&'a str, ArtifactList<'a>> {
    let artifact = |(name, declared): (&'a String, &'a ferroflow_engine::event::DeclaredArtifact)| {
        let kind = &declared.artifact_type;
        let artifact_type = if kind.schema_title.is_empty() {
            TypeSchema::Schema { instance_schema: &kind.instance_schema }
        } else {
            TypeSchema::Titled { schema_title: &kind.schema_title, schema_version: &kind.schema_version }
        };
        let artifact = RuntimeArtifact {
            name: name.clone(),
            artifact_type,
            uri: places.mapping.shown(&artifact_uri(attempt, name)),
            metadata: Cow::Borrowed(&declared.metadata),
        };
        (name.as_str(), ArtifactList { artifacts: vec![artifact] })
    };
    attempt.output_artifacts.iter().map(artifact).collect()
}

/// The URI of an output artifact.
pub(super) fn artifact_uri(attempt: &TaskAttempt, name: &str) -> String {
    format!("{}/{name}", attempt.task_root)
}

/// The file for metadata and parameter values. It lies in the task root, for `dsl.get_uri` takes its folder.
pub(super) fn output_file(attempt: &TaskAttempt, places: &Places) -> Result<String, ProtocolError> {
    let root = places
        .mapping
        .local_path(&attempt.task_root)
        .ok_or_else(|| ProtocolError::NoLocalPath { uri: attempt.task_root.clone() })?;
    Ok(format!("{root}/output_metadata.json"))
}

/// Compact JSON with numbers as Go prints them.
pub fn json_text(value: &impl Serialize) -> String {
    let mut bytes = Vec::with_capacity(256);
    let mut serializer = Serializer::with_formatter(&mut bytes, GoNumbers);
    // Neither maps with other keys than strings nor failing writers occur here, so there is no error to report.
    let written = value.serialize(&mut serializer);
    debug_assert!(written.is_ok(), "values of the protocol are plain JSON");
    String::from_utf8(bytes).unwrap_or_default()
}
