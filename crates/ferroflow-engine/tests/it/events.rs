//! Events that come twice, too late, or for something else change nothing.

use ferroflow_engine::{AttemptOutcome, Changes, ProducedOutputs, RunEvent};
use ferroflow_model::record::{AttemptPhases, Failure};
use ferroflow_testing::pipeline::{each, pipeline, task};
use serde_json::json;

use crate::drive::{Drive, path};

fn ended(task: &str, attempt: u32, outcome: AttemptOutcome) -> RunEvent {
    RunEvent::AttemptEnded { task: path(task), attempt, outcome, phases: AttemptPhases::default() }
}

fn failed() -> AttemptOutcome {
    AttemptOutcome::Failed { error: Failure::new("late") }
}

fn succeeded() -> AttemptOutcome {
    AttemptOutcome::Succeeded { outputs: ProducedOutputs::default() }
}

#[test]
fn events_for_what_is_not_live_are_dropped() {
    let many = pipeline([
        task("done"),
        task("again").retries(5, 0.0),
        task("later").after("again"),
        task("waits").retries(1, 60.0),
        each("loop", "n", &json!([1]), [task("t")]),
    ]);
    let mut drive = Drive::new(&many, &json!({})).script(&[
        ("again", "fail; hang"),
        ("waits", "fail; ok"),
        ("loop/0/t", "hang"),
    ]);
    drive.apply(RunEvent::Started);
    for task in ["done", "again", "waits", "loop/0/t"] {
        drive.apply(RunEvent::AttemptAdmitted { task: path(task), attempt: 1 });
    }
    drive.apply(ended("done", 1, succeeded()));
    drive.apply(ended("again", 1, failed()));
    drive.apply(ended("waits", 1, failed()));
    let before = drive.state.snapshot();
    for event in [
        RunEvent::Started,
        RunEvent::RetryRequested,
        RunEvent::TimeReached,
        ended("done", 1, succeeded()),
        ended("done", 1, failed()),
        ended("done", 2, succeeded()),
        ended("again", 1, failed()),
        ended("again", 3, failed()),
        ended("later", 1, succeeded()),
        ended("later", 0, succeeded()),
        ended("waits", 1, succeeded()),
        ended("loop", 0, succeeded()),
        ended("loop/0", 0, succeeded()),
        ended("loop/1/t", 1, succeeded()),
        ended("loop/x/t", 1, succeeded()),
        ended("loop/0/t/deeper", 1, succeeded()),
        ended("unknown", 1, succeeded()),
        ended("", 0, succeeded()),
        RunEvent::AttemptAdmitted { task: path("done"), attempt: 1 },
        RunEvent::AttemptAdmitted { task: path("again"), attempt: 1 },
        RunEvent::AttemptAdmitted { task: path("loop/0/t"), attempt: 1 },
        RunEvent::CacheAnswered { task: path("again"), hit: None },
        RunEvent::CacheAnswered { task: path("nowhere"), hit: None },
    ] {
        let told = format!("{event:?}");
        drive.apply(event);
        assert_eq!(*drive.changes.last().unwrap(), Changes::default(), "{told}");
        assert_eq!(drive.state.snapshot(), before, "{told}");
    }
}

#[test]
fn an_attempt_may_end_before_it_was_seen_to_start() {
    let mut drive = Drive::new(&pipeline([task("a"), task("b").after("a")]), &json!({}));
    drive.apply(RunEvent::Started);
    drive.apply(ended("a", 1, succeeded()));
    drive.assert_commands("start a#1, start b#1");
    drive.apply(RunEvent::AttemptAdmitted { task: path("a"), attempt: 1 });
    assert_eq!(*drive.changes.last().unwrap(), Changes::default());
}
