//! Recurring runs.

use std::sync::Arc;

use async_trait::async_trait;
use ferroflow_model::list::{ListQuery, Page};
use ferroflow_model::record::Failure;
use ferroflow_model::recurring::{RecurringRun, RecurringSource, Tick};
use ferroflow_model::{ExperimentId, PipelineId, PipelineVersionId, RecurringRunId, RunId, Timestamp};
use ferroflow_ports::recurring::RecurringRunStore;
use ferroflow_ports::{Change, ErrorKind, Happening, PortError};
use rusqlite::{Connection, Row};

use crate::column::{Fields, all, change, failure, find, json, micros};
use crate::error::StoreError;
use crate::list::{self, FIRST_FIELD, Listing, seconds, text};
use crate::store::SqliteStore;
use crate::writer::{Promise, Session};
use crate::{experiment, spec};

/// Columns as [`from_row`] reads them.
macro_rules! columns {
    () => {
        "id, experiment_id, display_name, description, namespace, pipeline_id, pipeline_version_id, \
         (SELECT json FROM specs WHERE no = spec_no), arguments, pipeline_root, service_account, max_concurrency, \
         schedule, no_catchup, is_enabled, created_at, updated_at, fired, last_slot, error, plugins_input"
    };
}

const RECURRING_RUNS: Listing = Listing {
    what: "recurring runs",
    table: "recurring_runs",
    select: columns!(),
    columns: &[
        text("id", "id"),
        text("recurring_run_id", "id"),
        text("name", "display_name"),
        text("display_name", "display_name"),
        seconds("created_at", "created_at / 1000000"),
        seconds("updated_at", "updated_at / 1000000"),
        text("description", "description"),
    ],
    is_tagged: false,
    has_metric_sort: false,
};

fn create(connection: &Connection, new: &RecurringRun) -> Result<(), StoreError> {
    experiment::read(connection, new.experiment_id)?;
    let id = new.id.to_string();
    if find(connection, "SELECT 1 FROM recurring_runs WHERE id = ?1", [&id], |_| Ok(()))?.is_some() {
        let message = format!("recurring run `{id}` exists already");
        return Err(PortError::new(ErrorKind::AlreadyExists, message).into());
    }
    let (pipeline_id, version_id, spec_no) = match &new.source {
        RecurringSource::Version { pipeline_id, version_id } => {
            (Some(pipeline_id.to_string()), Some(version_id.to_string()), None)
        }
        RecurringSource::Latest { pipeline_id } => (Some(pipeline_id.to_string()), None, None),
        RecurringSource::Inline { spec_json } => (None, None, Some(spec::keep_text(connection, spec_json)?)),
    };
    let sql = "INSERT INTO recurring_runs (id, experiment_id, display_name, description, namespace, \
               pipeline_id, pipeline_version_id, spec_no, arguments, pipeline_root, service_account, \
               max_concurrency, schedule, no_catchup, is_enabled, created_at, updated_at, fired, last_slot, error, \
               plugins_input) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, \
               ?21)";
    let values = rusqlite::params![
        id,
        new.experiment_id.to_string(),
        new.display_name,
        new.description,
        new.namespace,
        pipeline_id,
        version_id,
        spec_no,
        json(&new.arguments)?,
        new.pipeline_root,
        new.service_account,
        new.max_concurrency,
        json(&new.trigger)?,
        new.no_catchup,
        new.is_enabled,
        new.created_at.as_micros(),
        new.updated_at.as_micros(),
        new.fired.cast_signed(),
        micros(new.last_slot),
        failure(new.error.as_ref())?,
        json(&new.plugins_input)?,
    ];
    change(connection, sql, values)?;
    Ok(())
}

fn read(connection: &Connection, id: RecurringRunId) -> Result<RecurringRun, StoreError> {
    let sql = concat!("SELECT ", columns!(), " FROM recurring_runs WHERE id = ?1");
    let found = find(connection, sql, [id.to_string()], |row| from_row(row, 0))?;
    found.ok_or_else(|| not_found(id))
}

fn not_found(id: RecurringRunId) -> StoreError {
    PortError::not_found("recurring run", id).into()
}

