//! Table tests of the protocol.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ferroflow_engine::event::DeclaredArtifact;
use ferroflow_engine::{RunIdentity, TaskAttempt};
use ferroflow_model::{Artifact, ArtifactId, AttemptId, ExecutionId, Inputs, RunId, TaskPath, Timestamp};
use ferroflow_spec::ir::{ArtifactType, ContainerSpec, ParameterType};
use serde_json::{Value, json};

use super::*;

fn places() -> Places {
    let roots = vec![MappedRoot { uri: "s3://lab".into(), folder: "/mirror/s3/lab".into() }];
    Places {
        parameters: "/scratch/outputs".into(),
        workspace: "/data/workspaces/1".into(),
        mapping: Mapping { roots, shown: ShownUris::Real },
    }
}

fn artifact(id: i64, uri: &str, metadata: &Value) -> Arc<Artifact> {
    Arc::new(Artifact {
        id: ArtifactId(id),
        schema_title: "system.Dataset".into(),
        schema_version: "0.0.1".into(),
        instance_schema: String::new(),
        uri: uri.into(),
        metadata: metadata.as_object().cloned().unwrap_or_default(),
        custom_path: None,
    })
}

fn attempt(parameters: Value) -> TaskAttempt {
    let parameters: BTreeMap<String, Arc<Value>> = serde_json::from_value(parameters).unwrap();
    let artifacts = BTreeMap::from([
        (
            "table".to_owned(),
            vec![artifact(812, "/lake/table", &json!({"rows": 120, "tags": ["a"], "note": "x\"y"}))],
        ),
        ("remote".to_owned(), vec![artifact(4, "s3://lab/in/r", &json!({}))]),
        ("elsewhere".to_owned(), vec![artifact(5, "https://host/e", &json!({}))]),
        ("many".to_owned(), vec![artifact(1, "/m/1", &json!({})), artifact(2, "/m/2", &json!({}))]),
        ("none".to_owned(), vec![]),
    ]);
    let declared = |title: &str, metadata: Value| DeclaredArtifact {
        artifact_type: ArtifactType {
            schema_title: title.into(),
            instance_schema: String::new(),
            schema_version: "0.0.1".into(),
        },
        metadata: metadata.as_object().cloned().unwrap(),
        is_list: false,
    };
    let run_id: RunId = "5d0f3b0e-6f57-4c1c-9a3d-2f4c1b9d7e11".parse().unwrap();
    TaskAttempt {
        id: AttemptId { run: run_id, path: TaskPath::new("fit"), attempt: 1 },
        execution_id: ExecutionId(9),
        task_name: "fit".into(),
        run: Arc::new(RunIdentity {
            id: run_id,
            display_name: "my run".into(),
            pipeline_name: "sales".into(),
            resource_name: "sales-x7k2p".into(),
            root: "/root/sales/5d".into(),
            created_at: Timestamp::from_seconds(1_709_210_096),
            scheduled_at: Timestamp::from_seconds(951_782_400),
        }),
        container: Arc::new(ContainerSpec {
            env: vec![("NAME".into(), "first".into()), ("NAME".into(), "last".into())],
            ..ContainerSpec::default()
        }),
        kubernetes: Arc::new(Value::Null),
        inputs: Arc::new(Inputs { parameters, artifacts }),
        output_parameters: BTreeMap::from([("score".into(), ParameterType::NumberDouble)]),
        output_artifacts: BTreeMap::from([(
            "model".into(),
            declared("system.Model", json!({"framework": "none"})),
        )]),
        task_root: "/root/sales/5d/fit/0c".into(),
        timeout: Some(Duration::from_secs(1)),
    }
}

fn inputs() -> Value {
    json!({
        "text": "spring", "quote": "a \"b\"\n{{$.inputs.parameters['text']}}", "whole": 4, "double": 0.1, "big": 1e21,
        "small": 1e-7, "yes": true, "list": [1, 2.5, {"k": "v"}], "struct": {"b": {"c": [7]}}, "nothing": null,
    })
}

