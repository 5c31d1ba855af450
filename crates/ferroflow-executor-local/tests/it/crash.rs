//! Servers and supervisors that are killed.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use ferroflow_engine::AttemptOutcome;
use ferroflow_executor_local::LocalExecutor;
use ferroflow_ports::{ErrorKind, Executor};

use crate::attempt::{id, options};
use crate::house::{House, PROGRAM, in_time, is_alive, kill, open};

/// A server in a process of its own that is killed at once after it has started these words as task `t`.
fn kill_server_after_start(folder: &std::path::Path, script: &str) {
    let mut server = Command::new(PROGRAM)
        .args(["server", folder.to_str().unwrap(), "t", "sh", "-c", script])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "started\n");
    server.kill().unwrap();
    server.wait().unwrap();
}

#[tokio::test]
async fn a_task_goes_on_without_the_server_and_is_adopted() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("go");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    kill_server_after_start(folder.path(), &format!("echo once; read word < {}; exit 5", pipe.display()));

    let house = House { executor: open(folder.path(), |_| ()).await, folder };
    // Asked to start it again, as after a crash between command and commit.
    house.start("t", &["sh", "-c", "echo twice"]).await;
    in_time(tokio::task::spawn_blocking(move || std::fs::write(pipe, "go\n").unwrap())).await.unwrap();
    assert_eq!(house.failure("t").await, "the task exited with code 5");
    assert_eq!(house.log("t").await, "once\n");
}

#[tokio::test]
async fn an_end_that_nobody_heard_is_reported_until_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    kill_server_after_start(folder.path(), "exit 6");
    let mut house = House { executor: open(folder.path(), |_| ()).await, folder };
    for _ in 0..3 {
        assert_eq!(house.failure("t").await, "the task exited with code 6");
        house = house.reopen().await;
    }
    assert_eq!(house.failure("t").await, "the task exited with code 6");
    house.executor.acknowledge(&id("t")).await;
    let house = house.reopen().await;
    house.start("next", &["true"]).await;
    assert!(matches!(house.end("next").await, AttemptOutcome::Succeeded { .. }));
}

/// Starts a task with children of every kind, kills the supervisor, and returns the ids of all its processes.
async fn kill_supervisor(house: &House) -> Vec<String> {
    let script = "echo $PPID; echo $$; sleep 1000 & echo $!; setsid sleep 1000 & echo $!; wait";
    house.start("t", &["sh", "-c", script]).await;
    // The main process of this one does not carry the supervisor's mark.
    house.start("bare", &["env", "-i", "/bin/sh", "-c", "echo $$; while :; do sleep 1000; done"]).await;
    let mut pids = house.first_lines("t", 4).await;
    pids.extend(house.first_lines("bare", 1).await);
    pids
}

#[tokio::test]
async fn what_a_killed_supervisor_ran_is_stopped_and_lost() {
    let house = House::new().await;
    house.start("done", &["sh", "-c", "exit 7"]).await;
    assert_eq!(house.failure("done").await, "the task exited with code 7");
    let pids = kill_supervisor(&house).await;
    kill(&pids[0]);
    let mut lost = Vec::new();
    for _ in 0..2 {
        let report = loop {
            if let ferroflow_ports::executor::Report::Ended { id, outcome, .. } = house.report().await {
                break (id, outcome);
            }
        };
        assert!(
            matches!(&report.1, AttemptOutcome::Lost { reason } if reason.contains("was killed")),
            "{report:?}"
        );
        lost.push(report.0.path.as_str().to_owned());
    }
    lost.sort();
    assert_eq!(lost, ["bare", "t"]);
    let alive: Vec<_> = pids.iter().filter(|pid| is_alive(pid)).collect();
    assert!(alive.is_empty(), "{alive:?} of {pids:?}");
    // The new supervisor works, and remembers what was not acknowledged.
    house.start("next", &["true"]).await;
    assert!(matches!(house.end("next").await, AttemptOutcome::Succeeded { .. }));
    for task in ["t", "bare", "next"] {
        house.executor.acknowledge(&id(task)).await;
    }
    let house = house.reopen().await;
    assert_eq!(house.failure("done").await, "the task exited with code 7");
}

#[tokio::test]
async fn both_killed_is_as_bad_as_the_supervisor_alone() {
    let house = House::new().await;
    let pids = kill_supervisor(&house).await;
    let House { executor, folder } = house;
    // Nobody is there to start a new one at once.
    drop(executor);
    kill(&pids[0]);
    let house = House { executor: open(folder.path(), |_| ()).await, folder };
    let alive: Vec<_> = pids.iter().filter(|pid| is_alive(pid)).collect();
    assert!(alive.is_empty(), "{alive:?} of {pids:?}");
    assert!(matches!(house.end("bare").await, AttemptOutcome::Lost { .. }));
    assert!(matches!(house.end("t").await, AttemptOutcome::Lost { .. }));
}

#[tokio::test]
async fn an_id_that_was_used_again_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let mut innocent = Command::new("sleep").arg("1000").spawn().unwrap();
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let mut journal = std::fs::File::create(data.join("supervisor.journal")).unwrap();
    let (id, pid) = (id("t"), innocent.id());
    writeln!(journal, r#"{{"Boot":{{"boot":"{}"}}}}"#, boot.trim()).unwrap();
    writeln!(journal, r#"{{"Starting":{{"id":"{id}","context":""}}}}"#).unwrap();
    writeln!(journal, r#"{{"Running":{{"id":"{id}","pid":{pid},"from_ns":1,"to_ns":2}}}}"#).unwrap();
    let house = House { executor: open(folder.path(), |_| ()).await, folder };
    assert!(matches!(house.end("t").await, AttemptOutcome::Lost { .. }));
    assert!(innocent.try_wait().unwrap().is_none());
    innocent.kill().unwrap();
    innocent.wait().unwrap();
}

#[tokio::test]
async fn a_supervisor_that_cannot_work_says_why_at_once() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("data/supervisor.journal")).unwrap();
    let options = options(folder.path(), PROGRAM, std::env::vars().collect());
    let error = LocalExecutor::start(options).await.err().unwrap();
    let data = folder.path().join("data").canonicalize().unwrap();
    let expected = format!("the supervisor cannot open its journal in `{}`: Is a directory", data.display());
    assert!(error.message.starts_with(&expected), "{error}");
    assert_eq!(error.kind, ErrorKind::FailedPrecondition);
}
