//! Pipelines in lists, search over everything, and how much there is.

use async_trait::async_trait;
use ferroflow_model::Timestamp;
use ferroflow_model::list::{ListQuery, Page};
use ferroflow_ports::PortError;
use ferroflow_ports::view::{CatalogViews, Found, FoundKind, PipelineView, StoreSize};
use rusqlite::{Connection, Row};

use super::pattern;
use crate::column::{Fields, all, find};
use crate::error::StoreError;
use crate::pipeline;
use crate::store::SqliteStore;

fn pipelines(connection: &Connection, query: &ListQuery) -> Result<Page<PipelineView>, StoreError> {
    let page = pipeline::list(connection, query)?;
    let sql = "SELECT id, display_name, created_at FROM pipeline_versions WHERE pipeline_id = ?1 \
               ORDER BY created_at DESC, id DESC LIMIT 1";
    let count = "SELECT count(*) FROM pipeline_versions WHERE pipeline_id = ?1";
    let mut items = Vec::with_capacity(page.items.len());
    for pipeline in page.items {
        let id = pipeline.id.to_string();
        let latest = find(connection, sql, [&id], |row| {
            Ok((row.get(0)?, row.get(1)?, Timestamp::from_micros(row.get(2)?)))
        })?;
        let versions = find(connection, count, [&id], |row| row.get::<_, i64>(0))?;
        items.push(PipelineView { pipeline, latest, versions: versions.unwrap_or(0).cast_unsigned() });
    }
    Ok(Page { items, total: page.total, next: page.next })
}

/// One statement of the search: `?1` is the pattern, `?2` the begin of an id, `?3` what comes after all such ids,
/// `?4` the limit. Columns: id, title, subtitle, id of the parent, state, creation.
const SEARCHES: [(FoundKind, &str); 6] = [
    (
        FoundKind::Pipeline,
        "SELECT id, display_name, name, '', NULL, created_at FROM pipelines \
         WHERE display_name LIKE ?1 ESCAPE '\\' OR name LIKE ?1 ESCAPE '\\' OR (id >= ?2 AND id < ?3) \
         ORDER BY created_at DESC LIMIT ?4",
    ),
    (
        FoundKind::Run,
        "SELECT id, display_name, pipeline_name, '', status, created_at FROM \
         (SELECT id, display_name, pipeline_name, status, created_at FROM runs \
          ORDER BY created_at / 1000000 DESC, id DESC LIMIT 20000) WHERE display_name LIKE ?1 ESCAPE '\\' \
         UNION SELECT id, display_name, pipeline_name, '', status, created_at FROM runs WHERE id >= ?2 AND id < ?3 \
         ORDER BY 6 DESC LIMIT ?4",
    ),
    (
        FoundKind::Experiment,
        "SELECT id, display_name, description, '', NULL, created_at FROM experiments \
         WHERE display_name LIKE ?1 ESCAPE '\\' OR (id >= ?2 AND id < ?3) ORDER BY created_at DESC LIMIT ?4",
    ),
    (
        FoundKind::Version,
        "SELECT v.id, v.display_name, (SELECT p.display_name FROM pipelines p WHERE p.id = v.pipeline_id), \
         v.pipeline_id, NULL, v.created_at FROM pipeline_versions v \
         WHERE v.display_name LIKE ?1 ESCAPE '\\' OR (v.id >= ?2 AND v.id < ?3) ORDER BY v.created_at DESC LIMIT ?4",
    ),
    (
        FoundKind::Task,
        "SELECT t.path, t.display_name, r.display_name, r.id, t.status, max(t.created_at) FROM \
         (SELECT run_no, path, name, display_name, kind, status, created_at FROM tasks \
          ORDER BY execution_id DESC LIMIT 20000) t JOIN runs r ON r.no = t.run_no \
         WHERE t.kind IN ('CONTAINER', 'IMPORTER') AND t.display_name LIKE ?1 ESCAPE '\\' AND ?2 <= ?3 \
         GROUP BY t.name ORDER BY 6 DESC LIMIT ?4",
    ),
    (
        FoundKind::Artifact,
        "SELECT CAST(a.id AS TEXT), a.name, a.schema_title, (SELECT c.name FROM contexts c WHERE c.no = a.run_no), \
         NULL, a.created_at FROM (SELECT id, name, schema_title, run_no, created_at FROM artifacts \
          ORDER BY id DESC LIMIT 20000) a WHERE a.name LIKE ?1 ESCAPE '\\' AND ?2 <= ?3 ORDER BY a.id DESC LIMIT ?4",
    ),
];

