//! Lists over rows of runs and written nodes together, in one order.

use ferroflow_ports::metadata::{FIRST_WRITTEN_ID, Narrowing, NodeKind, NodeOrder, NodeQuery};
use rusqlite::Connection;

use super::{kind_name, numbers};
use crate::error::StoreError;

/// Runs that belong to the context, which is a run or a pipeline.
const RUNS: &str = "(SELECT ?1 UNION ALL SELECT r.no FROM contexts c JOIN runs r ON r.pipeline_name = c.name \
                    WHERE c.no = ?1 AND c.kind = 'PIPELINE')";

/// Key and number of what fits. The statement is put together from texts of this file only; its values are
/// the context, the other narrowing, the first written number, the key and number to go on after, and the limit.
pub(super) fn keys(
    connection: &Connection,
    kind: NodeKind,
    query: &NodeQuery,
) -> Result<Vec<(i64, i64)>, StoreError> {
    let (chosen, chosen_text) = match &query.narrowing {
        Narrowing::All => (0, String::new()),
        Narrowing::Ids(ids) => (0, numbers(ids)?),
        Narrowing::Types { ids, rows } => (0, serde_json::to_string(&(ids, rows))?),
        Narrowing::Name(name) => (0, name.clone()),
        Narrowing::Uris(texts) | Narrowing::ExternalIds(texts) => (0, serde_json::to_string(texts)?),
        Narrowing::Context(id) => (*id, String::new()),
    };
    let direction = if query.ascending { "ASC" } else { "DESC" };
    let sql = format!(
        "SELECT key, id FROM ({rows} UNION ALL {written}) \
         ORDER BY key {direction}, id {direction} LIMIT ?6",
        rows = row_part(kind, query),
        written = written_part(kind, query),
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let (after_key, after_id) = query.after.unwrap_or_default();
    let values = (chosen, chosen_text, FIRST_WRITTEN_ID, after_key, after_id, query.limit);
    let rows = statement.query_map(values, |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn row_part(kind: NodeKind, query: &NodeQuery) -> String {
    let (table, id, created, updated) = match kind {
        NodeKind::Artifact => ("artifacts x", "x.id", "x.created_at", "x.created_at"),
        NodeKind::Execution => {
            ("tasks x", "x.execution_id", "x.created_at", "coalesce(x.ended_at, x.started_at, x.created_at)")
        }
        NodeKind::Context => (
            "contexts x LEFT JOIN runs k ON k.no = x.no AND x.kind = 'RUN'",
            "x.no",
            "coalesce(k.created_at, 0)",
            "coalesce(k.finished_at, k.created_at, 0)",
        ),
    };
    let condition = row_condition(kind, &query.narrowing, id);
    part(table, id, created, updated, &condition, query)
}

fn row_condition(kind: NodeKind, narrowing: &Narrowing, id: &str) -> String {
    match (narrowing, kind) {
        (Narrowing::All, _) => "1".to_owned(),
        (Narrowing::Ids(_), _) => format!("{id} IN (SELECT value FROM json_each(?2))"),
        (Narrowing::Types { .. }, NodeKind::Artifact) => {
            "x.schema_title IN (SELECT value FROM json_each(?2, '$[1]'))".to_owned()
        }
        (Narrowing::Types { .. }, _) => "x.kind IN (SELECT value FROM json_each(?2, '$[1]'))".to_owned(),
        (Narrowing::Name(_), NodeKind::Execution) => {
            "x.path = '' AND x.run_no IN (SELECT no FROM runs WHERE 'run/' || id = ?2)".to_owned()
        }
        (Narrowing::Name(_), NodeKind::Context) => "x.name = ?2".to_owned(),
        (Narrowing::Uris(_), NodeKind::Artifact) => "x.uri IN (SELECT value FROM json_each(?2))".to_owned(),
        (Narrowing::Name(_) | Narrowing::Uris(_) | Narrowing::ExternalIds(_), _) => "0".to_owned(),
        (Narrowing::Context(_), NodeKind::Artifact) => format!(
            "{id} IN (SELECT a.id FROM artifacts a WHERE a.run_no IN {RUNS} \
             UNION SELECT l.artifact_id FROM tasks t JOIN artifact_links l ON l.execution_id = t.execution_id \
             WHERE t.run_no IN {RUNS} \
             UNION SELECT node FROM metadata_links WHERE kind = 'ATTRIBUTION' AND context = ?1)"
        ),
        (Narrowing::Context(_), NodeKind::Execution) => format!(
            "{id} IN (SELECT t.execution_id FROM tasks t WHERE t.run_no IN {RUNS} \
             UNION SELECT node FROM metadata_links WHERE kind = 'ASSOCIATION' AND context = ?1)"
        ),
        (Narrowing::Context(_), NodeKind::Context) => format!(
            "{id} IN (SELECT r.no FROM contexts c JOIN runs r ON r.pipeline_name = c.name \
             WHERE c.no = ?1 AND c.kind = 'PIPELINE' \
             UNION SELECT node FROM metadata_links WHERE kind = 'PARENT' AND context = ?1)"
        ),
    }
}

fn written_part(kind: NodeKind, query: &NodeQuery) -> String {
    let link = match kind {
        NodeKind::Artifact => "ATTRIBUTION",
        NodeKind::Execution => "ASSOCIATION",
        NodeKind::Context => "PARENT",
    };
    let condition = match &query.narrowing {
        Narrowing::All => "n.id >= ?3".to_owned(),
        Narrowing::Ids(_) => "n.id >= ?3 AND n.id IN (SELECT value FROM json_each(?2))".to_owned(),
        Narrowing::Types { .. } => {
            "n.id >= ?3 AND n.type_id IN (SELECT value FROM json_each(?2, '$[0]'))".to_owned()
        }
        Narrowing::Name(_) => "n.name = ?2".to_owned(),
        Narrowing::Uris(_) => "n.id >= ?3 AND n.uri IN (SELECT value FROM json_each(?2))".to_owned(),
        // A client may have given one to a row of a run.
        Narrowing::ExternalIds(_) => "n.external_id IN (SELECT value FROM json_each(?2))".to_owned(),
        Narrowing::Context(_) => format!(
            "n.id >= ?3 AND n.id IN (SELECT node FROM metadata_links WHERE kind = '{link}' AND context = ?1)"
        ),
    };
    let condition = format!("n.kind = '{}' AND {condition}", kind_name(kind));
    part("metadata_nodes n", "n.id", "n.created_at", "n.updated_at", &condition, query)
}

/// One half of the list. What was listed before is left out here, so that an index on the number can be used.
fn part(table: &str, id: &str, created: &str, updated: &str, condition: &str, query: &NodeQuery) -> String {
    let key = match query.order {
        NodeOrder::Id => id,
        NodeOrder::Created => created,
        NodeOrder::Updated => updated,
    };
    let sign = if query.ascending { '>' } else { '<' };
    let after = match (query.after, query.order) {
        (None, _) => "1".to_owned(),
        (Some(_), NodeOrder::Id) => format!("{id} {sign} ?5"),
        (Some(_), _) => format!("({key}, {id}) {sign} (?4, ?5)"),
    };
    format!("SELECT {key} AS key, {id} AS id FROM {table} WHERE {condition} AND {after}")
}
