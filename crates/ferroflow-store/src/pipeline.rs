//! Pipelines. Their versions are in `version`.

use std::collections::BTreeMap;

use async_trait::async_trait;
use ferroflow_model::list::{ListQuery, Page};
use ferroflow_model::record::{Pipeline, PipelineVersion};
use ferroflow_model::{PipelineId, PipelineVersionId};
use ferroflow_ports::store::PipelineStore;
use ferroflow_ports::{Change, ErrorKind, Happening, PortError};
use rusqlite::{Connection, Row};

use crate::column::{Fields, change, find};
use crate::error::StoreError;
use crate::list::{self, FIRST_FIELD, Listing, moment, text};
use crate::store::SqliteStore;
use crate::writer::{Promise, Session};
use crate::{tag, version};

const PIPELINES: Listing = Listing {
    what: "pipelines",
    table: "pipelines",
    select: "id, name, display_name, description, created_at",
    columns: &[
        text("id", "id"),
        text("pipeline_id", "id"),
        text("name", "name"),
        text("display_name", "display_name"),
        moment("created_at", "created_at / 1000000", "created_at"),
        text("description", "description"),
        text("namespace", "''"),
    ],
    is_tagged: true,
    has_metric_sort: false,
};

fn create(
    connection: &Connection,
    pipeline: &Pipeline,
    first: Option<&PipelineVersion>,
) -> Result<(), StoreError> {
    if by_name(connection, &pipeline.name)?.is_some() {
        let message =
            format!("a pipeline named `{}` exists already. Please specify a new name", pipeline.name);
        return Err(PortError::new(ErrorKind::AlreadyExists, message).into());
    }
    let id = pipeline.id.to_string();
    let sql =
        "INSERT INTO pipelines (id, name, display_name, description, created_at) VALUES (?1, ?2, ?3, ?4, ?5)";
    let created_at = pipeline.created_at.as_micros();
    change(
        connection,
        sql,
        (&id, &pipeline.name, &pipeline.display_name, &pipeline.description, created_at),
    )?;
    tag::replace(connection, &id, &pipeline.tags)?;
    match first {
        Some(version) => version::create(connection, version),
        None => Ok(()),
    }
}

/// `NotFound` unless the pipeline exists.
pub(crate) fn require(connection: &Connection, id: PipelineId) -> Result<(), StoreError> {
    let found = find(connection, "SELECT 1 FROM pipelines WHERE id = ?1", [id.to_string()], |_| Ok(()))?;
    found.ok_or_else(|| PortError::not_found("pipeline", id).into())
}

fn read(connection: &Connection, id: PipelineId) -> Result<Pipeline, StoreError> {
    let sql = "SELECT id, name, display_name, description, created_at FROM pipelines WHERE id = ?1";
    let found = find(connection, sql, [id.to_string()], |row| from_row(row, 0))?;
    let mut pipeline = found.ok_or_else(|| PortError::not_found("pipeline", id))?;
    pipeline.tags = tag::read(connection, &id.to_string())?;
    Ok(pipeline)
}

fn by_name(connection: &Connection, name: &str) -> Result<Option<Pipeline>, StoreError> {
    let sql = "SELECT id, name, display_name, description, created_at FROM pipelines WHERE name = ?1";
    let mut found = find(connection, sql, [name], |row| from_row(row, 0))?;
    if let Some(pipeline) = &mut found {
        pipeline.tags = tag::read(connection, &pipeline.id.to_string())?;
    }
    Ok(found)
}

pub(crate) fn list(connection: &Connection, query: &ListQuery) -> Result<Page<Pipeline>, StoreError> {
    let mut page = list::page(connection, &PIPELINES, None, query, |row| from_row(row, FIRST_FIELD))?;
    for pipeline in &mut page.items {
        pipeline.tags = tag::read(connection, &pipeline.id.to_string())?;
    }
    Ok(page)
}

fn from_row(row: &Row<'_>, first: usize) -> rusqlite::Result<Pipeline> {
    let mut fields = Fields::from(row, first);
    Ok(Pipeline {
        id: fields.parse()?,
        name: fields.get()?,
        display_name: fields.get()?,
        description: fields.get()?,
        created_at: fields.time()?,
        tags: BTreeMap::new(),
    })
}

