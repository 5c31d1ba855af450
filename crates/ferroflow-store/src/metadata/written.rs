//! What clients of ML Metadata wrote.

use ferroflow_model::Timestamp;
use ferroflow_ports::metadata::{
    LinkEnd, LinkKind, MetadataEvent, NodeKind, WrittenEvent, WrittenNode, WrittenType,
};
use ferroflow_ports::{ErrorKind, PortError};
use rusqlite::{Connection, Row};

use super::{kind_name, numbers};
use crate::column::{Fields, all, change, find};
use crate::error::StoreError;

/// The next number of a sequence.
pub(super) fn next(connection: &Connection, sequence: &'static str) -> Result<i64, StoreError> {
    let sql = "UPDATE sequences SET next = next + 1 WHERE name = ?1 RETURNING next - 1";
    let next = find(connection, sql, [sequence], |row| row.get(0))?;
    next.ok_or_else(|| PortError::new(ErrorKind::Internal, "the database lacks a sequence").into())
}

macro_rules! type_columns {
    () => {
        "id, name, version, external_id, body"
    };
}

fn type_from_row(row: &Row<'_>) -> rusqlite::Result<WrittenType> {
    let mut fields = Fields::from(row, 0);
    Ok(WrittenType {
        id: fields.get()?,
        name: fields.get()?,
        version: fields.get()?,
        external_id: fields.get()?,
        body: fields.get()?,
    })
}

pub(super) fn types(connection: &Connection, kind: NodeKind) -> Result<Vec<WrittenType>, StoreError> {
    let sql = concat!("SELECT ", type_columns!(), " FROM metadata_types WHERE kind = ?1 ORDER BY id");
    all(connection, sql, [kind_name(kind)], type_from_row)
}

pub(super) fn types_by_id(
    connection: &Connection,
    kind: NodeKind,
    ids: &[i64],
) -> Result<Vec<WrittenType>, StoreError> {
    let sql = concat!(
        "SELECT ",
        type_columns!(),
        " FROM metadata_types WHERE kind = ?1 AND id IN (SELECT value FROM json_each(?2)) ORDER BY id"
    );
    all(connection, sql, (kind_name(kind), numbers(ids)?), type_from_row)
}

pub(super) fn type_by_name(
    connection: &Connection,
    kind: NodeKind,
    name: &str,
    version: &str,
) -> Result<Option<WrittenType>, StoreError> {
    let sql = concat!(
        "SELECT ",
        type_columns!(),
        " FROM metadata_types WHERE kind = ?1 AND name = ?2 AND version = ?3"
    );
    find(connection, sql, (kind_name(kind), name, version), type_from_row)
}

pub(super) fn put_type(connection: &Connection, kind: NodeKind, row: &WrittenType) -> Result<(), StoreError> {
    if let Some(external_id) = &row.external_id {
        let sql = "SELECT id FROM metadata_types WHERE kind = ?1 AND external_id = ?2 AND id <> ?3";
        let taken =
            find(connection, sql, (kind_name(kind), external_id, row.id), |row| row.get::<_, i64>(0))?;
        refuse_taken(taken, "type", "external id", external_id)?;
    }
    let sql = "INSERT INTO metadata_types (id, kind, name, version, external_id, body) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO UPDATE SET \
               external_id = excluded.external_id, body = excluded.body";
    let values = (row.id, kind_name(kind), &row.name, &row.version, &row.external_id, &row.body);
    change(connection, sql, values)?;
    Ok(())
}

fn refuse_taken(taken: Option<i64>, what: &str, field: &str, value: &str) -> Result<(), StoreError> {
    let Some(id) = taken else { return Ok(()) };
    let message = format!("{what} {id} has the {field} `{value}` already");
    Err(PortError::new(ErrorKind::AlreadyExists, message).into())
}

pub(super) fn nodes(
    connection: &Connection,
    kind: NodeKind,
    ids: &[i64],
) -> Result<Vec<WrittenNode>, StoreError> {
    let sql = "SELECT id, type_id, name, external_id, uri, created_at, updated_at, body FROM metadata_nodes \
               WHERE kind = ?1 AND id IN (SELECT value FROM json_each(?2))";
    all(connection, sql, (kind_name(kind), numbers(ids)?), |row| {
        let mut fields = Fields::from(row, 0);
        Ok(WrittenNode {
            id: fields.get()?,
            type_id: fields.get()?,
            name: fields.get()?,
            external_id: fields.get()?,
            uri: fields.get()?,
            created_at: Timestamp::from_micros(fields.get()?),
            updated_at: Timestamp::from_micros(fields.get()?),
            body: fields.get()?,
        })
    })
}

