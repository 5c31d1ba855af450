//! What only shows from inside: how requests are grouped, and what an undone transaction leaves.

use std::sync::mpsc;

use ferroflow_ports::{ErrorKind, PortError};
use futures_util::future::{BoxFuture, join_all};
use tempfile::TempDir;

use super::{Promise, Session, Writer};
use crate::column::change;
use crate::error::StoreError;
use crate::feed::SharedFeed;
use crate::store::Durability;

struct Fresh {
    writer: Writer,
    _folder: TempDir,
}

fn fresh(durability: Durability) -> Fresh {
    let folder = tempfile::tempdir().unwrap();
    let writer =
        Writer::start(&folder.path().join("ferroflow.db"), durability, SharedFeed::default()).unwrap();
    Fresh { writer, _folder: folder }
}

impl Fresh {
    /// Keeps the writer busy until the returned end is dropped.
    fn hold(&self) -> mpsc::Sender<()> {
        let (release, held) = mpsc::channel::<()>();
        let (entered, inside) = mpsc::channel();
        drop(self.writer.write(Promise::AsOpened, move |_| {
            let _ = entered.send(());
            let _ = held.recv();
            Ok(())
        }));
        inside.recv().unwrap();
        release
    }

    fn insert(&self, promise: Promise, name: &str) -> BoxFuture<'static, Result<(), PortError>> {
        let name = name.to_owned();
        self.writer.write(promise, move |session| insert(session, &name))
    }

    /// Changes a row and fails then.
    fn fail_halfway(&self, name: &str) -> BoxFuture<'static, Result<(), PortError>> {
        let name = name.to_owned();
        self.writer.write(Promise::AsOpened, move |session| {
            insert(session, &name)?;
            Err(PortError::new(ErrorKind::Aborted, "halfway").into())
        })
    }

    async fn names(&self) -> Vec<String> {
        let read = |session: &mut Session| {
            crate::column::all(&session.connection, "SELECT name FROM contexts ORDER BY name", [], |row| {
                row.get(0)
            })
        };
        self.writer.write(Promise::AsOpened, read).await.unwrap()
    }
}

fn insert(session: &mut Session, name: &str) -> Result<(), StoreError> {
    change(&session.connection, "INSERT INTO contexts (kind, name) VALUES ('RUN', ?1)", [name])?;
    Ok(())
}

#[tokio::test]
async fn whatever_waits_goes_into_one_transaction() {
    for durability in [Durability::Synced, Durability::Relaxed] {
        let fresh = fresh(durability);
        let held = fresh.hold();
        let waiting: Vec<_> =
            (0..300).map(|number| fresh.insert(Promise::AsOpened, &format!("{number:03}"))).collect();
        drop(held);
        assert!(join_all(waiting).await.iter().all(Result::is_ok));
        let statistics = fresh.writer.statistics();
        assert_eq!((statistics.transactions, statistics.requests), (1, 301));
        assert_eq!(fresh.names().await.len(), 300);
    }
}

#[tokio::test]
async fn one_that_fails_halfway_spoils_no_other() {
    let fresh = fresh(Durability::Synced);
    let held = fresh.hold();
    let waiting =
        [fresh.insert(Promise::AsOpened, "a"), fresh.fail_halfway("b"), fresh.insert(Promise::Disk, "c")];
    drop(held);
    let answers = join_all(waiting).await;
    assert!(answers[0].is_ok() && answers[2].is_ok());
    assert_eq!(answers[1].as_ref().unwrap_err().kind, ErrorKind::Aborted);
    assert_eq!(fresh.names().await, ["a", "c"]);
}

#[tokio::test]
async fn one_that_fails_halfway_alone_leaves_nothing() {
    let fresh = fresh(Durability::Relaxed);
    assert!(fresh.fail_halfway("a").await.is_err());
    fresh.insert(Promise::Disk, "b").await.unwrap();
    assert_eq!(fresh.names().await, ["b"]);
}

/// The safety level is raised for what clients were told, and lowered again.
#[tokio::test]
async fn promises_to_clients_are_synced_whatever_the_durability() {
    let fresh = fresh(Durability::Relaxed);
    let level = |session: &mut Session| {
        Ok(session.connection.query_row("PRAGMA synchronous", [], |row| row.get::<_, i64>(0))?)
    };
    let (normal, full) = (1, 2);
    assert_eq!(fresh.writer.write(Promise::AsOpened, level).await.unwrap(), normal);
    assert_eq!(fresh.writer.write(Promise::Disk, level).await.unwrap(), full);
    assert_eq!(fresh.writer.write(Promise::AsOpened, level).await.unwrap(), normal);
}

#[tokio::test]
async fn a_full_disk_is_told_and_survived() {
    let fresh = fresh(Durability::Synced);
    fresh.insert(Promise::Disk, "before").await.unwrap();
    let limit = |session: &mut Session, pages: &str| {
        Ok(session
            .connection
            .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| row.get::<_, i64>(0))?)
    };
    fresh.writer.write(Promise::AsOpened, move |session| limit(session, "1")).await.unwrap();
    let held = fresh.hold();
    let waiting = [fresh.insert(Promise::Disk, &"x".repeat(100_000)), fresh.insert(Promise::Disk, "small")];
    drop(held);
    let answers = join_all(waiting).await;
    let error = answers[0].as_ref().unwrap_err();
    assert_eq!(error.kind, ErrorKind::ResourceExhausted);
    assert!(error.message.contains("is full"), "{error}");
    assert!(answers[1].is_ok(), "what fits is still written: {:?}", answers[1]);

    fresh.writer.write(Promise::AsOpened, move |session| limit(session, "1000000")).await.unwrap();
    fresh.insert(Promise::Disk, &"y".repeat(100_000)).await.unwrap();
    let names = fresh.names().await;
    let lengths: Vec<_> = names.iter().map(String::len).collect();
    assert_eq!(lengths, [6, 5, 100_000]);
}

#[tokio::test]
async fn a_log_that_became_long_is_moved_and_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ferroflow.db");
    let fresh = Fresh {
        writer: Writer::start(&path, Durability::Relaxed, SharedFeed::default()).unwrap(),
        _folder: folder,
    };
    let log = path.with_extension("db-wal");
    let mut largest = 0;
    for number in 0..150 {
        fresh.insert(Promise::AsOpened, &format!("{number}{}", "z".repeat(500_000))).await.unwrap();
        largest = largest.max(std::fs::metadata(&log).unwrap().len());
    }
    assert!(largest < 30_000_000, "the log grew to {largest} bytes");
    assert_eq!(fresh.names().await.len(), 150);
    assert!(std::fs::metadata(&path).unwrap().len() > 50_000_000);
    assert_eq!(std::fs::metadata(&log).unwrap().len(), largest, "the log keeps its size");
}

#[tokio::test]
async fn another_process_that_writes_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ferroflow.db");
    let fresh = Fresh {
        writer: Writer::start(&path, Durability::Synced, SharedFeed::default()).unwrap(),
        _folder: folder,
    };
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answers = join_all([fresh.insert(Promise::Disk, "a"), fresh.insert(Promise::Disk, "b")]).await;
    for answer in answers {
        let error = answer.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unavailable);
        assert!(error.message.contains("another process"), "{error}");
    }
    other.execute_batch("ROLLBACK").unwrap();
    fresh.insert(Promise::Disk, "c").await.unwrap();
    assert_eq!(fresh.names().await, ["c"]);
}
