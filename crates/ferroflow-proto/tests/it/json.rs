//! The rules of KFP's JSON, one by one.

use ferroflow_proto::v2beta1::{ListRecurringRunsResponse, PipelineTaskDetail, Predicate, RecurringRun, Run};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads `sent` and checks what is shown of it.
fn check<T: Serialize + DeserializeOwned>(sent: &str, shown: &str) {
    let message: T = serde_json::from_str(sent).unwrap_or_else(|error| panic!("{sent}: {error}"));
    let expected: Value = serde_json::from_str(shown).unwrap();
    assert_eq!(serde_json::to_value(&message).unwrap(), expected, "{sent}");
}

fn refused<T: DeserializeOwned>(sent: &str, reason: &str) {
    let Err(error) = serde_json::from_str::<T>(sent) else { panic!("{sent} was accepted") };
    assert!(error.to_string().contains(reason), "{sent}: {error}");
}

#[test]
fn names_are_shown_as_in_the_proto_and_read_in_both_spellings() {
    check::<Run>(r#"{"displayName":"a","run_id":"b"}"#, r#"{"display_name":"a","run_id":"b"}"#);
    check::<ListRecurringRunsResponse>(
        r#"{"recurringRuns":[{"recurringRunId":"a"}]}"#,
        r#"{"recurringRuns":[{"recurring_run_id":"a"}]}"#,
    );
    refused::<ListRecurringRunsResponse>(r#"{"recurring_runs":[]}"#, "unknown field `recurring_runs`");
}

#[test]
fn defaults_are_not_shown_but_empty_messages_are() {
    check::<Run>(r#"{"display_name":"","state_history":[],"plugins_input":{}}"#, "{}");
    check::<RecurringRun>(r#"{"no_catchup":false,"max_concurrency":0,"mode":0}"#, "{}");
    check::<RecurringRun>(r#"{"trigger":{}}"#, r#"{"trigger":{}}"#);
    check::<Run>(r#"{"runtime_config":{"parameters":{}}}"#, r#"{"runtime_config":{}}"#);
    // A member of a oneof is shown because it was chosen, whatever it holds.
    check::<Predicate>(r#"{"int_value":0}"#, r#"{"int_value":0}"#);
}

#[test]
fn wide_integers_are_strings_and_narrow_ones_numbers() {
    for sent in [r#"{"max_concurrency":"10"}"#, r#"{"max_concurrency":10}"#, r#"{"maxConcurrency":10}"#] {
        check::<RecurringRun>(sent, r#"{"max_concurrency":"10"}"#);
    }
    check::<PipelineTaskDetail>(
        r#"{"inputs":{"a":{"artifact_ids":[1,"9223372036854775807"]}}}"#,
        r#"{"inputs":{"a":{"artifact_ids":["1","9223372036854775807"]}}}"#,
    );
    check::<ListRecurringRunsResponse>(r#"{"total_size":"3"}"#, r#"{"total_size":3}"#);
    refused::<RecurringRun>(r#"{"max_concurrency":"ten"}"#, "");
    refused::<RecurringRun>(r#"{"max_concurrency":9223372036854775808}"#, "");
}

#[test]
fn enums_are_names_and_may_be_sent_as_numbers() {
    check::<Run>(r#"{"state":"RUNNING"}"#, r#"{"state":"RUNNING"}"#);
    check::<RecurringRun>(r#"{"mode":1,"status":3}"#, r#"{"mode":"ENABLE","status":"DISABLED"}"#);
    check::<Predicate>(
        r#"{"operation":1,"key":"display_name","stringValue":"a"}"#,
        r#"{"operation":"EQUALS","key":"display_name","string_value":"a"}"#,
    );
    refused::<Run>(r#"{"state":"ASLEEP"}"#, "ASLEEP");
    refused::<Predicate>(r#"{"operation":4}"#, "4");
}

#[test]
fn times_are_utc_with_z() {
    check::<Run>(
        r#"{"created_at":"2026-01-31T13:00:00+01:00","finished_at":"0001-01-01T00:00:00.000Z"}"#,
        r#"{"created_at":"2026-01-31T12:00:00Z","finished_at":"0001-01-01T00:00:00Z"}"#,
    );
    refused::<Run>(r#"{"created_at":"today"}"#, "`today` is not a time");
}

#[test]
fn free_json_stays_what_it_is() {
    let run = r#"{"pipeline_spec":{"root":{"a":[1,2.5,null,true,"x",{}]},"schemaVersion":"2.1.0"}}"#;
    check::<Run>(run, run);
    let run = r#"{"runtime_config":{"parameters":{"n":3,"none":null,"list":[1]}}}"#;
    check::<Run>(run, run);
    refused::<Run>(r#"{"pipeline_spec":[]}"#, "");
}

#[test]
fn mistakes_are_named() {
    refused::<Run>(r#"{"displayname":"a"}"#, "unknown field `displayname`");
    refused::<Run>(r#"{"runtime_config":{"params":{}}}"#, "unknown field `params`");
    refused::<Run>(r#"{"run_id":"a","runId":"b"}"#, "duplicate field `runId`");
    refused::<Run>(r#"{"pipeline_spec":{},"pipeline_version_id":"a"}"#, "");
    refused::<Run>(r#"{"display_name":7}"#, "");
    refused::<Run>("[]", "");
}
