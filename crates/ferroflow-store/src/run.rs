//! Runs: their rows, and what is read of them. Steps are in `commit`.

use std::sync::Arc;

use async_trait::async_trait;
use ferroflow_model::list::{ListQuery, Page};
use ferroflow_model::record::{ArtifactRecord, AttemptRecord, PipelineSource, Run, TaskRecord};
use ferroflow_model::recurring::Tick;
use ferroflow_model::{
    AttemptId, ExperimentId, PipelineId, PipelineVersionId, RunId, RunStatus, StorageState,
};
use ferroflow_ports::store::{KeptResult, NewRun, RunCommit, RunStore, StoredRun, WholeRun};
use ferroflow_ports::{Change, ErrorKind, Happening, PortError};
use futures_util::future::BoxFuture;
use rusqlite::{Connection, Row};

use crate::column::{Fields, all, change, failure, find, json, micros};
use crate::context::{self, ContextKind};
use crate::error::StoreError;
use crate::list::{FIRST_FIELD, Listing, seconds, text};
use crate::store::SqliteStore;
use crate::writer::{Promise, RunSlot, Session};
use crate::{artifact, cache, commit, experiment, journal, recurring, run_list, spec, task};

/// Columns as [`from_row`] reads them.
macro_rules! columns {
    () => {
        "id, experiment_id, display_name, description, pipeline_id, pipeline_version_id, recurring_run_id, tick, pipeline_name, \
         resource_name, arguments, pipeline_root, service_account, created_at, scheduled_at, finished_at, status, \
         history, storage_state, error, pipeline_context_no, no, outputs, plugins_input"
    };
}

pub(crate) use columns as run_columns;

const RUNS: Listing = Listing {
    what: "runs",
    table: "runs",
    select: columns!(),
    columns: &[
        text("id", "id"),
        text("run_id", "id"),
        text("name", "display_name"),
        text("display_name", "display_name"),
        seconds("created_at", "created_at / 1000000"),
        seconds("finished_at", "coalesce(finished_at, 0) / 1000000"),
        seconds("scheduled_at", "scheduled_at / 1000000"),
        text("description", "description"),
        text("storage_state", "storage_state"),
        text("status", STATUS_WORDS),
        text("state", "status"),
        text("namespace", "''"),
        text("experiment_id", "experiment_id"),
        text("recurring_run_id", "recurring_run_id"),
        text("state_history", "history"),
        text("runtime_details", "''"),
    ],
    is_tagged: false,
    has_metric_sort: true,
};

/// The states in the words of KFP's first API.
const STATUS_WORDS: &str = "CASE status WHEN 'PENDING' THEN 'Pending' WHEN 'RUNNING' THEN 'Running' \
    WHEN 'SUCCEEDED' THEN 'Succeeded' WHEN 'FAILED' THEN 'Failed' WHEN 'SKIPPED' THEN 'Skipped' \
    WHEN 'CANCELING' THEN 'Terminating' ELSE 'Unknown' END";

fn create(session: &mut Session, new: &NewRun, ids_taken_below: i64) -> Result<Run, StoreError> {
    let connection = &session.connection;
    let mut run = new.run.clone();
    let id = run.id.to_string();
    experiment::read(connection, run.experiment_id)?;
    let made_by_schedule = run.tick.filter(|tick| tick.index > 0);
    if let Some(tick) = made_by_schedule {
        recurring::check_tick(connection, tick)?;
    }
    if find(connection, "SELECT 1 FROM runs WHERE id = ?1", [&id], |_| Ok(()))?.is_some() {
        return Err(PortError::new(ErrorKind::AlreadyExists, format!("run `{id}` exists already")).into());
    }
    run.pipeline_context_id = context::number(connection, ContextKind::Pipeline, &run.pipeline_name)?;
    run.run_context_id = context::number(connection, ContextKind::Run, &id)?;
    insert(connection, &run, &id)?;
    if let Some(tick) = made_by_schedule {
        recurring::note_tick(connection, tick, run.scheduled_at)?;
    }
    spec::keep(connection, run.run_context_id, &new.spec_json, &new.settings)?;
    commit::take_ids(connection, ids_taken_below)?;
    let sql = "UPDATE experiments SET last_run_created_at = max(last_run_created_at, ?2) WHERE id = ?1";
    change(connection, sql, (run.experiment_id.to_string(), run.created_at.as_micros()))?;
    session.runs.insert(run.id, RunSlot { no: run.run_context_id, next_seq: 1 });
    Ok(run)
}

