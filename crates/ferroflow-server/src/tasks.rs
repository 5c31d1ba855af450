//! Tasks by the names that people give them, and what the cache did for them: for handlers and for the command line.

use ferroflow_model::record::TaskRecord;
use ferroflow_model::{RunId, TaskPath};
use ferroflow_ports::view::TaskKey;
use ferroflow_ports::{ErrorKind, PortError, Store};
use serde_json::Value;

use crate::ferroflow_v1;

/// The task of a run by its id, its path, or its path with dots for slashes. `NotFound` without the run or the task.
pub async fn task_named(store: &dyn Store, run: RunId, name: &str) -> Result<TaskRecord, PortError> {
    if let Ok(id) = name.parse() {
        return store.task(run, TaskKey::Id(id)).await;
    }
    match store.task(run, TaskKey::Path(TaskPath::new(name))).await {
        Err(error) if error.kind == ErrorKind::NotFound && name.contains('.') => {
            store.task(run, TaskKey::Path(TaskPath::new(name.replace('.', "/")))).await
        }
        found => found,
    }
}

/// Why results of a task were or were not taken over: the `CacheExplanation` of our API. `NotFound` as above.
pub async fn explain_cache(store: &dyn Store, run: RunId, name: &str) -> Result<Value, PortError> {
    let task = task_named(store, run, name).await?;
    let explanation = ferroflow_v1::explain_cache(store, &task).await?;
    serde_json::to_value(explanation).map_err(|error| {
        PortError::new(ErrorKind::Internal, "the explanation has no JSON form").caused_by(error)
    })
}
