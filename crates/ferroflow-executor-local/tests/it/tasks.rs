//! What tasks see, and what is read back from them.

use std::collections::BTreeMap;
use std::sync::Arc;

use ferroflow_engine::AttemptOutcome;
use ferroflow_engine::event::DeclaredArtifact;
use ferroflow_model::Inputs;
use ferroflow_ports::Executor;
use ferroflow_spec::ir::{ArtifactType, ParameterType};
use serde_json::{Map, Value, json};

use crate::attempt::id;
use crate::house::{House, open};

fn model() -> DeclaredArtifact {
    let artifact_type = ArtifactType {
        schema_title: "system.Model".into(),
        instance_schema: String::new(),
        schema_version: "0.0.1".into(),
    };
    DeclaredArtifact { artifact_type, metadata: Map::new(), is_list: false }
}

#[tokio::test]
async fn outputs_come_back_also_after_a_restart() {
    let house = House::new().await;
    let script = "echo -n 0.5 > $0; echo weights > $1; echo '{\"artifacts\":{\"model\":{\"artifacts\":[{\"name\":\"model\",\
        \"metadata\":{\"rows\":3}}]}}}' > $2";
    let words = [
        "sh",
        "-c",
        script,
        "{{$.outputs.parameters['score'].output_file}}",
        "{{$.outputs.artifacts['model'].path}}",
        "{{$.outputs.output_file}}",
    ];
    let mut attempt = house.attempt("t", &words);
    attempt.task_root = "s3://lab/r/t".into();
    attempt.output_parameters.insert("score".into(), ParameterType::NumberDouble);
    attempt.output_artifacts.insert("model".into(), model());
    let outcome = house.run(attempt.clone()).await;
    let AttemptOutcome::Succeeded { outputs } = &outcome else { panic!("{outcome:?}") };
    assert_eq!(outputs.parameters, BTreeMap::from([("score".to_owned(), json!(0.5))]));
    let found = &outputs.artifacts["model"][0];
    assert_eq!(
        (found.uri.as_str(), Value::Object(found.metadata.clone())),
        ("s3://lab/r/t/model", json!({"rows": 3}))
    );
    let stored = house.folder.path().join("store/s3/lab/r/t/model");
    assert_eq!(std::fs::read_to_string(stored).unwrap(), "weights\n");

    let house = house.reopen().await;
    assert_eq!(house.end("t").await, outcome);
    house.executor.acknowledge(&id("t")).await;
    assert_eq!(house.left_behind(), 0);
}

#[tokio::test]
async fn outputs_that_are_not_there_are_named() {
    let house = House::new().await;
    let mut attempt =
        house.attempt("t", &["sh", "-c", "mkfifo $0", "{{$.outputs.parameters['a'].output_file}}"]);
    for name in ["a", "b"] {
        attempt.output_parameters.insert(name.into(), ParameterType::String);
    }
    let AttemptOutcome::Failed { error } = house.run(attempt).await else { panic!("it has no outputs") };
    assert_eq!(
        error.message,
        "output parameter `a` cannot be read: it is not a file; output parameter `b` was not written: the task ended \
         without giving it a value"
    );
}

#[tokio::test]
async fn the_environment_is_small_and_their_own() {
    let host =
        [("PATH", "/usr/bin:/bin"), ("SECRET_TOKEN", "x"), ("TZ", "UTC"), ("LC_ALL", "C"), ("HOME", "/h")];
    let host: Vec<_> = host.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let folder = tempfile::tempdir().unwrap();
    let executor = open(folder.path(), |options| options.python.host_env = host).await;
    let house = House { executor, folder };
    let mut attempt = house.attempt("t", &["sh", "-c", "pwd; env"]);
    let container = Arc::make_mut(&mut attempt.container);
    container.env =
        vec![("TZ".into(), "Asia/Tokyo".into()), ("WHO".into(), "{{$.inputs.parameters['who']}}".into())];
    let who = BTreeMap::from([("who".to_owned(), Arc::new(json!("me")))]);
    attempt.inputs = Arc::new(Inputs { parameters: who, ..Inputs::default() });
    assert!(matches!(house.run(attempt).await, AttemptOutcome::Succeeded { .. }));
    let text = house.log("t").await;
    let (cwd, env) = text.split_once('\n').unwrap();
    let env: BTreeMap<&str, &str> = env.lines().filter_map(|line| line.split_once('=')).collect();
    assert_eq!(env.get("TMPDIR"), Some(&cwd));
    assert!(cwd.starts_with(house.data("attempts").canonicalize().unwrap().to_str().unwrap()));
    let expected =
        [("TZ", "Asia/Tokyo"), ("WHO", "me"), ("LC_ALL", "C"), ("HOME", "/h"), ("PYTHONNOUSERSITE", "1")];
    for (name, value) in expected {
        assert_eq!(env.get(name), Some(&value), "{name}");
    }
    assert_eq!(env.get("SECRET_TOKEN"), None);
}

