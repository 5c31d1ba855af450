//! Clients have a run run again from a task on.

use ferroflow_engine::{Changes, RunEvent};
use ferroflow_model::RunStatus;
use ferroflow_testing::pipeline::{Pipeline, each, each_of, group, input, of, pipeline, task, value};
use serde_json::json;

use crate::drive::{Drive, Script, path};

/// Runs a pipeline, then again from a task on, and checks what was started the second time.
#[track_caller]
fn check(pipeline: &Pipeline, script: Script<'_>, from: &str, commands: &str, states: &str) -> Drive {
    let mut drive = Drive::new(pipeline, &json!({})).script(script).run();
    again(&mut drive, from, commands, states);
    drive
}

#[track_caller]
fn again(drive: &mut Drive, from: &str, commands: &str, states: &str) {
    drive.forget_commands();
    drive.apply(RunEvent::RetryFromRequested { task: path(from) });
    drive.go_on();
    drive.assert_commands(commands);
    drive.assert_states(states);
    drive.assert_replay();
}

#[test]
fn a_task_and_what_is_behind_it_run_again_and_the_rest_is_kept() {
    let many = pipeline([
        task("a").gives("o").caches(),
        task("b").takes("i", of("a", "o")).gives("o").caches(),
        task("c").takes("i", of("b", "o")),
        task("side"),
        task("clean").after("c").always(),
    ]);
    let states = "a succeeded, b succeeded, c succeeded, side succeeded, clean succeeded";
    let mut drive = check(&many, &[], "b", "start b#2, start c#2, start clean#2, finish SUCCEEDED", states);
    assert_eq!(drive.row("a").attempt, 1);
    assert!(drive.row("b").cache.as_ref().unwrap().refusal.is_some());
    let history = drive.row("c").history.len();
    again(
        &mut drive,
        "",
        "start a#2, start side#2, start b#3, start c#3, start clean#3, finish SUCCEEDED",
        states,
    );
    assert!(drive.row("c").history.len() > history, "history is kept");
}

#[test]
fn what_failed_elsewhere_runs_again_too() {
    let two = pipeline([task("a"), task("b").after("a"), task("bad")]);
    check(
        &two,
        &[("bad", "fail; ok")],
        "a",
        "start a#2, start bad#2, start b#2, finish SUCCEEDED",
        "a succeeded, b succeeded, bad succeeded",
    );
}

#[test]
fn within_groups_and_passes_only_what_is_behind_runs_again() {
    let nested = pipeline([
        group("g", [task("x"), task("y").after("x").gives("o")]).returns("o", "y", "o"),
        each("loop", "n", &json!([1, 2]), [task("s"), task("t").after("s")])
            .takes("o", of("g", "o"))
            .limit(1),
        task("last").after("loop"),
        task("first"),
    ]);
    let states = "first succeeded, g succeeded, g/x succeeded, g/y succeeded, last succeeded,
         loop succeeded, loop/0 succeeded, loop/0/s succeeded, loop/0/t succeeded,
         loop/1 succeeded, loop/1/s succeeded, loop/1/t succeeded";
    let mut drive =
        check(&nested, &[], "loop/1/t", "start loop/1/t#2, start last#2, finish SUCCEEDED", states);
    again(
        &mut drive,
        "g/y",
        "start g/y#2, start loop/0/s#2, start loop/0/t#2, start loop/1/s#2, start loop/1/t#3, start last#3,
         finish SUCCEEDED",
        states,
    );
}

