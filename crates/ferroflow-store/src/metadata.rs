//! ML Metadata: what its clients wrote, and the rows of runs as they see them.
//!
//! What the rows mean to them is not known here, nor what a message holds.

mod list;
mod row;
mod written;

use async_trait::async_trait;
use ferroflow_model::record::{ArtifactRecord, TaskRecord};
use ferroflow_ports::metadata::{
    LinkEnd, LinkKind, MetadataEvent, MetadataStore, MetadataTables, MetadataWork, NodeKind, NodeQuery,
    RowContext, WrittenEvent, WrittenNode, WrittenType,
};
use ferroflow_ports::{ErrorKind, PortError};
use rusqlite::Connection;

use crate::error::StoreError;
use crate::store::SqliteStore;
use crate::writer::Promise;

type Result<T> = std::result::Result<T, PortError>;

/// The tables within one transaction.
struct Tables<'a> {
    connection: &'a Connection,
    is_read_only: bool,
}

impl Tables<'_> {
    fn may_write(&self) -> Result<()> {
        if self.is_read_only {
            return Err(PortError::new(ErrorKind::Internal, "metadata was to be read only"));
        }
        Ok(())
    }
}

/// Numbers as the JSON list that `json_each` reads.
fn numbers(ids: &[i64]) -> std::result::Result<String, StoreError> {
    Ok(serde_json::to_string(ids)?)
}

/// The kind as it is stored.
fn kind_name(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Artifact => "ARTIFACT",
        NodeKind::Execution => "EXECUTION",
        NodeKind::Context => "CONTEXT",
    }
}

impl MetadataTables for Tables<'_> {
    fn types(&self, kind: NodeKind) -> Result<Vec<WrittenType>> {
        Ok(written::types(self.connection, kind)?)
    }

    fn types_by_id(&self, kind: NodeKind, ids: &[i64]) -> Result<Vec<WrittenType>> {
        Ok(written::types_by_id(self.connection, kind, ids)?)
    }

    fn type_by_name(&self, kind: NodeKind, name: &str, version: &str) -> Result<Option<WrittenType>> {
        Ok(written::type_by_name(self.connection, kind, name, version)?)
    }

    fn put_type(&mut self, kind: NodeKind, row: &WrittenType) -> Result<()> {
        self.may_write()?;
        Ok(written::put_type(self.connection, kind, row)?)
    }

    fn schema_titles(&self) -> Result<Vec<String>> {
        Ok(row::schema_titles(self.connection)?)
    }

    fn next_type_id(&mut self) -> Result<i64> {
        self.may_write()?;
        Ok(written::next(self.connection, "metadata_types")?)
    }

    fn next_node_id(&mut self, _: NodeKind) -> Result<i64> {
        self.may_write()?;
        Ok(written::next(self.connection, "metadata_nodes")?)
    }

    fn written(&self, kind: NodeKind, ids: &[i64]) -> Result<Vec<WrittenNode>> {
        Ok(written::nodes(self.connection, kind, ids)?)
    }

    fn put_node(&mut self, kind: NodeKind, row: &WrittenNode) -> Result<()> {
        self.may_write()?;
        Ok(written::put_node(self.connection, kind, row)?)
    }

    fn tasks(&self, ids: &[i64]) -> Result<Vec<TaskRecord>> {
        Ok(row::tasks(self.connection, ids)?)
    }

    fn artifacts(&self, ids: &[i64]) -> Result<Vec<ArtifactRecord>> {
        Ok(row::artifacts(self.connection, ids)?)
    }

    fn contexts(&self, ids: &[i64]) -> Result<Vec<RowContext>> {
        Ok(row::contexts(self.connection, ids)?)
    }

    fn list(&self, kind: NodeKind, query: &NodeQuery) -> Result<Vec<(i64, i64)>> {
        Ok(list::keys(self.connection, kind, query)?)
    }

    fn events(&self, kind: NodeKind, ids: &[i64]) -> Result<Vec<MetadataEvent>> {
        let mut events = row::events(self.connection, kind, ids)?;
        events.extend(written::events(self.connection, kind, ids)?);
        Ok(events)
    }

    fn put_event(&mut self, event: &WrittenEvent) -> Result<()> {
        self.may_write()?;
        Ok(written::put_event(self.connection, event)?)
    }

    fn links(&self, kind: LinkKind, end: LinkEnd, ids: &[i64]) -> Result<Vec<(i64, i64)>> {
        let mut links = row::links(self.connection, kind, end, ids)?;
        links.extend(written::links(self.connection, kind, end, ids)?);
        links.sort_unstable();
        links.dedup();
        Ok(links)
    }

    fn put_link(&mut self, kind: LinkKind, node: i64, context: i64) -> Result<bool> {
        self.may_write()?;
        Ok(written::put_link(self.connection, kind, node, context)?)
    }
}

fn perform(
    connection: &Connection,
    is_read_only: bool,
    work: &mut MetadataWork,
) -> std::result::Result<(), StoreError> {
    let mut tables = Tables { connection, is_read_only };
    Ok(work(&mut tables)?)
}

#[async_trait]
impl MetadataStore for SqliteStore {
    async fn read_metadata(&self, mut work: MetadataWork) -> Result<()> {
        self.readers.read(move |connection| perform(connection, true, &mut work)).await
    }

    async fn write_metadata(&self, mut work: MetadataWork) -> Result<()> {
        // The answer gives numbers away, which other systems keep: it must survive whatever the durability is.
        self.writer.write(Promise::Disk, move |session| perform(&session.connection, false, &mut work)).await
    }
}