fn insert(connection: &Connection, run: &Run, id: &str) -> Result<(), StoreError> {
    let (pipeline_id, version_id) = match &run.source {
        PipelineSource::Version { pipeline_id, version_id } => {
            (Some(pipeline_id.to_string()), Some(version_id.to_string()))
        }
        PipelineSource::Inline => (None, None),
    };
    let sql = concat!(
        "INSERT INTO runs (",
        columns!(),
        ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, \
         ?22, ?23, ?24)"
    );
    change(
        connection,
        sql,
        rusqlite::params![
            id,
            run.experiment_id.to_string(),
            run.display_name,
            run.description,
            pipeline_id,
            version_id,
            run.tick.map(|tick| tick.recurring_run_id.to_string()).unwrap_or_default(),
            run.tick.map_or(0, |tick| tick.index.cast_signed()),
            run.pipeline_name,
            run.resource_name,
            json(&run.arguments)?,
            run.pipeline_root,
            run.service_account,
            run.created_at.as_micros(),
            run.scheduled_at.as_micros(),
            micros(run.finished_at),
            run.status.as_str(),
            json(&run.history)?,
            run.storage_state.as_str(),
            failure(run.error.as_ref())?,
            run.pipeline_context_id,
            run.run_context_id,
            json(&run.outputs)?,
            json(&run.plugins_input)?,
        ],
    )?;
    Ok(())
}

fn read(connection: &Connection, id: RunId) -> Result<Run, StoreError> {
    let sql = concat!("SELECT ", columns!(), " FROM runs WHERE id = ?1");
    let found = find(connection, sql, [id.to_string()], |row| from_row(row, 0))?;
    found.ok_or_else(|| PortError::not_found("run", id).into())
}

pub(crate) fn from_row(row: &Row<'_>, first: usize) -> rusqlite::Result<Run> {
    let mut fields = Fields::from(row, first);
    Ok(Run {
        id: fields.parse()?,
        experiment_id: fields.parse()?,
        display_name: fields.get()?,
        description: fields.get()?,
        source: source(&mut fields)?,
        tick: tick(&mut fields)?,
        pipeline_name: fields.get()?,
        resource_name: fields.get()?,
        arguments: fields.json()?,
        pipeline_root: fields.get()?,
        service_account: fields.get()?,
        created_at: fields.time()?,
        scheduled_at: fields.time()?,
        finished_at: fields.optional_time()?,
        status: fields.named(RunStatus::from_name)?,
        history: fields.json()?,
        storage_state: fields.named(StorageState::from_name)?,
        error: fields.optional_json()?,
        pipeline_context_id: fields.get()?,
        run_context_id: fields.get()?,
        outputs: fields.json()?,
        plugins_input: fields.json()?,
    })
}

fn source(fields: &mut Fields<'_, '_>) -> rusqlite::Result<PipelineSource> {
    let pipeline: Option<PipelineId> = fields.optional_parse()?;
    let version: Option<PipelineVersionId> = fields.optional_parse()?;
    Ok(match (pipeline, version) {
        (Some(pipeline_id), Some(version_id)) => PipelineSource::Version { pipeline_id, version_id },
        _ => PipelineSource::Inline,
    })
}

fn tick(fields: &mut Fields<'_, '_>) -> rusqlite::Result<Option<Tick>> {
    let schedule: String = fields.get()?;
    let index = fields.get::<i64>()?.cast_unsigned();
    Ok(schedule.parse().ok().map(|recurring_run_id| Tick { recurring_run_id, index }))
}

/// Number of a run. `NotFound`.
fn number(connection: &Connection, id: RunId) -> Result<i64, StoreError> {
    find_number(connection, id)?.ok_or_else(|| PortError::not_found("run", id).into())
}

