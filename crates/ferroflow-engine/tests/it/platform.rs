//! Settings of platforms, importers, and texts that refer to other inputs.

use ferroflow_engine::Semantics;
use ferroflow_spec::ir::{Executor, ParameterType, Passthrough, PassthroughField};
use ferroflow_testing::pipeline::{Pipeline, group, importer_of_input, input, of, pipeline, task, value};
use serde_json::{Value, json};

use crate::drive::{Drive, check};

#[test]
fn texts_for_groups_are_filled_in_and_those_for_containers_are_left() {
    let text = "{{$.inputs.parameters['pipelinechannel--who']}}";
    let greeting = json!(format!("hi {text}"));
    let texts = pipeline([
        task("who").gives("o"),
        group("sub", [task("t").takes("i", input("text"))])
            .takes("text", value(greeting.clone()))
            .passes("pipelinechannel--who", of("who", "o")),
        task("u").takes("text", value(greeting.clone())).passes("pipelinechannel--who", of("who", "o")),
    ]);
    // What user code wrote is data, also if it looks like a reference.
    let told = json!(format!("\"you\"\n{text}"));
    let script = format!("ok o={}", serde_json::to_string(&told).unwrap().replace(' ', "\\u0020"));
    let drive = Drive::new(&texts, &json!({})).script(&[("who", &script)]).run();
    assert_eq!(drive.given("sub/t"), json!({"i": format!("hi {}", told.as_str().unwrap())}));
    assert_eq!(drive.given("u"), json!({"pipelinechannel--who": told, "text": greeting}));
}

#[test]
fn texts_that_refer_to_themselves_or_to_nothing_fail_the_task() {
    #[track_caller]
    fn fails(one: &Pipeline, reason: &str) {
        let drive = Drive::new(one, &json!({})).run();
        assert_eq!(drive.error("sub"), reason);
    }
    let refer = |name: &str| value(format!("{{{{$.inputs.parameters['{name}']}}}}"));
    let circle = pipeline([group("sub", [task("t")]).takes("a", refer("b")).takes("b", refer("a"))]);
    fails(
        &circle,
        &format!(
            "{}its text refers to itself, or through too many other texts",
            "input `a`: input `b`: ".repeat(8) + "input `a`: "
        ),
    );
    let nothing = pipeline([group("sub", [task("t")]).takes("a", refer("b"))]);
    fails(&nothing, "input `a`: its text refers to input `b`, which the task is not given");
}

fn claim(reference: &Value) -> Value {
    json!({ "pvcMount": [{ "mountPath": "/data", "pvcNameParameter": reference }] })
}

#[test]
fn settings_name_things_by_inputs_and_outputs_and_claims_are_in_the_key() {
    let of_make = json!({ "taskOutputParameter": { "producerTask": "make", "outputParameterKey": "name" } });
    let settings = pipeline([
        task("make").gives("name"),
        task("t").after("make").caches().on_kubernetes(claim(&of_make)),
        task("lost").on_kubernetes(claim(&json!({ "componentInputParameter": "none" }))),
        task("odd").after("make").on_kubernetes(claim(&json!({
            "taskOutputParameter": { "producerTask": "make", "outputParameterKey": "other" },
        }))),
    ]);
    let drive = Drive::new(&settings, &json!({})).script(&[("make", "ok name=\"vol\"")]).run();
    let mount = json!([{ "mountPath": "/data", "constant": "vol" }]);
    assert_eq!(drive.given["t"].kubernetes["pvcMount"], mount);
    assert_eq!(drive.lookups["t"].parts.read()["containerSpec"]["pvcNames"], json!(["vol"]));
    assert_eq!(drive.error("lost"), "its Kubernetes setting `pvcMount`: the name of its claim is empty");
    assert_eq!(drive.error("odd"), "its Kubernetes setting `pvcMount`: task `make` gave no output `other`");
}

#[test]
fn making_a_volume_under_a_new_name_and_removing_one_are_always_done() {
    let volumes = pipeline([
        task("new").image("argostub/createpvc").takes("pvc_name_suffix", value("-x")).caches(),
        task("named").image("argostub/createpvc").takes("pvc_name", value("x")).caches().after("new"),
        task("remove").image("argostub/deletepvc").takes("pvc_name", value("x")).caches().after("named"),
    ]);
    check(
        &volumes,
        &[],
        "start new#1, look-up named, start named#1, start remove#1, finish SUCCEEDED",
        "new succeeded, named succeeded, remove succeeded",
    );
}

