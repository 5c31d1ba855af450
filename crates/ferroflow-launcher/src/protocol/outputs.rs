//! From what user code wrote to results.

use std::collections::BTreeMap;
use std::io;

use ferroflow_engine::{ProducedArtifact, ProducedOutputs, TaskAttempt};
use ferroflow_spec::ir::ParameterType;
use ferroflow_spec::number::{from_double, normalise, normalise_object};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::error::{OutputProblem, ProtocolError};
use super::executor_input::{artifact_uri, output_file};
use super::places::{Mapping, Places};

/// What a task promised to make and where. Can be stored beside the attempt, so that whoever finds it finished can
/// read its results without the pipeline.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ExpectedOutputs {
    /// Parameters by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, ExpectedParameter>,
    /// Artifacts by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub artifacts: BTreeMap<String, ExpectedArtifact>,
    /// The metadata file.
    pub metadata_file: String,
    /// How URIs become paths.
    #[serde(default)]
    pub mapping: Mapping,
}

/// A promised parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedParameter {
    /// KFP's name of the type, such as `NUMBER_DOUBLE`.
    pub kind: String,
    /// The file it may be written to.
    pub file: String,
}

/// A promised artifact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExpectedArtifact {
    /// Where it goes.
    pub uri: String,
    /// Metadata from the component.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// Whether a list was declared; otherwise only the first entry of what is handed over counts.
    #[serde(default)]
    pub is_list: bool,
}

impl ExpectedOutputs {
    /// What `attempt` promises, with its things at `places`.
    pub fn of(attempt: &TaskAttempt, places: &Places) -> Result<Self, ProtocolError> {
        let parameter = |(name, kind): (&String, &ParameterType)| {
            let expected =
                ExpectedParameter { kind: kind.wire_name().to_owned(), file: places.parameter_file(name) };
            (name.clone(), expected)
        };
        let artifacts = attempt.output_artifacts.iter().map(|(name, declared)| {
            let expected = ExpectedArtifact {
                uri: artifact_uri(attempt, name),
                metadata: declared.metadata.clone(),
                is_list: declared.is_list,
            };
            (name.clone(), expected)
        });
        Ok(Self {
            parameters: attempt.output_parameters.iter().map(parameter).collect(),
            artifacts: artifacts.collect(),
            metadata_file: output_file(attempt, places)?,
            mapping: places.mapping.clone(),
        })
    }
}

/// Reads the results of a task that ended well. `read` returns the bytes of a file, `None` if it does not exist.
/// Reports all problems, not only the first.
pub fn read_outputs(
    expected: &ExpectedOutputs,
    read: impl Fn(&str) -> io::Result<Option<Vec<u8>>>,
) -> Result<ProducedOutputs, Vec<OutputProblem>> {
    let written = match read(&expected.metadata_file) {
        Ok(None) => Written::default(),
        Ok(Some(bytes)) => Written::parse(&bytes).map_err(|reason| vec![OutputProblem::Metadata(reason)])?,
        Err(error) => return Err(vec![OutputProblem::Metadata(format!("cannot be read: {error}"))]),
    };
    let mut problems = Vec::new();
    let mut parameters = BTreeMap::new();
    for (name, promised) in &expected.parameters {
        match parameter(name, promised, &written, &read) {
            Ok(value) => {
                parameters.insert(name.clone(), value);
            }
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let artifacts = expected.artifacts.iter().map(|(name, promised)| {
        let list = written.artifacts.get(name).map(Vec::as_slice).unwrap_or_default();
        (name.clone(), artifacts(promised, list, &expected.mapping))
    });
    Ok(ProducedOutputs { artifacts: artifacts.collect(), parameters })
}

/// KFP's `ExecutorOutput`; fields that are unknown to us are left alone.
#[derive(Debug, Default, Deserialize)]
struct Written {
    #[serde(default, alias = "parameterValues")]
    parameter_values: BTreeMap<String, Value>,
    #[serde(default)]
    artifacts: BTreeMap<String, Vec<WrittenArtifact>>,
}

#[derive(Debug, Default, Deserialize)]
struct WrittenArtifact {
    #[serde(default)]
    uri: String,
    #[serde(default)]
    metadata: Map<String, Value>,
    #[serde(default, alias = "customPath")]
    custom_path: Option<String>,
    #[serde(default, rename = "type")]
    artifact_type: WrittenType,
}

#[derive(Debug, Default, Deserialize)]
struct WrittenType {
    #[serde(default, alias = "schemaTitle")]
    schema_title: String,
}

impl Written {
    fn parse(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Lists {
            #[serde(default, alias = "parameterValues")]
            parameter_values: Option<BTreeMap<String, Value>>,
            #[serde(default)]
            artifacts: Option<BTreeMap<String, List>>,
        }
        #[derive(Deserialize)]
        struct List {
            #[serde(default)]
            artifacts: Vec<WrittenArtifact>,
        }
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::default());
        }
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return Err("is not what KFP's executor writes: it must be a JSON object".to_owned());
        }
        let lists: Lists = serde_json::from_slice(bytes)
            .map_err(|error| format!("is not what KFP's executor writes: {error}"))?;
        let artifacts =
            lists.artifacts.unwrap_or_default().into_iter().map(|(name, list)| (name, list.artifacts));
        Ok(Self {
            parameter_values: lists.parameter_values.unwrap_or_default(),
            artifacts: artifacts.collect(),
        })
    }
}