#[track_caller]
fn check(word: &str, expected: &[&str]) {
    let attempt = attempt(inputs());
    let places = places();
    let found = Resolver::new(&attempt, &places).words([&word.to_owned()]).unwrap();
    assert_eq!(found, expected, "{word}");
}

#[test]
fn parameters_become_text() {
    check("plain", &["plain"]);
    check("--x={{$.inputs.parameters['text']}}!", &["--x=spring!"]);
    check("{{$.inputs.parameters[\"text\"]}}", &["spring"]);
    check("{{$.inputs.parameters['whole']}}", &["4"]);
    check("{{$.inputs.parameters['double']}}", &["0.1"]);
    check("{{$.inputs.parameters['big']}}", &["1000000000000000000000"]);
    check("{{$.inputs.parameters['small']}}", &["0.0000001"]);
    check("{{$.inputs.parameters['yes']}}", &["true"]);
    check("{{$.inputs.parameters['list']}}", &[r#"[1,2.5,{"k":"v"}]"#]);
    check("{{$.inputs.parameters['struct']['b'].c[0]}}", &["7"]);
    check("{{$.inputs.parameters['quote'].json_escape[1]}}", &[r#"a \"b\"\nspring"#]);
}

#[test]
fn values_are_not_read_as_templates() {
    let attempt =
        attempt(json!({"pipelinechannel--evil": "{{$.inputs.parameters['pipelinechannel--evil']}}"}));
    let places = places();
    let word = "{{$.inputs.parameters['pipelinechannel--evil']}}".to_owned();
    assert_eq!(Resolver::new(&attempt, &places).words([&word]).unwrap(), [word]);
}

#[test]
fn artifacts_have_uri_path_and_metadata() {
    check("{{$.inputs.artifacts['table'].uri}}", &["/lake/table"]);
    check("{{$.inputs.artifacts['table'].path}}", &["/lake/table"]);
    check("{{$.inputs.artifacts['remote'].uri}}", &["s3://lab/in/r"]);
    check("{{$.inputs.artifacts['remote'].path}}", &["/mirror/s3/lab/in/r"]);
    check("{{$.inputs.artifacts['elsewhere'].uri}}", &["https://host/e"]);
    check("{{$.inputs.artifacts['elsewhere'].path}}", &["{{$.inputs.artifacts['elsewhere'].path}}"]);
    check("{{$.inputs.artifacts['none'].path}}", &["{{$.inputs.artifacts['none'].path}}"]);
    check("{{$.inputs.artifacts['table'].metadata['rows']}}", &["120"]);
    check("{{$.inputs.artifacts['table'].metadata['absent']}}", &[""]);
    check("{{$.inputs.artifacts['table'].metadata['tags'][0]}}", &["a"]);
    check("{{$.inputs.artifacts['table'].properties['note']}}", &["x\"y"]);
    check("{{$.inputs.artifacts['table'].metadata}}", &[r#"{"note":"x\"y","rows":120,"tags":["a"]}"#]);
    check("{{$.inputs.artifacts['many'].artifacts[1].uri}}", &["/m/2"]);
    check(
        "{{$.inputs.artifacts['remote']}}",
        &[r#"[{"metadata":{},"name":"4","type":{"instanceSchema":""},"uri":"s3://lab/in/r"}]"#],
    );
    check("{{$.outputs.artifacts['model'].uri}}", &["/root/sales/5d/fit/0c/model"]);
    check("{{$.outputs.artifacts['model'].path}}", &["/root/sales/5d/fit/0c/model"]);
    check("{{$.outputs.artifacts['model'].metadata['framework']}}", &["none"]);
    check("{{$.outputs.parameters['score'].output_file}}", &["/scratch/outputs/score"]);
    check("{{$.outputs.output_file}}", &["/root/sales/5d/fit/0c/output_metadata.json"]);
    check("{{$.outputMetadataUri}}", &["/root/sales/5d/fit/0c/output_metadata.json"]);
}

#[test]
fn the_run_is_known() {
    check("{{$.pipeline_root}}", &["/root/sales/5d"]);
    check(
        "{{$.pipeline_job_name}}|{{$.pipeline_job_resource_name}}|{{$.pipeline_task_name}}",
        &["my run|sales-x7k2p|fit"],
    );
    check("{{$.pipeline_job_uuid}}", &["5d0f3b0e-6f57-4c1c-9a3d-2f4c1b9d7e11"]);
    check("{{$.pipeline_job_create_time_utc}}", &["2024-02-29T12:34:56Z"]);
    check("{{$.pipeline_job_schedule_time_utc}}", &["2000-02-29T00:00:00Z"]);
    check("{{$.workspace_path}}/x", &["/data/workspaces/1/x"]);
    check("{{$.unheard_of}} {{$.inputs", &["{{$.unheard_of}} {{$.inputs"]);
}

#[test]
fn struct_placeholders_become_words() {
    check(
        r#"{"Concat": ["a", "{{$.inputs.parameters['text']}}", {"Concat": ["-", "{{$.inputs.parameters['whole']}}"]}]}"#,
        &["aspring-4"],
    );
    check(
        r#"{"IfPresent": {"InputName": "text", "Then": ["--t", "{{$.inputs.parameters['text']}}"]}}"#,
        &["--t", "spring"],
    );
    check(
        r#"{"IfPresent": {"InputName": "absent", "Then": "x", "Else": ["--no", "{{$.outputs.artifacts['model'].uri}}"]}}"#,
        &["--no", "/root/sales/5d/fit/0c/model"],
    );
    check(r#"{"IfPresent": {"InputName": "nothing", "Then": "x"}}"#, &[]);
    check(r#"{"IfPresent": {"InputName": "none", "Then": "x", "Else": "y"}}"#, &["y"]);
    check(
        r#"{"IfPresent": {"InputName": "table", "Then": {"Concat": ["t=", "{{$.inputs.artifacts['table'].path}}"]}}}"#,
        &["t=/lake/table"],
    );
    check(r#"{"Concat": ["a", {"IfPresent": {"InputName": "absent", "Then": "b"}}, "c"]}"#, &["ac"]);
    check(
        r#"{"IfPresent": {"InputName": "text", "Then": [{"IfPresent": {"InputName": "absent", "Then": "p", "Else": "q"}}, "r"]}}"#,
        &["q", "r"],
    );
    check(r#"{"key": "{{$.inputs.parameters['text']}}"}"#, &[r#"{"key": "spring"}"#]);
    check("{not json", &["{not json"]);
}

#[test]
fn kubernetes_variables_are_expanded_in_templates_only() {
    check("$(NAME) $$(NAME) $(OTHER) $(date) $$ $", &["last $(NAME) $(OTHER) $(date) $$ $"]);
    let mut attempt = attempt(json!({"text": "$(NAME)"}));
    let places = places();
    let word = "{{$.inputs.parameters['text']}}".to_owned();
    assert_eq!(Resolver::new(&attempt, &places).words([&word]).unwrap(), ["$(NAME)"]);
    attempt.container = Arc::default();
    assert_eq!(Resolver::new(&attempt, &places).words([&"$(NAME)".to_owned()]).unwrap(), ["$(NAME)"]);
}

#[test]
fn all_missing_inputs_are_named() {
    let attempt = attempt(inputs());
    let places = places();
    let words =
        ["{{$.inputs.parameters['gone']}}".to_owned(), "{{$.inputs.parameters['nothing']}}".to_owned()];
    let problems = Resolver::new(&attempt, &places).words(&words).unwrap_err();
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "`{{$.inputs.parameters['gone']}}` in the command names input `gone`, which has no value; give it one or a default",
            "`{{$.inputs.parameters['nothing']}}` in the command names input `nothing`, which has no value; give it one or a default",
        ]
    );
}

#[test]
fn executor_input_is_what_upstream_hands_over() {
    let mut attempt =
        attempt(json!({"depth": 4, "rate": 0.5, "huge": 1.5e22, "tiny": 2.5e-9, "text": "a\"b"}));
    attempt.inputs = Arc::new(Inputs {
        parameters: attempt.inputs.parameters.clone(),
        artifacts: BTreeMap::from([("remote".into(), attempt.inputs.artifacts["remote"].clone())]),
    });
    let places = places();
    let text = Resolver::new(&attempt, &places).executor_input().unwrap().to_owned();
    assert_eq!(
        text,
        concat!(
            r#"{"inputs":{"parameterValues":{"depth":4,"huge":1.5e+22,"rate":0.5,"text":"a\"b","tiny":2.5e-9},"#,
            r#""artifacts":{"remote":{"artifacts":[{"name":"4","type":{"instanceSchema":""},"uri":"s3://lab/in/r","metadata":{}}]}}},"#,
            r#""outputs":{"parameters":{"score":{"outputFile":"/scratch/outputs/score"}},"#,
            r#""artifacts":{"model":{"artifacts":[{"name":"model","type":{"schemaTitle":"system.Model","schemaVersion":"0.0.1"},"#,
            r#""uri":"/root/sales/5d/fit/0c/model","metadata":{"framework":"none"}}]}},"#,
            r#""outputFile":"/root/sales/5d/fit/0c/output_metadata.json"}}"#,
        )
    );
    assert_eq!(json_text(&json!([2.0, {"a": 3.0}, -0.5, 1e20])), r#"[2,{"a":3},-0.5,100000000000000000000]"#);
}

#[test]
fn stores_elsewhere_show_paths_if_asked() {
    let mut attempt = attempt(json!({}));
    attempt.task_root = "s3://lab/root/fit/1".into();
    let mut places = places();
    places.mapping.shown = ShownUris::Paths;
    let words = [
        "{{$.inputs.artifacts['remote'].uri}}".to_owned(),
        "{{$.outputs.artifacts['model'].uri}}".to_owned(),
    ];
    assert_eq!(
        Resolver::new(&attempt, &places).words(&words).unwrap(),
        ["/mirror/s3/lab/in/r", "/mirror/s3/lab/root/fit/1/model"]
    );
    assert_eq!(places.mapping.real("/mirror/s3/lab/root/fit/1/model"), "s3://lab/root/fit/1/model");
    assert_eq!(places.mapping.real("/mirror/s3/labyrinth"), "/mirror/s3/labyrinth");
    attempt.task_root = "ftp://x".into();
    let problem = Resolver::new(&attempt, &places).words([&"{{$}}".to_owned()]).unwrap_err();
    assert_eq!(problem, [ProtocolError::NoLocalPath { uri: "ftp://x".into() }]);
}

#[test]
fn uses_tell_which_folders_are_needed() {
    let attempt = attempt(json!({}));
    let places = places();
    let uses = |word: &str| {
        let resolver = Resolver::new(&attempt, &places);
        resolver.words([&word.to_owned()]).unwrap();
        (resolver.uses().parameter_files, resolver.uses().task_root)
    };
    assert_eq!(uses("x"), (false, false));
    assert_eq!(uses("{{$.outputs.parameters['score'].output_file}}"), (true, false));
    assert_eq!(uses("{{$.outputs.artifacts['model'].path}}"), (false, true));
    assert_eq!(uses("{{$}}"), (true, true));
}

#[track_caller]
fn check_references(parameters: Value, expected: &Value) {
    let attempt = attempt(parameters);
    let places = places();
    let document: Value =
        serde_json::from_str(Resolver::new(&attempt, &places).executor_input().unwrap()).unwrap();
    assert_eq!(document["inputs"]["parameterValues"], *expected);
}

#[test]
fn references_between_inputs_are_resolved_once() {
    check_references(
        json!({"text": "hi {{$.inputs.parameters['pipelinechannel--x']}}!", "pipelinechannel--x": "a\"b\n"}),
        &json!({"text": "hi a\"b\n!", "pipelinechannel--x": "a\"b\n"}),
    );
    check_references(
        json!({
            "deep": {"k": ["n={{$.inputs.parameters['pipelinechannel--n']}}"]}, "pipelinechannel--n": 3,
            "chain": "<{{$.inputs.parameters['other']}}>", "other": "[{{$.inputs.parameters['pipelinechannel--n']}}]",
        }),
        &json!({"deep": {"k": ["n=3"]}, "pipelinechannel--n": 3, "chain": "<[3]>", "other": "[3]"}),
    );
    check_references(
        json!({"pipelinechannel--x": "{{$.inputs.parameters['y']}}", "y": "{{$.inputs.parameters['pipelinechannel--x']}}"}),
        &json!({"pipelinechannel--x": "{{$.inputs.parameters['y']}}", "y": "{{$.inputs.parameters['y']}}"}),
    );
    check_references(
        json!({"a": "{{$.inputs.parameters['b']}}", "b": "{{$.inputs.parameters['a']}}"}),
        &json!({"a": "{{$.inputs.parameters['a']}}", "b": "{{$.inputs.parameters['a']}}"}),
    );
    check_references(
        json!({"root": "{{$.pipeline_root}}/x", "file": "{{$.outputs.output_file}}", "self": "{{$}}", "gone": "{{$.inputs.parameters['g']}}"}),
        &json!({"root": "/root/sales/5d/x", "file": "/root/sales/5d/fit/0c/output_metadata.json", "self": "{{$}}", "gone": "{{$.inputs.parameters['g']}}"}),
    );
}

fn read(metadata: Option<&str>, kind: ParameterType, file: Option<&[u8]>) -> Result<Value, Vec<String>> {
    let mut attempt = attempt(json!({}));
    attempt.output_parameters = BTreeMap::from([("p".into(), kind)]);
    let places = places();
    let expected = ExpectedOutputs::of(&attempt, &places).unwrap();
    let stored: ExpectedOutputs = serde_json::from_str(&serde_json::to_string(&expected).unwrap()).unwrap();
    assert_eq!(stored, expected);
    let outputs = read_outputs(&stored, |path| match path {
        "/root/sales/5d/fit/0c/output_metadata.json" => Ok(metadata.map(|text| text.as_bytes().to_vec())),
        "/scratch/outputs/p" => Ok(file.map(<[u8]>::to_vec)),
        other => panic!("nobody asked for {other}"),
    });
    match outputs {
        Ok(mut outputs) => Ok(outputs.parameters.remove("p").unwrap()),
        Err(problems) => Err(problems.iter().map(ToString::to_string).collect()),
    }
}

#[track_caller]
fn check_file(kind: ParameterType, text: &str, expected: Value) {
    assert_eq!(read(None, kind, Some(text.as_bytes())), Ok(expected), "{text}");
}

#[test]
fn parameter_files_are_read_by_type() {
    use ParameterType::{Boolean, List, NumberDouble, NumberInteger, String, Struct};
    check_file(String, " as is\n", json!(" as is\n"));
    check_file(NumberInteger, " 42\n", json!(42));
    check_file(NumberInteger, "-7", json!(-7));
    check_file(NumberDouble, "2.0\n", json!(2));
    check_file(NumberDouble, "1e-3", json!(0.001));
    for text in ["1", "t", "T", "TRUE", "true", "True"] {
        check_file(Boolean, text, json!(true));
        check_file(
            Boolean,
            &format!(
                " {}\n",
                text.replace('1', "0")
                    .replace(['t', 'T'], "f")
                    .replace("frue", "false")
                    .replace("fRUE", "FALSE")
            ),
            json!(false),
        );
    }
    check_file(List, "[1, 2.0]", json!([1, 2]));
    check_file(Struct, "{\"a\": {\"b\": 1.0}}", json!({"a": {"b": 1}}));
}

#[track_caller]
fn check_problem(metadata: Option<&str>, kind: ParameterType, file: Option<&[u8]>, expected: &str) {
    assert_eq!(read(metadata, kind, file), Err(vec![expected.to_owned()]));
}

#[test]
fn problems_name_parameter_type_and_text() {
    use ParameterType::{Boolean, List, NumberDouble, NumberInteger, String, Struct, TaskConfig};
    check_problem(
        None,
        String,
        None,
        "output parameter `p` was not written: the task ended without giving it a value",
    );
    check_problem(
        None,
        NumberInteger,
        Some(b"3.0"),
        "output parameter `p` must be a whole number (NUMBER_INTEGER), but the task wrote `3.0`",
    );
    check_problem(
        None,
        NumberDouble,
        Some(b"NaN"),
        "output parameter `p` must be a number (NUMBER_DOUBLE), but the task wrote `NaN`",
    );
    check_problem(
        None,
        Boolean,
        Some(b"yes"),
        "output parameter `p` must be `true` or `false` (BOOLEAN), but the task wrote `yes`",
    );
    check_problem(
        None,
        List,
        Some(b"{}"),
        "output parameter `p` must be a JSON list (LIST), but the task wrote `{}`",
    );
    check_problem(
        None,
        Struct,
        Some(b"[1"),
        "output parameter `p` must be a JSON object (STRUCT), but the task wrote `[1`",
    );
    check_problem(
        None,
        String,
        Some(b"\xffx"),
        "output parameter `p` must be UTF-8 text, but the task wrote `\u{fffd}x`",
    );
    check_problem(
        None,
        TaskConfig,
        Some(b"{}"),
        "output parameter `p` must be of a type that can be written to a file, but the task wrote `{}`",
    );
    let long = "9".repeat(200);
    let short = format!(
        "output parameter `p` must be a whole number (NUMBER_INTEGER), but the task wrote `{}…`",
        "9".repeat(100)
    );
    check_problem(None, NumberInteger, Some(long.as_bytes()), &short);
    check_problem(
        Some("{\"parameterValues\""),
        String,
        None,
        "the output metadata file is not what KFP's executor writes: EOF while parsing an object at line 1 column 18",
    );
    check_problem(
        Some("[]"),
        String,
        None,
        "the output metadata file is not what KFP's executor writes: it must be a JSON object",
    );
}

#[test]
fn the_metadata_file_goes_first() {
    let string = ParameterType::String;
    assert_eq!(read(Some(r#"{"parameterValues": {"p": [1.0]}}"#), string, Some(b"file")), Ok(json!([1])));
    assert_eq!(read(Some(r#"{"parameter_values": {"p": null}}"#), string, None), Ok(Value::Null));
    assert_eq!(read(Some(""), string, Some(b"file")), Ok(json!("file")));
    assert_eq!(read(Some(r#"{"new": 1}"#), string, Some(b"file")), Ok(json!("file")));
}

#[track_caller]
fn check_model(metadata: &str, expected: &Value) {
    let mut attempt = attempt(json!({}));
    attempt.output_parameters.clear();
    let expected_outputs = ExpectedOutputs::of(&attempt, &places()).unwrap();
    let outputs = read_outputs(&expected_outputs, |_| Ok(Some(metadata.as_bytes().to_vec()))).unwrap();
    assert_eq!(serde_json::to_value(&outputs.artifacts["model"]).unwrap(), *expected);
}

#[test]
fn artifacts_are_merged_with_their_declaration() {
    let uri = "/root/sales/5d/fit/0c/model";
    check_model("{}", &json!([{"uri": uri, "metadata": {"framework": "none"}}]));
    check_model(
        r#"{"artifacts": {"model": {"artifacts": [{"name": "model", "metadata": {"framework": "xgb", "n": 2.0, "z": null}}, {"uri": "/second"}]}}}"#,
        &json!([{"uri": uri, "metadata": {"framework": "xgb", "n": 2, "z": null}}]),
    );
    check_model(
        r#"{"artifacts": {"model": {"artifacts": [{"uri": "/mirror/s3/lab/m", "custom_path": "/data/m", "type": {"schemaTitle": "system.Artifact"}}]}}}"#,
        &json!([{"uri": "s3://lab/m", "metadata": {"framework": "none"}, "schema_title": "system.Artifact", "custom_path": "/data/m"}]),
    );
}

#[test]
fn output_names_cannot_leave_their_folder() {
    for (name, expected) in [("a", "a"), ("../x", "_.._x"), ("..", "_.."), ("", "_"), ("a/b", "a_b")] {
        assert_eq!(places().parameter_file(name), format!("/scratch/outputs/{expected}"));
    }
}
