//! Clients end runs, and have them run again.

use ferroflow_engine::{AttemptOutcome, Changes, ProducedOutputs, RunEvent};
use ferroflow_model::record::{AttemptPhases, Failure};
use ferroflow_model::{RunStatus, TaskStatus};
use ferroflow_testing::pipeline::{each, group, input, of, pipeline, task, value};
use serde_json::json;

use crate::drive::{Drive, check, path};

#[test]
fn a_terminated_run_is_canceling_for_two_seconds_and_then_failed() {
    let two = pipeline([task("a"), task("b").after("a"), task("c")]);
    let drive = check(
        &two,
        &[("a", "terminate"), ("c", "hang")],
        "start a#1, start c#1, stop a#1, stop c#1, +2s, finish FAILED",
        "a canceled, b canceled, c canceled",
    );
    let statuses: Vec<RunStatus> = drive
        .changes
        .iter()
        .filter_map(|changes| changes.run.as_ref()?.status.map(|(_, status)| status))
        .collect();
    assert_eq!(statuses, [RunStatus::Running, RunStatus::Canceling, RunStatus::Failed]);
    let change = drive.changes.iter().rev().find_map(|changes| changes.run.as_ref()).unwrap();
    assert_eq!(change.error, Some(Some(Failure::new("the run was terminated on request"))));
}

#[test]
fn a_run_that_was_terminated_before_it_began_never_starts() {
    let mut drive = Drive::new(&pipeline([task("a")]), &json!({}));
    drive.apply(RunEvent::TerminateRequested);
    assert_eq!(drive.status(), RunStatus::Canceling);
    drive.apply(RunEvent::Started);
    drive.go_on();
    drive.assert_commands("+2s, finish FAILED");
    drive.assert_replay();
    // And still it can be retried.
    drive.apply(RunEvent::RetryRequested);
    drive.go_on();
    drive.assert_commands("+2s, finish FAILED, start a#1, finish SUCCEEDED");
    drive.assert_replay();
}

#[test]
fn attempts_without_a_slot_waits_and_passes_end_at_once() {
    let many = pipeline([
        task("a"),
        task("b"),
        task("wait").retries(3, 60.0),
        each("loop", "n", &json!([1, 2]), [task("t")]).limit(1).after("a"),
        group("g", [task("t")]).after("a"),
    ]);
    let drive = Drive::new(&many, &json!({}))
        .slots(2)
        .script(&[("wait", "fail"), ("b", "hang"), ("g/t", "terminate")])
        .run();
    drive.assert_commands(
        "start a#1, start b#1, start wait#1, start g/t#1, start loop/0/t#1, stop b#1, stop g/t#1,
         stop loop/0/t#1, +2s, finish FAILED",
    );
    drive.assert_states(
        "a succeeded, b canceled, wait canceled, g canceled, g/t canceled, loop canceled, loop/0 canceled,
         loop/0/t canceled, loop/1 canceled",
    );
    assert_eq!(drive.state.next_wake(), None);
}

#[test]
fn what_succeeds_while_being_stopped_has_succeeded() {
    let two = pipeline([task("a").gives("o"), task("b").takes("i", of("a", "o"))]);
    let mut drive = Drive::new(&two, &json!({})).script(&[("a", "hang")]).run();
    drive.apply(RunEvent::TerminateRequested);
    let outcome = AttemptOutcome::Succeeded { outputs: ProducedOutputs::default() };
    let phases = AttemptPhases::default();
    drive.apply(RunEvent::AttemptEnded { task: path("a"), attempt: 1, outcome, phases });
    drive.go_on();
    drive.assert_states("a succeeded, b canceled");
    assert_eq!(drive.status(), RunStatus::Failed);
}

