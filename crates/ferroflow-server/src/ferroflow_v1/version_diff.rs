//! Two versions of a pipeline side by side: which tasks are new, gone or not the same.
//!
//! Both files are read into facts (texts and values by name), and facts are compared; so a new field needs one line.

use std::collections::{BTreeMap, BTreeSet};

use ferroflow_model::PipelineVersionId;
use ferroflow_spec::ir::{
    ArtifactSource, Executor, ImportUri, Iterator, LoopItems, ParameterSource, TriggerStrategy,
};
use serde_json::{Value, json};

use super::structure::{Place, Structure};
use super::wire::{DiffKind, FieldDiff, Named, TaskDiff, VersionDiff};
use super::{OwnApi, Question};
use crate::status::ApiError;
use crate::v2beta1::{parse_id, version};

type Facts = BTreeMap<String, Value>;

impl OwnApi {
    pub(super) async fn version_diff(&self, question: &Question<'_>) -> Result<VersionDiff, ApiError> {
        let query = question.query(&["with"])?;
        let after: PipelineVersionId = parse_id(version::WHAT, question.field("version_id"))?;
        let before: PipelineVersionId = parse_id(version::WHAT, query.text("with").unwrap_or_default())?;
        let before = self.services.store.pipeline_version(before).await?;
        let after = self.services.store.pipeline_version(after).await?;
        let old = self.structure_of_source(&before.source).await?;
        let new = self.structure_of_source(&after.source).await?;
        let pipeline = compare(&pipeline_facts(&old), &pipeline_facts(&new));
        let tasks = compare_tasks(&old, &new);
        let text = |source: &[u8]| String::from_utf8_lossy(source).into_owned();
        Ok(VersionDiff {
            before: Named { id: before.id.to_string(), name: before.display_name.clone() },
            after: Named { id: after.id.to_string(), name: after.display_name.clone() },
            is_same: old.spec == new.spec,
            pipeline,
            tasks,
            before_text: text(&before.source),
            after_text: text(&after.source),
        })
    }
}

/// What is not the same, in order of name.
fn compare(before: &Facts, after: &Facts) -> Vec<FieldDiff> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let value = |facts: &Facts, name: &String| facts.get(name).cloned().unwrap_or_default();
    names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| FieldDiff { field: name.clone(), before: value(before, name), after: value(after, name) })
        .collect()
}

fn compare_tasks(before: &Structure, after: &Structure) -> Vec<TaskDiff> {
    let (before, after) = (all_tasks(before), all_tasks(after));
    let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let diff = |path: &String| {
        let (kind, fields) = match (before.get(path), after.get(path)) {
            (Some(before), Some(after)) => (DiffKind::Changed, compare(before, after)),
            (None, _) => (DiffKind::Added, Vec::new()),
            (_, None) => (DiffKind::Removed, Vec::new()),
        };
        let is_same = kind == DiffKind::Changed && fields.is_empty();
        (!is_same).then(|| TaskDiff { path: path.clone(), kind, fields })
    };
    paths.into_iter().filter_map(diff).collect()
}

fn all_tasks(structure: &Structure) -> BTreeMap<String, Facts> {
    let mut tasks = BTreeMap::new();
    structure.walk(&mut |path, place| {
        tasks.insert(path.to_owned(), task_facts(structure, place));
    });
    tasks
}

fn pipeline_facts(structure: &Structure) -> Facts {
    let spec = &structure.spec;
    let mut facts = Facts::from([
        ("name".to_owned(), json!(spec.name)),
        ("display name".to_owned(), json!(spec.display_name)),
        ("description".to_owned(), json!(spec.description)),
        ("SDK".to_owned(), json!(spec.sdk_version)),
    ]);
    for (name, parameter) in &spec.root.input_parameters {
        let value = json!({
            "type": parameter.parameter_type.wire_name(),
            "default": parameter.default_value,
            "optional": parameter.is_optional,
            "literals": parameter.literals,
        });
        facts.insert(format!("parameter {name}"), value);
    }
    for (name, kind) in &spec.root.output_parameters {
        facts.insert(format!("output {name}"), json!(kind.wire_name()));
    }
    for (name, artifact) in &spec.root.output_artifacts {
        facts.insert(format!("output {name}"), json!(artifact.artifact_type.schema_title));
    }
    facts
}

fn task_facts(structure: &Structure, place: Place<'_>) -> Facts {
    let task = place.task;
    let mut facts = Facts::from([
        ("name".to_owned(), json!(task.display_name)),
        ("condition".to_owned(), json!(task.condition)),
        ("caching".to_owned(), json!({ "enabled": task.caching.enabled, "key": task.caching.key })),
        ("waits for".to_owned(), json!(task.dependencies)),
        ("parallelism".to_owned(), json!(task.parallelism_limit)),
        ("runs after failures".to_owned(), json!(task.trigger == TriggerStrategy::AllCompleted)),
        ("loops over".to_owned(), loop_items(task.iterator.as_ref())),
    ]);
    if let Some(retry) = &task.retry {
        let value = json!({
            "max": retry.max_retry_count, "backoff": retry.backoff_seconds, "factor": retry.backoff_factor,
            "longest": retry.backoff_max_seconds,
        });
        facts.insert("retries".to_owned(), value);
    }
    for (name, input) in &task.parameters {
        let source = match &input.source {
            ParameterSource::TaskOutput(from) => json!(format!("{}.{}", from.task, from.output)),
            ParameterSource::ComponentInput(outer) => json!(format!("input {outer}")),
            ParameterSource::Constant(value) => value.clone(),
            ParameterSource::TaskFinalStatus(of) => json!(format!("end of {of}")),
        };
        let value = if input.selector.is_empty() { source } else { json!([source, input.selector]) };
        facts.insert(format!("input {name}"), value);
    }
    for (name, source) in &task.artifacts {
        let source = match source {
            ArtifactSource::TaskOutput(from) => format!("{}.{}", from.task, from.output),
            ArtifactSource::ComponentInput(outer) => format!("input {outer}"),
        };
        facts.insert(format!("input {name}"), json!(source));
    }
    for (name, kind) in &place.component.output_parameters {
        facts.insert(format!("output {name}"), json!(kind.wire_name()));
    }
    for (name, artifact) in &place.component.output_artifacts {
        facts.insert(format!("output {name}"), json!(artifact.artifact_type.schema_title));
    }
    match structure.executor(place.component) {
        Some(Executor::Container(container)) => {
            let words: Vec<&String> = container.command.iter().chain(&container.args).collect();
            facts.insert("image".to_owned(), json!(container.image));
            facts.insert("command".to_owned(), json!(words));
            facts.insert("resources".to_owned(), container.resources.clone());
            // Values may be secrets; that one is another is told by its mark.
            for (name, value) in &container.env {
                let mark = blake3::hash(value.as_bytes()).to_hex();
                facts.insert(format!("environment {name}"), json!(mark.get(..8)));
            }
        }
        Some(Executor::Importer(importer)) => {
            let uri = match &importer.uri {
                ImportUri::Constant(uri) => uri.clone(),
                ImportUri::Input(input) => format!("input {input}"),
            };
            facts.insert("imports".to_owned(), json!(uri));
        }
        None => {}
    }
    facts
}

fn loop_items(iterator: Option<&Iterator>) -> Value {
    match iterator {
        None => Value::Null,
        Some(Iterator::Parameter { items: LoopItems::Raw(text), .. }) => json!(text),
        Some(
            Iterator::Parameter { items: LoopItems::Input(input), .. } | Iterator::Artifact { input, .. },
        ) => {
            json!(format!("input {input}"))
        }
    }
}
