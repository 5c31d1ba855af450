//! The process is killed in the middle of commits, again and again: what was acknowledged is there, and nothing is torn.
//!
//! The child is this test binary, started with `FERROFLOW_STORE_CRASH` set to the database's path. Three runs commit at
//! once, so that transactions hold steps of several.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use ferroflow_model::RunId;
use ferroflow_ports::store::{RunCommit, RunStore};
use ferroflow_store::{Durability, Options, SqliteStore};

use crate::contract::samples::{artifact_record, attempt, step, stored_run, task, uuid};

const PATH: &str = "FERROFLOW_STORE_CRASH";
const RELAXED: &str = "FERROFLOW_STORE_CRASH_RELAXED";
const RUNS: [u128; 3] = [10, 11, 12];
const ROUNDS: u64 = 12;

/// Steps `seq` of a run put exactly these rows.
fn numbered_step(run: RunId, offset: i64, seq: u64) -> RunCommit {
    let number = offset + seq.cast_signed();
    let path = format!("task-{seq}");
    let event = format!("\"{seq}{}\"", "-".repeat(20_000));
    RunCommit {
        tasks: vec![task(run, number, &path)],
        attempts: vec![attempt(run, number, &path, 1)],
        artifacts: vec![artifact_record(run, number)],
        outbox_put: vec![(format!("put-{seq}"), "{}".to_owned())],
        outbox_done: vec![format!("put-{}", seq - 1)],
        ids_taken_below: Some(number),
        ..step(run, seq, &[&event])
    }
}

fn offset(number: u128) -> i64 {
    i64::try_from(number).expect("a small number") * 1_000_000
}

/// Does nothing unless it is the child.
#[tokio::test]
async fn child_that_commits_until_it_is_killed() {
    let Some(path) = std::env::var_os(PATH) else { return };
    let durability =
        if std::env::var_os(RELAXED).is_some() { Durability::Relaxed } else { Durability::Synced };
    let store = SqliteStore::open(Path::new(&path), Options { durability }).expect("a store");
    let commit_on = async |number: u128| {
        let run = RunId(uuid(number));
        let next = store.load_run(run).await.expect("it exists").events.len() as u64 + 1;
        for seq in next.. {
            store.commit(numbered_step(run, offset(number), seq)).await.expect("a step");
            println!("acknowledged {number} {seq}");
        }
    };
    futures_util::join!(commit_on(RUNS[0]), commit_on(RUNS[1]), commit_on(RUNS[2]));
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_and_nothing_is_torn() {
    for is_relaxed in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ferroflow.db");
        let store = SqliteStore::open(&path, Options::default()).expect("a store");
        for number in RUNS {
            stored_run(&store, number).await;
        }
        drop(store);
        let mut acknowledged = BTreeMap::new();
        for round in 1..=ROUNDS {
            let lines = 1 + (round * 7919) % 211;
            commit_and_kill(&path, is_relaxed, lines, &mut acknowledged);
            check_database(&path, &acknowledged).await;
        }
        assert_eq!(acknowledged.len(), RUNS.len());
    }
}

/// Kills the child when it has acknowledged so many steps; by then the next ones are under way.
fn commit_and_kill(path: &Path, is_relaxed: bool, lines: u64, acknowledged: &mut BTreeMap<u128, u64>) {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "crash::child_that_commits_until_it_is_killed", "--nocapture"]);
    command.env(PATH, path).stdout(Stdio::piped());
    if is_relaxed {
        command.env(RELAXED, "1");
    }
    let mut child = command.spawn().expect("a child");
    let mut seen = 0;
    // After the kill, what the pipe still holds was acknowledged as well.
    for line in BufReader::new(child.stdout.take().expect("a pipe")).lines() {
        let line = line.expect("a line");
        // The test harness prints the name of the test without an end of line before the first one.
        let Some((_, numbers)) = line.split_once("acknowledged ") else { continue };
        let Some((run, seq)) = numbers.split_once(' ') else { continue };
        acknowledged.insert(run.parse().expect("a number"), seq.parse().expect("a number"));
        seen += 1;
        if seen == lines {
            child.kill().expect("a kill");
        }
    }
    let status = child.wait().expect("an end");
    assert!(seen >= lines, "the child ended by itself after {seen} steps: {status}");
}

async fn check_database(path: &Path, acknowledged: &BTreeMap<u128, u64>) {
    let store = SqliteStore::open(path, Options::default()).expect("it opens after a kill");
    let mut greatest = 0;
    for number in RUNS {
        let run = RunId(uuid(number));
        let loaded = store.load_run(run).await.expect("it exists");
        let last = loaded.events.len() as u64;
        assert!(
            last >= acknowledged.get(&number).copied().unwrap_or(0),
            "run {number} lost steps after {last}"
        );
        let sequence: Vec<_> = loaded.events.iter().map(|(seq, _)| *seq).collect();
        assert_eq!(sequence, (1..=last).collect::<Vec<_>>());
        for (seq, event) in &loaded.events {
            assert_eq!(event, &numbered_step(run, offset(number), *seq).events[0]);
        }
        let steps: Vec<_> = (1..=last).map(|seq| numbered_step(run, offset(number), seq)).collect();
        let tasks: Vec<_> = steps.iter().flat_map(|step| step.tasks.clone()).collect();
        assert!(store.tasks_of(&[run]).await.expect("a list") == tasks, "run {number}: tasks are torn");
        let attempts: Vec<_> = steps.iter().flat_map(|step| step.attempts.clone()).collect();
        assert!(store.attempts_of(run).await.expect("a list") == attempts, "run {number}: attempts are torn");
        let artifacts: Vec<_> = steps.iter().flat_map(|step| step.artifacts.clone()).collect();
        assert!(
            store.artifacts_of(run).await.expect("a list") == artifacts,
            "run {number}: artifacts are torn"
        );
        let outbox: Vec<_> = steps.last().map(|step| step.outbox_put.clone()).unwrap_or_default();
        assert_eq!(loaded.outbox, outbox);
        greatest = greatest.max(steps.last().and_then(|step| step.ids_taken_below).unwrap_or(100));
    }
    assert_eq!(store.next_free_id().await.expect("a number"), greatest);
}
