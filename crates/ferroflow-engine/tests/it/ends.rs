//! Runs that are ended from outside: by a client, or by their deadline. Exit tasks get their time.

use std::time::Duration;

use ferroflow_engine::{RunEvent, Semantics};
use ferroflow_model::RunStatus;
use ferroflow_model::record::Failure;
use ferroflow_testing::pipeline::{Pipeline, group, pipeline, status, task};
use serde_json::{Value, json};

use crate::drive::{Drive, Script, check};

fn exits() -> Pipeline {
    pipeline([
        group("body", [task("t"), task("u").after("t")]),
        task("clean").after("body").always().takes("final", status("body")).retries(1, 10.0),
        task("behind").after("clean"),
    ])
}

#[test]
fn exit_tasks_run_when_a_run_is_terminated_and_are_told_the_truth() {
    let drive = check(
        &exits(),
        &[("body/t", "terminate")],
        "start body/t#1, stop body/t#1, start clean#1, +2s, finish FAILED",
        "body canceled, body/t canceled, body/u canceled, clean succeeded, behind canceled",
    );
    let told = &drive.given("clean")["final"];
    assert_eq!(told["state"], "CANCELED");
    assert_eq!(told["error"], json!({ "code": 1, "message": "the run was terminated on request" }));
}

#[test]
fn groups_and_waits_within_exit_tasks_go_on_too() {
    let exits = pipeline([
        task("a"),
        group("g", [task("x").retries(1, 10.0), task("y").after("x")]).after("a").always(),
    ]);
    check(
        &exits,
        &[("a", "terminate"), ("g/x", "fail; ok")],
        "start a#1, stop a#1, start g/x#1, +10s, start g/x#2, start g/y#1, finish FAILED",
        "a canceled, g succeeded, g/x succeeded, g/y succeeded",
    );
    // One that was at work or waited already is left alone.
    check(
        &exits,
        &[("g/x", "fail; terminate")],
        "start a#1, start g/x#1, +10s, start g/x#2, +60s, stop g/x#2, finish FAILED",
        "a succeeded, g canceled, g/x canceled, g/y canceled",
    );
}

#[test]
fn exit_tasks_are_stopped_after_their_time_or_when_asked_again() {
    let states = "body canceled, body/t canceled, body/u canceled, clean canceled, behind canceled";
    for (script, commands) in [
        (
            &[("body/t", "terminate"), ("clean", "hang")] as Script<'_>,
            "start body/t#1, stop body/t#1, start clean#1, +60s, stop clean#1, finish FAILED",
        ),
        (
            &[("body/t", "terminate"), ("clean", "terminate")],
            "start body/t#1, stop body/t#1, start clean#1, stop clean#1, +2s, finish FAILED",
        ),
    ] {
        check(&exits(), script, commands, states);
    }
    let semantics = Semantics { exit_grace: Duration::ZERO, ..Semantics::default() };
    let drive = Drive::under(exits().spec(), &json!({}), semantics).script(&[("body/t", "terminate")]).run();
    drive.assert_commands("start body/t#1, stop body/t#1, +2s, finish FAILED");
    drive.assert_states(states);
}

fn overdue(deadline: &Value, script: Script<'_>) -> Drive {
    let mut spec = exits().spec();
    spec.pipeline_config = json!({ "activeDeadlineSeconds": deadline });
    Drive::under(spec, &json!({}), Semantics::default()).script(script).run()
}

#[test]
fn a_run_ends_at_its_deadline_and_exit_tasks_still_run() {
    let reason = "the run was not done within its deadline of 5 s (activeDeadlineSeconds)";
    let mut drive = overdue(&json!("5"), &[("body/t", "hang; ok")]);
    drive.assert_commands("start body/t#1, +5s, stop body/t#1, start clean#1, finish FAILED");
    drive.assert_states("body canceled, body/t canceled, body/u canceled, clean succeeded, behind canceled");
    assert_eq!(drive.given("clean")["final"]["error"]["message"], reason);
    let change = drive.changes.iter().rev().find_map(|changes| changes.run.clone()).unwrap();
    assert_eq!(change.error, Some(Some(Failure::new(reason))));
    // A retry has the whole time again.
    drive.apply(RunEvent::RetryRequested);
    drive.go_on();
    assert_eq!(drive.status(), RunStatus::Succeeded);
    drive.assert_replay();
}

#[test]
fn a_deadline_that_is_not_reached_or_not_there_changes_nothing() {
    for deadline in [json!(5), json!(0), json!(-1), Value::Null] {
        let drive = overdue(&deadline, &[]);
        drive.assert_commands(
            "start body/t#1, start body/u#1, start clean#1, start behind#1, finish SUCCEEDED",
        );
        assert_eq!(drive.state.next_wake(), None);
    }
    // Exit tasks that are at work at the deadline may end, but the run was too long.
    let drive = overdue(&json!(5), &[("clean", "fail; ok")]);
    drive.assert_commands(
        "start body/t#1, start body/u#1, start clean#1, +5s, +5s, start clean#2, finish FAILED",
    );
    drive.assert_states(
        "body succeeded, body/t succeeded, body/u succeeded, clean succeeded, behind canceled",
    );
}
