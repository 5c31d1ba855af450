//! Conditions and the outputs of branches of which one is taken.

use ferroflow_testing::pipeline::{each, group, input, of, pipeline, task, value};
use serde_json::json;

use crate::drive::check;

fn branches(side: &str) -> ferroflow_testing::pipeline::Pipeline {
    let heads = "@['side'] == 'heads'";
    pipeline([
        group(
            "pick",
            [
                task("yes").takes("side", input("side")).when(heads).gives("o").makes("d"),
                task("no").takes("side", input("side")).when(&format!("!({heads})")).gives("o").makes("d"),
            ],
        )
        .takes("side", value(side))
        .returns("o", "yes", "o")
        .returns("o", "no", "o")
        .returns_artifact("d", "yes", "d")
        .returns_artifact("d", "no", "d"),
        task("use").takes("o", of("pick", "o")).uses("d", of("pick", "d")),
    ])
}

#[test]
fn the_taken_branch_gives_the_output() {
    for (side, taken, other) in [("heads", "yes", "no"), ("tails", "no", "yes")] {
        let drive = check(
            &branches(side),
            &[(&format!("pick/{taken}"), "ok @d=gs://d")],
            &format!("start pick/{taken}#1, start use#1, finish SUCCEEDED"),
            &format!("pick succeeded, pick/{taken} succeeded, pick/{other} skipped, use succeeded"),
        );
        assert_eq!(drive.given("use"), json!({"o": format!("pick/{taken}.o")}));
        assert_eq!(drive.given_artifacts("use", "d"), ["gs://d"]);
    }
}

#[test]
fn a_consumer_of_branches_of_which_none_was_taken_fails_in_words() {
    let none = pipeline([
        group("pick", [task("yes").takes("n", value(1)).when("int(@['n']) == 2").gives("o").makes("d")])
            .returns("o", "yes", "o")
            .returns_artifact("d", "yes", "d"),
        task("needs").takes("i", of("pick", "o")),
        task("needs-data").uses("i", of("pick", "d")),
        task("spares").takes("i", of("pick", "o")).optional().uses("d", of("pick", "d")).optional(),
    ]);
    let drive = check(
        &none,
        &[],
        "start spares#1, finish FAILED",
        "pick succeeded, pick/yes skipped, needs failed, needs-data failed, spares succeeded",
    );
    assert_eq!(drive.error("needs"), "input `i`: task `pick` gave no output `o`");
    assert_eq!(drive.error("needs-data"), "input artifact `i`: task `pick` gave no output `d`");
    assert_eq!(drive.given("spares"), json!({}));
}

#[test]
fn a_condition_that_cannot_be_evaluated_fails_its_task() {
    let bad = pipeline([task("a").takes("s", value("x")).when("'int(@['s'])' == 'q'"), task("b")]);
    let drive = check(&bad, &[], "start b#1, finish FAILED", "a failed, b succeeded");
    assert!(drive.error("a").starts_with("the condition `"), "{}", drive.error("a"));
}

#[test]
fn conditions_compare_numbers_as_numbers() {
    for (left, condition, holds) in [
        (json!(3), "@['n'] == 3", true),
        (json!(3), "@['n'] > 2.5", true),
        (json!(3), "@['n'] < 3.5", true),
        (json!(3), "@['n'] >= 3", true),
        (json!(3), "@['n'] != 3", false),
        (json!(3), "@['n'] == 3.0", true),
        (json!(3), "int(@['n']) > -1", true),
        (json!(3), "@['n'] > -1", true),
        (json!(-3), "@['n'] < -2", true),
        (json!(-3), "@['n'] < -2.5", true),
        (json!(-3), "int(@['n']) == -3", true),
        (json!(2.7), "int(@['n']) == 2", true),
        (json!(0.5), "@['n'] < 1", true),
        (json!(0.5), "double(@['n']) == 0.5", true),
        (json!(true), "@['n'] == true", true),
        (json!("a"), "@['n'] == 'a' && @['n'] != 'b'", true),
    ] {
        let state = if holds { "a succeeded" } else { "a skipped" };
        let one = pipeline([task("a").takes("n", value(left)).when(condition)]);
        let commands = if holds { "start a#1, finish SUCCEEDED" } else { "finish SUCCEEDED" };
        check(&one, &[], commands, state);
    }
}

#[test]
fn collected_outputs_leave_out_passes_that_made_none() {
    let odd = pipeline([
        each(
            "loop",
            "n",
            &json!([1, 2, 3]),
            [task("t").takes("n", input("n")).when("int(@['n']) != 2").gives("o").makes("d")],
        )
        .returns("os", "t", "o")
        .returns_artifact("ds", "t", "d"),
        task("join").takes("os", of("loop", "os")).uses("ds", of("loop", "ds")),
    ]);
    let drive = check(
        &odd,
        &[("loop/0/t", "ok @d=gs://0"), ("loop/2/t", "ok @d=gs://2")],
        "start loop/0/t#1, start loop/2/t#1, start join#1, finish SUCCEEDED",
        "loop succeeded, loop/0 succeeded, loop/1 succeeded, loop/2 succeeded, loop/0/t succeeded, \
         loop/1/t skipped, loop/2/t succeeded, join succeeded",
    );
    assert_eq!(drive.given("join"), json!({"os": ["loop/0/t.o", "loop/2/t.o"]}));
    assert_eq!(drive.given_artifacts("join", "ds"), ["gs://0", "gs://2"]);
}
