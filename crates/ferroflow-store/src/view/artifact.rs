//! Artifacts as screens show them.

use async_trait::async_trait;
use ferroflow_model::record::{ArtifactLink, LinkDirection};
use ferroflow_model::{ArtifactId, ExecutionId, RunId, TaskPath};
use ferroflow_ports::view::{
    ArtifactQuery, ArtifactUseView, ArtifactView, ArtifactViews, Comparison, MetadataCondition,
};
use ferroflow_ports::{ErrorKind, PortError};
use rusqlite::{Connection, Row};
use uuid::Uuid;

use super::task::{execution_columns, execution_from_fields};
use super::{number_list, pattern};
use crate::artifact;
use crate::column::{Fields, all};
use crate::error::StoreError;
use crate::list::Sql;
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
    let mut sql = Sql::default();
    sql.push(concat!("SELECT ", columns!(), " FROM artifacts a WHERE a.id < "));
    sql.bind(query.before.map_or(i64::MAX, |id| id.0));
    if let Some(run) = query.run {
        sql.push(
            " AND a.id IN (SELECT l.artifact_id FROM runs r JOIN tasks t ON t.run_no = r.no JOIN artifact_links l \
             ON l.execution_id = t.execution_id WHERE l.direction = 'OUTPUT' AND r.id = ",
        );
        sql.bind(run.to_string()).push(")");
    }
    if let Some(execution) = query.execution {
        sql.push(" AND a.id IN (SELECT artifact_id FROM artifact_links WHERE direction = 'OUTPUT' AND execution_id = ");
        sql.bind(execution.0).push(")");
    }
    if let Some(name) = &query.pipeline_name {
        sql.push(" AND a.run_no IN (SELECT no FROM runs WHERE pipeline_name = ").bind(name.clone()).push(")");
    }
    if let Some(id) = &query.experiment {
        sql.push(" AND a.run_no IN (SELECT no FROM runs WHERE experiment_id = ").bind(id.clone()).push(")");
    }
    if let Some(title) = &query.schema_title {
        sql.push(" AND a.schema_title = ").bind(title.clone());
    }
    if let Some(name) = &query.name {
        sql.push(" AND a.name = ").bind(name.clone());
    }
    if let Some(text) = &query.text {
        sql.push(" AND a.name LIKE ").bind(pattern(text)).push(" ESCAPE '\\'");
    }
    for condition in &query.metadata {
        push_metadata(&mut sql, condition)?;
    }
    sql.push(" ORDER BY a.id DESC LIMIT ").bind(query.limit.clamp(1, 1000));
    sql.read_rows(connection, from_row)
}

/// What an entry of the metadata must be. The key's text is looked for first, since parsing costs far more.
fn push_metadata(sql: &mut Sql, condition: &MetadataCondition) -> Result<(), StoreError> {
    let key = &condition.key;
    sql.push(" AND instr(a.metadata, ").bind(serde_json::to_string(key)?);
    sql.push(") > 0 AND EXISTS (SELECT 1 FROM json_each(a.metadata) m WHERE m.key = ").bind(key.clone());
    if let Some((comparison, text)) = &condition.value {
        let number = text.parse::<f64>().ok();
        let less_or_greater = match comparison {
            Comparison::Equal | Comparison::NotEqual => {
                sql.push(if *comparison == Comparison::Equal { " AND " } else { " AND NOT " });
                sql.push("CASE m.type WHEN 'text' THEN m.value = ").bind(text.clone());
                sql.push(" WHEN 'integer' THEN m.value IS ").bind(number);
                sql.push(" WHEN 'real' THEN m.value IS ").bind(number);
                sql.push(" ELSE m.type = ").bind(text.clone()).push(" END");
                None
            }
            Comparison::Contains => {
                sql.push(" AND m.type = 'text' AND m.value LIKE ").bind(pattern(text)).push(" ESCAPE '\\'");
                None
            }
            Comparison::Less => Some(" < "),
            Comparison::LessOrEqual => Some(" <= "),
            Comparison::Greater => Some(" > "),
            Comparison::GreaterOrEqual => Some(" >= "),
        };
        if let Some(operator) = less_or_greater {
            let number = number.ok_or_else(|| {
                let message =
                    format!("`{text}` is no number, by which the metadata `{key}` could be compared");
                PortError::new(ErrorKind::InvalidArgument, message)
            })?;
            sql.push(" AND m.type IN ('integer', 'real') AND m.value").push(operator).bind(number);
        }
    }
    sql.push(")");
    Ok(())
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
