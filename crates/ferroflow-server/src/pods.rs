//! Tasks as the pods that KFP's web server would ask a cluster for: its page and scripts read states and logs so.
//!
//! A pod's name ends in the number of its execution, by which the task is found. Nothing of a cluster is needed.

use ferroflow_model::record::{AttemptRecord, Run, TaskRecord};
use ferroflow_model::{ExecutionId, TaskStatus, Timestamp};
use ferroflow_ports::view::TaskKey;
use serde_json::{Value, json};

use crate::Services;
use crate::status::ApiError;
use crate::v2beta1::run_details::pod_name;

/// A task with what is told of it.
struct Found {
    run: Run,
    task: TaskRecord,
    attempts: Vec<AttemptRecord>,
}

/// The run and the task behind a pod's name. `NotFound`.
async fn find(services: &Services, pod: &str) -> Result<Found, ApiError> {
    let missing = || ApiError::not_found("pod", pod);
    let number = pod.rsplit('-').next().and_then(|text| text.parse().ok()).ok_or_else(missing)?;
    let store = &services.store;
    let execution = store.executions(&[ExecutionId(number)]).await?.pop().ok_or_else(missing)?;
    let run = store.run(execution.run_id).await?;
    let task = store.task(run.id, TaskKey::Path(execution.path)).await?;
    if pod_name(&run, &task).as_deref() != Some(pod) {
        return Err(missing());
    }
    let attempts = store.attempts_of_task(&task).await?;
    Ok(Found { run, task, attempts })
}

/// Id of the run that a pod belongs to. `NotFound`.
pub(crate) async fn run_of(services: &Services, pod: &str) -> Result<String, ApiError> {
    Ok(find(services, pod).await?.run.id.to_string())
}

fn time(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |at| Value::from(at.to_rfc3339()))
}

/// A `v1.Pod`. `NotFound`.
pub(crate) async fn pod(services: &Services, name: &str) -> Result<Value, ApiError> {
    let Found { run, task, attempts } = find(services, name).await?;
    let phase = match task.status {
        TaskStatus::Pending => "Pending",
        TaskStatus::Running => "Running",
        TaskStatus::Succeeded | TaskStatus::Cached | TaskStatus::Skipped => "Succeeded",
        TaskStatus::Failed | TaskStatus::Canceled => "Failed",
    };
    let started = attempts.last().and_then(|attempt| attempt.phases.started).or(task.started_at);
    let error = task.error.as_ref();
    let state = match phase {
        "Pending" => json!({ "waiting": { "reason": "PodInitializing" } }),
        "Running" => json!({ "running": { "startedAt": time(started) } }),
        _ => json!({ "terminated": {
            "exitCode": error.map_or(0, |error| error.exit_code.unwrap_or(1)),
            "reason": if error.is_some() { "Error" } else { "Completed" },
            "message": error.map(|error| error.message.as_str()),
            "startedAt": time(started),
            "finishedAt": time(task.ended_at),
        } }),
    };
    Ok(json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": services.settings.namespace,
            "uid": task.id.to_string(),
            "creationTimestamp": time(Some(task.created_at)),
            "labels": {
                "pipeline/runid": run.id.to_string(),
                "component": task.name,
            },
        },
        "spec": {
            "serviceAccountName": run.service_account,
            "containers": [{ "name": "main" }],
        },
        "status": {
            "phase": phase,
            "startTime": time(started),
            "containerStatuses": [{
                "name": "main",
                "ready": phase == "Running",
                "restartCount": task.attempt.saturating_sub(1),
                "state": state,
            }],
        },
    }))
}

/// A `v1.EventList` of what happened to the attempts. `NotFound`.
pub(crate) async fn events(services: &Services, name: &str) -> Result<Value, ApiError> {
    let Found { task, attempts, .. } = find(services, name).await?;
    let mut items = Vec::new();
    for attempt in &attempts {
        let number = attempt.id.attempt;
        let phases = &attempt.phases;
        let steps = [
            ("Scheduled", "admitted to a free slot", phases.admitted),
            ("Started", "its process was started", phases.started),
            ("Pulled", "its packages were in place", phases.installed),
            ("Finished", "its attempt ended", phases.finished),
        ];
        for (reason, what, at) in steps {
            if at.is_some() {
                items.push(event(
                    &services.settings.namespace,
                    &task,
                    name,
                    "Normal",
                    reason,
                    &format!("attempt {number}: {what}"),
                    at,
                ));
            }
        }
        if let Some(error) = &attempt.error {
            let message = format!("attempt {number}: {}", error.message);
            items.push(event(
                &services.settings.namespace,
                &task,
                name,
                "Warning",
                "Failed",
                &message,
                phases.finished,
            ));
        }
    }
    Ok(json!({ "apiVersion": "v1", "kind": "EventList", "metadata": {}, "items": items }))
}

fn event(
    namespace: &str,
    task: &TaskRecord,
    pod: &str,
    kind: &str,
    reason: &str,
    message: &str,
    at: Option<Timestamp>,
) -> Value {
    json!({
        "type": kind,
        "reason": reason,
        "message": message,
        "firstTimestamp": time(at),
        "lastTimestamp": time(at),
        "count": 1,
        "involvedObject": { "kind": "Pod", "name": pod, "namespace": namespace, "uid": task.id.to_string() },
        "source": { "component": "ferroflow" },
    })
}
