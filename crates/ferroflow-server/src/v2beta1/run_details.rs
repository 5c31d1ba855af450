//! What a run's answer tells about its tasks.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use ferroflow_model::artifact::Artifact;
use ferroflow_model::record::{Run, TaskRecord};
use ferroflow_model::{ExecutionId, TaskId, TaskKind, TaskStatus};
use ferroflow_proto::v2beta1 as wire;
use wire::pipeline_task_detail::{ChildTask, child_task};

use super::run::failure;
use super::wire_values::{time, time_or_epoch};

/// The details, absent while there is no task: clients compare a fresh run with the answer to its creation.
/// `tasks` are all tasks of the run in order of number.
pub(super) fn run_details(run: &Run, tasks: &[TaskRecord]) -> Option<wire::RunDetails> {
    if tasks.is_empty() {
        return None;
    }
    let ids: HashMap<ExecutionId, TaskId> = tasks.iter().map(|task| (task.execution_id, task.id)).collect();
    let mut children: HashMap<ExecutionId, Vec<ChildTask>> = HashMap::new();
    for task in tasks {
        if let Some(parent) = task.parent {
            let child = ChildTask { child_task: Some(child_task::ChildTask::TaskId(task.id.to_string())) };
            children.entry(parent).or_default().push(child);
        }
    }
    let details = tasks.iter().map(|task| wire::PipelineTaskDetail {
        run_id: run.id.to_string(),
        task_id: task.id.to_string(),
        display_name: task.display_name.clone(),
        create_time: Some(time(task.created_at)),
        start_time: Some(time_or_epoch(task.started_at)),
        end_time: Some(time_or_epoch(task.ended_at)),
        executor_detail: None,
        state: runtime_state(task.status).into(),
        execution_id: task.execution_id.0,
        error: task.error.as_ref().map(failure),
        inputs: artifact_lists(&task.inputs.artifacts),
        outputs: artifact_lists(&task.outputs.artifacts),
        parent_task_id: task
            .parent
            .and_then(|parent| ids.get(&parent))
            .map(ToString::to_string)
            .unwrap_or_default(),
        state_history: task
            .history
            .iter()
            .map(|change| wire::RuntimeStatus {
                update_time: Some(time(change.at)),
                state: runtime_state(change.state).into(),
                error: None,
            })
            .collect(),
        pod_name: pod_name(run, task).unwrap_or_default(),
        child_tasks: children.remove(&task.execution_id).unwrap_or_default(),
    });
    Some(wire::RunDetails {
        pipeline_context_id: run.pipeline_context_id,
        pipeline_run_context_id: run.run_context_id,
        task_details: details.collect(),
    })
}

/// The name under which clients ask for a task's log, as KFP's pods have one; groups have none.
pub fn pod_name(run: &Run, task: &TaskRecord) -> Option<String> {
    (task.kind == TaskKind::Container).then(|| format!("{}-{}", run.resource_name, task.execution_id))
}

fn artifact_lists(artifacts: &BTreeMap<String, Vec<Arc<Artifact>>>) -> BTreeMap<String, wire::ArtifactList> {
    let list = |found: &Vec<Arc<Artifact>>| wire::ArtifactList {
        artifact_ids: found.iter().map(|artifact| artifact.id.0).collect(),
    };
    artifacts.iter().map(|(name, found)| (name.clone(), list(found))).collect()
}

/// The API has no word for a result taken over from an earlier run: it is a success.
fn runtime_state(status: TaskStatus) -> wire::RuntimeState {
    match status {
        TaskStatus::Pending => wire::RuntimeState::Pending,
        TaskStatus::Running => wire::RuntimeState::Running,
        TaskStatus::Succeeded | TaskStatus::Cached => wire::RuntimeState::Succeeded,
        TaskStatus::Skipped => wire::RuntimeState::Skipped,
        TaskStatus::Failed => wire::RuntimeState::Failed,
        TaskStatus::Canceled => wire::RuntimeState::Canceled,
    }
}
