//! Tasks and their attempts.

use ferroflow_model::record::{AttemptPhases, AttemptRecord, TaskRecord};
use ferroflow_model::{AttemptId, ExecutionId, RunId, TaskId, TaskKind, TaskPath, TaskStatus};
use rusqlite::{Connection, Row};

use crate::column::{Fields, all, change, failure, find, json, micros};
use crate::error::StoreError;

/// Writes a task's row, new or changed. What a task is and where it stands never changes: an index over it is left alone.
pub(crate) fn put(connection: &Connection, run_no: i64, task: &TaskRecord) -> Result<(), StoreError> {
    let sql = "INSERT INTO tasks (execution_id, run_no, parent, attempt, status, kind, iteration_index, \
               iteration_count, created_at, started_at, ended_at, cached_from, path, name, display_name, history, \
               error, inputs, outputs, cache) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20) \
               ON CONFLICT (execution_id) DO UPDATE SET attempt = excluded.attempt, status = excluded.status, \
               iteration_count = excluded.iteration_count, created_at = excluded.created_at, \
               started_at = excluded.started_at, ended_at = excluded.ended_at, cached_from = excluded.cached_from, \
               display_name = excluded.display_name, history = excluded.history, error = excluded.error, \
               inputs = excluded.inputs, outputs = excluded.outputs, cache = excluded.cache";
    change(
        connection,
        sql,
        rusqlite::params![
            task.execution_id.0,
            run_no,
            task.parent.map(|parent| parent.0),
            task.attempt,
            task.status.as_str(),
            task.kind.as_str(),
            task.iteration_index,
            task.iteration_count,
            task.created_at.as_micros(),
            micros(task.started_at),
            micros(task.ended_at),
            task.cached_from.map(|execution| execution.0),
            task.path.as_str(),
            task.name,
            task.display_name,
            json(&task.history)?,
            failure(task.error.as_ref())?,
            json(&task.inputs)?,
            json(&task.outputs)?,
            task.cache.as_ref().map(json).transpose()?,
        ],
    )?;
    Ok(())
}

/// Columns as [`from_row`] reads them, of table `t`.
macro_rules! columns {
    () => {
        "t.execution_id, t.parent, t.attempt, t.status, t.kind, t.iteration_index, t.iteration_count, t.created_at, \
         t.started_at, t.ended_at, t.cached_from, t.path, t.name, t.display_name, t.history, t.error, t.inputs, \
         t.outputs, t.cache"
    };
}
pub(crate) use columns;

/// Tasks of one run, in order of number.
pub(crate) fn of_run(
    connection: &Connection,
    run_id: RunId,
    run_no: i64,
) -> Result<Vec<TaskRecord>, StoreError> {
    let sql = concat!("SELECT ", columns!(), " FROM tasks t WHERE t.run_no = ?1 ORDER BY t.execution_id");
    all(connection, sql, [run_no], |row| from_row(row, 0, run_id))
}

/// The task at a place, if there is one.
pub(crate) fn at_path(
    connection: &Connection,
    run_id: RunId,
    path: &TaskPath,
) -> Result<Option<TaskRecord>, StoreError> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM runs r JOIN tasks t ON t.run_no = r.no WHERE r.id = ?1 AND t.path = ?2"
    );
    find(connection, sql, (run_id.to_string(), path.as_str()), |row| from_row(row, 0, run_id))
}

/// Reads [`columns`], which begin at `first`.
pub(crate) fn from_row(row: &Row<'_>, first: usize, run_id: RunId) -> rusqlite::Result<TaskRecord> {
    let mut fields = Fields::from(row, first);
    let execution_id = ExecutionId(fields.get()?);
    let parent = fields.get::<Option<i64>>()?.map(ExecutionId);
    let attempt = fields.get()?;
    let status = fields.named(TaskStatus::from_name)?;
    let kind = fields.named(TaskKind::from_name)?;
    let iteration_index = fields.get()?;
    let iteration_count = fields.get()?;
    let created_at = fields.time()?;
    let started_at = fields.optional_time()?;
    let ended_at = fields.optional_time()?;
    let cached_from = fields.get::<Option<i64>>()?.map(ExecutionId);
    let path = TaskPath::new(fields.get::<String>()?);
    Ok(TaskRecord {
        execution_id,
        id: TaskId::derive(run_id, &path),
        run_id,
        path,
        parent,
        name: fields.get()?,
        display_name: fields.get()?,
        kind,
        iteration_index,
        iteration_count,
        status,
        history: fields.json()?,
        created_at,
        started_at,
        ended_at,
        error: fields.optional_json()?,
        inputs: fields.json()?,
        outputs: fields.json()?,
        cache: fields.optional_json()?,
        cached_from,
        attempt,
    })
}

