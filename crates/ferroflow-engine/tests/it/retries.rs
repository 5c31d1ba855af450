//! Failed and lost attempts.

use ferroflow_model::TaskStatus;
use ferroflow_testing::pipeline::{each, group, pipeline, task};
use serde_json::json;

use crate::drive::{Drive, check};

#[test]
fn failures_are_tried_again_after_growing_waits() {
    let one = pipeline([task("t").retries(2, 10.0).gives("o"), task("u").after("t")]);
    let drive = check(
        &one,
        &[("t", "fail; fail; ok")],
        "start t#1, +10s, start t#2, +20s, start t#3, start u#1, finish SUCCEEDED",
        "t succeeded, u succeeded",
    );
    let id = drive.row("t").execution_id;
    let states: Vec<TaskStatus> = (1..=3).map(|attempt| drive.attempts[&(id, attempt)].status).collect();
    assert_eq!(states, [TaskStatus::Failed, TaskStatus::Failed, TaskStatus::Succeeded]);
    assert_eq!(drive.row("t").attempt, 3);
    check(
        &one,
        &[("t", "fail; fail; fail")],
        "start t#1, +10s, start t#2, +20s, start t#3, finish FAILED",
        "t failed, u skipped",
    );
}

#[test]
fn without_a_wait_the_next_attempt_follows_at_once_and_without_a_policy_there_is_none() {
    check(
        &pipeline([task("t").retries(1, 0.0)]),
        &[("t", "fail; fail")],
        "start t#1, start t#2, finish FAILED",
        "t failed",
    );
    check(&pipeline([task("t")]), &[("t", "fail")], "start t#1, finish FAILED", "t failed");
}

#[test]
fn the_policy_of_a_group_holds_for_tasks_without_one() {
    let tasks = || [task("a"), task("b").retries(0, 0.0)];
    let nested = pipeline([group("g", [group("h", tasks())]).retries(1, 0.0)]);
    check(
        &nested,
        &[("g/h/a", "fail; ok"), ("g/h/b", "fail")],
        "start g/h/a#1, start g/h/b#1, start g/h/a#2, finish FAILED",
        "g failed, g/h failed, g/h/a succeeded, g/h/b failed",
    );
    let looped = pipeline([each("l", "n", &json!([1]), [task("a")]).retries(1, 0.0)]);
    check(
        &looped,
        &[("l/0/a", "fail; ok")],
        "start l/0/a#1, start l/0/a#2, finish SUCCEEDED",
        "l succeeded, l/0 succeeded, l/0/a succeeded",
    );
}

#[test]
fn lost_attempts_run_again_and_are_not_failures() {
    let one = pipeline([task("t").retries(1, 5.0)]);
    let drive = check(
        &one,
        &[("t", "lost; fail; lost; ok")],
        "start t#1, start t#2, +5s, start t#3, start t#4, finish SUCCEEDED",
        "t succeeded",
    );
    let id = drive.row("t").execution_id;
    let lost = &drive.attempts[&(id, 1)];
    assert_eq!(lost.status, TaskStatus::Canceled);
    assert_eq!(lost.error.as_ref().unwrap().message, "the supervisor is gone");
}

#[test]
fn a_task_that_is_lost_again_and_again_has_failed() {
    let lost = ["lost"; 11].join("; ");
    let drive = Drive::new(&pipeline([task("t")]), &json!({})).script(&[("t", &lost)]).run();
    drive.assert_states("t failed");
    assert_eq!(drive.error("t"), "the supervisor is gone, for the 11th time in a row");
}

#[test]
fn a_stop_that_nobody_asked_for_is_a_failure() {
    let mut drive = Drive::new(&pipeline([task("t")]), &json!({})).script(&[("t", "hang")]).run();
    let outcome = ferroflow_engine::AttemptOutcome::Stopped;
    let phases = ferroflow_model::record::AttemptPhases::default();
    let task = crate::drive::path("t");
    drive.apply(ferroflow_engine::RunEvent::AttemptEnded { task, attempt: 1, outcome, phases });
    drive.assert_commands("start t#1, finish FAILED");
    assert_eq!(drive.error("t"), "it was stopped, though nobody asked for that");
}
