//! Rows of runs as nodes and events, with the properties that KFP gives them. Numbers of types are filled in by `view`.

use ferroflow_model::record::{ArtifactRecord, LinkDirection, TaskRecord};
use ferroflow_model::{TaskKind, TaskStatus};
use ferroflow_ports::metadata::{MetadataEvent, RowContext};
use ferroflow_proto::ml_metadata::event::path::{Step, step};
use ferroflow_proto::ml_metadata::{self as wire, Artifact, Context, Event, Execution, Value, value};
use ferroflow_proto::protobuf::{Struct, value as any};
use prost::Message;
use serde_json::{Map, Value as Json};

use crate::node::{Properties, millis};
use crate::types::{self, EXECUTION_TYPES, PIPELINE, PIPELINE_RUN};

fn text(value: impl Into<String>) -> Value {
    Value { value: Some(value::Value::StringValue(value.into())) }
}

fn integer(value: i64) -> Value {
    Value { value: Some(value::Value::IntValue(value)) }
}

fn object(value: Struct) -> Value {
    Value { value: Some(value::Value::StructValue(value)) }
}

/// JSON as this API holds it.
fn json(value: &Json) -> any::Value {
    let kind = match value {
        Json::Null => any::Kind::NullValue(0),
        Json::Bool(flag) => any::Kind::BoolValue(*flag),
        Json::Number(number) => any::Kind::NumberValue(number.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => any::Kind::StringValue(text.clone()),
        Json::Array(items) => {
            any::Kind::ListValue(any::ListValue { values: items.iter().map(json).collect() })
        }
        Json::Object(fields) => any::Kind::StructValue(json_object(fields)),
    };
    any::Value { kind: Some(kind) }
}

fn json_object(fields: &Map<String, Json>) -> Struct {
    Struct { fields: fields.iter().map(|(name, value)| (name.clone(), json(value))).collect() }
}

/// Metadata that user code wrote, in the form in which KFP stores it: booleans as 0 and 1, lists and objects under a
/// name of their own. Nulls have no such form and are left out.
fn stored(value: &Json) -> Option<Value> {
    let wrapped = |name: &str| object(Struct { fields: [(name.to_owned(), json(value))].into() });
    Some(match value {
        Json::Null => return None,
        Json::Bool(flag) => integer(i64::from(*flag)),
        Json::Number(number) => {
            Value { value: Some(value::Value::DoubleValue(number.as_f64().unwrap_or(f64::NAN))) }
        }
        Json::String(value) => text(value.as_str()),
        Json::Array(_) => wrapped("list"),
        Json::Object(_) => wrapped("struct"),
    })
}

fn parameters(values: &ferroflow_model::artifact::Parameters) -> Value {
    object(Struct { fields: values.iter().map(|(name, value)| (name.clone(), json(value))).collect() })
}

/// An artifact of a run.
pub(crate) fn artifact(record: &ArtifactRecord) -> Artifact {
    let artifact = &record.artifact;
    let title = if artifact.schema_title.is_empty() { types::ARTIFACT } else { &artifact.schema_title };
    let mut properties: Properties =
        artifact.metadata.iter().filter_map(|(name, value)| Some((name.clone(), stored(value)?))).collect();
    properties.entry("display_name".to_owned()).or_insert_with(|| text(record.name.as_str()));
    let created = millis(record.created_at);
    Artifact {
        id: Some(artifact.id.0),
        r#type: Some(title.to_owned()),
        uri: Some(artifact.uri.clone()),
        custom_properties: properties,
        state: Some(wire::artifact::State::Live.into()),
        create_time_since_epoch: Some(created),
        last_update_time_since_epoch: Some(created),
        ..Artifact::default()
    }
}

/// Name of the type of a task.
fn execution_type(kind: TaskKind) -> &'static str {
    let [dag, container, importer] = EXECUTION_TYPES;
    match kind {
        TaskKind::Root | TaskKind::Dag | TaskKind::Loop | TaskKind::Iteration => dag,
        TaskKind::Container => container,
        TaskKind::Importer => importer,
    }
}

/// Names of the kinds of tasks that have this type.
pub(crate) fn task_kinds(type_name: &str) -> Vec<String> {
    let kinds = [
        TaskKind::Root,
        TaskKind::Dag,
        TaskKind::Loop,
        TaskKind::Iteration,
        TaskKind::Container,
        TaskKind::Importer,
    ];
    kinds
        .into_iter()
        .filter(|kind| execution_type(*kind) == type_name)
        .map(|kind| kind.as_str().to_owned())
        .collect()
}

