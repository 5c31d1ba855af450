//! Rows of runs as ML Metadata sees them.

use ferroflow_model::RunStatus;
use ferroflow_model::record::{ArtifactRecord, TaskRecord};
use ferroflow_ports::metadata::{LinkEnd, LinkKind, MetadataEvent, NodeKind, RowContext, RowRun};
use rusqlite::{Connection, Row};

use super::numbers;
use crate::column::{Fields, all};
use crate::error::StoreError;
use crate::{artifact, task};

pub(super) fn schema_titles(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT DISTINCT schema_title FROM artifacts ORDER BY schema_title";
    all(connection, sql, [], |row| row.get(0))
}

pub(super) fn tasks(connection: &Connection, ids: &[i64]) -> Result<Vec<TaskRecord>, StoreError> {
    let sql = concat!(
        "SELECT r.id, ",
        task::columns!(),
        " FROM tasks t JOIN runs r ON r.no = t.run_no \
         WHERE t.execution_id IN (SELECT value FROM json_each(?1)) ORDER BY t.execution_id"
    );
    all(connection, sql, [numbers(ids)?], |row| {
        let run = Fields::from(row, 0).parse()?;
        task::from_row(row, 1, run)
    })
}

pub(super) fn artifacts(connection: &Connection, ids: &[i64]) -> Result<Vec<ArtifactRecord>, StoreError> {
    let sql = "SELECT a.id, a.name, a.created_at, a.schema_title, a.schema_version, a.instance_schema, a.uri, \
               a.custom_path, a.metadata, c.name FROM artifacts a JOIN contexts c ON c.no = a.run_no \
               WHERE a.id IN (SELECT value FROM json_each(?1)) ORDER BY a.id";
    all(connection, sql, [numbers(ids)?], |row| {
        let run = Fields::from(row, artifact::COLUMNS).parse()?;
        artifact::from_row(row, run)
    })
}

pub(super) fn contexts(connection: &Connection, ids: &[i64]) -> Result<Vec<RowContext>, StoreError> {
    let sql = "SELECT c.no, c.name, c.kind = 'RUN', coalesce(r.created_at, (SELECT p.created_at FROM runs p \
               WHERE p.pipeline_name = c.name ORDER BY p.created_at / 1000000, p.id LIMIT 1)), \
               r.id, r.pipeline_context_no, r.status, r.pipeline_root \
               FROM contexts c LEFT JOIN runs r ON r.no = c.no AND c.kind = 'RUN' \
               WHERE c.no IN (SELECT value FROM json_each(?1)) ORDER BY c.no";
    all(connection, sql, [numbers(ids)?], context_from_row)
}

fn context_from_row(row: &Row<'_>) -> rusqlite::Result<RowContext> {
    let mut fields = Fields::from(row, 0);
    let (id, name, is_run) = (fields.get()?, fields.get()?, fields.get()?);
    let created_at = fields.optional_time()?;
    let run = match fields.optional_parse()? {
        None => None,
        Some(id) => Some(RowRun {
            id,
            pipeline_context_id: fields.get()?,
            status: fields.named(RunStatus::from_name)?,
            pipeline_root: fields.get()?,
        }),
    };
    Ok(RowContext { id, name, run, is_run, created_at })
}

