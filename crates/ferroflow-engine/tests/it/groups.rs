//! Sub-pipelines and the outputs of the run itself.

use ferroflow_testing::pipeline::{group, input, of, pipeline, task, value};
use serde_json::json;

use crate::drive::{Drive, check};

#[test]
fn values_go_into_sub_pipelines_and_out_to_the_run() {
    let inner =
        group("inner", [task("t").takes("x", input("x")).uses("d", input("d")).gives("y").makes("e")])
            .takes("x", input("x"))
            .uses("d", input("d"))
            .returns("y", "t", "y")
            .returns_artifact("e", "t", "e");
    let nested = pipeline([
        task("load").makes("d"),
        group("outer", [inner])
            .takes("x", value(3))
            .uses("d", of("load", "d"))
            .returns("y", "inner", "y")
            .returns_artifact("e", "inner", "e"),
        task("use").takes("y", of("outer", "y")).uses("e", of("outer", "e")),
    ])
    .returns("answer", "outer", "y")
    .returns_artifact("model", "outer", "e");
    let drive = check(
        &nested,
        &[("load", "ok @d=gs://d"), ("outer/inner/t", "ok y=42 @e=gs://e")],
        "start load#1, start outer/inner/t#1, start use#1, finish SUCCEEDED",
        "load succeeded, outer succeeded, outer/inner succeeded, outer/inner/t succeeded, use succeeded",
    );
    assert_eq!(drive.given("outer/inner/t"), json!({"x": 3}));
    assert_eq!(drive.given_artifacts("outer/inner/t", "d"), ["gs://d"]);
    assert_eq!(drive.given("use"), json!({"y": 42}));
    let change = drive.changes.iter().rev().find_map(|changes| changes.run.as_ref()).unwrap();
    let outputs = change.outputs.as_ref().unwrap();
    assert_eq!(json!(outputs.parameters), json!({"answer": 42}));
    assert_eq!(outputs.artifacts["model"][0].uri, "gs://e");
    assert_eq!(drive.row("").outputs, *outputs);
}

#[test]
fn numbers_of_executions_and_artifacts_are_given_once() {
    let many: Vec<_> = (0..40).map(|n| task(&format!("t{n}")).makes("d")).collect();
    let drive = Drive::new(&pipeline(many), &json!({})).run();
    let artifacts = drive.changes.iter().flat_map(|changes| &changes.artifacts).map(|row| row.artifact.id.0);
    let mut numbers: Vec<i64> = drive.rows.keys().map(|id| id.0).chain(artifacts).collect();
    numbers.sort_unstable();
    let count = numbers.len();
    numbers.dedup();
    assert_eq!((numbers.len(), count), (81, 81));
}