fn from_row(row: &Row<'_>, first: usize) -> rusqlite::Result<RecurringRun> {
    let mut fields = Fields::from(row, first);
    Ok(RecurringRun {
        id: fields.parse()?,
        experiment_id: fields.parse()?,
        display_name: fields.get()?,
        description: fields.get()?,
        namespace: fields.get()?,
        source: source(&mut fields)?,
        arguments: fields.json()?,
        pipeline_root: fields.get()?,
        service_account: fields.get()?,
        max_concurrency: fields.get()?,
        trigger: fields.json()?,
        no_catchup: fields.get()?,
        is_enabled: fields.get()?,
        created_at: fields.time()?,
        updated_at: fields.time()?,
        fired: fields.get::<i64>()?.cast_unsigned(),
        last_slot: fields.optional_time()?,
        error: fields.optional_json()?,
        plugins_input: fields.json()?,
    })
}

fn source(fields: &mut Fields<'_, '_>) -> rusqlite::Result<RecurringSource> {
    let pipeline: Option<PipelineId> = fields.optional_parse()?;
    let version: Option<PipelineVersionId> = fields.optional_parse()?;
    let spec: Option<Arc<str>> = fields.get()?;
    Ok(match (pipeline, version) {
        (Some(pipeline_id), Some(version_id)) => RecurringSource::Version { pipeline_id, version_id },
        (Some(pipeline_id), None) => RecurringSource::Latest { pipeline_id },
        (None, _) => RecurringSource::Inline { spec_json: spec.unwrap_or_default() },
    })
}

/// `Aborted` unless run number `index` is the one that the schedule has to make next.
pub(crate) fn check_tick(connection: &Connection, tick: Tick) -> Result<(), StoreError> {
    let sql = "SELECT 1 FROM recurring_runs WHERE id = ?1 AND is_enabled AND fired = ?2";
    let values = (tick.recurring_run_id.to_string(), tick.index.cast_signed() - 1);
    if find(connection, sql, values, |_| Ok(()))?.is_some() {
        return Ok(());
    }
    let message = format!(
        "run {} is not the next one of recurring run `{}`, or that is disabled or gone",
        tick.index, tick.recurring_run_id
    );
    Err(PortError::new(ErrorKind::Aborted, message).into())
}

/// The schedule has made this run.
pub(crate) fn note_tick(connection: &Connection, tick: Tick, slot: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE recurring_runs SET fired = ?2, last_slot = ?3, error = NULL WHERE id = ?1";
    change(connection, sql, (tick.recurring_run_id.to_string(), tick.index.cast_signed(), slot.as_micros()))?;
    Ok(())
}

/// The experiment is archived or gone.
pub(crate) fn disable_all_of(connection: &Connection, experiment: &str) -> Result<(), StoreError> {
    let sql = "UPDATE recurring_runs SET is_enabled = FALSE WHERE experiment_id = ?1";
    change(connection, sql, [experiment])?;
    Ok(())
}

fn set_enabled(
    connection: &Connection,
    id: RecurringRunId,
    is_enabled: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let before = read(connection, id)?;
    if before.is_enabled != is_enabled {
        let sql = "UPDATE recurring_runs SET is_enabled = ?2, updated_at = ?3 WHERE id = ?1";
        change(connection, sql, (id.to_string(), is_enabled, now.as_micros()))?;
    }
    Ok(())
}

fn update(connection: &Connection, new: &RecurringRun, is_retimed: bool) -> Result<(), StoreError> {
    let sql = "UPDATE recurring_runs SET display_name = ?2, description = ?3, arguments = ?4, pipeline_root = ?5, \
               max_concurrency = ?6, schedule = ?7, no_catchup = ?8, updated_at = ?9, error = NULL, \
               last_slot = CASE WHEN ?10 THEN ?11 ELSE last_slot END WHERE id = ?1";
    let values = rusqlite::params![
        new.id.to_string(),
        new.display_name,
        new.description,
        json(&new.arguments)?,
        new.pipeline_root,
        new.max_concurrency,
        json(&new.trigger)?,
        new.no_catchup,
        new.updated_at.as_micros(),
        is_retimed,
        micros(new.last_slot),
    ];
    if change(connection, sql, values)? == 0 {
        return Err(not_found(new.id));
    }
    Ok(())
}

fn note_error(connection: &Connection, id: RecurringRunId, error: &Failure) -> Result<(), StoreError> {
    let sql = "UPDATE recurring_runs SET error = ?2 WHERE id = ?1";
    change(connection, sql, (id.to_string(), failure(Some(error))?))?;
    Ok(())
}

