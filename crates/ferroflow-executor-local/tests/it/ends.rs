//! How attempts end, and what is said about it.

use std::time::Duration;

use ferroflow_engine::AttemptOutcome;
use ferroflow_ports::Executor;
use ferroflow_ports::executor::Report;

use crate::attempt::id;
use crate::house::{House, in_time, is_alive};

#[tokio::test]
async fn each_failure_is_one_sentence() {
    let house = House::new().await;
    let long = "x".repeat(200_000);
    let table: &[(&str, &[&str], &str)] = &[
        ("code", &["sh", "-c", "exit 3"], "the task exited with code 3"),
        (
            "kill",
            &["sh", "-c", "kill -9 $$"],
            "the task was killed by signal SIGKILL, as the system does when memory runs out",
        ),
        ("abort", &["sh", "-c", "kill -6 $$"], "the task was killed by signal SIGABRT"),
        (
            "absent",
            &["/no/such"],
            "the task was not started: `/no/such` cannot be started: there is no such program",
        ),
        ("folder", &["/etc"], "the task was not started: `/etc` cannot be started: it may not be executed"),
        (
            "long",
            &["echo", &long],
            "the task was not started: `echo` cannot be started: its 2 words of 200004 bytes together are more than the \
             system takes; hand large values over as artifacts",
        ),
    ];
    for (task, command, expected) in table {
        house.start(task, command).await;
        assert_eq!(house.failure(task).await, *expected);
    }
}

#[tokio::test]
async fn what_cannot_be_started_is_told_at_once() {
    let house = House::new().await;
    let table: &[(&[&str], &str)] = &[
        (
            &[],
            "the task was not started: its container has no command, and the entry point of image `img` is not known \
             here: name the command in the component",
        ),
        (
            &["no-such-program"],
            "the task was not started: program `no-such-program` was not found on this machine (tasks run as processes \
             here, without their image `img`): install it, or put its folder on PATH",
        ),
        (&["echo", "a\0b"], "the task was not started: word 2 of its command holds a zero byte"),
        (
            &["echo", "{{$.inputs.parameters['gone']}}"],
            "the task was not started: `{{$.inputs.parameters['gone']}}` in the command names input `gone`, which has \
             no value; give it one or a default",
        ),
    ];
    for (command, expected) in table {
        let error = house.executor.ensure_started(house.attempt("t", command)).await.unwrap_err();
        assert_eq!(error.message, *expected);
    }
    assert_eq!(house.left_behind(), 0);
    let mut remote = house.attempt("remote", &["true"]);
    remote.task_root = "gs://elsewhere/r".into();
    let error = house.executor.ensure_started(remote).await.unwrap_err();
    assert!(error.message.contains("`gs://elsewhere/r` has no local path"), "{error}");
    // The same id may be started after that.
    house.start("t", &["true"]).await;
    assert!(matches!(house.end("t").await, AttemptOutcome::Succeeded { .. }));
}

#[tokio::test]
async fn nothing_of_a_task_outlives_it() {
    let house = House::new().await;
    // One in the group, one in a session of its own, one that has also lost its environment, and a child of that.
    let script = "sleep 1000 & echo $!
        setsid sleep 1000 & echo $!
        setsid env -i PATH=\"$PATH\" sh -c 'echo $$; sleep 1000 & echo $!; wait' &
        setsid sh -c 'sleep 1000 & echo $!' &
        while [ \"$(wc -l < \"$LOG\")\" -lt 5 ]; do sleep 0.01; done; exit 4";
    let log = house.data(&format!("logs/{}/{}-1.log", id("t").run, id("t").task_id()));
    let mut attempt = house.attempt("t", &["sh", "-c", script]);
    std::sync::Arc::make_mut(&mut attempt.container).env.push(("LOG".into(), log.display().to_string()));
    let outcome = house.run(attempt).await;
    assert!(
        matches!(&outcome, AttemptOutcome::Failed { error } if error.exit_code == Some(4)),
        "{outcome:?}"
    );
    let text = house.log("t").await;
    let pids: Vec<&str> = text.lines().collect();
    assert_eq!(pids.len(), 5, "{text}");
    let alive: Vec<_> = pids.iter().filter(|pid| is_alive(pid)).collect();
    assert!(alive.is_empty(), "{alive:?} of {pids:?}");
}

#[tokio::test]
async fn stopping_is_asked_for_first_and_enforced_then() {
    let house = House::new().await;
    let polite = "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done";
    house.start("polite", &["sh", "-c", polite]).await;
    house.first_lines("polite", 1).await;
    house.executor.ensure_stopped(&id("polite"), Duration::from_mins(1)).await.unwrap();
    assert_eq!(house.end("polite").await, AttemptOutcome::Stopped);
    // The shell may also tell that its `sleep` got the signal.
    let log = house.log("polite").await;
    assert!(log.starts_with("up\n") && log.ends_with("bye\n"), "{log}");

    let stubborn = "trap '' TERM; (trap '' TERM; sleep 1000) & echo $!; wait; sleep 1000";
    house.start("stubborn", &["sh", "-c", stubborn]).await;
    let child = house.first_lines("stubborn", 1).await;
    house.executor.ensure_stopped(&id("stubborn"), Duration::from_millis(50)).await.unwrap();
    assert_eq!(house.end("stubborn").await, AttemptOutcome::Stopped);
    assert!(!is_alive(&child[0]));

    house.executor.ensure_stopped(&id("never seen"), Duration::ZERO).await.unwrap();
    assert_eq!(house.end("never seen").await, AttemptOutcome::Stopped);
}

#[tokio::test]
async fn timeouts_end_the_whole_group() {
    let house = House::with(|options| options.timeout_grace = Duration::from_millis(50)).await;
    let stubborn = "trap '' TERM; (trap '' TERM; sleep 1000) & echo $!; wait; sleep 1000";
    let mut attempt = house.attempt("slow", &["sh", "-c", stubborn]);
    attempt.timeout = Some(Duration::from_secs(1));
    house.executor.ensure_started(attempt).await.unwrap();
    let child = house.first_lines("slow", 1).await;
    assert!(is_alive(&child[0]));
    assert_eq!(
        house.failure("slow").await,
        "the task was stopped since it ran longer than its timeout of 1 s"
    );
    assert!(!is_alive(&child[0]));
}

#[tokio::test]
async fn each_of_many_is_reported_once() {
    let house = House::new().await;
    let names: Vec<String> = (0..200).map(|number| format!("t-{number}")).collect();
    for name in &names {
        house.start(name, &["true"]).await;
        // A command may come twice.
        house.start(name, &["true"]).await;
    }
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < names.len() {
        if let Report::Ended { id, outcome, phases } = house.report().await {
            assert!(matches!(outcome, AttemptOutcome::Succeeded { .. }), "{outcome:?}");
            let order = [phases.started, phases.user_code_finished, phases.uploaded, phases.finished];
            assert!(order.is_sorted() && order[0].is_some(), "{phases:?}");
            house.executor.acknowledge(&id).await;
            assert!(seen.insert(id));
        }
    }
    assert_eq!(house.left_behind(), 0);
    house.executor.detach().await;
    assert_eq!(in_time(house.executor.next_report()).await, None);
    assert!(house.executor.ensure_started(house.attempt("late", &["true"])).await.is_err());
}
