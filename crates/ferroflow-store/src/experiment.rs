//! Experiments.

use async_trait::async_trait;
use ferroflow_model::list::{ListQuery, Page};
use ferroflow_model::record::Experiment;
use ferroflow_model::{ExperimentId, StorageState};
use ferroflow_ports::store::ExperimentStore;
use ferroflow_ports::{Change, ErrorKind, Happening, PortError};
use rusqlite::{Connection, Row};

use crate::column::{Fields, change, find};
use crate::error::StoreError;
use crate::list::{self, FIRST_FIELD, Listing, moment, seconds, text};
use crate::recurring;
use crate::store::SqliteStore;
use crate::writer::{Promise, Session};

const EXPERIMENTS: Listing = Listing {
    what: "experiments",
    table: "experiments",
    select: "id, display_name, description, created_at, last_run_created_at, storage_state",
    columns: &[
        text("id", "id"),
        text("experiment_id", "id"),
        text("name", "display_name"),
        text("display_name", "display_name"),
        moment("created_at", "created_at / 1000000", "created_at"),
        seconds("last_run_created_at", "last_run_created_at / 1000000"),
        text("description", "description"),
        text("namespace", "''"),
        text("storage_state", "storage_state"),
    ],
    is_tagged: false,
    has_metric_sort: false,
};

fn create(connection: &Connection, experiment: &Experiment) -> Result<(), StoreError> {
    if by_name(connection, &experiment.display_name)?.is_some() {
        let name = &experiment.display_name;
        let message = format!("an experiment named `{name}` exists already. Please specify a new name");
        return Err(PortError::new(ErrorKind::AlreadyExists, message).into());
    }
    let sql = "INSERT INTO experiments (id, display_name, description, created_at, last_run_created_at, storage_state) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let values = (
        experiment.id.to_string(),
        &experiment.display_name,
        &experiment.description,
        experiment.created_at.as_micros(),
        experiment.last_run_created_at.as_micros(),
        experiment.storage_state.as_str(),
    );
    change(connection, sql, values)?;
    Ok(())
}

/// `NotFound` if there is none.
pub(crate) fn read(connection: &Connection, id: ExperimentId) -> Result<Experiment, StoreError> {
    let sql = "SELECT id, display_name, description, created_at, last_run_created_at, storage_state \
               FROM experiments WHERE id = ?1";
    let found = find(connection, sql, [id.to_string()], |row| from_row(row, 0))?;
    found.ok_or_else(|| PortError::not_found("experiment", id).into())
}

fn by_name(connection: &Connection, name: &str) -> Result<Option<Experiment>, StoreError> {
    let sql = "SELECT id, display_name, description, created_at, last_run_created_at, storage_state \
               FROM experiments WHERE display_name = ?1";
    find(connection, sql, [name], |row| from_row(row, 0))
}

fn from_row(row: &Row<'_>, first: usize) -> rusqlite::Result<Experiment> {
    let mut fields = Fields::from(row, first);
    Ok(Experiment {
        id: fields.parse()?,
        display_name: fields.get()?,
        description: fields.get()?,
        created_at: fields.time()?,
        last_run_created_at: fields.time()?,
        storage_state: fields.named(StorageState::from_name)?,
    })
}

fn set_storage(connection: &Connection, id: ExperimentId, state: StorageState) -> Result<(), StoreError> {
    let key = id.to_string();
    let sql = "UPDATE experiments SET storage_state = ?2 WHERE id = ?1";
    if change(connection, sql, (&key, state.as_str()))? == 0 {
        return Err(PortError::not_found("experiment", id).into());
    }
    if state == StorageState::Archived {
        let sql = "UPDATE runs SET storage_state = ?2 WHERE experiment_id = ?1";
        change(connection, sql, (&key, state.as_str()))?;
        recurring::disable_all_of(connection, &key)?;
    }
    Ok(())
}

fn delete(connection: &Connection, id: ExperimentId) -> Result<(), StoreError> {
    let key = id.to_string();
    if change(connection, "DELETE FROM experiments WHERE id = ?1", [&key])? == 0 {
        return Err(PortError::not_found("experiment", id).into());
    }
    // Their runs would have nowhere to go.
    recurring::disable_all_of(connection, &key)
}

impl SqliteStore {
    /// Does the work and tells of it.
    async fn change_experiment(
        &self,
        id: ExperimentId,
        happening: Happening,
        work: impl Fn(&Connection) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), PortError> {
        let work = move |session: &mut Session| {
            work(&session.connection)?;
            session.note(|| Change::Experiment(id, happening));
            Ok(())
        };
        self.writer.write(Promise::Disk, work).await
    }
}

#[async_trait]
impl ExperimentStore for SqliteStore {
    async fn create_experiment(&self, experiment: Experiment) -> Result<(), PortError> {
        let id = experiment.id;
        self.change_experiment(id, Happening::Created, move |connection| create(connection, &experiment))
            .await
    }

    async fn experiment(&self, id: ExperimentId) -> Result<Experiment, PortError> {
        self.readers.read(move |connection| read(connection, id)).await
    }

    async fn experiment_by_name(&self, name: &str) -> Result<Option<Experiment>, PortError> {
        let name = name.to_owned();
        self.readers.read(move |connection| by_name(connection, &name)).await
    }

    async fn list_experiments(&self, query: ListQuery) -> Result<Page<Experiment>, PortError> {
        let read = move |connection: &Connection| {
            list::page(connection, &EXPERIMENTS, None, &query, |row| from_row(row, FIRST_FIELD))
        };
        self.readers.read(read).await
    }

    async fn set_experiment_storage(&self, id: ExperimentId, state: StorageState) -> Result<(), PortError> {
        self.change_experiment(id, Happening::Updated, move |connection| set_storage(connection, id, state))
            .await
    }

    async fn delete_experiment(&self, id: ExperimentId) -> Result<(), PortError> {
        self.change_experiment(id, Happening::Deleted, move |connection| delete(connection, id)).await
    }
}