/// Number of a run, if it is there.
fn find_number(connection: &Connection, id: RunId) -> Result<Option<i64>, StoreError> {
    find(connection, "SELECT no FROM runs WHERE id = ?1", [id.to_string()], |row| row.get(0))
}

fn load(connection: &Connection, id: RunId) -> Result<StoredRun, StoreError> {
    let run = read(connection, id)?;
    let no = run.run_context_id;
    let beginning = spec::read(connection, no)?.ok_or_else(|| PortError::not_found("pipeline of run", id))?;
    let snapshot = journal::snapshot(connection, no)?;
    let after = snapshot.as_ref().map_or(0, |(seq, _)| *seq);
    Ok(StoredRun {
        run,
        spec_json: beginning.spec_json,
        settings: beginning.settings,
        snapshot,
        events: journal::events(connection, no, after)?,
        outbox: journal::commands(connection, no)?,
    })
}

/// What belongs to a run; `None` if it is gone.
fn whole(connection: &Connection, run: Run) -> Result<Option<WholeRun>, StoreError> {
    let no = run.run_context_id;
    let spec_json = match run.source {
        PipelineSource::Inline => match spec::read(connection, no)? {
            None => return Ok(None),
            Some(beginning) => Some(beginning.spec_json),
        },
        PipelineSource::Version { .. } => None,
    };
    Ok(Some(WholeRun { tasks: task::of_run(connection, run.id, no)?, run, spec_json }))
}

fn tasks_of(connection: &Connection, runs: &[RunId]) -> Result<Vec<TaskRecord>, StoreError> {
    let mut tasks = Vec::new();
    for &id in runs {
        // A run may have been removed since the caller heard of it.
        if let Some(no) = find_number(connection, id)? {
            tasks.extend(task::of_run(connection, id, no)?);
        }
    }
    tasks.sort_by_key(|task| task.execution_id);
    Ok(tasks)
}

fn unfinished(connection: &Connection) -> Result<Vec<RunId>, StoreError> {
    let sql = "SELECT id FROM runs WHERE status IN ('PENDING', 'RUNNING', 'CANCELING', 'PAUSED') ORDER BY no";
    all(connection, sql, [], |row| Fields::from(row, 0).parse())
}

fn set_storage(connection: &Connection, id: RunId, state: StorageState) -> Result<(), StoreError> {
    let no = number(connection, id)?;
    if state == StorageState::Available {
        let sql = "SELECT 1 FROM runs r JOIN experiments e ON e.id = r.experiment_id \
                   WHERE r.no = ?1 AND e.storage_state = 'ARCHIVED'";
        if find(connection, sql, [no], |_| Ok(()))?.is_some() {
            let message =
                format!("run `{id}` belongs to an archived experiment; unarchive the experiment first");
            return Err(PortError::new(ErrorKind::FailedPrecondition, message).into());
        }
    }
    change(connection, "UPDATE runs SET storage_state = ?2 WHERE no = ?1", (no, state.as_str()))?;
    Ok(())
}

fn delete(session: &mut Session, id: RunId) -> Result<(), StoreError> {
    let connection = &session.connection;
    let no = number(connection, id)?;
    task::remove(connection, no)?;
    journal::remove(connection, no)?;
    spec::remove(connection, no)?;
    change(connection, "DELETE FROM runs WHERE no = ?1", [no])?;
    session.runs.remove(&id);
    Ok(())
}

#[async_trait]
impl RunStore for SqliteStore {
    async fn create_run(&self, run: NewRun, ids_taken_below: i64) -> Result<Run, PortError> {
        let work = move |session: &mut Session| {
            let created = create(session, &run, ids_taken_below)?;
            session.note(|| Change::Run(created.id, Happening::Created));
            if let Some(tick) = created.tick {
                session.note(|| Change::RecurringRun(tick.recurring_run_id, Happening::Updated));
            }
            Ok(created)
        };
        self.writer.write(Promise::Disk, work).await
    }

