//! Kubernetes settings on one machine, volumes, and artifacts of elsewhere.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;

use ferroflow_engine::{AttemptOutcome, ProducedOutputs, TaskAttempt};
use ferroflow_model::{Artifact, ArtifactId, Inputs};
use ferroflow_ports::Executor as _;
use ferroflow_spec::ir::{ContainerSpec, ParameterType};
use serde_json::{Map, Value, json};

use crate::house::House;

fn with_settings(mut attempt: TaskAttempt, settings: Value) -> TaskAttempt {
    attempt.kubernetes = Arc::new(settings);
    attempt
}

/// A task of KFP's that makes or removes a volume.
fn volume_task(house: &House, name: &str, image: &str, inputs: &[(&str, Value)]) -> TaskAttempt {
    let mut attempt = house.attempt(name, &[]);
    attempt.container = Arc::new(ContainerSpec { image: image.into(), ..ContainerSpec::default() });
    let parameters = inputs.iter().map(|(name, value)| ((*name).to_owned(), Arc::new(value.clone())));
    attempt.inputs = Arc::new(Inputs { parameters: parameters.collect(), ..Inputs::default() });
    attempt.output_parameters = BTreeMap::from([("name".to_owned(), ParameterType::String)]);
    attempt
}

fn takes(attempt: &mut TaskAttempt, name: &str, uri: &str) {
    let artifact = Artifact {
        id: ArtifactId(1),
        schema_title: "system.Model".into(),
        schema_version: "0.0.1".into(),
        instance_schema: String::new(),
        uri: uri.into(),
        metadata: Map::new(),
        custom_path: None,
    };
    let artifacts = BTreeMap::from([(name.to_owned(), vec![Arc::new(artifact)])]);
    attempt.inputs = Arc::new(Inputs { artifacts, ..Inputs::default() });
}

#[track_caller]
fn message(outcome: AttemptOutcome) -> String {
    match outcome {
        AttemptOutcome::Failed { error } => error.message,
        other => panic!("{other:?}"),
    }
}

fn succeeded() -> AttemptOutcome {
    AttemptOutcome::Succeeded { outputs: ProducedOutputs::default() }
}

#[tokio::test]
async fn mounts_are_at_their_paths_for_the_task_alone() {
    let house = House::new().await;
    std::fs::create_dir_all(house.data("volumes/claim")).unwrap();
    std::fs::create_dir_all(house.data("secrets/keys")).unwrap();
    std::fs::write(house.data("secrets/keys/user"), "ada").unwrap();
    let settings = json!({
        "pvcMount": [{ "constant": "claim", "mountPath": "/ferroflow-test/data", "subPath": "part" }],
        "secretAsVolume": [{ "secretName": "keys", "mountPath": "/mnt/ferroflow-keys" }],
        "configMapAsVolume": [{ "configMapName": "none", "mountPath": "/etc/ferroflow-none", "optional": true }],
        "emptyDirMounts": [{ "volumeName": "tmp", "mountPath": "/ferroflow-test/empty" }],
    });
    let script = "cp /mnt/ferroflow-keys/user /ferroflow-test/data/copy && ls -A /ferroflow-test /etc/ferroflow-none \
                  && ! touch /mnt/ferroflow-keys/new && touch /ferroflow-test/empty/x && test -d /proc/1 && pwd && id -u";
    let attempt = with_settings(house.attempt("t", &["sh", "-c", script]), settings);
    assert_eq!(house.run(attempt).await, succeeded(), "{}", house.log("t").await);
    let log = house.log("t").await;
    assert!(log.contains("/ferroflow-test:\ndata\nempty\n"), "{log}");
    let user = rustix::process::getuid().as_raw();
    assert!(log.contains("data/attempts/0\n") && log.ends_with(&format!("\n{user}\n")), "{log}");
    assert_eq!(std::fs::read_to_string(house.data("volumes/claim/part/copy")).unwrap(), "ada");
    assert!(
        !std::path::Path::new("/ferroflow-test").exists()
            && !std::path::Path::new("/mnt/ferroflow-keys").exists()
    );
    house.executor.acknowledge(&crate::attempt::id("t")).await;
    assert_eq!(house.left_behind(), 0);
}

#[tokio::test]
async fn variables_come_from_secrets_config_maps_and_the_pod_that_is_none() {
    let house = House::with(|options| {
        let secrets = r#"{"given": {"password": "hidden"}}"#;
        options.python.host_env.push(("FERROFLOW_SECRETS".to_owned(), secrets.to_owned()));
        std::fs::create_dir_all(options.data_dir.join("config-maps/settings")).unwrap();
        std::fs::write(options.data_dir.join("config-maps/settings/level"), "high").unwrap();
    })
    .await;
    let settings = json!({
        "secretAsEnv": [
            { "secretName": "given", "keyToEnv": [{ "secretKey": "password", "envVar": "PASSWORD" }] },
            { "secretName": "none", "optional": true, "keyToEnv": [{ "secretKey": "a", "envVar": "NONE" }] },
        ],
        "configMapAsEnv": [{ "configMapName": "settings", "keyToEnv": [{ "configMapKey": "level", "envVar": "LEVEL" }] }],
        "podMetadata": { "labels": { "team": "blue" } },
        "fieldPathAsEnv": [
            { "name": "TEAM", "fieldPath": "metadata.labels['team']" },
            { "name": "NOTE", "fieldPath": "metadata.annotations['note']" },
            { "name": "POD", "fieldPath": "metadata.name" },
        ],
        "tolerations": [{ "key": "gpu" }],
        "nodeSelector": { "labels": { "disk": "fast" } },
    });
    let script = "echo $PASSWORD $LEVEL $TEAM [$NOTE] $POD ${NONE-unset} ${FERROFLOW_SECRETS-unset}";
    for (task, is_warned) in [("t", true), ("u", false)] {
        let attempt = with_settings(house.attempt(task, &["sh", "-c", script]), settings.clone());
        assert_eq!(house.run(attempt).await, succeeded());
        let log = house.log(task).await;
        let line = log.lines().last().unwrap();
        assert!(line.starts_with(&format!("hidden high blue [] p-x7k2p-{task}-")), "{log}");
        assert!(line.ends_with(" unset unset"), "{log}");
        assert_eq!(log.contains("mean nothing: nodeSelector, tolerations\n"), is_warned, "{log}");
    }
}

