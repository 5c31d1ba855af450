//! Nodes as clients see them: rows of runs, what clients wrote, and what clients wrote about rows of runs.

use std::collections::HashMap;

use ferroflow_model::Timestamp;
use ferroflow_ports::PortError;
use ferroflow_ports::metadata::{FIRST_WRITTEN_ID, MetadataTables, WrittenNode};
use ferroflow_proto::ml_metadata::Event;

use crate::node::{Node, millis};
use crate::row;
use crate::types::{self, TypeNames};

/// Nodes by number, in the order of `ids`; unknown ones are left out, repeated ones come once.
pub(crate) fn nodes<N: Node>(tables: &dyn MetadataTables, ids: &[i64]) -> Result<Vec<N>, PortError> {
    let mut found: HashMap<i64, N> = HashMap::with_capacity(ids.len());
    let mut names = TypeNames::default();
    let rows: Vec<i64> = ids.iter().copied().filter(|id| *id < FIRST_WRITTEN_ID).collect();
    if !rows.is_empty() {
        for mut row in N::rows(tables, &rows)? {
            let type_name = row.common().type_name.unwrap_or_default();
            *row.common_mut().type_id = Some(names.id(tables, N::KIND, type_name)?);
            found.extend(row.common().id.map(|id| (id, row)));
        }
    }
    for written in tables.written(N::KIND, ids)? {
        let mut node: N = decode(&written)?;
        match found.get_mut(&written.id) {
            Some(row) => overlay(row, &mut node),
            // What was written about a run that has been removed.
            None if written.id < FIRST_WRITTEN_ID => {}
            None => {
                *node.common_mut().type_name = names.name(tables, N::KIND, written.type_id)?;
                found.insert(written.id, node);
            }
        }
    }
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

/// Adds what a client wrote about a row of a run.
fn overlay<N: Node>(row: &mut N, written: &mut N) {
    let (to, from) = (row.common_mut(), written.common_mut());
    to.properties.append(from.properties);
    to.custom_properties.append(from.custom_properties);
    if from.external_id.is_some() {
        *to.external_id = from.external_id.take();
    }
    *to.updated_ms = *from.updated_ms;
}

/// Reads a stored node; its type has no name yet.
pub(crate) fn decode<N: Node>(row: &WrittenNode) -> Result<N, PortError> {
    let mut node = N::decode(row.body.as_slice()).map_err(|error| types::damaged(N::WORD, row.id, error))?;
    let common = node.common_mut();
    *common.id = Some(row.id);
    *common.type_id = Some(row.type_id);
    *common.created_ms = Some(millis(row.created_at));
    *common.updated_ms = Some(millis(row.updated_at));
    Ok(node)
}

/// The node's row. `now` is the time of this change.
pub(crate) fn encode<N: Node>(node: &N, id: i64, created_at: Timestamp, now: Timestamp) -> WrittenNode {
    let mut body = node.clone();
    let parts = body.common_mut();
    // What stands in columns, or in the type, stands there only.
    (*parts.id, *parts.type_id, *parts.created_ms, *parts.updated_ms) = (None, None, None, None);
    *parts.type_name = None;
    let common = node.common();
    WrittenNode {
        id,
        type_id: common.type_id.unwrap_or_default(),
        name: common.name.map(str::to_owned),
        external_id: common.external_id.filter(|id| !id.is_empty()).map(str::to_owned),
        uri: common.uri.map(str::to_owned),
        created_at,
        updated_at: now,
        body: body.encode_to_vec(),
    }
}

/// Events at these nodes.
pub(crate) fn events<N: Node>(tables: &dyn MetadataTables, ids: &[i64]) -> Result<Vec<Event>, PortError> {
    tables.events(N::KIND, ids)?.into_iter().map(row::event).collect()
}
