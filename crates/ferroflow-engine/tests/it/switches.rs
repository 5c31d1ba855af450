//! Decisions where KFP has two faces, turned to the other one. The default face is tested where it belongs.

use ferroflow_engine::{RunEvent, Semantics, Switch};
use ferroflow_model::RunStatus;
use ferroflow_testing::pipeline::{Pipeline, each, importer, of, pipeline, status, task, value};
use serde_json::{Value, json};

use crate::drive::{Drive, Script};

fn turned(pipeline: &Pipeline, switch: Switch, script: Script<'_>) -> Drive {
    let semantics = Semantics { switches: [switch].into(), ..Semantics::default() };
    Drive::under(pipeline.spec(), &json!({}), semantics).script(script).run()
}

#[test]
fn collected_parameters_can_be_flat() {
    let inner = each("inner", "m", &json!([1, 2]), [task("t").gives("o").gives("l")])
        .returns("os", "t", "o")
        .returns("ls", "t", "l");
    let nested = pipeline([
        each("outer", "n", &json!(["a", "b"]), [inner, task("own").gives("l")])
            .returns("os", "inner", "os")
            .returns("own", "own", "l"),
        task("join").takes("os", of("outer", "os")).takes("own", of("outer", "own")),
    ]);
    let script: Script<'_> = &[
        ("outer/0/inner/0/t", "ok o=[1]"),
        ("outer/0/inner/1/t", "ok o=2"),
        ("outer/1/inner/0/t", "ok o=3"),
        ("outer/1/inner/1/t", "ok o=4"),
        ("outer/0/own", "ok l=[0]"),
        ("outer/1/own", "ok l=[0]"),
    ];
    // Lists that tasks made are values like others.
    let drive = turned(&nested, Switch::FlatCollected, script);
    assert_eq!(drive.given("join"), json!({ "os": [[1], 2, 3, 4], "own": [[0], [0]] }));
}

#[test]
fn metadata_can_be_read_as_it_comes_back_from_ml_metadata() {
    let written = json!({ "a": true, "b": [1], "c": { "x": "y" }, "d": 1.5, "e": null });
    let one = pipeline([importer("a", "gs://a").once(&written), task("t").uses("d", of("a", "artifact"))]);
    let read = |drive: &Drive| Value::Object(drive.given["t"].inputs.artifacts["d"][0].metadata.clone());
    assert_eq!(read(&Drive::new(&one, &json!({})).run()), written);
    assert_eq!(
        read(&turned(&one, Switch::WrappedMetadata, &[])),
        json!({ "a": 1, "b": { "list": [1] }, "c": { "struct": { "x": "y" } }, "d": 1.5 }),
    );
}

#[test]
fn final_states_can_be_named_as_the_sdk_says() {
    let exit = pipeline([
        task("a"),
        task("skip").takes("n", value(1)).when("int(@['n']) == 2"),
        task("clean").after("a").always().takes("a", status("a")).takes("skip", status("skip")),
    ]);
    for (does, a) in [("ok", "SUCCEEDED"), ("fail", "FAILED"), ("terminate", "CANCELLED")] {
        let given = turned(&exit, Switch::SdkFinalStatus, &[("a", does)]).given("clean");
        assert_eq!((&given["a"]["state"], &given["skip"]["state"]), (&json!(a), &json!("SKIPPED")));
    }
}

#[test]
fn failed_exit_tasks_can_be_let_pass() {
    let exit = pipeline([task("body"), task("clean").after("body").always()]);
    let drive = turned(&exit, Switch::ExitFailuresPass, &[("clean", "fail")]);
    drive.assert_commands("start body#1, start clean#1, finish SUCCEEDED");
    drive.assert_states("body succeeded, clean failed");
    let drive = turned(&exit, Switch::ExitFailuresPass, &[("body", "fail"), ("clean", "fail")]);
    assert_eq!(drive.status(), RunStatus::Failed);
}

#[test]
fn skipped_tasks_can_hold_exit_tasks_back() {
    let exit = pipeline([
        task("a").takes("n", value(1)).when("int(@['n']) == 2"),
        task("bad"),
        task("behind-a").after("a").always(),
        task("behind-bad").after("bad").always(),
    ]);
    let drive = turned(&exit, Switch::SkippedBlocksExit, &[("bad", "fail")]);
    drive.assert_states("a skipped, bad failed, behind-a skipped, behind-bad succeeded");
}

#[test]
fn null_outputs_can_be_failures() {
    let one = pipeline([task("t").gives("o").retries(1, 0.0)]);
    let drive = turned(&one, Switch::NullOutputsFail, &[("t", "ok o=null; ok o=1")]);
    drive.assert_commands("start t#1, start t#2, finish SUCCEEDED");
    let drive = turned(&one, Switch::NullOutputsFail, &[("t", "ok o=null; ok o=null")]);
    assert_eq!(drive.error("t"), "it gave null as output `o`");
}

#[test]
fn keys_can_hold_the_environment_another_scope_or_no_log() {
    let one = pipeline([task("t").caches()]);
    let key = |semantics: Semantics| {
        let mut spec = one.spec();
        for executor in spec.executors.values_mut() {
            if let ferroflow_spec::ir::Executor::Container(container) = executor {
                container.env = vec![("B".to_owned(), "2".to_owned()), ("A".to_owned(), "1".to_owned())];
            }
        }
        let drive = Drive::under(spec, &json!({}), semantics).run();
        let key = drive.lookups["t"].clone();
        (key.fingerprint.clone(), Value::Object(key.parts.read()))
    };
    let with = |switch| Semantics { switches: [switch].into(), ..Semantics::default() };
    let log =
        json!({ "executor-logs": { "name": "executor-logs", "type": { "schemaTitle": "system.Artifact" } } });
    let container = json!({ "image": "image", "cmdArgs": ["run", "t"] });
    let (plain, parts) = key(Semantics::default());
    assert_eq!(parts, json!({ "containerSpec": container, "outputArtifactsSpec": log }));
    let (environment, parts) = key(with(Switch::EnvironmentInCacheKey));
    assert_eq!(parts["containerSpec"]["env"], json!({ "A": "1", "B": "2" }));
    let (bare, parts) = key(with(Switch::NoLogInCacheKey));
    assert_eq!(parts, json!({ "containerSpec": container }));
    let (scoped, parts) = key(Semantics { cache_scope: "docker".to_owned(), ..Semantics::default() });
    assert_eq!(parts["cacheScope"], "docker");
    let all = std::collections::BTreeSet::from([plain, environment, bare, scoped]);
    assert_eq!(all.len(), 4);
}

#[test]
fn importers_can_take_anything() {
    let one = pipeline([importer("a", "no uri")]);
    assert_eq!(Drive::new(&one, &json!({})).run().status(), RunStatus::Failed);
    assert_eq!(turned(&one, Switch::LenientImporters, &[]).status(), RunStatus::Succeeded);
}

#[test]
fn terminated_runs_can_be_canceled_and_still_be_retried() {
    let one = pipeline([task("a")]);
    let mut drive = turned(&one, Switch::TerminatedIsCanceled, &[("a", "terminate; ok")]);
    drive.assert_commands("start a#1, stop a#1, +2s, finish CANCELED");
    drive.apply(RunEvent::RetryRequested);
    drive.go_on();
    assert_eq!(drive.status(), RunStatus::Succeeded);
    drive.assert_replay();
}
