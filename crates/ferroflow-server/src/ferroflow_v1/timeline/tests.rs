use std::sync::Arc;

use ferroflow_model::TaskPath;
use ferroflow_spec::document;
use serde_json::{Value, json};

use super::*;

fn time(millis: i64) -> Timestamp {
    Timestamp::from_micros(millis * 1000)
}

fn known(millis: i64) -> Option<Timestamp> {
    (millis >= 0).then(|| time(millis))
}

/// Phases as `wait 0-5, run 5-9`; an open one ends in `-`.
fn check_segments(phases: &AttemptPhases, expected: &str) {
    let segments = segments(phases);
    let text = |segment: &Segment| {
        let name = serde_json::to_value(segment.phase).unwrap();
        let to = segment.to.map(|to| to.to_string()).unwrap_or_default();
        format!("{} {}-{to}", name.as_str().unwrap(), segment.from)
    };
    assert_eq!(segments.iter().map(text).collect::<Vec<_>>().join(", "), expected);
    let sum: Millis = segments.iter().filter_map(|segment| Some(segment.to? - segment.from)).sum();
    if let (Some(first), Some(last)) = (segments.first(), segments.last().and_then(|last| last.to)) {
        assert_eq!(sum, last - first.from, "segments sum to the whole");
    }
}

#[test]
fn phases_have_no_gaps() {
    let full = AttemptPhases {
        created: known(0),
        ready: known(5),
        admitted: known(7),
        started: known(10),
        installed: known(30),
        user_code_finished: known(90),
        uploaded: known(95),
        finished: known(96),
    };
    check_segments(
        &full,
        "wait 0-5, queue 5-7, start 7-10, setup 10-30, run 30-90, upload 90-95, finish 95-96",
    );
    let no_packages = AttemptPhases { installed: None, uploaded: None, ..full.clone() };
    check_segments(&no_packages, "wait 0-5, queue 5-7, start 7-10, run 10-90, upload 90-96");
    let running = AttemptPhases { user_code_finished: None, uploaded: None, finished: None, ..full.clone() };
    check_segments(&running, "wait 0-5, queue 5-7, start 7-10, setup 10-30, run 30-");
    let backwards = AttemptPhases { admitted: known(2), started: known(200), installed: None, ..full };
    check_segments(&backwards, "wait 0-5, start 5-96");
    check_segments(&AttemptPhases::default(), "");
}

/// A chain `a → b`, `c` beside it, and a loop after `b` whose passes hold `d`.
fn structure() -> Structure {
    let task = |component: &str, more: Value| {
        let mut task = json!({ "taskInfo": { "name": "t" }, "componentRef": { "name": component } });
        task.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        task
    };
    let spec = json!({
        "pipelineInfo": { "name": "p" }, "schemaVersion": "2.1.0", "sdkVersion": "kfp-2.17.0",
        "root": { "dag": { "tasks": {
            "a": task("comp", json!({})),
            "b": task("comp", json!({ "dependentTasks": ["a"] })),
            "c": task("comp", json!({})),
            "loop": task("comp-loop", json!({
                "dependentTasks": ["b"], "parameterIterator": { "items": { "raw": "[1, 2]" }, "itemInput": "item" } }))
        } } },
        "components": {
            "comp": { "executorLabel": "exec" },
            "comp-loop": {
                "inputDefinitions": { "parameters": { "item": { "parameterType": "NUMBER_INTEGER" } } },
                "dag": { "tasks": { "d": task("comp", json!({})) } } }
        },
        "deploymentSpec": { "executors": { "exec": { "container": { "image": "i", "command": ["true"] } } } }
    });
    Structure { version: "v".to_owned(), spec: Arc::new(document::from_json(&spec).unwrap().spec) }
}

/// Tasks as `(path, kind, parent, start, end)`; the number is the place.
fn briefs(rows: &[(&str, TaskKind, Option<i64>, i64, i64)]) -> Vec<TaskBrief> {
    let brief =
        |(number, (path, kind, parent, start, end)): (i64, &(&str, TaskKind, Option<i64>, i64, i64))| {
            TaskBrief {
                execution_id: ExecutionId(number),
                path: TaskPath::new(*path),
                parent: parent.map(ExecutionId),
                display_name: (*path).to_owned(),
                kind: *kind,
                status: if *end < 0 { TaskStatus::Running } else { TaskStatus::Succeeded },
                attempt: 1,
                created_at: time(0),
                started_at: known(*start),
                ended_at: known(*end),
                iteration_index: None,
                iteration_count: None,
                item_inputs: None,
                error: None,
                cached_from: None,
            }
        };
    (0..).zip(rows).map(brief).collect()
}

fn run_rows(end_of_second_pass: i64) -> Vec<TaskBrief> {
    use TaskKind::{Container, Iteration, Loop, Root};
    let end = end_of_second_pass;
    briefs(&[
        ("", Root, None, 0, end),
        ("a", Container, Some(0), 0, 10),
        ("b", Container, Some(0), 10, 40),
        ("c", Container, Some(0), 0, 60),
        ("loop", Loop, Some(0), 40, end),
        ("loop/0", Iteration, Some(4), 40, 70),
        ("loop/0/d", Container, Some(5), 40, 70),
        ("loop/1", Iteration, Some(4), 40, end),
        ("loop/1/d", Container, Some(7), 40, end),
    ])
}

#[test]
fn the_deciding_chain() {
    let run = RunId(uuid::Uuid::nil());
    let (rows, steps) = rows(Some(&structure()), run, &run_rows(100), &[], time(500));
    let got: Vec<_> = steps.iter().map(|step| (step.path.as_str(), step.from, step.to, step.share)).collect();
    assert_eq!(got, [("a", 0, 10, 0.1), ("b", 10, 40, 0.3), ("loop/1/d", 40, 100, 0.6)]);
    assert_eq!(length(&steps), 100);
    let slack: Vec<_> =
        rows.iter().map(|row| (row.path.as_str(), row.is_critical, row.slack_ms.unwrap())).collect();
    let of = |path: &str| slack.iter().find(|row| row.0 == path).copied().unwrap();
    assert_eq!(of("a"), ("a", true, 0));
    assert_eq!(of("b"), ("b", true, 0));
    assert_eq!(of("c"), ("c", false, 40));
    assert_eq!(of("loop/0/d"), ("loop/0/d", false, 30));
    assert_eq!(of("loop/1/d"), ("loop/1/d", true, 0));
    assert_eq!(rows.len(), 8, "the pipeline itself has no row");
}

#[test]
fn running_tasks_last_until_now() {
    let run = RunId(uuid::Uuid::nil());
    let (rows, steps) = rows(Some(&structure()), run, &run_rows(-1), &[], time(500));
    assert_eq!(steps.last().map(|step| (step.path.as_str(), step.to)), Some(("loop/1/d", 500)));
    assert_eq!(rows.iter().find(|row| row.path == "loop/1/d").and_then(|row| row.slack_ms), None);
}

#[test]
fn without_a_pipeline_groups_still_decide() {
    let run = RunId(uuid::Uuid::nil());
    let (_, steps) = rows(None, run, &run_rows(100), &[], time(500));
    assert_eq!(steps.iter().map(|step| step.path.as_str()).collect::<Vec<_>>(), ["loop/1/d"]);
}
