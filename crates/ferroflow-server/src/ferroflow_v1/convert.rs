//! Records become wire structs.

use std::collections::BTreeMap;

use ferroflow_model::record::{ArtifactRecord, Failure, PipelineSource, Run, TaskRecord};
use ferroflow_model::{Artifact, ExecutionId, RunId, TaskId, TaskPath, TaskStatus, Timestamp};
use ferroflow_ports::view::{ArtifactView, ExecutionView, RunBrief, RunView, TaskBrief, TaskMetrics};
use serde_json::{Map, Value};

use super::wire::{
    ArtifactRow, ExecutionRef, FailureNote, Millis, Named, RunDot, RunHead, RunRow, TaskCounts, TaskState,
    VersionRef,
};

/// Metrics in a row of a list.
const MOST_METRICS: usize = 32;
/// Letters of an item of a loop.
const ITEM_LETTERS: usize = 80;

/// Whole milliseconds.
pub(super) fn millis(time: Timestamp) -> Millis {
    time.as_micros().div_euclid(1000)
}

pub(super) fn optional_millis(time: Option<Timestamp>) -> Option<Millis> {
    time.map(millis)
}

/// From one time to another, if both are known.
pub(super) fn length(from: Option<Timestamp>, to: Option<Timestamp>) -> Option<Millis> {
    Some((millis(to?) - millis(from?)).max(0))
}

/// A duration in whole milliseconds.
pub(super) fn duration(value: std::time::Duration) -> Millis {
    Millis::try_from(value.as_millis()).unwrap_or(Millis::MAX)
}

pub(super) fn failure(failure: &Failure) -> FailureNote {
    FailureNote { message: failure.message.clone(), exit_code: failure.exit_code, signal: failure.signal }
}

pub(super) fn counts(tasks: &BTreeMap<TaskStatus, u64>) -> TaskCounts {
    let of = |status| tasks.get(&status).copied().unwrap_or(0);
    TaskCounts {
        pending: of(TaskStatus::Pending),
        running: of(TaskStatus::Running),
        succeeded: of(TaskStatus::Succeeded),
        cached: of(TaskStatus::Cached),
        skipped: of(TaskStatus::Skipped),
        failed: of(TaskStatus::Failed),
        canceled: of(TaskStatus::Canceled),
    }
}

pub(super) fn run_row(view: RunView) -> RunRow {
    let version = match &view.run.source {
        PipelineSource::Version { pipeline_id, version_id } => Some(VersionRef {
            pipeline_id: pipeline_id.to_string(),
            version_id: version_id.to_string(),
            pipeline_name: view.pipeline,
            version_name: view.version,
        }),
        PipelineSource::Inline => None,
    };
    let mut metrics = scalar_metrics(&view.metrics);
    while metrics.len() > MOST_METRICS {
        let Some(last) = metrics.keys().next_back().cloned() else { break };
        metrics.remove(&last);
    }
    let run = view.run;
    RunRow {
        run_id: run.id.to_string(),
        state: run.status,
        storage_state: run.storage_state,
        experiment: Named { id: run.experiment_id.to_string(), name: view.experiment.unwrap_or_default() },
        version,
        recurring_run_id: run.tick.map(|tick| tick.recurring_run_id.to_string()),
        created_at: millis(run.created_at),
        finished_at: optional_millis(run.finished_at),
        duration_ms: length(Some(run.created_at), run.finished_at),
        error: run.error.as_ref().map(failure),
        task_counts: counts(&view.tasks),
        metrics,
        parameters: run.arguments,
        pipeline_name: run.pipeline_name,
        display_name: run.display_name,
        description: run.description,
    }
}

/// Numbers, texts and switches by `<task path>.<metric>`; what is longer has a viewer of its own.
pub(super) fn scalar_metrics(metrics: &[TaskMetrics]) -> Map<String, Value> {
    let mut found = Map::new();
    for task in metrics {
        for (name, value) in &task.values {
            if name != "display_name" && !value.is_object() && !value.is_array() {
                found.insert(format!("{}.{name}", task.path), value.clone());
            }
        }
    }
    found
}

pub(super) fn run_head(run: &Run) -> RunHead {
    RunHead {
        run_id: run.id.to_string(),
        state: run.status,
        storage_state: run.storage_state,
        created_at: millis(run.created_at),
        finished_at: optional_millis(run.finished_at),
        error: run.error.as_ref().map(failure),
    }
}

