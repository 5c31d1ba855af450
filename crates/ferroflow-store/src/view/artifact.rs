//! Artifacts as screens show them.

use async_trait::async_trait;
use ferroflow_model::record::{ArtifactLink, LinkDirection};
use ferroflow_model::{ArtifactId, ExecutionId, RunId, TaskPath};
use ferroflow_ports::PortError;
use ferroflow_ports::view::{ArtifactQuery, ArtifactUseView, ArtifactView, ArtifactViews};
use rusqlite::{Connection, Row};
use uuid::Uuid;

use super::task::{execution_columns, execution_from_fields};
use super::{number_list, pattern};
use crate::artifact;
use crate::column::{Fields, all};
use crate::error::StoreError;
use crate::store::SqliteStore;

/// An artifact's own columns, then the run's id (also of one that was removed) and name, and the maker's path.
macro_rules! columns {
    () => {
        "a.id, a.name, a.created_at, a.schema_title, a.schema_version, a.instance_schema, a.uri, a.custom_path, \
         a.metadata, (SELECT c.name FROM contexts c WHERE c.no = a.run_no), \
         (SELECT r.display_name FROM runs r WHERE r.no = a.run_no), \
         (SELECT t.path FROM artifact_links l JOIN tasks t ON t.execution_id = l.execution_id \
          WHERE l.artifact_id = a.id AND l.direction = 'OUTPUT' AND t.run_no = a.run_no \
          AND t.kind IN ('CONTAINER', 'IMPORTER') ORDER BY t.execution_id LIMIT 1)"
    };
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<ArtifactView> {
    let mut fields = Fields::from(row, artifact::COLUMNS);
    // Contexts are never removed, so the id is always there.
    let run_id = fields.optional_parse::<RunId>()?.unwrap_or(RunId(Uuid::nil()));
    let run_name = fields.get()?;
    let producer = fields.get::<Option<String>>()?.map(TaskPath::new);
    Ok(ArtifactView { record: artifact::from_row(row, run_id)?, run_name, producer })
}

fn views_of(connection: &Connection, ids: &[ArtifactId]) -> Result<Vec<ArtifactView>, StoreError> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM artifacts a WHERE a.id IN (SELECT value FROM json_each(?1)) ORDER BY a.id"
    );
    all(connection, sql, [number_list(ids.iter().map(|id| id.0))?], from_row)
}

fn views(connection: &Connection, query: &ArtifactQuery) -> Result<Vec<ArtifactView>, StoreError> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM artifacts a WHERE a.id < ?1 AND (?2 IS NULL OR a.schema_title = ?2) \
         AND (?3 IS NULL OR a.name LIKE ?3 ESCAPE '\\') ORDER BY a.id DESC LIMIT ?4"
    );
    let of_run = concat!(
        "SELECT ",
        columns!(),
        " FROM artifacts a WHERE a.id < ?1 AND (?2 IS NULL OR a.schema_title = ?2) \
         AND (?3 IS NULL OR a.name LIKE ?3 ESCAPE '\\') AND a.id IN (SELECT l.artifact_id FROM runs r \
         JOIN tasks t ON t.run_no = r.no JOIN artifact_links l ON l.execution_id = t.execution_id \
         WHERE r.id = ?5 AND l.direction = 'OUTPUT') ORDER BY a.id DESC LIMIT ?4"
    );
    let before = query.before.map_or(i64::MAX, |id| id.0);
    let text = query.text.as_deref().map(pattern);
    let limit = query.limit.clamp(1, 1000);
    match query.run {
        Some(run) => {
            all(connection, of_run, (before, &query.schema_title, text, limit, run.to_string()), from_row)
        }
        None => all(connection, sql, (before, &query.schema_title, text, limit), from_row),
    }
}

fn uses(
    connection: &Connection,
    ids: &[ArtifactId],
    direction: LinkDirection,
    most: u32,
) -> Result<Vec<ArtifactUseView>, StoreError> {
    let sql = concat!(
        "SELECT l.artifact_id, l.name, l.place, ",
        execution_columns!(),
        " FROM artifact_links l JOIN tasks t ON t.execution_id = l.execution_id JOIN runs r ON r.no = t.run_no \
         WHERE l.artifact_id IN (SELECT value FROM json_each(?1)) AND l.direction = ?2 \
         AND t.kind IN ('CONTAINER', 'IMPORTER') ORDER BY t.execution_id, l.name, l.place LIMIT ?3"
    );
    let values = (number_list(ids.iter().map(|id| id.0))?, artifact::direction_name(direction), most);
    all(connection, sql, values, |row| {
        let mut fields = Fields::from(row, 0);
        let artifact_id = ArtifactId(fields.get()?);
        let (name, index) = (fields.get()?, fields.get()?);
        let execution = execution_from_fields(&mut fields)?;
        let execution_id = execution.execution_id;
        Ok(ArtifactUseView {
            link: ArtifactLink { execution_id, artifact_id, direction, name, index },
            execution,
        })
    })
}

fn links_of(connection: &Connection, ids: &[ExecutionId]) -> Result<Vec<ArtifactLink>, StoreError> {
    let sql = "SELECT execution_id, direction, name, place, artifact_id FROM artifact_links \
               WHERE execution_id IN (SELECT value FROM json_each(?1)) ORDER BY execution_id, direction, name, place";
    all(connection, sql, [number_list(ids.iter().map(|id| id.0))?], |row| {
        let mut fields = Fields::from(row, 0);
        Ok(ArtifactLink {
            execution_id: ExecutionId(fields.get()?),
            direction: fields.named(artifact::direction_of_name)?,
            name: fields.get()?,
            index: fields.get()?,
            artifact_id: ArtifactId(fields.get()?),
        })
    })
}

#[async_trait]
impl ArtifactViews for SqliteStore {
    async fn artifact_view(&self, id: ArtifactId) -> Result<ArtifactView, PortError> {
        let found = self.artifact_views_of(&[id]).await?.pop();
        found.ok_or_else(|| PortError::not_found("artifact", id))
    }

    async fn artifact_views_of(&self, ids: &[ArtifactId]) -> Result<Vec<ArtifactView>, PortError> {
        let ids = ids.to_owned();
        self.readers.read(move |connection| views_of(connection, &ids)).await
    }

    async fn artifact_views(&self, query: ArtifactQuery) -> Result<Vec<ArtifactView>, PortError> {
        self.readers.read(move |connection| views(connection, &query)).await
    }

    async fn artifact_uses(
        &self,
        ids: &[ArtifactId],
        direction: LinkDirection,
        most: u32,
    ) -> Result<Vec<ArtifactUseView>, PortError> {
        let ids = ids.to_owned();
        self.readers.read(move |connection| uses(connection, &ids, direction, most)).await
    }

    async fn links_of(&self, ids: &[ExecutionId]) -> Result<Vec<ArtifactLink>, PortError> {
        let ids = ids.to_owned();
        self.readers.read(move |connection| links_of(connection, &ids)).await
    }
}
