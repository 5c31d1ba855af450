//! What a pod would know of itself, for tasks that ask by field path: names and ids of the attempt, labels and
//! annotations of the pipeline, and this machine as the node.

use ferroflow_engine::TaskAttempt;
use serde_json::Value;

/// Tasks of one machine live in one namespace.
const NAMESPACE: &str = "default";
const SERVICE_ACCOUNT: &str = "pipeline-runner";

/// The value behind a field path; `None` if it means nothing here. Labels and annotations that are not set are empty,
/// as on a cluster.
pub(crate) fn field(attempt: &TaskAttempt, path: &str) -> Option<String> {
    if let Some(name) = key_of(path, "metadata.labels") {
        return Some(metadata(attempt, "labels", name).unwrap_or_else(|| match name {
            "pipeline/runid" => attempt.id.run.to_string(),
            "workflows.argoproj.io/workflow" => attempt.run.resource_name.clone(),
            _ => String::new(),
        }));
    }
    if let Some(name) = key_of(path, "metadata.annotations") {
        return Some(metadata(attempt, "annotations", name).unwrap_or_default());
    }
    Some(match path {
        "metadata.name" => name(attempt),
        "metadata.uid" => attempt.id.outputs_id().to_string(),
        "metadata.namespace" => NAMESPACE.to_owned(),
        "spec.serviceAccountName" => SERVICE_ACCOUNT.to_owned(),
        "spec.nodeName" => rustix::system::uname().nodename().to_string_lossy().into_owned(),
        "status.podIP" | "status.hostIP" | "status.podIPs" | "status.hostIPs" => "127.0.0.1".to_owned(),
        _ => return None,
    })
}

/// As a workflow names its pods: after itself, the task and a number.
fn name(attempt: &TaskAttempt) -> String {
    let id = attempt.id.outputs_id().to_string();
    let short = id.get(..8).unwrap_or(&id);
    format!("{}-{}-{short}", attempt.run.resource_name, attempt.task_name)
}

/// `name` of `metadata.labels['name']`.
fn key_of<'p>(path: &'p str, field: &str) -> Option<&'p str> {
    let quoted = path.strip_prefix(field)?.strip_prefix('[')?.strip_suffix(']')?;
    let inside = |quote| quoted.strip_prefix(quote)?.strip_suffix(quote);
    inside('\'').or_else(|| inside('"'))
}

fn metadata(attempt: &TaskAttempt, kind: &str, name: &str) -> Option<String> {
    let value = attempt.kubernetes.get("podMetadata")?.get(kind)?.get(name)?;
    Some(match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}