#[tokio::test]
async fn inputs_of_fixed_paths_are_mapped_without_root() {
    let house = House::new().await;
    let script = "echo $0; mkdir -p $(dirname $0) $1; echo $1; touch $1/x";
    let words = ["sh", "-c", script, "{{$.inputs.artifacts['in'].path}}", "{{$.workspace_path}}"];
    let mut attempt = house.attempt("t", &words);
    let artifact = ferroflow_model::Artifact {
        id: ferroflow_model::ArtifactId(4),
        schema_title: "system.Dataset".into(),
        schema_version: "0.0.1".into(),
        instance_schema: String::new(),
        uri: "gs://bucket/in".into(),
        metadata: Map::new(),
        custom_path: None,
    };
    let artifacts = BTreeMap::from([("in".to_owned(), vec![Arc::new(artifact)])]);
    attempt.inputs = Arc::new(Inputs { artifacts, ..Inputs::default() });
    assert!(matches!(house.run(attempt).await, AttemptOutcome::Succeeded { .. }));
    let text = house.log("t").await;
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].contains("/attempts/") && lines[0].ends_with("/gcs/bucket/in"), "{lines:?}");
    assert!(house.data(&format!("workspaces/{}/x", id("t").run)).exists(), "{lines:?}");
    house.executor.forget_run(id("t").run).await.unwrap();
    assert!(!house.data("workspaces").join(id("t").run.to_string()).exists());
}

/// The words that kfp 2.14.1 compiles a component without packages to.
#[tokio::test]
async fn a_lightweight_component_runs_without_pip() {
    let house = House::new().await;
    let source = "
import kfp
from kfp import dsl
from kfp.dsl import *
from typing import *

def hello(name: str, twice: bool = False) -> str:
    print('in', __file__)
    return 'Hello, ' + name + str(len(name))

";
    let installer = "
if ! [ -x \"$(command -v pip)\" ]; then
    python3 -m ensurepip || python3 -m ensurepip --user || apt-get install python3-pip
fi

PIP_DISABLE_PIP_VERSION_CHECK=1 python3 -m pip install --quiet --no-warn-script-location 'kfp==2.14.1' '--no-deps' 'typing-extensions>=3.7.4,<5; python_version<\"3.9\"' && \"$0\" \"$@\"
";
    let runner = "program_path=$(mktemp -d)

printf \"%s\" \"$0\" > \"$program_path/ephemeral_component.py\"
_KFP_RUNTIME=true python3 -m kfp.dsl.executor_main                         --component_module_path                         \"$program_path/ephemeral_component.py\"                         \"$@\"
";
    let mut attempt = house.attempt("t", &["sh", "-c", installer, "sh", "-ec", runner, source]);
    let words = ["--executor_input", "{{$}}", "--function_to_execute", "hello"];
    Arc::make_mut(&mut attempt.container).args = words.iter().map(|word| (*word).to_owned()).collect();
    attempt.output_parameters.insert("Output".into(), ParameterType::String);
    // More than fits into one word of a process.
    let name = "n".repeat(200_000);
    let parameters = BTreeMap::from([("name".to_owned(), Arc::new(json!(name)))]);
    attempt.inputs = Arc::new(Inputs { parameters, ..Inputs::default() });
    let outcome = house.run(attempt).await;
    let AttemptOutcome::Succeeded { outputs } = outcome else {
        panic!("{outcome:?}: {}", house.log("t").await)
    };
    let text = outputs.parameters["Output"].as_str().unwrap();
    assert!(text.starts_with("Hello, nnn") && text.ends_with("n200000"));
    house.executor.acknowledge(&id("t")).await;
    assert_eq!(house.left_behind(), 0);
}
