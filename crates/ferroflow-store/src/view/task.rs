//! Tasks as screens show them.

use std::collections::BTreeMap;

use async_trait::async_trait;
use ferroflow_model::record::{AttemptRecord, CacheRecord, TaskRecord};
use ferroflow_model::{AttemptId, ExecutionId, RunId, TaskId, TaskKind, TaskPath, TaskStatus};
use ferroflow_ports::PortError;
use ferroflow_ports::view::{ExecutionView, TaskBrief, TaskKey, TaskQuery, TaskViews};
use rusqlite::{Connection, Row};
use serde_json::{Map, Value};

use super::{id_list, number_list};
use crate::column::{Fields, all};
use crate::error::StoreError;
use crate::list::Sql;
use crate::store::SqliteStore;
use crate::task;

macro_rules! brief_columns {
    () => {
        "t.execution_id, t.path, t.parent, t.display_name, t.kind, t.status, t.attempt, t.created_at, t.started_at, \
         t.ended_at, t.iteration_index, t.iteration_count, \
         CASE t.kind WHEN 'ITERATION' THEN json_extract(t.inputs, '$.parameters') END, t.error, t.cached_from"
    };
}

/// Columns of an execution, of tables `t` (tasks) and `r` (runs).
macro_rules! execution_columns {
    () => {
        "t.execution_id, r.id, r.display_name, t.path, t.kind, t.status, t.started_at, t.ended_at"
    };
}
pub(super) use execution_columns;

fn brief_from_row(row: &Row<'_>, first: usize) -> rusqlite::Result<TaskBrief> {
    let mut fields = Fields::from(row, first);
    Ok(TaskBrief {
        execution_id: ExecutionId(fields.get()?),
        path: TaskPath::new(fields.get::<String>()?),
        parent: fields.get::<Option<i64>>()?.map(ExecutionId),
        display_name: fields.get()?,
        kind: fields.named(TaskKind::from_name)?,
        status: fields.named(TaskStatus::from_name)?,
        attempt: fields.get()?,
        created_at: fields.time()?,
        started_at: fields.optional_time()?,
        ended_at: fields.optional_time()?,
        iteration_index: fields.get()?,
        iteration_count: fields.get()?,
        item_inputs: fields.optional_json::<Map<String, Value>>()?,
        error: fields.optional_json()?,
        cached_from: fields.get::<Option<i64>>()?.map(ExecutionId),
    })
}

/// Reads [`execution_columns`].
pub(super) fn execution_from_fields(fields: &mut Fields<'_, '_>) -> rusqlite::Result<ExecutionView> {
    Ok(ExecutionView {
        execution_id: ExecutionId(fields.get()?),
        run_id: fields.parse()?,
        run_name: fields.get()?,
        path: TaskPath::new(fields.get::<String>()?),
        kind: fields.named(TaskKind::from_name)?,
        status: fields.named(TaskStatus::from_name)?,
        started_at: fields.optional_time()?,
        ended_at: fields.optional_time()?,
    })
}

fn briefs(connection: &Connection, run: RunId) -> Result<Vec<TaskBrief>, StoreError> {
    let sql = concat!(
        "SELECT ",
        brief_columns!(),
        " FROM runs r JOIN tasks t ON t.run_no = r.no WHERE r.id = ?1 ORDER BY t.execution_id"
    );
    all(connection, sql, [run.to_string()], |row| brief_from_row(row, 0))
}

fn leaves(
    connection: &Connection,
    runs: &[RunId],
    most: u32,
) -> Result<BTreeMap<RunId, Vec<TaskBrief>>, StoreError> {
    let sql = concat!(
        "SELECT r.id, ",
        brief_columns!(),
        " FROM runs r JOIN tasks t ON t.run_no = r.no WHERE r.id IN (SELECT value FROM json_each(?1)) \
         AND t.kind IN ('CONTAINER', 'IMPORTER') ORDER BY t.execution_id LIMIT ?2"
    );
    let rows = all(connection, sql, (id_list(runs)?, most), |row| {
        Ok((Fields::from(row, 0).parse::<RunId>()?, brief_from_row(row, 1)?))
    })?;
    let mut found: BTreeMap<RunId, Vec<TaskBrief>> = BTreeMap::new();
    for (run, brief) in rows {
        found.entry(run).or_default().push(brief);
    }
    Ok(found)
}

fn one(connection: &Connection, run: RunId, key: &TaskKey) -> Result<TaskRecord, StoreError> {
    let wanted = match key {
        TaskKey::Id(id) => *id,
        TaskKey::Path(path) => TaskId::derive(run, path),
    };
    let missing = || PortError::not_found("task", wanted);
    let path = match key {
        TaskKey::Path(path) => path.clone(),
        TaskKey::Id(id) => path_of(connection, run, *id)?.ok_or_else(missing)?,
    };
    let found = task::at_path(connection, run, &path)?;
    found.ok_or_else(|| missing().into())
}