/// The metadata file goes before the parameter's own file.
fn parameter(
    name: &str,
    promised: &ExpectedParameter,
    written: &Written,
    read: &impl Fn(&str) -> io::Result<Option<Vec<u8>>>,
) -> Result<Value, OutputProblem> {
    if let Some(value) = written.parameter_values.get(name) {
        return Ok(normalise(value.clone()));
    }
    match read(&promised.file) {
        Ok(Some(bytes)) => parse_parameter(name, &promised.kind, bytes),
        Ok(None) => Err(OutputProblem::Missing { name: name.to_owned() }),
        Err(error) => Err(OutputProblem::Unreadable { name: name.to_owned(), reason: error.to_string() }),
    }
}

fn parse_parameter(name: &str, kind: &str, bytes: Vec<u8>) -> Result<Value, OutputProblem> {
    let mismatch = |expected, text: &str| OutputProblem::Mismatch {
        name: name.to_owned(),
        expected,
        text: shortened(text),
    };
    let text = String::from_utf8(bytes)
        .map_err(|error| mismatch("UTF-8 text", &String::from_utf8_lossy(error.as_bytes())))?;
    let is = |wanted: ParameterType| wanted.wire_name() == kind;
    let (value, expected) = if is(ParameterType::String) {
        return Ok(Value::String(text));
    } else if is(ParameterType::NumberInteger) {
        (text.trim().parse::<i64>().ok().map(Value::from), "a whole number (NUMBER_INTEGER)")
    } else if is(ParameterType::NumberDouble) {
        let number = text.trim().parse().ok().and_then(from_double).map(Value::Number);
        (number, "a number (NUMBER_DOUBLE)")
    } else if is(ParameterType::Boolean) {
        (boolean(text.trim()).map(Value::Bool), "`true` or `false` (BOOLEAN)")
    } else if is(ParameterType::List) {
        (json(&text).filter(Value::is_array), "a JSON list (LIST)")
    } else if is(ParameterType::Struct) {
        (json(&text).filter(Value::is_object), "a JSON object (STRUCT)")
    } else {
        (None, "of a type that can be written to a file")
    };
    value.ok_or_else(|| mismatch(expected, &text))
}

fn json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().map(normalise)
}

/// The spellings that Go takes for a boolean.
fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

fn shortened(text: &str) -> String {
    const MOST: usize = 100;
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", text.split_at(at).0),
        None => text.to_owned(),
    }
}

fn artifacts(
    promised: &ExpectedArtifact,
    list: &[WrittenArtifact],
    mapping: &Mapping,
) -> Vec<ProducedArtifact> {
    let unnamed = WrittenArtifact::default();
    let most = if promised.is_list { list.len().max(1) } else { 1 };
    let given = list.iter().chain(list.is_empty().then_some(&unnamed));
    let produced = given.take(most).map(|artifact| {
        let mut metadata = promised.metadata.clone();
        metadata.extend(normalise_object(artifact.metadata.clone()));
        let title = &artifact.artifact_type.schema_title;
        ProducedArtifact {
            uri: if artifact.uri.is_empty() { promised.uri.clone() } else { mapping.real(&artifact.uri) },
            metadata,
            schema_title: (!title.is_empty()).then(|| title.clone()),
            custom_path: artifact.custom_path.clone().filter(|path| !path.is_empty()),
        }
    });
    produced.collect()
}
