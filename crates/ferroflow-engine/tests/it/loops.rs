//! Loops: what they run over, how many passes at once, and what they give.

use ferroflow_model::TaskKind;
use ferroflow_testing::pipeline::{
    Pipeline, each, each_artifact, each_of, importer, input, of, pipeline, task, value,
};
use serde_json::{Value, json};

use crate::drive::{Drive, check};

#[test]
fn passes_start_in_order_as_the_limit_allows() {
    let limited = pipeline([
        each("loop", "n", &json!([10, 20, 30, 40]), [task("t").takes("n", input("n")).gives("o")])
            .limit(2)
            .returns("os", "t", "o"),
        task("join").takes("os", of("loop", "os")),
    ]);
    let drive = check(
        &limited,
        &[],
        "start loop/0/t#1, start loop/1/t#1, start loop/2/t#1, start loop/3/t#1, start join#1, finish SUCCEEDED",
        "loop succeeded, loop/0 succeeded, loop/1 succeeded, loop/2 succeeded, loop/3 succeeded,
         loop/0/t succeeded, loop/1/t succeeded, loop/2/t succeeded, loop/3/t succeeded, join succeeded",
    );
    assert_eq!(drive.given("loop/2/t"), json!({"n": 30}));
    assert_eq!(drive.given("join"), json!({"os": ["loop/0/t.o", "loop/1/t.o", "loop/2/t.o", "loop/3/t.o"]}));
    // Never more than two at once: the third pass began when the first had ended.
    let (first, third) = (drive.row("loop/0"), drive.row("loop/2"));
    assert!(third.started_at >= first.ended_at);
    let row = drive.row("loop");
    assert_eq!((row.kind, row.iteration_count, row.iteration_index), (TaskKind::Loop, Some(4), None));
    assert_eq!(
        (third.kind, third.iteration_index, third.parent),
        (TaskKind::Iteration, Some(2), Some(row.execution_id))
    );
}

#[test]
fn outputs_stand_in_the_order_of_items_whatever_ended_first() {
    let loops = pipeline([
        each("loop", "n", &json!(["a", "b", "c"]), [task("t").takes("n", input("n")).gives("o")])
            .returns("os", "t", "o"),
        task("join").takes("os", of("loop", "os")),
    ]);
    let drive = check(
        &loops,
        &[("loop/0/t", "lost; ok"), ("loop/1/t", "lost; lost; ok")],
        "start loop/0/t#1, start loop/1/t#1, start loop/2/t#1, start loop/0/t#2, start loop/1/t#2,
         start loop/1/t#3, start join#1, finish SUCCEEDED",
        "loop succeeded, loop/0 succeeded, loop/1 succeeded, loop/2 succeeded, loop/0/t succeeded,
         loop/1/t succeeded, loop/2/t succeeded, join succeeded",
    );
    assert_eq!(drive.given("join"), json!({"os": ["loop/0/t.o", "loop/1/t.o", "loop/2/t.o"]}));
}

fn over(list: Value) -> Pipeline {
    pipeline([
        each_of("loop", "n", "list", [task("t").takes("n", input("n")).gives("o").makes("d")])
            .takes("list", value(list))
            .returns("os", "t", "o")
            .returns_artifact("ds", "t", "d"),
        task("join").takes("os", of("loop", "os")).uses("ds", of("loop", "ds")),
    ])
}

#[test]
fn no_items_give_empty_lists() {
    // JSON of another kind than a list has no items, as upstream.
    for list in [json!([]), json!("[]"), json!("{\"a\": 1}")] {
        let drive =
            check(&over(list), &[], "start join#1, finish SUCCEEDED", "loop succeeded, join succeeded");
        assert_eq!(drive.given("join"), json!({"os": []}));
        assert!(drive.given_artifacts("join", "ds").is_empty());
    }
}

#[test]
fn what_is_no_list_is_an_error() {
    for (list, error) in [
        (json!(3), "the loop runs over input `list`, which is not a list"),
        (json!("a, b"), "input `list`, which the loop runs over, must be a list in JSON, but is `a, b`"),
    ] {
        let drive = check(&over(list), &[], "finish FAILED", "loop failed, join skipped");
        assert_eq!(drive.error("loop"), error);
    }
}

#[test]
fn lists_come_from_values_texts_and_tasks() {
    for list in [json!(["x", 2.0]), json!("[\"x\", 2.0]")] {
        let loops = pipeline([
            task("make").gives("list"),
            each_of("loop", "n", "list", [task("t").takes("n", input("n"))])
                .takes("list", of("make", "list")),
        ]);
        let words = format!("ok list={}", list.to_string().replace(' ', ""));
        let drive = Drive::new(&loops, &json!({})).script(&[("make", &words)]).run();
        assert_eq!(drive.given("loop/0/t"), json!({"n": "x"}));
        assert_eq!(drive.given("loop/1/t"), json!({"n": 2}));
        // Inside, the item stands in place of the list.
        assert_eq!(json!(drive.row("loop/0").inputs.parameters), json!({"n": "x"}));
    }
}

