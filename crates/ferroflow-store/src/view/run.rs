//! Runs as screens list them.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use async_trait::async_trait;
use ferroflow_model::list::{ListQuery, Page, Predicate};
use ferroflow_model::{RunId, RunStatus, TaskPath, TaskStatus, Timestamp};
use ferroflow_ports::PortError;
use ferroflow_ports::view::{RunBrief, RunFacetCounts, RunView, RunViews, RunsOf, TaskMetrics, ValueCount};
use rusqlite::{Connection, Row};

use super::{id_list, number_list};
use crate::column::{Fields, all, find};
use crate::error::StoreError;
use crate::list::{self, FIRST_FIELD, Listing, seconds, text};
use crate::run::{self, run_columns};
use crate::run_list;
use crate::store::SqliteStore;

/// Rows of a list that are counted; one more than the round number, to tell that there are more.
const MOST_COUNTED: u32 = 10_001;
/// Values of one facet.
const MOST_VALUES: usize = 50;

/// A run's columns, then the names of what it belongs to.
macro_rules! view_columns {
    () => {
        concat!(
            run_columns!(),
            ", (SELECT e.display_name FROM experiments e WHERE e.id = runs.experiment_id), \
             (SELECT p.display_name FROM pipelines p WHERE p.id = runs.pipeline_id), \
             (SELECT v.display_name FROM pipeline_versions v WHERE v.id = runs.pipeline_version_id)"
        )
    };
}

const RUN_VIEWS: Listing = Listing {
    what: "runs",
    table: "runs",
    select: view_columns!(),
    columns: &[
        text("id", "id"),
        text("name", "display_name"),
        text("state", "status"),
        text("storage_state", "storage_state"),
        text("experiment_id", "experiment_id"),
        // Null for pipelines that came with their run: only to be compared with, never to sort by.
        text("pipeline_id", "pipeline_id"),
        text("version_id", "pipeline_version_id"),
        text("recurring_run_id", "recurring_run_id"),
        text("pipeline_name", "pipeline_name"),
        seconds("created_at", "created_at / 1000000"),
        seconds("finished_at", "coalesce(finished_at, 0) / 1000000"),
        seconds("duration", "coalesce(finished_at - created_at, 0) / 1000000"),
    ],
    is_tagged: false,
    has_metric_sort: false,
};

macro_rules! brief_columns {
    () => {
        "id, display_name, pipeline_name, status, created_at, finished_at, error"
    };
}

fn view_from_row(row: &Row<'_>, first: usize) -> rusqlite::Result<RunView> {
    let run = run::from_row(row, first)?;
    // The names stand last, however many columns a run has.
    let mut fields = Fields::from(row, row.as_ref().column_count().saturating_sub(3));
    Ok(RunView {
        run,
        experiment: fields.get()?,
        pipeline: fields.get()?,
        version: fields.get()?,
        tasks: BTreeMap::new(),
        metrics: Vec::new(),
    })
}

fn brief_from_row(row: &Row<'_>) -> rusqlite::Result<RunBrief> {
    let mut fields = Fields::from(row, 0);
    Ok(RunBrief {
        id: fields.parse()?,
        display_name: fields.get()?,
        pipeline_name: fields.get()?,
        status: fields.named(RunStatus::from_name)?,
        created_at: fields.time()?,
        finished_at: fields.optional_time()?,
        error: fields.optional_json()?,
    })
}

fn page(connection: &Connection, query: &ListQuery) -> Result<Page<RunView>, StoreError> {
    let mut page = run_list::page(connection, &RUN_VIEWS, None, query, Some(MOST_COUNTED), |row| {
        view_from_row(row, FIRST_FIELD)
    })?;
    add_tasks(connection, &mut page.items)?;
    Ok(page)
}

fn views_of(connection: &Connection, ids: &[RunId]) -> Result<Vec<RunView>, StoreError> {
    let sql = concat!("SELECT ", view_columns!(), " FROM runs WHERE id IN (SELECT value FROM json_each(?1))");
    let mut views = all(connection, sql, [id_list(ids)?], |row| view_from_row(row, 0))?;
    add_tasks(connection, &mut views)?;
    let places: HashMap<RunId, usize> = ids.iter().enumerate().map(|(place, id)| (*id, place)).collect();
    views.sort_by_key(|view| places.get(&view.run.id).copied());
    Ok(views)
}

