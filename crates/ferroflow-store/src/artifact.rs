//! Artifacts, and which execution used or made them.

use std::sync::Arc;

use ferroflow_model::record::{ArtifactLink, ArtifactRecord, LinkDirection};
use ferroflow_model::{Artifact, ArtifactId, RunId};
use rusqlite::{Connection, Row};

use crate::column::{Fields, all, change, json};
use crate::error::StoreError;

/// Adds an artifact, or overwrites it.
pub(crate) fn put(connection: &Connection, run_no: i64, record: &ArtifactRecord) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO artifacts (id, run_no, name, created_at, schema_title, schema_version, \
               instance_schema, uri, custom_path, metadata) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let artifact = &record.artifact;
    let values = (
        artifact.id.0,
        run_no,
        &record.name,
        record.created_at.as_micros(),
        &artifact.schema_title,
        &artifact.schema_version,
        &artifact.instance_schema,
        &artifact.uri,
        &artifact.custom_path,
        json(&artifact.metadata)?,
    );
    change(connection, sql, values)?;
    Ok(())
}

/// Adds a link, or overwrites it.
pub(crate) fn link(connection: &Connection, link: &ArtifactLink) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO artifact_links (execution_id, direction, name, place, artifact_id) \
               VALUES (?1, ?2, ?3, ?4, ?5)";
    let direction = direction_name(link.direction);
    change(connection, sql, (link.execution_id.0, direction, &link.name, link.index, link.artifact_id.0))?;
    Ok(())
}

/// The direction as it is stored.
pub(crate) fn direction_name(direction: LinkDirection) -> &'static str {
    match direction {
        LinkDirection::Input => "INPUT",
        LinkDirection::Output => "OUTPUT",
    }
}

/// The direction that is stored under this name.
pub(crate) fn direction_of_name(name: &str) -> Option<LinkDirection> {
    [LinkDirection::Input, LinkDirection::Output]
        .into_iter()
        .find(|direction| direction_name(*direction) == name)
}

/// How many columns [`from_row`] reads.
pub(crate) const COLUMNS: usize = 9;

/// Artifacts that a run made, in order of number.
pub(crate) fn of_run(
    connection: &Connection,
    run_id: RunId,
    run_no: i64,
) -> Result<Vec<ArtifactRecord>, StoreError> {
    let sql = "SELECT id, name, created_at, schema_title, schema_version, instance_schema, uri, custom_path, metadata \
               FROM artifacts WHERE run_no = ?1 ORDER BY id";
    all(connection, sql, [run_no], |row| from_row(row, run_id))
}

pub(crate) fn from_row(row: &Row<'_>, run_id: RunId) -> rusqlite::Result<ArtifactRecord> {
    let mut fields = Fields::from(row, 0);
    let id = ArtifactId(fields.get()?);
    let name = fields.get()?;
    let created_at = fields.time()?;
    let artifact = Artifact {
        id,
        schema_title: fields.get()?,
        schema_version: fields.get()?,
        instance_schema: fields.get()?,
        uri: fields.get()?,
        custom_path: fields.get()?,
        metadata: fields.json()?,
    };
    Ok(ArtifactRecord { artifact: Arc::new(artifact), name, created_at, run_id })
}
