//! Logs: whole, bounded, followed, forgotten.

use std::os::unix::fs::MetadataExt;

use ferroflow_engine::AttemptOutcome;
use ferroflow_ports::{ErrorKind, Executor};
use futures_util::StreamExt;

use crate::attempt::id;
use crate::house::{House, in_time, text};

/// Reading from any byte on gives what the whole log has from there.
async fn check_ends(house: &House, whole: &str) {
    let length = whole.len();
    for from in [0, 1, 4, length / 4, length / 2, length / 4 * 3, length - 1, length, length + 9] {
        let chunks = house.executor.logs_from(&id("t"), from as u64, false).await.unwrap();
        let read: Vec<_> = chunks.map(Result::unwrap).collect().await;
        assert_eq!(read.concat(), whole.as_bytes().get(from..).unwrap_or_default(), "from byte {from}");
    }
}

#[tokio::test]
async fn a_gigabyte_leaves_head_and_tail() {
    const CAP: u64 = 1024 * 1024;
    let house = House::with(|options| options.log_cap_bytes = CAP).await;
    let pipe = house.folder.path().join("go");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let script = format!(
        "echo first; head -c 1000000000 /dev/zero | tr '\\0' x; read word < {}; echo; echo last",
        pipe.display()
    );
    house.start("t", &["sh", "-c", &script]).await;
    let path = house.data(&format!("logs/{}/{}-1.log", id("t").run, id("t").task_id()));
    // The supervisor tells nobody when it has looked, so the disk itself is asked.
    in_time(async {
        loop {
            let found = std::fs::metadata(&path)
                .map(|found| (found.size(), found.blocks() * 512))
                .unwrap_or_default();
            if found.0 > 1_000_000_000 && found.1 < 2 * CAP {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
    let running = house.log("t").await;
    assert!(running.starts_with("first\nxxx") && running.len() < 3_000_000, "{}", running.len());
    assert!(running.contains(" bytes left out …\n"));
    check_ends(&house, &running).await;
    in_time(tokio::task::spawn_blocking(move || std::fs::write(pipe, "go\n").unwrap())).await.unwrap();
    assert!(matches!(house.end("t").await, AttemptOutcome::Succeeded { .. }));
    let ended = house.log("t").await;
    assert!(ended.starts_with("first\nxxx") && ended.ends_with("xxx\nlast\n"));
    check_ends(&house, &ended).await;
    let size = std::fs::metadata(&path).unwrap().size();
    assert!(size < CAP + 100, "{size}");
    let left_out = 1_000_000_012 - CAP;
    assert!(ended.contains(&format!("\n… {left_out} bytes left out …\n")));
}

#[tokio::test]
async fn followers_get_all_and_an_end() {
    let house = House::new().await;
    let pipe = house.folder.path().join("go");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let script = format!("echo one; read word < {}; echo two >&2; exit 1", pipe.display());
    house.start("t", &["sh", "-c", &script]).await;
    let mut chunks = house.executor.logs(&id("t"), true).await.unwrap();
    assert_eq!(in_time(chunks.next()).await.unwrap().unwrap(), "one\n");
    in_time(tokio::task::spawn_blocking(move || std::fs::write(pipe, "go\n").unwrap())).await.unwrap();
    let (rest, _) = tokio::join!(in_time(chunks.map(Result::unwrap).collect::<Vec<_>>()), house.end("t"));
    assert_eq!(text(&rest), "two\n");

    house.executor.acknowledge(&id("t")).await;
    let chunks = house.executor.logs(&id("t"), true).await.unwrap();
    assert_eq!(text(&in_time(chunks.map(Result::unwrap).collect::<Vec<_>>()).await), "one\ntwo\n");
    check_ends(&house, "one\ntwo\n").await;
    house.executor.forget_run(id("t").run).await.unwrap();
    house.executor.forget_run(id("t").run).await.unwrap();
    let error = house.executor.logs(&id("t"), true).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn a_full_disk_is_the_tasks_failure() {
    let house = House::new().await;
    let folder = house.data(&format!("logs/{}", id("t").run));
    std::fs::create_dir_all(&folder).unwrap();
    std::os::unix::fs::symlink("/dev/full", folder.join(format!("{}-1.log", id("t").task_id()))).unwrap();
    house.start("t", &["sh", "-c", "set -e; echo hello; exit 0"]).await;
    assert!(house.failure("t").await.starts_with("the task exited with code "));
    house.start("next", &["true"]).await;
    assert!(matches!(house.end("next").await, AttemptOutcome::Succeeded { .. }));
}
