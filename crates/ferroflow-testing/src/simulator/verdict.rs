//! How a run ended, compared with what the reference interpreter says of it.

use std::collections::{BTreeMap, HashMap};

use ferroflow_model::record::TaskRecord;
use ferroflow_model::{RunStatus, TaskPath, TaskStatus};
use ferroflow_spec::ir::PipelineSpec;
use serde_json::{Value, json};

use super::behaviour::{Table, plain};
use super::executor::Executor;
use super::generator::Case;
use super::interpreter::{End, Ended, Values, interpret};
use super::invariant::Rows;
use super::{Check, ensure};

/// Compares a run that ended by itself. `failed` says how often tasks had failed when it began, or was retried.
pub(super) fn check(
    case: &Case,
    spec: &PipelineSpec,
    failed: &HashMap<TaskPath, u32>,
    executor: &Executor<'_>,
    rows: &Rows,
    status: RunStatus,
) -> Check {
    let wanted = interpret(spec, &case.arguments, &Table { case, failed })?;
    for (path, ended) in &wanted {
        let path = TaskPath::new(path.as_str());
        let row = rows.tasks.get(&path).ok_or_else(|| format!("`{path}` should be there"))?;
        check_row(row, ended)?;
        // When a run is retried, what went well keeps what it was given.
        if let Some((failures, inputs)) = &ended.ran {
            check_attempts(&path, *failures, inputs, failed, executor)?;
        }
    }
    ensure(wanted.len() == rows.tasks.len(), || {
        format!("the run has {} tasks, but should have {}", rows.tasks.len(), wanted.len())
    })?;
    let has_failed = wanted.get("").is_some_and(|run| run.end == End::Failed);
    let wanted = if has_failed { RunStatus::Failed } else { RunStatus::Succeeded };
    ensure(status == wanted, || format!("the run is {}, but should be {}", status.as_str(), wanted.as_str()))
}

fn check_row(row: &TaskRecord, ended: &Ended) -> Check {
    let path = &row.path;
    let status = match ended.end {
        End::Succeeded => TaskStatus::Succeeded,
        End::Cached => TaskStatus::Cached,
        End::Failed => TaskStatus::Failed,
        End::Skipped => TaskStatus::Skipped,
    };
    ensure(row.status == status, || {
        let (found, wanted) = (row.status.as_str(), status.as_str());
        format!("`{path}` is {found}, but should be {wanted}: {:?}", row.error)
    })?;
    let found = plain(&row.outputs);
    ensure(!ended.end.is_success() || found == ended.outputs, || {
        format!("`{path}` gave {found:?}, but should have given {:?}", ended.outputs)
    })
}

fn check_attempts(
    path: &TaskPath,
    failures: u32,
    inputs: &Values,
    failed: &HashMap<TaskPath, u32>,
    executor: &Executor<'_>,
) -> Check {
    let tally = executor.tasks.get(path).ok_or_else(|| format!("`{path}` should have run"))?;
    let found = tally.failures - failed.get(path).copied().unwrap_or_default();
    ensure(found == failures, || format!("`{path}` failed {found} times, but should have {failures} times"))?;
    let is_retried = !failed.is_empty();
    let Some(given) = tally.given.as_ref().filter(|_| !is_retried) else { return Ok(()) };
    let (mut given, mut wanted) = (plain(&given.inputs), inputs.clone());
    for values in [&mut given.parameters, &mut wanted.parameters] {
        keep_state(values);
    }
    ensure(given == wanted, || format!("`{path}` was given {given:?} instead of {wanted:?}"))
}

/// Of a final status only what the interpreter knows; the rest is checked by tables.
fn keep_state(parameters: &mut BTreeMap<String, Value>) {
    if let Some(told) = parameters.get_mut("final") {
        *told = json!([told.get("state"), told.get("pipelineTaskName")]);
    }
}