pub(super) fn events(
    connection: &Connection,
    kind: NodeKind,
    ids: &[i64],
) -> Result<Vec<MetadataEvent>, StoreError> {
    let sql = match kind {
        NodeKind::Artifact => {
            "SELECT l.execution_id, l.artifact_id, l.direction, l.name, l.place, \
             CASE l.direction WHEN 'OUTPUT' THEN coalesce(t.ended_at, t.created_at) ELSE t.created_at END \
             FROM artifact_links l JOIN tasks t ON t.execution_id = l.execution_id \
             WHERE l.artifact_id IN (SELECT value FROM json_each(?1)) \
             ORDER BY l.execution_id, l.direction, l.name, l.place"
        }
        NodeKind::Execution => {
            "SELECT l.execution_id, l.artifact_id, l.direction, l.name, l.place, \
             CASE l.direction WHEN 'OUTPUT' THEN coalesce(t.ended_at, t.created_at) ELSE t.created_at END \
             FROM artifact_links l JOIN tasks t ON t.execution_id = l.execution_id \
             WHERE l.execution_id IN (SELECT value FROM json_each(?1)) \
             ORDER BY l.execution_id, l.direction, l.name, l.place"
        }
        NodeKind::Context => return Ok(Vec::new()),
    };
    all(connection, sql, [numbers(ids)?], |row| {
        let mut fields = Fields::from(row, 0);
        Ok(MetadataEvent::Row {
            execution_id: fields.get()?,
            artifact_id: fields.get()?,
            direction: fields.named(artifact::direction_of_name)?,
            name: fields.get()?,
            index: fields.get()?,
            at: fields.time()?,
        })
    })
}

/// Everything of a run belongs to the run and to its pipeline; artifacts also to the runs that used them.
pub(super) fn links(
    connection: &Connection,
    kind: LinkKind,
    end: LinkEnd,
    ids: &[i64],
) -> Result<Vec<(i64, i64)>, StoreError> {
    let sql = match (kind, end) {
        (LinkKind::Parent, LinkEnd::Node) => {
            "SELECT no, pipeline_context_no FROM runs WHERE no IN (SELECT value FROM json_each(?1))"
        }
        (LinkKind::Parent, LinkEnd::Context) => {
            "SELECT r.no, c.no FROM contexts c JOIN runs r ON r.pipeline_name = c.name \
             WHERE c.no IN (SELECT value FROM json_each(?1)) AND c.kind = 'PIPELINE'"
        }
        (LinkKind::Association, LinkEnd::Node) => {
            "WITH chosen AS (SELECT t.execution_id AS node, r.no, r.pipeline_context_no FROM tasks t \
             JOIN runs r ON r.no = t.run_no WHERE t.execution_id IN (SELECT value FROM json_each(?1))) \
             SELECT node, no FROM chosen UNION ALL SELECT node, pipeline_context_no FROM chosen"
        }
        (LinkKind::Association, LinkEnd::Context) => {
            "WITH chosen AS (SELECT r.no, j.value AS context FROM json_each(?1) j JOIN runs r ON r.no = j.value \
             UNION ALL SELECT r.no, c.no FROM contexts c JOIN runs r ON r.pipeline_name = c.name \
             WHERE c.no IN (SELECT value FROM json_each(?1)) AND c.kind = 'PIPELINE') \
             SELECT t.execution_id, chosen.context FROM chosen JOIN tasks t ON t.run_no = chosen.no"
        }
        (LinkKind::Attribution, LinkEnd::Node) => {
            "WITH made AS (SELECT id AS node, run_no AS no FROM artifacts \
             WHERE id IN (SELECT value FROM json_each(?1)) \
             UNION SELECT l.artifact_id, t.run_no FROM artifact_links l \
             JOIN tasks t ON t.execution_id = l.execution_id \
             WHERE l.artifact_id IN (SELECT value FROM json_each(?1))) \
             SELECT node, no FROM made UNION ALL \
             SELECT node, r.pipeline_context_no FROM made JOIN runs r ON r.no = made.no"
        }
        (LinkKind::Attribution, LinkEnd::Context) => {
            "WITH chosen AS (SELECT value AS no, value AS context FROM json_each(?1) \
             UNION ALL SELECT r.no, c.no FROM contexts c JOIN runs r ON r.pipeline_name = c.name \
             WHERE c.no IN (SELECT value FROM json_each(?1)) AND c.kind = 'PIPELINE') \
             SELECT a.id, chosen.context FROM chosen JOIN artifacts a ON a.run_no = chosen.no \
             UNION SELECT l.artifact_id, chosen.context FROM chosen JOIN tasks t ON t.run_no = chosen.no \
             JOIN artifact_links l ON l.execution_id = t.execution_id"
        }
    };
    all(connection, sql, [numbers(ids)?], |row| Ok((row.get(0)?, row.get(1)?)))
}