fn search(connection: &Connection, text: &str, most: u32) -> Result<Vec<Found>, StoreError> {
    // Ids are compared only with what could begin one; otherwise the range is empty.
    let is_id = text.len() >= 4 && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    let (from, to) = if is_id {
        let from = text.to_ascii_lowercase();
        let to = format!("{from}g");
        (from, to)
    } else {
        (String::new(), String::new())
    };
    let pattern = pattern(text);
    let mut found = Vec::new();
    for (kind, sql) in SEARCHES {
        found.extend(all(connection, sql, (&pattern, &from, &to, most), |row| found_from_row(row, kind))?);
    }
    Ok(found)
}

fn found_from_row(row: &Row<'_>, kind: FoundKind) -> rusqlite::Result<Found> {
    let mut fields = Fields::from(row, 0);
    Ok(Found {
        kind,
        id: fields.get()?,
        title: fields.get()?,
        subtitle: fields.get::<Option<String>>()?.unwrap_or_default(),
        parent_id: fields.get::<Option<String>>()?.unwrap_or_default(),
        state: fields.get()?,
        created_at: fields.time()?,
    })
}

fn size(connection: &Connection) -> Result<StoreSize, StoreError> {
    let sql = "SELECT (SELECT count(*) FROM runs), \
               (SELECT count(*) FROM runs WHERE status IN ('PENDING', 'RUNNING', 'CANCELING', 'PAUSED')), \
               (SELECT count(*) FROM pipelines), (SELECT count(*) FROM pipeline_versions), \
               (SELECT count(*) FROM experiments), (SELECT count(*) FROM artifacts), \
               (SELECT count(*) FROM cache_entries), \
               (SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size)";
    let counts = find(connection, sql, [], |row| {
        let mut fields = Fields::from(row, 0);
        let mut next = || fields.get::<i64>().map(i64::cast_unsigned);
        Ok(StoreSize {
            runs: next()?,
            unfinished_runs: next()?,
            pipelines: next()?,
            versions: next()?,
            experiments: next()?,
            artifacts: next()?,
            cache_entries: next()?,
            bytes: next()?,
            ..StoreSize::default()
        })
    })?;
    let sql = "SELECT count(*) FILTER (WHERE a.status = 'RUNNING'), count(*) FILTER (WHERE a.status = 'PENDING') \
               FROM runs r JOIN tasks t ON t.run_no = r.no JOIN attempts a ON a.execution_id = t.execution_id \
               AND a.attempt = t.attempt WHERE r.status IN ('PENDING', 'RUNNING', 'CANCELING', 'PAUSED')";
    let attempts = find(connection, sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
    let (running, waiting) = attempts.unwrap_or_default();
    Ok(StoreSize {
        running_attempts: running.cast_unsigned(),
        waiting_attempts: waiting.cast_unsigned(),
        ..counts.unwrap_or_default()
    })
}

#[async_trait]
impl CatalogViews for SqliteStore {
    async fn pipeline_views(&self, query: ListQuery) -> Result<Page<PipelineView>, PortError> {
        self.readers.read(move |connection| pipelines(connection, &query)).await
    }

    async fn search(&self, text: &str, most: u32) -> Result<Vec<Found>, PortError> {
        let text = text.to_owned();
        self.readers.read(move |connection| search(connection, &text, most)).await
    }

    async fn size(&self) -> Result<StoreSize, PortError> {
        self.readers.read(size).await
    }
}
