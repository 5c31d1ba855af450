//! Versions of pipelines.

use std::collections::BTreeMap;
use std::sync::Arc;

use ferroflow_model::list::{ListQuery, Page};
use ferroflow_model::record::PipelineVersion;
use ferroflow_model::{PipelineId, PipelineVersionId};
use ferroflow_ports::{ErrorKind, PortError};
use rusqlite::{Connection, Row};

use crate::column::{Fields, change, find};
use crate::error::StoreError;
use crate::list::{self, FIRST_FIELD, Listing, moment, text};
use crate::{pipeline, tag};

const VERSIONS: Listing = Listing {
    what: "pipeline versions",
    table: "pipeline_versions",
    select: "id, pipeline_id, name, display_name, description, created_at, code_source_url, package_url, source",
    columns: &[
        text("id", "id"),
        text("pipeline_version_id", "id"),
        text("name", "name"),
        text("display_name", "display_name"),
        moment("created_at", "created_at / 1000000", "created_at"),
        text("status", "'READY'"),
        text("description", "description"),
        text("pipeline_spec", "CAST(source AS TEXT)"),
    ],
    is_tagged: true,
    has_metric_sort: false,
};

/// `NotFound` without the pipeline, `AlreadyExists` if it has a version of this name.
pub(crate) fn create(connection: &Connection, version: &PipelineVersion) -> Result<(), StoreError> {
    pipeline::require(connection, version.pipeline_id)?;
    let pipeline_id = version.pipeline_id.to_string();
    let sql = "SELECT 1 FROM pipeline_versions WHERE pipeline_id = ?1 AND name = ?2";
    if find(connection, sql, (&pipeline_id, &version.name), |_| Ok(()))?.is_some() {
        let name = &version.name;
        let message = format!("the pipeline has a version named `{name}` already. Please specify a new name");
        return Err(PortError::new(ErrorKind::AlreadyExists, message).into());
    }
    let id = version.id.to_string();
    let sql = "INSERT INTO pipeline_versions (id, pipeline_id, name, display_name, description, created_at, \
               code_source_url, package_url, source) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let values = (
        &id,
        &pipeline_id,
        &version.name,
        &version.display_name,
        &version.description,
        version.created_at.as_micros(),
        &version.code_source_url,
        &version.package_url,
        &*version.source,
    );
    change(connection, sql, values)?;
    tag::replace(connection, &id, &version.tags)
}

/// `NotFound` if there is none.
pub(crate) fn read(connection: &Connection, id: PipelineVersionId) -> Result<PipelineVersion, StoreError> {
    let sql = "SELECT id, pipeline_id, name, display_name, description, created_at, code_source_url, package_url, \
               source FROM pipeline_versions WHERE id = ?1";
    let found = find(connection, sql, [id.to_string()], |row| from_row(row, 0))?;
    with_tags(connection, found.ok_or_else(|| PortError::not_found("pipeline version", id))?)
}

/// The newest version of a pipeline: greatest creation time, then id. `NotFound` if there is none.
pub(crate) fn latest(connection: &Connection, id: PipelineId) -> Result<PipelineVersion, StoreError> {
    pipeline::require(connection, id)?;
    let sql = "SELECT id, pipeline_id, name, display_name, description, created_at, code_source_url, package_url, \
               source FROM pipeline_versions WHERE pipeline_id = ?1 ORDER BY created_at DESC, id DESC LIMIT 1";
    let found = find(connection, sql, [id.to_string()], |row| from_row(row, 0))?;
    let missing =
        || PortError::new(ErrorKind::NotFound, format!("pipeline `{id}` has no version; upload one"));
    with_tags(connection, found.ok_or_else(missing)?)
}

/// A page of the versions of a pipeline. `NotFound` without the pipeline.
pub(crate) fn list(
    connection: &Connection,
    id: PipelineId,
    query: &ListQuery,
) -> Result<Page<PipelineVersion>, StoreError> {
    pipeline::require(connection, id)?;
    let scope = Some(("pipeline_id = ?", id.to_string()));
    let mut page = list::page(connection, &VERSIONS, scope, query, |row| from_row(row, FIRST_FIELD))?;
    for version in &mut page.items {
        version.tags = tag::read(connection, &version.id.to_string())?;
    }
    Ok(page)
}

/// Changes what is given. `NotFound`.
pub(crate) fn update(
    connection: &Connection,
    id: PipelineVersionId,
    display_name: Option<&str>,
    tags: Option<&BTreeMap<String, String>>,
) -> Result<PipelineVersion, StoreError> {
    let mut version = read(connection, id)?;
    if let Some(name) = display_name {
        let sql = "UPDATE pipeline_versions SET display_name = ?2 WHERE id = ?1";
        change(connection, sql, (id.to_string(), name))?;
        name.clone_into(&mut version.display_name);
    }
    if let Some(tags) = tags {
        tag::replace(connection, &id.to_string(), tags)?;
        version.tags.clone_from(tags);
    }
    Ok(version)
}

/// Removes one. `NotFound`.
pub(crate) fn delete(connection: &Connection, id: PipelineVersionId) -> Result<(), StoreError> {
    let key = id.to_string();
    if change(connection, "DELETE FROM pipeline_versions WHERE id = ?1", [&key])? == 0 {
        return Err(PortError::not_found("pipeline version", id).into());
    }
    tag::remove(connection, &key)
}

/// How many versions a pipeline has.
pub(crate) fn count(connection: &Connection, pipeline_id: &str) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) FROM pipeline_versions WHERE pipeline_id = ?1";
    Ok(find(connection, sql, [pipeline_id], |row| row.get(0))?.unwrap_or(0))
}

/// Removes all versions of a pipeline.
pub(crate) fn delete_all(connection: &Connection, pipeline_id: &str) -> Result<(), StoreError> {
    let sql = "DELETE FROM tags WHERE owner IN (SELECT id FROM pipeline_versions WHERE pipeline_id = ?1)";
    change(connection, sql, [pipeline_id])?;
    change(connection, "DELETE FROM pipeline_versions WHERE pipeline_id = ?1", [pipeline_id])?;
    Ok(())
}

fn with_tags(connection: &Connection, mut version: PipelineVersion) -> Result<PipelineVersion, StoreError> {
    version.tags = tag::read(connection, &version.id.to_string())?;
    Ok(version)
}

fn from_row(row: &Row<'_>, first: usize) -> rusqlite::Result<PipelineVersion> {
    let mut fields = Fields::from(row, first);
    Ok(PipelineVersion {
        id: fields.parse()?,
        pipeline_id: fields.parse()?,
        name: fields.get()?,
        display_name: fields.get()?,
        description: fields.get()?,
        created_at: fields.time()?,
        code_source_url: fields.get()?,
        package_url: fields.get()?,
        source: Arc::from(fields.get::<Vec<u8>>()?),
        tags: BTreeMap::new(),
    })
}
