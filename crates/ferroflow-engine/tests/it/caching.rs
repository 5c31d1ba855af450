//! Earlier results in place of work.

use ferroflow_model::record::LinkDirection;
use ferroflow_testing::pipeline::{input, of, pipeline, task, value};
use serde_json::json;

use crate::drive::{Drive, check};

#[test]
fn a_miss_runs_the_task_and_keeps_its_result() {
    let one = pipeline([task("t").takes("n", value(1)).gives("o").caches(), task("u").after("t")]);
    let drive = check(
        &one,
        &[("t", "miss; ok o=5")],
        "look-up t, start t#1, start u#1, finish SUCCEEDED",
        "t succeeded, u succeeded",
    );
    let kept: Vec<_> = drive.changes.iter().flat_map(|changes| &changes.cacheable).collect();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].key, drive.lookups["t"]);
    assert_eq!(kept[0].execution_id, drive.row("t").execution_id);
    assert_eq!(json!(kept[0].outputs.parameters), json!({"o": 5}));
}

#[test]
fn a_hit_takes_over_values_and_the_same_artifacts() {
    let one = pipeline([
        task("t").gives("o").makes("d").caches(),
        task("u").takes("o", of("t", "o")).uses("d", of("t", "d")),
    ]);
    let drive = check(
        &one,
        &[("t", "hit o=5 @d=gs://old")],
        "look-up t, start u#1, finish SUCCEEDED",
        "t cached, u succeeded",
    );
    assert_eq!(drive.given("u"), json!({"o": 5}));
    assert_eq!(drive.given_artifacts("u", "d"), ["gs://old"]);
    assert_eq!(drive.row("t").cached_from.unwrap().0, 77);
    assert_eq!(drive.row("t").attempt, 0);
    let links: Vec<_> = drive.changes.iter().flat_map(|changes| &changes.links).collect();
    assert_eq!(links.len(), 2);
    assert!(links.iter().all(|link| link.artifact_id.0 == 500));
    assert_eq!(links[0].direction, LinkDirection::Output);
    assert!(drive.changes.iter().all(|changes| changes.cacheable.is_empty() && changes.artifacts.is_empty()));
}

#[test]
fn a_hit_without_all_that_is_promised_is_a_miss() {
    let one = pipeline([task("t").gives("o").makes("d").caches()]);
    for answer in ["hit o=5", "hit @d=gs://old"] {
        check(&one, &[("t", answer)], "look-up t, start t#1, finish SUCCEEDED", "t succeeded");
    }
}

#[test]
fn the_key_holds_inputs_without_defaults_and_words_before_placeholders_are_replaced() {
    let one = pipeline([task("t")
        .takes("a", input("n"))
        .declares("b")
        .or(3)
        .runs(&["--n", "{{$.inputs.parameters['a']}}"])
        .caches()])
    .accepts("n", |step| step);
    let drive = Drive::new(&one, &json!({"n": 4})).run();
    let parts = drive.lookups["t"].parts.read();
    assert_eq!(parts["inputParameterValues"], json!({"a": 4}));
    assert_eq!(
        parts["containerSpec"],
        json!({"image": "image", "cmdArgs": ["run", "--n", "{{$.inputs.parameters['a']}}"]})
    );
    assert!(parts.get("outputParametersSpec").is_none());
    assert!(parts["outputArtifactsSpec"].get("executor-logs").is_some());
}

#[test]
fn a_key_of_its_own_takes_the_place_of_everything_else() {
    let key = |n: i64| {
        let one = pipeline([task("t").takes("n", value(n)).caches_as("nightly")]);
        Drive::new(&one, &json!({})).run().lookups["t"].clone()
    };
    assert_eq!(key(1), key(2));
    assert_eq!(
        key(1).parts.read(),
        *json!({"componentName": "comp-t", "cacheKey": "nightly"}).as_object().unwrap()
    );
}

#[test]
fn failures_are_not_kept_and_later_attempts_are() {
    let one = pipeline([task("t").gives("o").caches().retries(1, 0.0)]);
    let drive = check(
        &one,
        &[("t", "miss; fail; ok")],
        "look-up t, start t#1, start t#2, finish SUCCEEDED",
        "t succeeded",
    );
    assert_eq!(drive.changes.iter().flat_map(|changes| &changes.cacheable).count(), 1);
}