#[test]
fn an_importer_may_find_what_was_brought_in_before() {
    let metadata = json!({ "of {{$.inputs.parameters['n']}}": ["{{$.inputs.parameters['uri']}}", 1] });
    let imports = pipeline([
        importer_of_input("i").takes("uri", value("gs://a")).takes("n", value(2.0)).once(&metadata),
        task("t").uses("a", of("i", "artifact")),
    ]);
    let commands = "look-up i, start t#1, finish SUCCEEDED";
    let first = check(&imports, &[("i", "miss")], commands, "i succeeded, t succeeded");
    let [made] = first.given["t"].inputs.artifacts["a"].as_slice() else { panic!("one artifact is wanted") };
    assert_eq!((made.uri.as_str(), json!(made.metadata)), ("gs://a", json!({ "of 2": ["gs://a", 1] })));
    let kept: Vec<_> = first.changes.iter().flat_map(|changes| &changes.cacheable).collect();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].outputs.artifacts["artifact"][0].id, made.id);
    let again = check(&imports, &[("i", "hit @artifact=gs://a")], commands, "i succeeded, t succeeded");
    assert_eq!(again.given["t"].inputs.artifacts["a"][0].id.0, 500);
    assert!(again.changes.iter().all(|changes| changes.artifacts.is_empty() && changes.cacheable.is_empty()));
}

#[test]
fn an_importer_that_cannot_tell_what_to_import_fails() {
    for (uri, reason) in [
        (
            "a/b",
            "the importer was given `a/b`, which is neither a URI such as `https://…` or `s3://…` nor a path from the root of this machine",
        ),
        (
            "oci://r/i:t",
            "`oci://r/i:t` is an image, which can only be imported as a Model, not as system.Dataset",
        ),
    ] {
        let one = pipeline([importer_of_input("i").takes("uri", value(uri))]);
        assert_eq!(Drive::new(&one, &json!({})).run().error("i"), reason);
    }
    let unknown = json!({ "k": "{{$.inputs.parameters['gone']}}" });
    let one = pipeline([importer_of_input("i").takes("uri", value("/a")).once(&unknown)]);
    assert_eq!(
        Drive::new(&one, &json!({})).run().error("i"),
        "the importer's metadata refers to input `gone`, which has no value"
    );
}

#[test]
fn a_component_sees_the_settings_it_lists() {
    let mut spec = pipeline([task("t")
        .declares("config")
        .typed(ParameterType::TaskConfig)
        .takes("cpu", value("500m"))
        .on_kubernetes(json!({
            "nodeSelector": { "labels": { "disk": "ssd" } },
            "tolerations": [{ "key": "gpu", "operator": "Exists" }],
            "nodeAffinity": [{ "matchExpressions": [{ "key": "zone" }], "weight": 5 }],
            "pvcMount": [{ "constant": "claim", "mountPath": "/data" }],
            "secretAsEnv": [{ "secretName": "s", "keyToEnv": [{ "secretKey": "k", "envVar": "K" }] }],
            "configMapAsVolume": [{ "configMapName": "c", "mountPath": "/c", "optional": true }],
        }))])
    .spec();
    use PassthroughField::{Affinity, Env, NodeSelector, Resources, Tolerations, Volumes};
    for component in spec.components.values_mut() {
        component.passthroughs =
            [(Resources, true), (Env, false), (Affinity, true), (NodeSelector, false), (Volumes, true)]
                .map(|(field, applies_to_task)| Passthrough { field, applies_to_task })
                .into();
    }
    for executor in spec.executors.values_mut() {
        if let Executor::Container(container) = executor {
            container.env = vec![("A".to_owned(), "1".to_owned())];
            container.resources = json!({
                "resourceCpuLimit": "{{$.inputs.parameters['cpu']}}", "memoryLimit": 2.0,
                "accelerator": { "resourceType": "nvidia.com/gpu", "resourceCount": "1" },
            });
        }
    }
    let drive = Drive::under(spec.clone(), &json!({}), Semantics::default()).run();
    let config = drive.given("t")["config"].clone();
    assert_eq!(
        config,
        json!({
            "affinity": { "nodeAffinity": { "preferredDuringSchedulingIgnoredDuringExecution":
                [{ "weight": 5, "preference": { "matchExpressions": [{ "key": "zone" }] } }] } },
            "tolerations": null,
            "nodeSelector": { "disk": "ssd" },
            "env": [
                { "name": "A", "value": "1" },
                { "name": "K", "valueFrom": { "secretKeyRef": { "name": "s", "key": "k" } } },
            ],
            "volumes": [
                { "name": "c", "configMap": { "name": "c", "optional": true } },
                { "name": "claim", "persistentVolumeClaim": { "claimName": "claim" } },
            ],
            "volumeMounts": [{ "name": "c", "mountPath": "/c" }, { "name": "claim", "mountPath": "/data" }],
            "resources": { "limits": { "cpu": "500m", "memory": "2G", "nvidia.com/gpu": "1" } },
        }),
    );
    // What is only for others is not the task's own.
    let given = &drive.given["t"];
    assert!(given.container.env.is_empty() && given.container.resources != Value::Null);
    let mut left: Vec<&String> = given.kubernetes.as_object().unwrap().keys().collect();
    left.sort();
    assert_eq!(left, ["configMapAsVolume", "nodeAffinity", "pvcMount", "tolerations"]);
    // Nothing listed is nothing seen, and nothing taken away.
    for component in spec.components.values_mut() {
        component.passthroughs.retain(|passthrough| passthrough.field == Tolerations);
    }
    let drive = Drive::under(spec, &json!({}), Semantics::default()).run();
    assert_eq!(drive.given("t")["config"]["resources"], json!({}));
    assert_eq!(drive.given["t"].container.env.len(), 1);
}