/// Counts and metrics of all these runs, with one statement each.
fn add_tasks(connection: &Connection, views: &mut [RunView]) -> Result<(), StoreError> {
    let numbers = number_list(views.iter().map(|view| view.run.run_context_id))?;
    let mut by_number: HashMap<i64, &mut RunView> =
        views.iter_mut().map(|view| (view.run.run_context_id, view)).collect();
    let sql = "SELECT run_no, status, count(*) FROM tasks \
               WHERE run_no IN (SELECT value FROM json_each(?1)) AND kind IN ('CONTAINER', 'IMPORTER') \
               GROUP BY run_no, status";
    let counts = all(connection, sql, [&numbers], |row| {
        let mut fields = Fields::from(row, 0);
        Ok((fields.get::<i64>()?, fields.named(TaskStatus::from_name)?, fields.get::<i64>()?))
    })?;
    for (number, status, count) in counts {
        if let Some(view) = by_number.get_mut(&number) {
            view.tasks.insert(status, count.cast_unsigned());
        }
    }
    let sql = "SELECT t.run_no, t.path, l.name, a.metadata FROM tasks t \
               JOIN artifact_links l ON l.execution_id = t.execution_id AND l.direction = 'OUTPUT' \
               JOIN artifacts a ON a.id = l.artifact_id \
               WHERE t.run_no IN (SELECT value FROM json_each(?1)) AND t.kind = 'CONTAINER' \
               AND a.schema_title = 'system.Metrics' ORDER BY t.execution_id, l.name, l.place";
    let metrics = all(connection, sql, [&numbers], |row| {
        let mut fields = Fields::from(row, 0);
        let number: i64 = fields.get()?;
        let path = TaskPath::new(fields.get::<String>()?);
        Ok((number, TaskMetrics { path, output: fields.get()?, values: fields.json()? }))
    })?;
    for (number, metrics) in metrics {
        if let Some(view) = by_number.get_mut(&number) {
            view.metrics.push(metrics);
        }
    }
    Ok(())
}

fn facets(
    connection: &Connection,
    predicates: &[Predicate],
    most: u32,
) -> Result<RunFacetCounts, StoreError> {
    let select = "status, pipeline_name, experiment_id";
    let mut counts = RunFacetCounts::default();
    let [mut states, mut pipelines, mut experiments] = [const { BTreeMap::new() }; 3];
    list::newest(connection, &RUN_VIEWS, predicates, select, most, |row| {
        let mut fields = Fields::from(row, 0);
        counts.runs += 1;
        for facet in [&mut states, &mut pipelines, &mut experiments] {
            *facet.entry(fields.get::<String>()?).or_insert(0) += 1;
        }
        Ok(())
    })?;
    counts.states = most_frequent(states);
    counts.pipelines = most_frequent(pipelines);
    counts.experiments = most_frequent(experiments);
    for value in &mut counts.experiments {
        let sql = "SELECT display_name FROM experiments WHERE id = ?1";
        value.label = find(connection, sql, [&value.value], |row| row.get(0))?.unwrap_or_default();
    }
    Ok(counts)
}

fn most_frequent(counts: BTreeMap<String, u64>) -> Vec<ValueCount> {
    let mut values: Vec<ValueCount> =
        counts.into_iter().map(|(value, count)| ValueCount { value, label: String::new(), count }).collect();
    values.sort_by_key(|value| std::cmp::Reverse(value.count));
    values.truncate(MOST_VALUES);
    values
}