#[test]
fn a_retry_keeps_what_succeeded_and_runs_the_rest() {
    let many = pipeline([
        task("good").gives("o"),
        task("bad").takes("i", of("good", "o")).gives("o"),
        task("behind").takes("i", of("bad", "o")),
        task("never").takes("n", value(1)).when("int(@['n']) == 2"),
        group("g", [task("x"), task("y").after("x")]),
        each("loop", "n", &json!([1, 2, 3]), [task("t").takes("n", input("n"))]).limit(1),
        task("clean").after("bad").always(),
    ]);
    let mut drive = Drive::new(&many, &json!({}))
        .script(&[("bad", "fail; ok"), ("g/y", "fail; ok"), ("loop/1/t", "fail; ok")])
        .run();
    drive.assert_states(
        "good succeeded, bad failed, behind skipped, never skipped, g failed, g/x succeeded, g/y failed,
         loop failed, loop/0 succeeded, loop/0/t succeeded, loop/1 failed, loop/1/t failed,
         loop/2 succeeded, loop/2/t succeeded, clean succeeded",
    );
    let numbers: Vec<_> = drive.rows.keys().copied().collect();
    let before = drive.changes.len();
    drive.apply(RunEvent::RetryRequested);
    assert_eq!(drive.status(), RunStatus::Running);
    let change = drive.changes[before].run.clone().unwrap();
    assert_eq!((change.finished_at, change.error), (Some(None), Some(None)));
    drive.go_on();
    drive.assert_states(
        "good succeeded, bad succeeded, behind succeeded, never skipped, g succeeded, g/x succeeded,
         g/y succeeded, loop succeeded, loop/0 succeeded, loop/0/t succeeded, loop/1 succeeded,
         loop/1/t succeeded, loop/2 succeeded, loop/2/t succeeded, clean succeeded",
    );
    assert_eq!(drive.status(), RunStatus::Succeeded);
    assert_eq!(numbers, drive.rows.keys().copied().collect::<Vec<_>>(), "tasks keep their numbers");
    for (path, attempts) in [("good", 1), ("bad", 2), ("g/x", 1), ("g/y", 2), ("loop/1/t", 2), ("clean", 1)] {
        assert_eq!(drive.row(path).attempt, attempts, "{path}");
    }
    let states: Vec<TaskStatus> = drive.row("bad").history.iter().map(|change| change.state).collect();
    use TaskStatus::{Failed, Pending, Running, Succeeded};
    assert_eq!(states, [Pending, Running, Failed, Pending, Running, Succeeded]);
    // Tasks that are not run again are not touched.
    assert!(drive.changes[before].tasks.iter().all(|row| row.path.as_str() != "never"));
    drive.assert_replay();
}

#[test]
fn a_retry_counts_failures_anew() {
    let one = pipeline([task("t").retries(1, 0.0)]);
    let mut drive = Drive::new(&one, &json!({})).script(&[("t", "fail; fail; fail; ok")]).run();
    drive.apply(RunEvent::RetryRequested);
    drive.go_on();
    drive.assert_commands("start t#1, start t#2, finish FAILED, start t#3, start t#4, finish SUCCEEDED");
}

#[test]
fn a_terminated_run_goes_on_where_it_was() {
    let chain = pipeline([task("a").gives("o"), task("b").takes("i", of("a", "o")), task("c").after("b")]);
    let mut drive = Drive::new(&chain, &json!({})).script(&[("b", "terminate; ok")]).run();
    drive.assert_states("a succeeded, b canceled, c canceled");
    drive.apply(RunEvent::RetryRequested);
    drive.go_on();
    drive.assert_commands(
        "start a#1, start b#1, stop b#1, +2s, finish FAILED, start b#2, start c#1, finish SUCCEEDED",
    );
    drive.assert_states("a succeeded, b succeeded, c succeeded");
    drive.assert_replay();
}

#[test]
fn requests_that_come_too_late_change_nothing() {
    let mut drive = Drive::new(&pipeline([task("a")]), &json!({})).run();
    for event in
        [RunEvent::TerminateRequested, RunEvent::RetryRequested, RunEvent::Started, RunEvent::TimeReached]
    {
        drive.apply(event);
        assert_eq!(*drive.changes.last().unwrap(), Changes::default());
    }
    drive.assert_commands("start a#1, finish SUCCEEDED");
}