pub(super) fn put_node(connection: &Connection, kind: NodeKind, row: &WrittenNode) -> Result<(), StoreError> {
    let kind_text = kind_name(kind);
    if let Some(name) = &row.name {
        let sql = "SELECT id FROM metadata_nodes WHERE kind = ?1 AND type_id = ?2 AND name = ?3 AND id <> ?4";
        let values = (kind_text, row.type_id, name, row.id);
        refuse_taken(find(connection, sql, values, |row| row.get(0))?, "node", "name", name)?;
    }
    if let Some(external_id) = &row.external_id {
        let sql = "SELECT id FROM metadata_nodes WHERE kind = ?1 AND external_id = ?2 AND id <> ?3";
        let values = (kind_text, external_id, row.id);
        refuse_taken(find(connection, sql, values, |row| row.get(0))?, "node", "external id", external_id)?;
    }
    let sql = "INSERT INTO metadata_nodes (kind, id, type_id, created_at, updated_at, name, external_id, uri, body) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (kind, id) DO UPDATE SET \
               updated_at = excluded.updated_at, name = excluded.name, external_id = excluded.external_id, uri = excluded.uri, \
               body = excluded.body";
    let values = (
        kind_text,
        row.id,
        row.type_id,
        row.created_at.as_micros(),
        row.updated_at.as_micros(),
        &row.name,
        &row.external_id,
        &row.uri,
        &row.body,
    );
    change(connection, sql, values)?;
    Ok(())
}

pub(super) fn events(
    connection: &Connection,
    kind: NodeKind,
    ids: &[i64],
) -> Result<Vec<MetadataEvent>, StoreError> {
    let sql = match kind {
        NodeKind::Artifact => {
            "SELECT artifact_id, execution_id, type, body FROM metadata_events \
             WHERE artifact_id IN (SELECT value FROM json_each(?1)) ORDER BY no"
        }
        NodeKind::Execution => {
            "SELECT artifact_id, execution_id, type, body FROM metadata_events \
             WHERE execution_id IN (SELECT value FROM json_each(?1)) ORDER BY no"
        }
        NodeKind::Context => return Ok(Vec::new()),
    };
    all(connection, sql, [numbers(ids)?], |row| {
        let mut fields = Fields::from(row, 0);
        Ok(MetadataEvent::Written(WrittenEvent {
            artifact_id: fields.get()?,
            execution_id: fields.get()?,
            event_type: fields.get()?,
            body: fields.get()?,
        }))
    })
}

pub(super) fn put_event(connection: &Connection, event: &WrittenEvent) -> Result<(), StoreError> {
    let sql = "INSERT INTO metadata_events (artifact_id, execution_id, type, body) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT DO NOTHING";
    let values = (event.artifact_id, event.execution_id, event.event_type, &event.body);
    if change(connection, sql, values)? == 0 {
        let message = format!(
            "there is such an event between artifact {} and execution {} already",
            event.artifact_id, event.execution_id
        );
        return Err(PortError::new(ErrorKind::AlreadyExists, message).into());
    }
    Ok(())
}

/// The kind of an edge as it is stored.
fn link_name(kind: LinkKind) -> &'static str {
    match kind {
        LinkKind::Attribution => "ATTRIBUTION",
        LinkKind::Association => "ASSOCIATION",
        LinkKind::Parent => "PARENT",
    }
}

pub(super) fn links(
    connection: &Connection,
    kind: LinkKind,
    end: LinkEnd,
    ids: &[i64],
) -> Result<Vec<(i64, i64)>, StoreError> {
    let sql = match end {
        LinkEnd::Node => {
            "SELECT node, context FROM metadata_links \
             WHERE kind = ?1 AND node IN (SELECT value FROM json_each(?2))"
        }
        LinkEnd::Context => {
            "SELECT node, context FROM metadata_links \
             WHERE kind = ?1 AND context IN (SELECT value FROM json_each(?2))"
        }
    };
    all(connection, sql, (link_name(kind), numbers(ids)?), |row| Ok((row.get(0)?, row.get(1)?)))
}

pub(super) fn put_link(
    connection: &Connection,
    kind: LinkKind,
    node: i64,
    context: i64,
) -> Result<bool, StoreError> {
    let sql = "INSERT INTO metadata_links (kind, node, context) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    Ok(change(connection, sql, (link_name(kind), node, context))? == 1)
}