fn typical(connection: &Connection, pipelines: &[String]) -> Result<BTreeMap<String, Duration>, StoreError> {
    // The inner limit bounds the search where hardly any run ended well.
    let sql = "SELECT duration FROM (SELECT status, finished_at - created_at AS duration FROM runs \
               WHERE pipeline_name = ?1 ORDER BY created_at / 1000000 DESC, id DESC LIMIT 200) \
               WHERE status = 'SUCCEEDED' AND duration >= 0 LIMIT 20";
    let mut medians = BTreeMap::new();
    for name in pipelines {
        let mut micros: Vec<i64> = all(connection, sql, [name], |row| row.get(0))?;
        micros.sort_unstable();
        if let Some(median) = micros.get(micros.len() / 2) {
            medians.insert(name.clone(), Duration::from_micros(median.unsigned_abs()));
        }
    }
    Ok(medians)
}

fn last_runs(
    connection: &Connection,
    of: RunsOf,
    ids: &[String],
    most: u32,
) -> Result<BTreeMap<String, Vec<RunBrief>>, StoreError> {
    let sql = match of {
        RunsOf::Experiment => concat!(
            "SELECT ",
            brief_columns!(),
            " FROM runs WHERE experiment_id = ?1 AND storage_state = 'AVAILABLE' \
             ORDER BY created_at / 1000000 DESC, id DESC LIMIT ?2"
        ),
        RunsOf::Pipeline => concat!(
            "SELECT ",
            brief_columns!(),
            " FROM runs WHERE pipeline_id = ?1 ORDER BY created_at / 1000000 DESC, id DESC LIMIT ?2"
        ),
        RunsOf::RecurringRun => concat!(
            "SELECT ",
            brief_columns!(),
            " FROM runs WHERE recurring_run_id = ?1 ORDER BY created_at / 1000000 DESC, id DESC LIMIT ?2"
        ),
    };
    let mut found = BTreeMap::new();
    for id in ids {
        found.insert(id.clone(), all(connection, sql, (id, most), brief_from_row)?);
    }
    Ok(found)
}

fn since(connection: &Connection, since: Timestamp, most: u32) -> Result<Vec<RunBrief>, StoreError> {
    let sql = concat!(
        "SELECT ",
        brief_columns!(),
        " FROM runs WHERE storage_state = 'AVAILABLE' AND created_at / 1000000 >= ?1 \
         ORDER BY created_at / 1000000 DESC, id DESC LIMIT ?2"
    );
    all(connection, sql, (since.as_seconds(), most), brief_from_row)
}

fn spec_digest(connection: &Connection, id: RunId) -> Result<String, StoreError> {
    let sql = "SELECT lower(hex(s.digest)) FROM runs r JOIN run_beginnings b ON b.run_no = r.no \
               JOIN specs s ON s.no = b.spec_no WHERE r.id = ?1";
    let found = find(connection, sql, [id.to_string()], |row| row.get(0))?;
    found.ok_or_else(|| PortError::not_found("run", id).into())
}

#[async_trait]
impl RunViews for SqliteStore {
    async fn run_views(&self, query: ListQuery) -> Result<Page<RunView>, PortError> {
        self.readers.read(move |connection| page(connection, &query)).await
    }

    async fn run_views_of(&self, ids: &[RunId]) -> Result<Vec<RunView>, PortError> {
        let ids = ids.to_owned();
        self.readers.read(move |connection| views_of(connection, &ids)).await
    }

    async fn run_facets(&self, predicates: Vec<Predicate>, most: u32) -> Result<RunFacetCounts, PortError> {
        self.readers.read(move |connection| facets(connection, &predicates, most)).await
    }

    async fn typical_durations(&self, pipelines: &[String]) -> Result<BTreeMap<String, Duration>, PortError> {
        let pipelines = pipelines.to_owned();
        self.readers.read(move |connection| typical(connection, &pipelines)).await
    }

    async fn last_runs(
        &self,
        of: RunsOf,
        ids: &[String],
        most: u32,
    ) -> Result<BTreeMap<String, Vec<RunBrief>>, PortError> {
        let ids = ids.to_owned();
        self.readers.read(move |connection| last_runs(connection, of, &ids, most)).await
    }

    async fn runs_since(&self, from: Timestamp, most: u32) -> Result<Vec<RunBrief>, PortError> {
        self.readers.read(move |connection| since(connection, from, most)).await
    }

    async fn spec_digest(&self, run: RunId) -> Result<String, PortError> {
        self.readers.read(move |connection| spec_digest(connection, run)).await
    }
}
