//! What users of KFP's backend stumble over, and should not here. Much of it is tested where it belongs (empty and
//! nested loops, one-of outputs, loops over artifacts, retries that keep their tasks); this is the rest.

use ferroflow_testing::pipeline::{
    each, each_artifact, group, importer, importer_of_input, input, of, pipeline, status, task, value,
};
use serde_json::json;

use crate::drive::{Drive, check};

#[test]
fn a_loop_may_stand_directly_in_an_exit_handler_or_before_an_exit_task() {
    let exits = pipeline([
        group("handler", [each("loop", "n", &json!([1, 2]), [task("t")])]),
        task("clean").after("handler").always().takes("final", status("handler")),
        each("bare", "n", &json!([]), [task("t")]),
        task("after-bare").after("bare").always(),
    ]);
    let drive = check(
        &exits,
        &[("handler/loop/1/t", "fail")],
        "start after-bare#1, start handler/loop/0/t#1, start handler/loop/1/t#1, start clean#1, finish FAILED",
        "handler failed, handler/loop failed, handler/loop/0 succeeded, handler/loop/0/t succeeded,
         handler/loop/1 failed, handler/loop/1/t failed, clean succeeded, bare succeeded, after-bare succeeded",
    );
    assert_eq!(
        drive.given("clean")["final"]["error"]["message"],
        "task `handler/loop/1/t` failed: exit code 1"
    );
}

#[test]
fn an_exit_task_may_have_several_tasks_of_any_kind_before_it_and_others_behind() {
    let exits = pipeline([
        importer("i", "gs://a"),
        each("loop", "n", &json!([1]), [task("t")]),
        task("bad"),
        task("clean").after("i").after("loop").after("bad").always().gives("o"),
        task("behind").takes("o", of("clean", "o")),
    ]);
    check(
        &exits,
        &[("bad", "fail")],
        "start bad#1, start loop/0/t#1, start clean#1, start behind#1, finish FAILED",
        "i succeeded, loop succeeded, loop/0 succeeded, loop/0/t succeeded, bad failed, clean succeeded,
         behind succeeded",
    );
}

#[test]
fn importers_wait_have_conditions_run_in_loops_and_take_uris_from_tasks() {
    let imports = pipeline([
        task("make").gives("uri"),
        importer_of_input("made").takes("uri", of("make", "uri")),
        importer("waits", "gs://w").after("bad"),
        task("bad"),
        each("loop", "n", &json!(["gs://1", "gs://2"]), [importer_of_input("each").takes("uri", input("n"))])
            .returns_artifact("all", "each", "artifact"),
        group("never", [importer("not", "gs://n")]).takes("n", value(1)).when("int(@['n']) == 2"),
        each_artifact("over", "one", "list", [task("read").uses("d", input("one"))])
            .uses("list", of("loop", "all")),
        task("use").uses("d", of("made", "artifact")),
    ]);
    let drive =
        Drive::new(&imports, &json!({})).script(&[("make", r#"ok uri="gs://made""#), ("bad", "fail")]).run();
    assert_eq!(drive.given_artifacts("use", "d"), ["gs://made"]);
    assert_eq!(drive.given_artifacts("over/0/read", "d"), ["gs://1"]);
    assert_eq!(drive.given_artifacts("over/1/read", "d"), ["gs://2"]);
    assert_eq!(drive.error("waits"), "task `bad` before it did not succeed");
    assert_eq!(drive.error("never"), "its condition was false");
}