#[test]
fn one_item_is_still_a_list_and_fields_of_items_are_picked() {
    let loops = pipeline([
        each(
            "loop",
            "p",
            &json!([{"a": 1, "b": "x"}]),
            [task("t").takes("a", input("p")).picking("a").takes("b", input("p")).picking("b").gives("o")],
        )
        .returns("os", "t", "o"),
        task("join").takes("os", of("loop", "os")),
    ]);
    let drive = Drive::new(&loops, &json!({})).run();
    assert_eq!(drive.given("loop/0/t"), json!({"a": 1, "b": "x"}));
    assert_eq!(drive.given("join"), json!({"os": ["loop/0/t.o"]}));
    let bad =
        pipeline([each("loop", "p", &json!([{"a": 1}]), [task("t").takes("b", input("p")).picking("b")])]);
    let drive = Drive::new(&bad, &json!({})).run();
    assert_eq!(drive.error("loop/0/t"), "input `b`: the item has no field `b`");
}

#[test]
fn nested_loops_give_nested_lists_and_flat_artifacts() {
    let inner = each(
        "inner",
        "m",
        &json!([1, 2]),
        [task("t").takes("n", input("n")).takes("m", input("m")).gives("o").makes("d")],
    )
    .takes("n", input("n"))
    .returns("os", "t", "o")
    .returns_artifact("ds", "t", "d");
    let nested = pipeline([
        each("outer", "n", &json!(["a", "b"]), [inner])
            .returns("os", "inner", "os")
            .returns_artifact("ds", "inner", "ds"),
        task("join").takes("os", of("outer", "os")).uses("ds", of("outer", "ds")),
    ]);
    let drive = Drive::new(&nested, &json!({}))
        .script(&[
            ("outer/0/inner/0/t", "ok o=1 @d=gs://00"),
            ("outer/0/inner/1/t", "ok o=2 @d=gs://01"),
            ("outer/1/inner/0/t", "ok o=null @d=gs://10"),
            ("outer/1/inner/1/t", "ok o=4 @d=gs://11"),
        ])
        .run();
    assert_eq!(drive.given("outer/1/inner/0/t"), json!({"n": "b", "m": 1}));
    assert_eq!(drive.given("join"), json!({"os": [[1, 2], [null, 4]]}));
    assert_eq!(drive.given_artifacts("join", "ds"), ["gs://00", "gs://01", "gs://10", "gs://11"]);
    assert_eq!(drive.row("join").inputs.artifacts["ds"].len(), 4);
}

#[test]
fn loops_run_over_artifacts() {
    let loops = pipeline([
        importer("a", "gs://a"),
        each("made", "n", &json!([1, 2]), [task("t").makes("d")]).returns_artifact("ds", "t", "d"),
        each_artifact("loop", "one", "list", [task("t").uses("d", input("one"))])
            .uses("list", of("made", "ds")),
    ]);
    let drive = Drive::new(&loops, &json!({}))
        .script(&[("made/0/t", "ok @d=gs://0"), ("made/1/t", "ok @d=gs://1")])
        .run();
    drive.assert_states(
        "a succeeded, made succeeded, made/0 succeeded, made/0/t succeeded, made/1 succeeded,
         made/1/t succeeded, loop succeeded, loop/0 succeeded, loop/0/t succeeded, loop/1 succeeded,
         loop/1/t succeeded",
    );
    assert_eq!(drive.given_artifacts("loop/0/t", "d"), ["gs://0"]);
    assert_eq!(drive.given_artifacts("loop/1/t", "d"), ["gs://1"]);
}

#[test]
fn a_failed_pass_fails_the_loop_after_the_others_have_run() {
    let loops =
        pipeline([each("loop", "n", &json!([1, 2, 3]), [task("t")]).limit(1), task("after").after("loop")]);
    let drive = check(
        &loops,
        &[("loop/0/t", "fail")],
        "start loop/0/t#1, start loop/1/t#1, start loop/2/t#1, finish FAILED",
        "loop failed, loop/0 failed, loop/0/t failed, loop/1 succeeded, loop/1/t succeeded,
         loop/2 succeeded, loop/2/t succeeded, after skipped",
    );
    assert_eq!(drive.error("loop"), "task `loop/0/t` failed: exit code 1");
}
