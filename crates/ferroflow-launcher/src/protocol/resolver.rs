//! From the words of a component to the words of a process.
//!
//! Struct placeholders come first, then those in texts. A template is read once, from left to right; what takes the
//! place of a placeholder is data and never read as a template.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};

use ferroflow_engine::TaskAttempt;
use ferroflow_model::{Artifact, Parameters};
use serde_json::{Map, Value};

use super::error::ProtocolError;
use super::executor_input::{ExecutorInput, artifact_uri, json_text, output_file};
use super::path::{Step, parse};
use super::places::Places;
use super::reference::{render, resolve, value_text};
use super::variables::expand_variables;

/// What user code was told of its outputs, so that folders are made only for those who can find them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Uses {
    /// A file of an output parameter.
    pub parameter_files: bool,
    /// An output artifact, or the metadata file.
    pub task_root: bool,
}

/// Resolves the placeholders of one attempt.
#[derive(Debug)]
pub struct Resolver<'a> {
    attempt: &'a TaskAttempt,
    places: &'a Places,
    parameters: Cow<'a, Parameters>,
    executor_input: OnceCell<String>,
    uses: Cell<Uses>,
}

impl<'a> Resolver<'a> {
    /// For an attempt whose things lie at `places`.
    pub fn new(attempt: &'a TaskAttempt, places: &'a Places) -> Self {
        let other = |steps: &[Step<'_>]| constant(attempt, places, steps);
        let parameters = resolve(&attempt.inputs.parameters, &other);
        Self { attempt, places, parameters, executor_input: OnceCell::new(), uses: Cell::default() }
    }

    /// The words with all placeholders replaced. Words may vanish or become several (`IfPresent`).
    /// Reports all problems, not only the first.
    pub fn words<'w>(
        &self,
        words: impl IntoIterator<Item = &'w String>,
    ) -> Result<Vec<String>, Vec<ProtocolError>> {
        let mut resolved = Vec::new();
        let mut problems = Vec::new();
        for word in words {
            match self.word(word) {
                Ok(mut found) => resolved.append(&mut found),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(resolved) } else { Err(problems) }
    }

    /// The ExecutorInput as JSON.
    pub fn executor_input(&self) -> Result<&str, ProtocolError> {
        let uses = Uses { task_root: true, parameter_files: !self.attempt.output_parameters.is_empty() };
        self.note(uses);
        if let Some(text) = self.executor_input.get() {
            return Ok(text);
        }
        let text = ExecutorInput::new(self.attempt, &self.parameters, self.places)?.to_json();
        Ok(self.executor_input.get_or_init(|| text))
    }

    /// What the resolved words told about outputs.
    pub fn uses(&self) -> Uses {
        self.uses.get()
    }

    fn note(&self, uses: Uses) {
        let old = self.uses.get();
        self.uses.set(Uses {
            parameter_files: old.parameter_files || uses.parameter_files,
            task_root: old.task_root || uses.task_root,
        });
    }

    fn word(&self, word: &str) -> Result<Vec<String>, ProtocolError> {
        if let Some(structure) = structure(word) {
            return self.structure(&structure);
        }
        Ok(vec![self.text(word)?])
    }

    /// The words of a string, a list or a struct placeholder.
    fn structure(&self, value: &Value) -> Result<Vec<String>, ProtocolError> {
        match value {
            Value::String(text) => self.word(text),
            Value::Array(items) => {
                let words: Result<Vec<_>, _> = items.iter().map(|item| self.structure(item)).collect();
                Ok(words?.concat())
            }
            Value::Object(entries) => {
                if let Some(Value::Array(parts)) = entries.get("Concat") {
                    let parts: Result<Vec<_>, _> = parts.iter().map(|part| self.structure(part)).collect();
                    return Ok(vec![parts?.concat().concat()]);
                }
                match entries.get("IfPresent") {
                    Some(Value::Object(choice)) => self.if_present(choice),
                    _ => Ok(vec![self.text(&json_text(value))?]),
                }
            }
            Value::Null => Ok(Vec::new()),
            other => Ok(vec![value_text(other)]),
        }
    }

    fn if_present(&self, choice: &Map<String, Value>) -> Result<Vec<String>, ProtocolError> {
        let name = choice.get("InputName").and_then(Value::as_str).unwrap_or_default();
        let inputs = &self.attempt.inputs;
        let is_present = self.parameters.get(name).is_some_and(|value| !value.is_null())
            || inputs.artifacts.get(name).is_some_and(|list| !list.is_empty());
        let branch = choice.get(if is_present { "Then" } else { "Else" });
        branch.map_or_else(|| Ok(Vec::new()), |value| self.structure(value))
    }

    fn text(&self, template: &str) -> Result<String, ProtocolError> {
        let env = &self.attempt.container.env;
        let template = if env.is_empty() || !template.contains("$(") {
            Cow::Borrowed(template)
        } else {
            let known =
                |name: &str| env.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
            Cow::Owned(expand_variables(template, known))
        };
        if !template.contains("{{$") {
            return Ok(template.into_owned());
        }
        render(&template, |written, body| self.placeholder(written, body))
    }

    fn placeholder(&self, written: &str, body: &str) -> Result<Option<String>, ProtocolError> {
        let Some(steps) = parse(body) else { return Ok(None) };
        match steps.as_slice() {
            [] => self.executor_input().map(|text| Some(text.to_owned())),
            [Step::Name("json_escape"), Step::Index(times)] => {
                self.executor_input().map(|text| Some(json_escape(text, *times)))
            }
            [Step::Name("inputs"), Step::Name("parameters"), Step::Key(name), rest @ ..] => {
                let missing = || ProtocolError::MissingInput {
                    placeholder: written.to_owned(),
                    name: (*name).to_owned(),
                };
                let value =
                    self.parameters.get(*name).filter(|value| !value.is_null()).ok_or_else(missing)?;
                Ok(match rest {
                    [] => Some(value_text(value)),
                    [Step::Name("json_escape"), Step::Index(times)] => {
                        Some(json_escape(&value_text(value), *times))
                    }
                    rest => walk(value, rest).map(value_text),
                })
            }
            [Step::Name("inputs"), Step::Name("artifacts"), Step::Key(name), rest @ ..] => {
                self.input_artifact(name, rest, &steps)
            }
            [Step::Name("outputs"), rest @ ..] => self.output(rest, &steps),
            steps => Ok(constant(self.attempt, self.places, steps)),
        }
    }

    fn input_artifact(
        &self,
        name: &str,
        rest: &[Step<'_>],
        whole: &[Step<'_>],
    ) -> Result<Option<String>, ProtocolError> {
        let first: Option<&Artifact> =
            self.attempt.inputs.artifacts.get(name).and_then(|list| Some(list.first()?.as_ref()));
        Ok(match (first, rest) {
            (None, _) => None,
            // The artifact as a whole is the list of all that were given.
            (Some(_), []) => {
                let list: Vec<Step<'_>> = whole.iter().copied().chain([Step::Name("artifacts")]).collect();
                self.in_executor_input(&list)?
            }
            (Some(artifact), [Step::Name("uri")]) => Some(self.places.mapping.shown(&artifact.uri)),
            (Some(artifact), [Step::Name("path")]) => self.places.mapping.local_path(&artifact.uri),
            (Some(artifact), [Step::Name(field), rest @ ..]) if is_metadata(field) => {
                metadata(&artifact.metadata, rest)
            }
            _ => self.in_executor_input(whole)?,
        })
    }

    fn output(&self, rest: &[Step<'_>], whole: &[Step<'_>]) -> Result<Option<String>, ProtocolError> {
        match rest {
            [Step::Name("output_file" | "outputFile")] => {
                self.note(Uses { task_root: true, ..Uses::default() });
                output_file(self.attempt, self.places).map(Some)
            }
            [Step::Name("parameters"), Step::Key(name), Step::Name("output_file" | "outputFile")]
                if self.attempt.output_parameters.contains_key(*name) =>
            {
                self.note(Uses { parameter_files: true, ..Uses::default() });
                Ok(Some(self.places.parameter_file(name)))
            }
            [Step::Name("artifacts"), Step::Key(name), field, rest @ ..] => {
                let Some(declared) = self.attempt.output_artifacts.get(*name) else { return Ok(None) };
                self.note(Uses { task_root: true, ..Uses::default() });
                let uri = artifact_uri(self.attempt, name);
                Ok(match (field, rest) {
                    (Step::Name("uri"), []) => Some(self.places.mapping.shown(&uri)),
                    (Step::Name("path"), []) => {
                        let path = self.places.mapping.local_path(&uri);
                        Some(path.ok_or(ProtocolError::NoLocalPath { uri })?)
                    }
                    (Step::Name(field), rest) if is_metadata(field) => metadata(&declared.metadata, rest),
                    _ => self.in_executor_input(whole)?,
                })
            }
            _ => self.in_executor_input(whole),
        }
    }

    /// Any other place in the document, as JSON unless it is a text.
    fn in_executor_input(&self, steps: &[Step<'_>]) -> Result<Option<String>, ProtocolError> {
        let document: Value = serde_json::from_str(self.executor_input()?).unwrap_or_default();
        Ok(walk(&document, steps).map(value_text))
    }
}

/// A word that is a struct placeholder as a whole.
fn structure(word: &str) -> Option<Value> {
    let trimmed = word.trim_start();
    if !trimmed.starts_with('{') || trimmed.starts_with("{{") {
        return None;
    }
    let value: Value = serde_json::from_str(word).ok()?;
    let entries = value.as_object()?;
    let is_structure =
        entries.len() == 1 && (entries.contains_key("Concat") || entries.contains_key("IfPresent"));
    is_structure.then_some(value)
}

/// Placeholders whose text does not depend on inputs.
fn constant(attempt: &TaskAttempt, places: &Places, steps: &[Step<'_>]) -> Option<String> {
    let run = &attempt.run;
    match steps {
        [Step::Name("outputs"), Step::Name("output_file" | "outputFile")]
        | [Step::Name("outputMetadataUri" | "output_metadata_uri")] => output_file(attempt, places).ok(),
        [Step::Name(name)] => Some(match *name {
            "pipeline_root" => places.mapping.shown(&run.root),
            "pipeline_job_name" => run.display_name.clone(),
            "pipeline_job_resource_name" => run.resource_name.clone(),
            "pipeline_job_uuid" => run.id.to_string(),
            "pipeline_task_name" => attempt.task_name.clone(),
            "pipeline_job_create_time_utc" => run.created_at.to_rfc3339(),
            "pipeline_job_schedule_time_utc" => run.scheduled_at.to_rfc3339(),
            "workspace_path" => places.workspace.clone(),
            _ => return None,
        }),
        _ => None,
    }
}

fn is_metadata(field: &str) -> bool {
    matches!(field, "metadata" | "properties" | "custom_properties" | "customProperties")
}

/// All metadata as JSON, or one entry; an entry that is not there is an empty text.
fn metadata(entries: &Map<String, Value>, rest: &[Step<'_>]) -> Option<String> {
    match rest {
        [] => Some(json_text(entries)),
        [Step::Key(key), rest @ ..] => match entries.get(*key) {
            Some(value) => walk(value, rest).map(value_text),
            None => Some(String::new()),
        },
        _ => None,
    }
}

fn walk<'v>(value: &'v Value, steps: &[Step<'_>]) -> Option<&'v Value> {
    steps.iter().try_fold(value, |value, step| match step {
        Step::Name(key) | Step::Key(key) => value.get(*key),
        Step::Index(index) => value.get(*index),
    })
}

/// The text as it stands inside a JSON string, `times` over.
fn json_escape(text: &str, times: usize) -> String {
    /// Each pass may double the text, and nobody nests deeper than this.
    const MOST: usize = 8;
    let mut escaped = text.to_owned();
    for _ in 0..times.min(MOST) {
        let quoted = json_text(&escaped);
        let inside = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        escaped = String::from(inside.unwrap_or_default());
    }
    escaped
}