fn update(
    connection: &Connection,
    id: PipelineId,
    display_name: Option<&str>,
    tags: Option<&BTreeMap<String, String>>,
) -> Result<Pipeline, StoreError> {
    let mut pipeline = read(connection, id)?;
    if let Some(name) = display_name {
        change(connection, "UPDATE pipelines SET display_name = ?2 WHERE id = ?1", (id.to_string(), name))?;
        name.clone_into(&mut pipeline.display_name);
    }
    if let Some(tags) = tags {
        tag::replace(connection, &id.to_string(), tags)?;
        pipeline.tags.clone_from(tags);
    }
    Ok(pipeline)
}

fn delete(connection: &Connection, id: PipelineId, cascade: bool) -> Result<(), StoreError> {
    require(connection, id)?;
    let key = id.to_string();
    let versions = version::count(connection, &key)?;
    if versions > 0 && !cascade {
        let message = format!("pipeline `{id}` has {versions} versions; delete them first, or set `cascade`");
        return Err(PortError::new(ErrorKind::FailedPrecondition, message).into());
    }
    version::delete_all(connection, &key)?;
    change(connection, "DELETE FROM pipelines WHERE id = ?1", [&key])?;
    tag::remove(connection, &key)
}

type Tags = BTreeMap<String, String>;

impl SqliteStore {
    /// Does the work and tells of it.
    async fn change_pipeline<T: Send + 'static>(
        &self,
        id: Option<PipelineId>,
        happening: Happening,
        work: impl Fn(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, PortError> {
        let work = move |session: &mut Session| {
            let done = work(&session.connection)?;
            session.note(|| Change::Pipeline(id, happening));
            Ok(done)
        };
        self.writer.write(Promise::Disk, work).await
    }
}

#[async_trait]
impl PipelineStore for SqliteStore {
    async fn create_pipeline(
        &self,
        pipeline: Pipeline,
        version: Option<PipelineVersion>,
    ) -> Result<(), PortError> {
        let id = Some(pipeline.id);
        let work = move |connection: &Connection| create(connection, &pipeline, version.as_ref());
        self.change_pipeline(id, Happening::Created, work).await
    }

    async fn create_pipeline_version(&self, version: PipelineVersion) -> Result<(), PortError> {
        let id = Some(version.pipeline_id);
        self.change_pipeline(id, Happening::Updated, move |connection| version::create(connection, &version))
            .await
    }

    async fn pipeline(&self, id: PipelineId) -> Result<Pipeline, PortError> {
        self.readers.read(move |connection| read(connection, id)).await
    }

    async fn pipeline_by_name(&self, name: &str) -> Result<Option<Pipeline>, PortError> {
        let name = name.to_owned();
        self.readers.read(move |connection| by_name(connection, &name)).await
    }

    async fn pipeline_version(&self, id: PipelineVersionId) -> Result<PipelineVersion, PortError> {
        self.readers.read(move |connection| version::read(connection, id)).await
    }

    async fn latest_pipeline_version(&self, id: PipelineId) -> Result<PipelineVersion, PortError> {
        self.readers.read(move |connection| version::latest(connection, id)).await
    }

    async fn list_pipelines(&self, query: ListQuery) -> Result<Page<Pipeline>, PortError> {
        self.readers.read(move |connection| list(connection, &query)).await
    }

    async fn list_pipeline_versions(
        &self,
        id: PipelineId,
        query: ListQuery,
    ) -> Result<Page<PipelineVersion>, PortError> {
        self.readers.read(move |connection| version::list(connection, id, &query)).await
    }

    async fn update_pipeline(
        &self,
        id: PipelineId,
        display_name: Option<String>,
        tags: Option<Tags>,
    ) -> Result<Pipeline, PortError> {
        let work =
            move |connection: &Connection| update(connection, id, display_name.as_deref(), tags.as_ref());
        self.change_pipeline(Some(id), Happening::Updated, work).await
    }

    async fn update_pipeline_version(
        &self,
        id: PipelineVersionId,
        display_name: Option<String>,
        tags: Option<Tags>,
    ) -> Result<PipelineVersion, PortError> {
        let work = move |connection: &Connection| {
            version::update(connection, id, display_name.as_deref(), tags.as_ref())
        };
        self.change_pipeline(None, Happening::Updated, work).await
    }

    async fn delete_pipeline(&self, id: PipelineId, cascade: bool) -> Result<(), PortError> {
        let work = move |connection: &Connection| delete(connection, id, cascade);
        self.change_pipeline(Some(id), Happening::Deleted, work).await
    }

    async fn delete_pipeline_version(&self, id: PipelineVersionId) -> Result<(), PortError> {
        self.change_pipeline(None, Happening::Updated, move |connection| version::delete(connection, id))
            .await
    }
}