#[test]
fn a_loop_that_begins_anew_has_as_many_passes_as_it_has_items() {
    let inner = each("inner", "m", &json!([1]), [task("t").takes("n", input("n")).gives("o")])
        .takes("n", input("n"))
        .returns("os", "t", "o");
    let over = pipeline([
        task("list").gives("l"),
        each_of("loop", "n", "list", [inner]).takes("list", of("list", "l")).returns("os", "inner", "os"),
        task("join").takes("os", of("loop", "os")),
    ]);
    let pass = |number: u32, state: &str| {
        format!(
            ", loop/{number} {state}, loop/{number}/inner {state}, loop/{number}/inner/0 {state}, \
             loop/{number}/inner/0/t {state}"
        )
    };
    let others = "list succeeded, loop succeeded, join succeeded";
    let two = format!("{others}{}{}", pass(0, "succeeded"), pass(1, "succeeded"));
    let mut drive = Drive::new(&over, &json!({}))
        .script(&[("list", "ok l=[1]; ok l=[1,2]; ok l=[3]; ok l=[5,6,7]; ok l=[8,9]")])
        .run();
    again(
        &mut drive,
        "list",
        "start list#2, start loop/0/inner/0/t#2, start loop/1/inner/0/t#1, start join#2, finish SUCCEEDED",
        &two,
    );
    assert_eq!(drive.given("join")["os"], json!([["loop/0/inner/0/t.o"], ["loop/1/inner/0/t.o"]]));
    again(
        &mut drive,
        "list",
        "start list#3, start loop/0/inner/0/t#3, start join#3, finish SUCCEEDED",
        &format!("{others}{}{}", pass(0, "succeeded"), pass(1, "skipped")),
    );
    assert_eq!(drive.given("loop/0/inner/0/t"), json!({ "n": 3 }));
    again(
        &mut drive,
        "list",
        "start list#4, start loop/0/inner/0/t#4, start loop/1/inner/0/t#2, start loop/2/inner/0/t#1,
         start join#4, finish SUCCEEDED",
        &format!("{two}{}", pass(2, "succeeded")),
    );
    // Passes find their way also after they have moved.
    again(
        &mut drive,
        "loop/1/inner/0/t",
        "start loop/1/inner/0/t#3, start join#5, finish SUCCEEDED",
        &format!("{two}{}", pass(2, "succeeded")),
    );
    again(
        &mut drive,
        "list",
        "start list#5, start loop/0/inner/0/t#5, start loop/1/inner/0/t#4, start join#6, finish SUCCEEDED",
        &format!("{two}{}", pass(2, "skipped")),
    );
}

#[test]
fn a_group_whose_condition_no_longer_holds_is_skipped_with_all_it_held() {
    let over = pipeline([
        task("coin").gives("side"),
        group("heads", [group("inner", [task("t")])])
            .takes("side", of("coin", "side"))
            .when("@['side'] == 'heads'"),
        task("bad").after("heads").always(),
    ]);
    let script: Script<'_> =
        &[("coin", r#"ok side="heads"; ok side="tails"; ok side="heads""#), ("bad", "ok; fail; ok")];
    let mut drive = check(
        &over,
        script,
        "coin",
        "start coin#2, start bad#2, finish FAILED",
        "coin succeeded, heads skipped, heads/inner skipped, heads/inner/t skipped, bad failed",
    );
    drive.apply(RunEvent::RetryRequested);
    drive.go_on();
    assert_eq!(drive.status(), RunStatus::Succeeded);
    again(
        &mut drive,
        "coin",
        "start coin#3, start heads/inner/t#2, start bad#4, finish SUCCEEDED",
        "coin succeeded, heads succeeded, heads/inner succeeded, heads/inner/t succeeded, bad succeeded",
    );
}

#[test]
fn runs_at_work_and_unknown_tasks_are_left_alone() {
    let one = pipeline([task("a").takes("n", value(1))]);
    let mut drive = Drive::new(&one, &json!({})).script(&[("a", "hang")]).run();
    for event in [RunEvent::RetryFromRequested { task: path("a") }, RunEvent::RetryRequested] {
        drive.apply(event);
        assert_eq!(*drive.changes.last().unwrap(), Changes::default());
    }
    let mut drive = Drive::new(&one, &json!({})).run();
    drive.apply(RunEvent::RetryFromRequested { task: path("b") });
    assert_eq!(*drive.changes.last().unwrap(), Changes::default());
}