/// Ids follow from paths, but not the other way round.
fn path_of(connection: &Connection, run: RunId, id: TaskId) -> Result<Option<TaskPath>, StoreError> {
    let sql = "SELECT t.path FROM runs r JOIN tasks t ON t.run_no = r.no WHERE r.id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([run.to_string()])?;
    while let Some(row) = rows.next()? {
        let path = TaskPath::new(row.get::<_, String>(0)?);
        if TaskId::derive(run, &path) == id {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

fn list(connection: &Connection, query: &TaskQuery) -> Result<Vec<(TaskRecord, String)>, StoreError> {
    let mut sql = Sql::default();
    sql.push(concat!(
        "SELECT r.id, r.display_name, ",
        task::columns!(),
        " FROM tasks t JOIN runs r ON r.no = t.run_no WHERE t.execution_id < "
    ));
    sql.bind(query.before.map_or(i64::MAX, |id| id.0));
    if let Some(run) = query.run {
        sql.push(" AND r.id = ").bind(run.to_string());
    }
    if let Some(name) = &query.pipeline_name {
        sql.push(" AND r.pipeline_name = ").bind(name.clone());
    }
    if let Some(name) = &query.name {
        sql.push(" AND t.name = ").bind(name.clone());
    }
    if let Some(kind) = query.kind {
        sql.push(" AND t.kind = ").bind(kind.as_str().to_owned());
    }
    if let Some(status) = query.status {
        sql.push(" AND t.status = ").bind(status.as_str().to_owned());
    }
    sql.push(" ORDER BY t.execution_id DESC LIMIT ").bind(query.limit.clamp(1, 1000));
    sql.read_rows(connection, |row| {
        let mut fields = Fields::from(row, 0);
        let run_id = fields.parse()?;
        let run_name = fields.get()?;
        Ok((task::from_row(row, 2, run_id)?, run_name))
    })
}

fn attempts(connection: &Connection, record: &TaskRecord) -> Result<Vec<AttemptRecord>, StoreError> {
    let sql = concat!(
        "SELECT ",
        task::attempt_columns!(),
        " FROM attempts a WHERE a.execution_id = ?1 ORDER BY a.attempt"
    );
    all(connection, sql, [record.execution_id.0], |row| {
        let mut fields = Fields::from(row, 0);
        let id = AttemptId { run: record.run_id, path: record.path.clone(), attempt: fields.get()? };
        task::attempt_from_fields(&mut fields, id)
    })
}

fn executions(connection: &Connection, ids: &[ExecutionId]) -> Result<Vec<ExecutionView>, StoreError> {
    let sql = concat!(
        "SELECT ",
        execution_columns!(),
        " FROM tasks t JOIN runs r ON r.no = t.run_no \
         WHERE t.execution_id IN (SELECT value FROM json_each(?1)) ORDER BY t.execution_id"
    );
    let numbers = number_list(ids.iter().map(|id| id.0))?;
    all(connection, sql, [numbers], |row| execution_from_fields(&mut Fields::from(row, 0)))
}

fn earlier_keys(
    connection: &Connection,
    pipeline: &str,
    name: &str,
    before: ExecutionId,
) -> Result<Vec<(ExecutionView, CacheRecord)>, StoreError> {
    let sql = concat!(
        "SELECT ",
        execution_columns!(),
        ", t.cache FROM (SELECT no, id, display_name FROM runs WHERE pipeline_name = ?1 \
         ORDER BY created_at / 1000000 DESC, id DESC LIMIT 20) r JOIN tasks t ON t.run_no = r.no \
         WHERE t.name = ?2 AND t.execution_id < ?3 AND t.cache IS NOT NULL ORDER BY t.execution_id DESC LIMIT 200"
    );
    all(connection, sql, (pipeline, name, before.0), |row| {
        let mut fields = Fields::from(row, 0);
        Ok((execution_from_fields(&mut fields)?, fields.json()?))
    })
}

#[async_trait]
impl TaskViews for SqliteStore {
    async fn task_briefs(&self, run: RunId) -> Result<Vec<TaskBrief>, PortError> {
        self.readers.read(move |connection| briefs(connection, run)).await
    }

    async fn leaf_briefs(
        &self,
        runs: &[RunId],
        most: u32,
    ) -> Result<BTreeMap<RunId, Vec<TaskBrief>>, PortError> {
        let runs = runs.to_owned();
        self.readers.read(move |connection| leaves(connection, &runs, most)).await
    }

    async fn task(&self, run: RunId, key: TaskKey) -> Result<TaskRecord, PortError> {
        self.readers.read(move |connection| one(connection, run, &key)).await
    }

    async fn tasks(&self, query: TaskQuery) -> Result<Vec<(TaskRecord, String)>, PortError> {
        self.readers.read(move |connection| list(connection, &query)).await
    }

    async fn attempts_of_task(&self, record: &TaskRecord) -> Result<Vec<AttemptRecord>, PortError> {
        let record = record.clone();
        self.readers.read(move |connection| attempts(connection, &record)).await
    }

    async fn executions(&self, ids: &[ExecutionId]) -> Result<Vec<ExecutionView>, PortError> {
        let ids = ids.to_owned();
        self.readers.read(move |connection| executions(connection, &ids)).await
    }

    async fn earlier_keys(
        &self,
        pipeline_name: &str,
        task_name: &str,
        before: ExecutionId,
    ) -> Result<Vec<(ExecutionView, CacheRecord)>, PortError> {
        let (pipeline, name) = (pipeline_name.to_owned(), task_name.to_owned());
        self.readers.read(move |connection| earlier_keys(connection, &pipeline, &name, before)).await
    }
}