pub(super) fn run_dot(run: &RunBrief) -> RunDot {
    RunDot {
        run_id: run.id.to_string(),
        display_name: run.display_name.clone(),
        state: run.status,
        created_at: millis(run.created_at),
        duration_ms: length(Some(run.created_at), run.finished_at),
    }
}

pub(super) fn task_state(run: RunId, task: &TaskBrief) -> TaskState {
    TaskState {
        task_id: TaskId::derive(run, &task.path).to_string(),
        parent: parent_path(&task.path),
        path: task.path.to_string(),
        display_name: task.display_name.clone(),
        kind: task.kind,
        state: task.status,
        attempt: task.attempt,
        created_at: millis(task.created_at),
        started_at: optional_millis(task.started_at),
        ended_at: optional_millis(task.ended_at),
        iteration_index: task.iteration_index,
        iteration_count: task.iteration_count,
        item: task.item_inputs.as_ref().and_then(item),
        error: task.error.as_ref().map(failure),
    }
}

/// The same from a whole record.
pub(super) fn task_state_of(task: &TaskRecord) -> TaskState {
    task_state(task.run_id, &brief(task))
}

pub(super) fn brief(task: &TaskRecord) -> TaskBrief {
    let is_iteration = task.iteration_index.is_some();
    let inputs =
        || task.inputs.parameters.iter().map(|(name, value)| (name.clone(), Value::clone(value))).collect();
    TaskBrief {
        execution_id: task.execution_id,
        path: task.path.clone(),
        parent: task.parent,
        display_name: task.display_name.clone(),
        kind: task.kind,
        status: task.status,
        attempt: task.attempt,
        created_at: task.created_at,
        started_at: task.started_at,
        ended_at: task.ended_at,
        iteration_index: task.iteration_index,
        iteration_count: task.iteration_count,
        item_inputs: is_iteration.then(inputs),
        error: task.error.clone(),
        cached_from: task.cached_from,
    }
}

/// The path of what holds a task: one part less. `None` for the pipeline itself.
pub(super) fn parent_path(path: &TaskPath) -> Option<String> {
    let path = path.as_str();
    (!path.is_empty()).then(|| path.rsplit_once('/').map_or("", |(parent, _)| parent).to_owned())
}

/// The item of a pass in short: the SDK ends the names of items in `loop-item`.
fn item(inputs: &Map<String, Value>) -> Option<String> {
    let named = inputs.iter().find(|(name, _)| name.contains("loop-item"));
    let value =
        named.map(|(_, value)| value).or_else(|| inputs.values().next().filter(|_| inputs.len() == 1))?;
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    Some(shortened(&text, ITEM_LETTERS))
}

/// At most so many letters, with a mark where something is missing.
pub(super) fn shortened(text: &str, letters: usize) -> String {
    match text.char_indices().nth(letters) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

pub(super) fn execution_ref(execution: &ExecutionView) -> ExecutionRef {
    ExecutionRef {
        execution_id: execution.execution_id.0,
        run: Some(Named { id: execution.run_id.to_string(), name: execution.run_name.clone() }),
        task_id: Some(TaskId::derive(execution.run_id, &execution.path).to_string()),
        path: Some(execution.path.to_string()),
        ended_at: optional_millis(execution.ended_at),
        duration_ms: length(execution.started_at, execution.ended_at),
    }
}

/// An execution of which only the number is known any more.
pub(super) fn lost_execution(id: ExecutionId) -> ExecutionRef {
    ExecutionRef {
        execution_id: id.0,
        run: None,
        task_id: None,
        path: None,
        ended_at: None,
        duration_ms: None,
    }
}

/// An artifact alone, as tasks carry it.
pub(super) fn bare_artifact(name: &str, artifact: &Artifact) -> ArtifactRow {
    ArtifactRow {
        artifact_id: artifact.id.0,
        name: name.to_owned(),
        artifact_type: artifact.schema_title.clone(),
        uri: artifact.uri.clone(),
        metadata: artifact.metadata.clone(),
        created_at: None,
        run: None,
        task: None,
        task_id: None,
    }
}

/// An artifact of a list.
pub(super) fn artifact_row(view: &ArtifactView) -> ArtifactRow {
    let ArtifactRecord { artifact, name, created_at, run_id } = &view.record;
    let run = view.run_name.as_ref().map(|run_name| Named { id: run_id.to_string(), name: run_name.clone() });
    ArtifactRow {
        created_at: Some(millis(*created_at)),
        run,
        task_id: view.producer.as_ref().map(|path| TaskId::derive(*run_id, path).to_string()),
        task: view.producer.as_ref().map(ToString::to_string),
        ..bare_artifact(name, artifact)
    }
}