    fn commit(&self, commit: RunCommit) -> BoxFuture<'static, Result<(), PortError>> {
        self.commit_shared(Arc::new(commit))
    }

    fn commit_shared(&self, commit: Arc<RunCommit>) -> BoxFuture<'static, Result<(), PortError>> {
        self.writer.write(Promise::AsOpened, move |session| {
            commit::apply(session, &commit)?;
            session.note(|| Change::Step(Arc::clone(&commit)));
            Ok(())
        })
    }

    async fn next_free_id(&self) -> Result<i64, PortError> {
        self.readers.read(commit::next_free_id).await
    }

    async fn unfinished_runs(&self) -> Result<Vec<RunId>, PortError> {
        self.readers.read(unfinished).await
    }

    async fn load_run(&self, id: RunId) -> Result<StoredRun, PortError> {
        self.readers.read(move |connection| load(connection, id)).await
    }

    async fn run(&self, id: RunId) -> Result<Run, PortError> {
        self.readers.read(move |connection| read(connection, id)).await
    }

    async fn run_spec(&self, id: RunId) -> Result<Arc<str>, PortError> {
        let read = move |connection: &Connection| {
            let beginning = spec::read(connection, number(connection, id)?)?;
            Ok(beginning.ok_or_else(|| PortError::not_found("pipeline of run", id))?.spec_json)
        };
        self.readers.read(read).await
    }

    async fn whole_run(&self, id: RunId) -> Result<WholeRun, PortError> {
        let work = move |connection: &Connection| {
            let run = read(connection, id)?;
            whole(connection, run)?.ok_or_else(|| PortError::not_found("run", id).into())
        };
        self.readers.read(work).await
    }

    async fn whole_runs(&self, runs: Vec<Run>) -> Result<Vec<WholeRun>, PortError> {
        let work = move |connection: &Connection| {
            runs.into_iter().filter_map(|run| whole(connection, run).transpose()).collect()
        };
        self.readers.read(work).await
    }

    async fn list_runs(
        &self,
        experiment: Option<ExperimentId>,
        query: ListQuery,
    ) -> Result<Page<Run>, PortError> {
        let scope = experiment.map(|id| ("experiment_id = ?", id.to_string()));
        let read = move |connection: &Connection| {
            run_list::page(connection, &RUNS, scope, &query, None, |row| from_row(row, FIRST_FIELD))
        };
        self.readers.read(read).await
    }

    async fn tasks_of(&self, runs: &[RunId]) -> Result<Vec<TaskRecord>, PortError> {
        let runs = runs.to_owned();
        self.readers.read(move |connection| tasks_of(connection, &runs)).await
    }

    async fn attempts_of(&self, run: RunId) -> Result<Vec<AttemptRecord>, PortError> {
        let read = move |connection: &Connection| match find_number(connection, run)? {
            Some(no) => task::attempts(connection, run, no),
            None => Ok(Vec::new()),
        };
        self.readers.read(read).await
    }

    async fn artifacts_of(&self, run: RunId) -> Result<Vec<ArtifactRecord>, PortError> {
        let read = move |connection: &Connection| match context::find_run(connection, run)? {
            Some(no) => artifact::of_run(connection, run, no),
            None => Ok(Vec::new()),
        };
        self.readers.read(read).await
    }

    async fn set_run_storage(&self, id: RunId, state: StorageState) -> Result<(), PortError> {
        let work = move |session: &mut Session| {
            set_storage(&session.connection, id, state)?;
            session.note(|| Change::Run(id, Happening::Updated));
            Ok(())
        };
        self.writer.write(Promise::Disk, work).await
    }

    async fn delete_run(&self, id: RunId) -> Result<(), PortError> {
        let work = move |session: &mut Session| {
            delete(session, id)?;
            session.note(|| Change::Run(id, Happening::Deleted));
            Ok(())
        };
        self.writer.write(Promise::Disk, work).await
    }

    async fn find_cached(
        &self,
        pipeline_name: &str,
        fingerprint: &str,
    ) -> Result<Option<KeptResult>, PortError> {
        let (pipeline, key) = (pipeline_name.to_owned(), fingerprint.to_owned());
        self.readers.read(move |connection| cache::read(connection, &pipeline, &key)).await
    }

    async fn running_attempts(&self) -> Result<Vec<AttemptId>, PortError> {
        self.readers.read(task::running_attempts).await
    }
}
