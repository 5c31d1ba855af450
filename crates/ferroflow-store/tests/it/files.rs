//! Files that a store finds when it opens, and what it leaves when it is closed.

use std::fs;
use std::path::Path;

use ferroflow_ports::store::{ExperimentStore, RunStore};
use ferroflow_ports::{ErrorKind, PortError};
use ferroflow_store::{Durability, Options, SqliteStore};
use rusqlite::Connection;

use crate::contract::check_refused;
use crate::contract::lists::by;
use crate::contract::samples::{experiment, step, stored_run};

fn open(path: &Path) -> Result<SqliteStore, PortError> {
    SqliteStore::open(path, Options { durability: Durability::Synced })
}

fn check_not_opened(path: &Path, kind: ErrorKind, text: &str) {
    check_refused(open(path).map(drop), kind, text);
}

#[tokio::test]
async fn everything_is_there_after_closing_and_opening() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ferroflow.db");
    let store = open(&path).expect("a store");
    let run = stored_run(&store, 10).await;
    store.commit(step(run.id, 1, &["1"])).await.expect("a step");
    // Nobody awaits this one; closing finishes it.
    drop(store.commit(step(run.id, 2, &["2"])));
    drop(store);
    for seq in 3..6 {
        let store = open(&path).expect("the same store");
        assert_eq!(store.run(run.id).await.expect("it exists"), run);
        let event = seq.to_string();
        store.commit(step(run.id, seq, &[&event])).await.expect("numbers go on");
    }
    let events = open(&path).expect("the same store").load_run(run.id).await.expect("it exists").events;
    assert_eq!(events, (1..6).map(|seq| (seq, seq.to_string())).collect::<Vec<_>>());
}

#[tokio::test]
async fn answers_outlive_the_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(&folder.path().join("ferroflow.db")).expect("a store");
    let run = stored_run(&store, 10).await;
    let answer = store.commit(step(run.id, 1, &["1"]));
    drop(store);
    answer.await.expect("it was stored before the store was closed");
}

#[test]
fn a_newer_database_is_refused_with_both_versions() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ferroflow.db");
    drop(open(&path).expect("a store"));
    let connection = Connection::open(&path).expect("a connection");
    connection.pragma_update(None, "user_version", 4711).expect("an update");
    drop(connection);
    check_not_opened(
        &path,
        ErrorKind::FailedPrecondition,
        "has version 4711 and this program knows versions up to",
    );
    let connection = Connection::open(&path).expect("a connection");
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).expect("a number");
    assert_eq!(version, 4711, "it was left alone");
}

#[test]
fn files_of_others_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("other.db");
    let connection = Connection::open(&path).expect("a connection");
    connection.execute_batch("CREATE TABLE notes (text)").expect("a table");
    drop(connection);
    let before = fs::read(&path).expect("a file");
    check_not_opened(&path, ErrorKind::FailedPrecondition, "of another program");
    assert_eq!(fs::read(&path).expect("a file"), before);

    let path = folder.path().join("letter.txt");
    fs::write(&path, "Dear Sir or Madam, ".repeat(1000)).expect("a file");
    check_not_opened(&path, ErrorKind::FailedPrecondition, "not a database");
    check_not_opened(folder.path(), ErrorKind::FailedPrecondition, "cannot be opened");
    check_not_opened(
        &folder.path().join("no/such/folder.db"),
        ErrorKind::FailedPrecondition,
        "cannot be opened",
    );
}

#[tokio::test]
async fn an_empty_file_becomes_a_database() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ferroflow.db");
    fs::write(&path, "").expect("a file");
    open(&path).expect("a store").create_experiment(experiment(1)).await.expect("a new experiment");

    // The process died after the file was made and before the tables were.
    let path = folder.path().join("begun.db");
    Connection::open(&path)
        .expect("a connection")
        .execute_batch("PRAGMA journal_mode = WAL")
        .expect("a header");
    open(&path).expect("a store").create_experiment(experiment(1)).await.expect("a new experiment");
}

#[tokio::test]
async fn a_damaged_database_is_called_damaged() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ferroflow.db");
    let store = open(&path).expect("a store");
    store.create_experiment(experiment(1)).await.expect("a new experiment");
    drop(store);
    let connection = Connection::open(&path).expect("a connection");
    let page: u32 = connection
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'experiments'", [], |row| row.get(0))
        .expect("a page");
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("a checkpoint");
    drop(connection);
    let mut bytes = fs::read(&path).expect("a file");
    let end = page as usize * 4096;
    bytes[end - 4096..end].fill(0xaa);
    fs::write(&path, bytes).expect("a file");

    let store = open(&path).expect("the tables are known");
    check_refused(store.list_experiments(by("id")).await, ErrorKind::Internal, "damaged");
    check_refused(store.create_experiment(experiment(2)).await, ErrorKind::Internal, "damaged");
}

#[tokio::test]
async fn a_missing_experiment_of_an_empty_store_is_no_failure() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(&folder.path().join("ferroflow.db")).expect("a store");
    assert_eq!(store.experiment_by_name("x").await.expect("an answer"), None);
    assert_eq!(store.unfinished_runs().await.expect("a list"), []);
    assert_eq!(store.running_attempts().await.expect("a list"), []);
    assert_eq!(store.next_free_id().await.expect("a number"), 1);
}
