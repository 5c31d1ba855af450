//! The order of tasks, and what failures and skipped tasks do to others.

use ferroflow_model::RunStatus;
use ferroflow_testing::pipeline::{group, of, pipeline, status, task, value};
use serde_json::json;

use crate::drive::check;

#[test]
fn a_chain_runs_in_order() {
    let chain = pipeline([task("a").gives("o"), task("b").takes("i", of("a", "o")), task("c").after("b")]);
    let drive = check(
        &chain,
        &[],
        "start a#1, start b#1, start c#1, finish SUCCEEDED",
        "a succeeded, b succeeded, c succeeded",
    );
    assert_eq!(drive.given("b"), json!({"i": "a.o"}));
}

#[test]
fn a_diamond_joins_once() {
    let diamond = pipeline([
        task("a"),
        task("b").after("a"),
        task("c").after("a"),
        task("d").after("b").after("c").after("a").after("c"),
    ]);
    check(
        &diamond,
        &[],
        "start a#1, start b#1, start c#1, start d#1, finish SUCCEEDED",
        "a succeeded, b succeeded, c succeeded, d succeeded",
    );
}

#[test]
fn nothing_to_do_succeeds() {
    check(&pipeline([]), &[], "finish SUCCEEDED", "");
    check(&pipeline([group("g", [])]), &[], "finish SUCCEEDED", "g succeeded");
}

#[test]
fn a_failure_skips_what_is_behind_it_and_nothing_else() {
    let branches = pipeline([
        task("a"),
        task("b").after("a"),
        task("c").after("b"),
        task("x"),
        task("y").after("x"),
        task("z").after("y").after("c"),
    ]);
    let drive = check(
        &branches,
        &[("a", "fail")],
        "start a#1, start x#1, start y#1, finish FAILED",
        "a failed, b skipped, c skipped, x succeeded, y succeeded, z skipped",
    );
    assert_eq!(drive.error("b"), "task `a` before it did not succeed");
    assert_eq!(drive.error("c"), "task `b` before it was skipped");
    assert_eq!(drive.error(""), "task `a` failed: exit code 1");
    assert_eq!(drive.row("").error.as_ref().unwrap().exit_code, Some(1));
}

#[test]
fn a_failure_deep_inside_is_named_once() {
    let deep = pipeline([group("g", [group("h", [task("t")])])]);
    let drive = check(
        &deep,
        &[("g/h/t", "fail")],
        "start g/h/t#1, finish FAILED",
        "g failed, g/h failed, g/h/t failed",
    );
    for path in ["", "g", "g/h"] {
        assert_eq!(drive.error(path), "task `g/h/t` failed: exit code 1");
    }
}

#[test]
fn an_exit_task_runs_once_however_the_others_ended() {
    let exit = pipeline([
        group("body", [task("t")]),
        task("side"),
        task("clean")
            .after("body")
            .after("side")
            .always()
            .takes("final", status("body"))
            .takes("message", value("bye")),
    ]);
    for (does, state, run, error) in [
        ("ok", "COMPLETE", "SUCCEEDED", json!({})),
        ("fail", "FAILED", "FAILED", json!({"code": 1, "message": "task `body/t` failed: exit code 1"})),
    ] {
        let ended = if does == "ok" { "succeeded" } else { "failed" };
        let drive = check(
            &exit,
            &[("body/t", does)],
            &format!("start side#1, start body/t#1, start clean#1, finish {run}"),
            &format!("body {ended}, body/t {ended}, side succeeded, clean succeeded"),
        );
        let given = drive.given("clean");
        assert_eq!(
            given["final"],
            json!({
                "state": state,
                "error": error,
                "pipelineJobResourceName": "pipeline-abcde",
                "pipelineTaskName": "body",
            })
        );
    }
}

#[test]
fn a_failed_exit_task_fails_the_run() {
    let exit = pipeline([task("body"), task("clean").after("body").always()]);
    check(
        &exit,
        &[("clean", "fail")],
        "start body#1, start clean#1, finish FAILED",
        "body succeeded, clean failed",
    );
}

#[test]
fn an_exit_task_runs_behind_skipped_and_omitted_tasks() {
    let exit = pipeline([
        task("a").takes("n", value(1)).when("int(@['n']) == 2"),
        task("b").after("a"),
        task("behind-a").after("a").always().takes("final", status("a")),
        task("behind-b").after("b").always(),
        task("last").after("behind-b"),
    ]);
    let drive = check(
        &exit,
        &[],
        "start behind-a#1, start behind-b#1, start last#1, finish SUCCEEDED",
        "a skipped, b skipped, behind-a succeeded, behind-b succeeded, last succeeded",
    );
    assert_eq!(drive.given("behind-a")["final"]["state"], "CANCELED");
}

#[test]
fn exit_groups_run_too_and_what_follows_them_depends_on_them_alone() {
    let exit = pipeline([task("a"), group("g", [task("t")]).after("a").always(), task("after").after("g")]);
    check(
        &exit,
        &[("a", "fail")],
        "start a#1, start g/t#1, start after#1, finish FAILED",
        "a failed, g succeeded, g/t succeeded, after succeeded",
    );
}

#[test]
fn a_run_of_skipped_tasks_succeeds() {
    let skipped = pipeline([task("a").takes("n", value(1)).when("int(@['n']) == 2"), task("b").after("a")]);
    let drive = check(&skipped, &[], "finish SUCCEEDED", "a skipped, b skipped");
    assert_eq!(drive.status(), RunStatus::Succeeded);
    assert_eq!(drive.error("a"), "its condition was false");
}