fn delete(connection: &Connection, id: RecurringRunId) -> Result<(), StoreError> {
    let key = id.to_string();
    let sql = "SELECT spec_no FROM recurring_runs WHERE id = ?1";
    let spec_no: Option<i64> =
        find(connection, sql, [&key], |row| row.get(0))?.ok_or_else(|| not_found(id))?;
    change(connection, "DELETE FROM recurring_runs WHERE id = ?1", [&key])?;
    spec_no.map_or(Ok(()), |no| spec::drop_text(connection, no))
}

fn unfinished_runs(connection: &Connection, id: RecurringRunId) -> Result<Vec<RunId>, StoreError> {
    // Few runs are unfinished at any time; a schedule may have made many.
    let sql = "SELECT id FROM runs INDEXED BY runs_unfinished \
               WHERE status IN ('PENDING', 'RUNNING', 'CANCELING', 'PAUSED') AND recurring_run_id = ?1";
    all(connection, sql, [id.to_string()], |row| Fields::from(row, 0).parse())
}

impl SqliteStore {
    /// Does the work and tells of it.
    async fn change_recurring_run(
        &self,
        promise: Promise,
        id: RecurringRunId,
        happening: Happening,
        work: impl Fn(&Connection) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), PortError> {
        let work = move |session: &mut Session| {
            work(&session.connection)?;
            session.note(|| Change::RecurringRun(id, happening));
            Ok(())
        };
        self.writer.write(promise, work).await
    }
}

#[async_trait]
impl RecurringRunStore for SqliteStore {
    async fn create_recurring_run(&self, recurring_run: RecurringRun) -> Result<(), PortError> {
        let id = recurring_run.id;
        self.change_recurring_run(Promise::Disk, id, Happening::Created, move |connection| {
            create(connection, &recurring_run)
        })
        .await
    }

    async fn recurring_run(&self, id: RecurringRunId) -> Result<RecurringRun, PortError> {
        self.readers.read(move |connection| read(connection, id)).await
    }

    async fn list_recurring_runs(
        &self,
        experiment: Option<ExperimentId>,
        query: ListQuery,
    ) -> Result<Page<RecurringRun>, PortError> {
        let scope = experiment.map(|id| ("experiment_id = ?", id.to_string()));
        let read = move |connection: &Connection| {
            list::page(connection, &RECURRING_RUNS, scope, &query, |row| from_row(row, FIRST_FIELD))
        };
        self.readers.read(read).await
    }

    async fn enabled_recurring_runs(&self) -> Result<Vec<RecurringRunId>, PortError> {
        let sql = "SELECT id FROM recurring_runs WHERE is_enabled ORDER BY id";
        self.readers
            .read(move |connection| all(connection, sql, [], |row| Fields::from(row, 0).parse()))
            .await
    }

    async fn unfinished_runs_of(&self, id: RecurringRunId) -> Result<Vec<RunId>, PortError> {
        self.readers.read(move |connection| unfinished_runs(connection, id)).await
    }

    async fn set_recurring_run_enabled(
        &self,
        id: RecurringRunId,
        is_enabled: bool,
        now: Timestamp,
    ) -> Result<(), PortError> {
        self.change_recurring_run(Promise::Disk, id, Happening::Updated, move |connection| {
            set_enabled(connection, id, is_enabled, now)
        })
        .await
    }

    async fn update_recurring_run(
        &self,
        recurring_run: RecurringRun,
        is_retimed: bool,
    ) -> Result<(), PortError> {
        let id = recurring_run.id;
        self.change_recurring_run(Promise::Disk, id, Happening::Updated, move |connection| {
            update(connection, &recurring_run, is_retimed)
        })
        .await
    }

    async fn note_recurring_run_error(&self, id: RecurringRunId, error: Failure) -> Result<(), PortError> {
        self.change_recurring_run(Promise::AsOpened, id, Happening::Updated, move |connection| {
            note_error(connection, id, &error)
        })
        .await
    }

    async fn delete_recurring_run(&self, id: RecurringRunId) -> Result<(), PortError> {
        self.change_recurring_run(Promise::Disk, id, Happening::Deleted, move |connection| {
            delete(connection, id)
        })
        .await
    }
}
