//! What tasks are given: sources, types, defaults, and the sentences about what is missing.

use ferroflow_spec::ir::ParameterType;
use ferroflow_testing::pipeline::{
    Pipeline, Step, group, importer, importer_of_input, input, of, pipeline, task, value,
};
use serde_json::{Value, json};

use crate::drive::Drive;

/// What the task `t` is given, or the sentence by which it fails.
fn outcome(pipeline: &Pipeline, arguments: &Value, made: &str) -> Result<Value, String> {
    let drive = Drive::new(pipeline, arguments).script(&[("make", made)]).run();
    if drive.row("t").status.is_success() { Ok(drive.given("t")) } else { Err(drive.error("t").to_owned()) }
}

#[track_caller]
fn check_constant(parameter_type: ParameterType, constant: &Value, expected: Result<Value, &str>) {
    let one = pipeline([task("t").takes("i", value(constant.clone())).typed(parameter_type)]);
    let expected = expected.map(|value| json!({ "i": value })).map_err(ToOwned::to_owned);
    assert_eq!(outcome(&one, &json!({}), "ok"), expected, "{constant} as {parameter_type:?}");
}

#[test]
fn everything_has_a_text_and_nothing_else_is_converted() {
    use ParameterType::{Boolean, List, NumberDouble, NumberInteger, String, Struct, Unspecified};
    for (given, text) in [
        (json!("x"), "x"),
        (json!(3), "3"),
        (json!(3.0), "3"),
        (json!(0.1), "0.1"),
        (json!(1e21), "1000000000000000000000"),
        (json!(1.5e-7), "0.00000015"),
        (json!(true), "true"),
        (json!([1, "a"]), r#"[1,"a"]"#),
        (json!({"a": null}), r#"{"a":null}"#),
        (json!(null), ""),
    ] {
        check_constant(String, &given, Ok(json!(text)));
    }
    for (kind, given) in [
        (NumberInteger, json!(3)),
        (NumberInteger, json!(2.5)),
        (NumberDouble, json!(2)),
        (Boolean, json!(false)),
        (List, json!([])),
        (Struct, json!({"a": 1})),
        (Unspecified, json!([1])),
    ] {
        check_constant(kind, &given, Ok(given.clone()));
    }
    for (kind, given, error) in [
        (NumberInteger, json!("3"), "input `i` must be a number (NUMBER_INTEGER), but is a string"),
        (NumberDouble, json!(true), "input `i` must be a number (NUMBER_DOUBLE), but is a boolean"),
        (Boolean, json!(1), "input `i` must be a boolean (BOOLEAN), but is a number"),
        (List, json!("[1]"), "input `i` must be a list (LIST), but is a string"),
        (Struct, json!([]), "input `i` must be a map (STRUCT), but is a list"),
        (List, json!(null), "input `i`: its value is null"),
    ] {
        check_constant(kind, &given, Err(error));
    }
}

#[test]
fn integral_numbers_are_integers_at_every_depth() {
    let one = pipeline([
        task("make").gives("o"),
        task("t").takes("i", of("make", "o")).takes("s", of("make", "o")).typed(ParameterType::String),
    ]);
    for (made, value, text) in
        [("ok o=2.0", json!(2), "2"), ("ok o=[1.0,{\"a\":-3.0}]", json!([1, {"a": -3}]), r#"[1,{"a":-3}]"#)]
    {
        assert_eq!(outcome(&one, &json!({}), made), Ok(json!({"i": value, "s": text})));
    }
}

#[test]
fn missing_and_null_values_leave_an_input_out_or_are_told_by_name() {
    let consumer = |change: fn(Step) -> Step| {
        pipeline([task("make").gives("o"), change(task("t").takes("i", of("make", "o")))])
    };
    let required = consumer(|step| step.typed(ParameterType::NumberInteger));
    let text = consumer(|step| step.typed(ParameterType::String));
    let optional = consumer(Step::optional);
    let with_default = consumer(|step| step.or(7));
    for (made, error) in [
        ("bare", "input `i`: task `make` gave no output `o`"),
        ("ok o=null", "input `i`: task `make` gave null as output `o`"),
    ] {
        assert_eq!(outcome(&required, &json!({}), made), Err(error.to_owned()));
        assert_eq!(outcome(&text, &json!({}), made), Err(error.to_owned()));
        assert_eq!(outcome(&optional, &json!({}), made), Ok(json!({})));
        assert_eq!(outcome(&with_default, &json!({}), made), Ok(json!({"i": 7})));
    }
}

#[test]
fn an_output_of_a_failed_task_is_missing_and_the_default_takes_its_place() {
    let exit = |change: fn(Step) -> Step| {
        pipeline([task("make").gives("o").makes("d"), change(task("t").always().takes("i", of("make", "o")))])
    };
    assert_eq!(outcome(&exit(|step| step.or("none")), &json!({}), "fail"), Ok(json!({"i": "none"})));
    assert_eq!(
        outcome(&exit(|step| step), &json!({}), "fail"),
        Err("input `i`: task `make` gave no output `o`".to_owned())
    );
    let artifact = exit(|step| step.optional().uses("d", of("make", "d")));
    assert_eq!(
        outcome(&artifact, &json!({}), "fail"),
        Err("input artifact `d`: task `make` gave no output `d`".to_owned())
    );
    let spared = exit(|step| step.optional().uses("d", of("make", "d")).optional());
    assert_eq!(outcome(&spared, &json!({}), "fail"), Ok(json!({})));
}

#[test]
fn arguments_defaults_and_nothing_reach_tasks_through_groups() {
    let outer = |change: fn(Step) -> Step, inner: fn(Step) -> Step| {
        pipeline([
            group("g", [inner(task("u").takes("i", input("n")))]).takes("n", input("n")).optional(),
            inner(task("t").takes("i", input("n"))),
        ])
        .accepts("n", change)
    };
    let with_default = outer(|step| step.or(5), |step| step);
    let optional = outer(Step::optional, Step::optional);
    let demanded = outer(Step::optional, |step| step);
    for (pipeline, arguments, expected) in [
        (&with_default, json!({}), Ok(json!({"i": 5}))),
        (&with_default, json!({"n": 6}), Ok(json!({"i": 6}))),
        (&optional, json!({"n": 6}), Ok(json!({"i": 6}))),
        (&optional, json!({}), Ok(json!({}))),
        (&demanded, json!({}), Err("input `i`: its value is null".to_owned())),
    ] {
        assert_eq!(outcome(pipeline, &arguments, "ok"), expected);
        let drive = Drive::new(pipeline, &arguments).run();
        match expected {
            Ok(given) => assert_eq!(drive.given("g/u"), given),
            Err(error) => assert_eq!(drive.error("g/u"), error),
        }
    }
}

#[test]
fn groups_fill_in_defaults_and_containers_get_them_last() {
    let both = pipeline([
        group("g", [task("u").takes("i", input("n"))]).declares("n").or(4).declares("o").optional(),
        task("t").declares("i").or(9).caches(),
    ]);
    let drive = Drive::new(&both, &json!({})).run();
    assert_eq!(json!(drive.row("g").inputs.parameters), json!({"n": 4, "o": null}));
    assert_eq!(drive.given("g/u"), json!({"i": 4}));
    // In the row and the cache key it is missing, as upstream.
    assert_eq!(drive.given("t"), json!({"i": 9}));
    assert_eq!(json!(drive.row("t").inputs.parameters), json!({}));
    assert!(!drive.lookups["t"].parts.read().contains_key("inputParameterValues"));
    let missing = pipeline([task("t").declares("i")]);
    assert_eq!(
        outcome(&missing, &json!({}), "ok"),
        Err("input `i` was given no value and has no default".to_owned())
    );
}

#[test]
fn literals_are_checked_with_numbers_by_value() {
    let one =
        |constant: Value| pipeline([task("t").takes("i", value(constant)).allowing([json!(1), json!("a")])]);
    for good in [json!(1), json!(1.0), json!("a")] {
        assert!(outcome(&one(good), &json!({}), "ok").is_ok());
    }
    assert_eq!(
        outcome(&one(json!("1")), &json!({}), "ok"),
        Err(r#"input `i` is "1", which is not one of the allowed values"#.to_owned())
    );
}

#[test]
fn inputs_beyond_the_declared_ones_are_passed_on_but_must_have_a_value() {
    let one =
        pipeline([task("make").gives("o"), task("t").passes("pipelinechannel--make-o", of("make", "o"))]);
    assert_eq!(outcome(&one, &json!({}), "ok o=3"), Ok(json!({"pipelinechannel--make-o": 3})));
    assert_eq!(
        outcome(&one, &json!({}), "ok o=null"),
        Err("input `pipelinechannel--make-o`: task `make` gave null as output `o`".to_owned())
    );
}

#[test]
fn placeholders_in_constants_become_facts_about_the_run() {
    let one = pipeline([task("t").takes(
        "i",
        value(json!([
            "{{$.pipeline_job_name}}",
            "of {{$.pipeline_job_resource_name}}",
            "{{$.pipeline_task_name}}",
            "{{$.pipeline_job_uuid}}",
            "{{$.pipeline_job_create_time_utc}}",
            "{{$.pipeline_task_uuid}}",
            "{{$.inputs.parameters['x']}}",
        ])),
    )]);
    assert_eq!(
        outcome(&one, &json!({}), "ok"),
        Ok(json!({"i": [
            "my run",
            "of pipeline-abcde",
            "t",
            "6f0e8e5c-6a3c-4b57-8f6e-2d5f3f8c1a01",
            "1970-01-12T13:46:40Z",
            "1",
            "{{$.inputs.parameters['x']}}",
        ]}))
    );
    // What user code wrote is data.
    let from_user = pipeline([task("make").gives("o"), task("t").takes("i", of("make", "o"))]);
    assert_eq!(
        outcome(&from_user, &json!({}), "ok o=\"{{$.pipeline_job_name}}\""),
        Ok(json!({"i": "{{$.pipeline_job_name}}"}))
    );
}

#[test]
fn importers_bring_artifacts_in() {
    let imports = pipeline([
        task("make").gives("uri"),
        importer("fixed", "gs://fixed").after("make"),
        importer_of_input("made").takes("uri", of("make", "uri")),
        task("t").uses("a", of("fixed", "artifact")).uses("b", of("made", "artifact")),
    ]);
    let drive = Drive::new(&imports, &json!({})).script(&[("make", "ok uri=\"gs://made\"")]).run();
    drive.assert_commands("start make#1, start t#1, finish SUCCEEDED");
    assert_eq!(drive.given_artifacts("t", "a"), ["gs://fixed"]);
    assert_eq!(drive.given_artifacts("t", "b"), ["gs://made"]);
    let artifacts = drive.changes.iter().map(|changes| changes.artifacts.len()).sum::<usize>();
    let links = drive.changes.iter().map(|changes| changes.links.len()).sum::<usize>();
    assert_eq!((artifacts, links), (2, 4));
    let empty = pipeline([importer_of_input("t").takes("uri", value(""))]);
    let drive = Drive::new(&empty, &json!({})).run();
    assert_eq!(drive.error("t"), "the importer was given an empty URI");
}