#[tokio::test]
async fn what_is_missing_is_told_before_the_start() {
    let house = House::new().await;
    for (settings, told) in [
        (
            json!({ "secretAsEnv": [{ "secretName": "s" }] }),
            "it wants the secret `s`, which this machine does not have",
        ),
        (
            json!({ "pvcMount": [{ "constant": "v", "mountPath": "/d" }] }),
            "it mounts the volume `v`, which this machine",
        ),
        (
            json!({ "pvcMount": [{ "constant": "../v", "mountPath": "/d" }] }),
            "`../v` cannot be the name of a volume",
        ),
        (
            json!({ "fieldPathAsEnv": [{ "name": "X", "fieldPath": "spec.x" }] }),
            "the field path `spec.x` means nothing",
        ),
        (
            json!({ "emptyDirMounts": [{ "volumeName": "e", "mountPath": "d" }] }),
            "`d`, does not begin with a slash",
        ),
    ] {
        let error =
            house.executor.ensure_started(with_settings(house.attempt("t", &["true"]), settings)).await;
        let message = error.unwrap_err().message;
        assert!(message.contains(told), "{message}");
    }
}

#[tokio::test]
async fn volumes_are_made_and_removed_once() {
    let house = House::new().await;
    let (create, delete) = ("argostub/createpvc", "argostub/deletepvc");
    let size = [("access_modes", json!(["ReadWriteOnce"])), ("size", json!("1Gi"))];
    let with = |more: (&'static str, Value)| [size.as_slice(), &[more]].concat();
    let name_of = |outcome: AttemptOutcome| match outcome {
        AttemptOutcome::Succeeded { outputs } => outputs.parameters["name"].as_str().unwrap().to_owned(),
        other => panic!("{other:?}"),
    };
    let made =
        name_of(house.run(volume_task(&house, "a", create, &with(("pvc_name_suffix", json!("-x"))))).await);
    assert!(made.ends_with("-x") && house.data("volumes").join(&made).is_dir());
    let own = with(("pvc_name", json!("own")));
    assert_eq!(name_of(house.run(volume_task(&house, "b", create, &own)).await), "own");
    let other = message(house.run(volume_task(&house, "c", create, &own)).await);
    assert!(other.starts_with("there is a volume `own` already"), "{other}");
    // As after a crash, when it is asked for again.
    let house = house.reopen().await;
    assert_eq!(name_of(house.run(volume_task(&house, "b", create, &own)).await), "own");
    let removal = [("pvc_name", json!("own"))];
    assert_eq!(house.run(volume_task(&house, "d", delete, &removal)).await, succeeded());
    assert!(!house.data("volumes/own").exists());
    let house = house.reopen().await;
    assert_eq!(house.run(volume_task(&house, "d", delete, &removal)).await, succeeded());
    let gone = message(house.run(volume_task(&house, "e", delete, &removal)).await);
    assert!(gone.starts_with("there is no volume `own` to remove"), "{gone}");
    let sizeless = message(house.run(volume_task(&house, "f", create, &[])).await);
    assert!(sizeless.contains("input `access_modes`"), "{sizeless}");
}

#[tokio::test]
async fn files_of_the_web_are_fetched_once_for_a_run() {
    let house = House::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        for answer in ["200 OK", "404 Not Found"] {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            write!(stream, "HTTP/1.1 {answer}\r\nContent-Length: 5\r\nConnection: close\r\n\r\nwords")
                .unwrap();
        }
    });
    let reader = |task: &str, path: &str| {
        let mut attempt = house.attempt(task, &["cat", "{{$.inputs.artifacts['a'].path}}"]);
        takes(&mut attempt, "a", &format!("http://{address}/{path}"));
        attempt
    };
    for task in ["t", "u"] {
        assert_eq!(house.run(reader(task, "data.csv?v=1")).await, succeeded());
        assert_eq!(house.log(task).await, "words");
    }
    let missing = message(house.run(reader("v", "gone")).await);
    let expected =
        format!("the task was not started: the artifact `http://{address}/gone` cannot be fetched: ");
    assert!(missing.starts_with(&expected) && missing.contains("404"), "{missing}");
    server.join().unwrap();
}

#[tokio::test]
async fn images_are_folders_of_this_machine() {
    let house = House::new().await;
    let reader = |task: &str| {
        let mut attempt = house.attempt(task, &["ls", "{{$.inputs.artifacts['a'].path}}"]);
        takes(&mut attempt, "a", "oci://registry/models/m:1");
        attempt
    };
    let told = house.executor.ensure_started(reader("t")).await.unwrap_err().message;
    let place = house.data("images/registry_models_m:1/models");
    assert!(told.contains("is not on this machine") && told.contains(place.to_str().unwrap()), "{told}");
    std::fs::create_dir_all(&place).unwrap();
    std::fs::write(place.join("weights"), "").unwrap();
    assert_eq!(house.run(reader("u")).await, succeeded());
    assert_eq!(house.log("u").await, "weights\n");
}