/// Writes an attempt's row, new or changed.
pub(crate) fn put_attempt(connection: &Connection, record: &AttemptRecord) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO attempts (execution_id, attempt, status, created_at, ready_at, admitted_at, \
               started_at, installed_at, user_code_finished_at, uploaded_at, finished_at, error) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    let phases = &record.phases;
    change(
        connection,
        sql,
        rusqlite::params![
            record.execution_id.0,
            record.id.attempt,
            record.status.as_str(),
            micros(phases.created),
            micros(phases.ready),
            micros(phases.admitted),
            micros(phases.started),
            micros(phases.installed),
            micros(phases.user_code_finished),
            micros(phases.uploaded),
            micros(phases.finished),
            failure(record.error.as_ref())?,
        ],
    )?;
    Ok(())
}

/// Columns of an attempt, of table `a`.
macro_rules! attempt_columns {
    () => {
        "a.attempt, a.execution_id, a.status, a.created_at, a.ready_at, a.admitted_at, a.started_at, a.installed_at, \
         a.user_code_finished_at, a.uploaded_at, a.finished_at, a.error"
    };
}
pub(crate) use attempt_columns;

/// Attempts of one run, in order of task and attempt.
pub(crate) fn attempts(
    connection: &Connection,
    run_id: RunId,
    run_no: i64,
) -> Result<Vec<AttemptRecord>, StoreError> {
    let sql = concat!(
        "SELECT t.path, ",
        attempt_columns!(),
        " FROM tasks t JOIN attempts a ON a.execution_id = t.execution_id \
         WHERE t.run_no = ?1 ORDER BY t.execution_id, a.attempt"
    );
    all(connection, sql, [run_no], |row| {
        let mut fields = Fields::from(row, 0);
        let path = TaskPath::new(fields.get::<String>()?);
        let id = AttemptId { run: run_id, path, attempt: fields.get()? };
        attempt_from_fields(&mut fields, id)
    })
}

/// Reads [`attempt_columns`] after the first one, which is in the id.
pub(crate) fn attempt_from_fields(
    fields: &mut Fields<'_, '_>,
    id: AttemptId,
) -> rusqlite::Result<AttemptRecord> {
    Ok(AttemptRecord {
        id,
        execution_id: ExecutionId(fields.get()?),
        status: fields.named(TaskStatus::from_name)?,
        phases: AttemptPhases {
            created: fields.optional_time()?,
            ready: fields.optional_time()?,
            admitted: fields.optional_time()?,
            started: fields.optional_time()?,
            installed: fields.optional_time()?,
            user_code_finished: fields.optional_time()?,
            uploaded: fields.optional_time()?,
            finished: fields.optional_time()?,
        },
        error: fields.optional_json()?,
    })
}

/// Attempts that run, of all runs that have not ended.
pub(crate) fn running_attempts(connection: &Connection) -> Result<Vec<AttemptId>, StoreError> {
    let sql = "SELECT r.id, t.path, a.attempt FROM runs r JOIN tasks t ON t.run_no = r.no \
               JOIN attempts a ON a.execution_id = t.execution_id \
               WHERE r.status IN ('PENDING', 'RUNNING', 'CANCELING', 'PAUSED') AND a.status = 'RUNNING' \
               ORDER BY a.execution_id, a.attempt";
    all(connection, sql, [], |row| {
        let mut fields = Fields::from(row, 0);
        let run = fields.parse()?;
        Ok(AttemptId { run, path: TaskPath::new(fields.get::<String>()?), attempt: fields.get()? })
    })
}

/// Removes tasks and attempts of a run.
pub(crate) fn remove(connection: &Connection, run_no: i64) -> Result<(), StoreError> {
    let sql = "DELETE FROM attempts WHERE execution_id IN (SELECT execution_id FROM tasks WHERE run_no = ?1)";
    change(connection, sql, [run_no])?;
    change(connection, "DELETE FROM tasks WHERE run_no = ?1", [run_no])?;
    Ok(())
}