/// A task.
pub(crate) fn execution(task: &TaskRecord) -> Execution {
    let type_name = execution_type(task.kind);
    let state = match task.status {
        TaskStatus::Pending => wire::execution::State::New,
        TaskStatus::Running => wire::execution::State::Running,
        TaskStatus::Succeeded => wire::execution::State::Complete,
        TaskStatus::Cached => wire::execution::State::Cached,
        TaskStatus::Failed => wire::execution::State::Failed,
        // KFP records tasks whose condition was false so.
        TaskStatus::Skipped | TaskStatus::Canceled => wire::execution::State::Canceled,
    };
    let updated = task.ended_at.or(task.started_at).unwrap_or(task.created_at);
    Execution {
        id: Some(task.execution_id.0),
        name: (task.kind == TaskKind::Root).then(|| format!("run/{}", task.run_id)),
        r#type: Some(type_name.to_owned()),
        last_known_state: Some(state.into()),
        custom_properties: execution_properties(task),
        create_time_since_epoch: Some(millis(task.created_at)),
        last_update_time_since_epoch: Some(millis(updated)),
        ..Execution::default()
    }
}

fn execution_properties(task: &TaskRecord) -> Properties {
    let (display_name, task_name) = match task.kind {
        TaskKind::Root => ("", ""),
        TaskKind::Importer => ("", task.display_name.as_str()),
        _ => (task.display_name.as_str(), task.name.as_str()),
    };
    let mut properties = vec![("display_name", text(display_name)), ("task_name", text(task_name))];
    if let Some(parent) = task.parent {
        properties.push(("parent_dag_id", integer(parent.0)));
    }
    if task.kind != TaskKind::Importer {
        properties.push(("inputs", parameters(&task.inputs.parameters)));
    }
    if let Some(count) = task.iteration_count {
        properties.push(("iteration_count", integer(count.into())));
    }
    if let Some(index) = task.iteration_index {
        properties.push(("iteration_index", integer(index.into())));
    }
    if task.kind == TaskKind::Container {
        let cache = task.cache.as_ref().map(|cache| cache.fingerprint.as_str()).unwrap_or_default();
        let source = task.cached_from.map(|source| source.to_string()).unwrap_or_default();
        properties.extend([
            ("image", text("")),
            ("cache_fingerprint", text(cache)),
            ("cached_execution_id", text(source)),
        ]);
        if task.status.is_success() {
            properties.push(("outputs", parameters(&task.outputs.parameters)));
        }
    }
    properties.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A pipeline or a run.
pub(crate) fn context(row: &RowContext) -> Context {
    let type_name = if row.is_run { PIPELINE_RUN } else { PIPELINE };
    let mut properties = Properties::new();
    if let Some(run) = &row.run {
        properties.insert("namespace".to_owned(), text(""));
        properties.insert("resource_name".to_owned(), text("run-resource"));
        properties.insert("pipeline_root".to_owned(), text(run.pipeline_root.as_str()));
    }
    let created = row.created_at.map(millis);
    Context {
        id: Some(row.id),
        name: Some(row.name.clone()),
        r#type: Some(type_name.to_owned()),
        custom_properties: properties,
        create_time_since_epoch: created,
        last_update_time_since_epoch: created,
        ..Context::default()
    }
}

/// An event, whoever wrote it.
pub(crate) fn event(event: MetadataEvent) -> Result<Event, ferroflow_ports::PortError> {
    Ok(match event {
        MetadataEvent::Row { execution_id, artifact_id, direction, name, at, .. } => {
            let direction = match direction {
                LinkDirection::Input => wire::event::Type::Input,
                LinkDirection::Output => wire::event::Type::Output,
            };
            let step = Step { value: Some(step::Value::Key(name)) };
            Event {
                artifact_id: Some(artifact_id),
                execution_id: Some(execution_id),
                path: Some(wire::event::Path { steps: vec![step] }),
                r#type: Some(direction.into()),
                milliseconds_since_epoch: Some(millis(at)),
                system_metadata: None,
            }
        }
        MetadataEvent::Written(row) => Event::decode(row.body.as_slice())
            .map_err(|error| types::damaged("event of execution", row.execution_id, error))?,
    })
}
