//! Recurring runs, and the runs that they make.

use std::sync::Arc;

use ferroflow_model::list::{FilterValue, ListQuery, Operation, Predicate, Sort};
use ferroflow_model::record::{Failure, Run, StateChange};
use ferroflow_model::recurring::{Cadence, RecurringRun, RecurringSource, Tick, Trigger};
use ferroflow_model::{
    ExperimentId, PipelineId, PipelineVersionId, RecurringRunId, RunId, RunStatus, StorageState, Timestamp,
};
use ferroflow_ports::store::RunUpdate;
use ferroflow_ports::{ErrorKind, PortError, Store};
use serde_json::json;

use super::check_refused;
use super::samples::*;

fn recurring_run(number: u128, experiment: u128) -> RecurringRun {
    RecurringRun {
        id: RecurringRunId(uuid(number)),
        experiment_id: ExperimentId(uuid(experiment)),
        display_name: format!("nightly {number}"),
        description: "every night".to_owned(),
        namespace: "kubeflow".to_owned(),
        source: RecurringSource::Inline { spec_json: Arc::from(r#"{"pipelineInfo":{"name":"train"}}"#) },
        arguments: object(&json!({"day": "[[ScheduledTime.2006-01-02]]", "rate": 0.1})),
        pipeline_root: "file:///tmp/root".to_owned(),
        service_account: "pipeline-runner".to_owned(),
        plugins_input: serde_json::from_str(r#"{"tracker":{"project":"p"}}"#).expect("JSON"),
        max_concurrency: 10,
        trigger: Trigger {
            cadence: Cadence::Cron { expression: "0 30 1 * * ?".to_owned() },
            start: Some(NOON),
            end: Some(seconds_later(1_000_000)),
        },
        no_catchup: true,
        is_enabled: true,
        created_at: NOON,
        updated_at: seconds_later(1),
        fired: 0,
        last_slot: None,
        error: Some(Failure::new("there is no version")),
    }
}

async fn stored(store: &dyn Store, number: u128) -> RecurringRun {
    let experiment_id = ExperimentId(uuid(1));
    if store.experiment(experiment_id).await.is_err() {
        store.create_experiment(experiment(1)).await.expect("a new experiment");
    }
    let made = recurring_run(number, 1);
    store.create_recurring_run(made.clone()).await.expect("a new recurring run");
    made
}

/// Run number `index` of a recurring run, for the slot so many seconds after noon.
async fn fire(
    store: &dyn Store,
    id: RecurringRunId,
    number: u128,
    index: u64,
    slot: i64,
) -> Result<Run, PortError> {
    let mut run = run(number, 1);
    run.tick = Some(Tick { recurring_run_id: id, index });
    run.scheduled_at = seconds_later(slot);
    store.create_run(new_run(run), 1).await
}

pub(crate) async fn a_recurring_run_is_read_as_it_was_created(store: &dyn Store) {
    store.create_experiment(experiment(1)).await.expect("a new experiment");
    let sources = [
        recurring_run(0, 1).source,
        RecurringSource::Latest { pipeline_id: PipelineId(uuid(7)) },
        RecurringSource::Version { pipeline_id: PipelineId(uuid(7)), version_id: PipelineVersionId(uuid(8)) },
    ];
    let cadences = [Cadence::Once, Cadence::Interval { seconds: 60 }, recurring_run(0, 1).trigger.cadence];
    for (number, (source, cadence)) in (20..).zip(sources.into_iter().zip(cadences)) {
        let trigger = Trigger { cadence, start: None, end: None };
        let made = RecurringRun { source, trigger, is_enabled: number != 20, ..recurring_run(number, 1) };
        store.create_recurring_run(made.clone()).await.expect("a new recurring run");
        assert_eq!(store.recurring_run(made.id).await.expect("it exists"), made);
    }
    let enabled = store.enabled_recurring_runs().await.expect("a list");
    assert_eq!(enabled, [21, 22].map(|number| RecurringRunId(uuid(number))));
}

pub(crate) async fn a_recurring_run_needs_its_experiment_and_a_new_id(store: &dyn Store) {
    check_refused(store.create_recurring_run(recurring_run(20, 99)).await, ErrorKind::NotFound, "experiment");
    let made = stored(store, 20).await;
    check_refused(store.create_recurring_run(made).await, ErrorKind::AlreadyExists, "recurring run");
}

pub(crate) async fn unknown_recurring_runs_are_not_found(store: &dyn Store) {
    let id = RecurringRunId(uuid(404));
    check_refused(store.recurring_run(id).await, ErrorKind::NotFound, "recurring run");
    check_refused(store.delete_recurring_run(id).await, ErrorKind::NotFound, "recurring run");
    check_refused(
        store.set_recurring_run_enabled(id, true, NOON).await,
        ErrorKind::NotFound,
        "recurring run",
    );
    check_refused(
        store.update_recurring_run(recurring_run(404, 1), true).await,
        ErrorKind::NotFound,
        "recurring run",
    );
    store.note_recurring_run_error(id, Failure::new("late")).await.expect("nothing to note it at");
    assert_eq!(store.unfinished_runs_of(id).await.expect("a list"), []);
}

pub(crate) async fn a_run_and_its_tick_are_stored_together_or_not_at_all(store: &dyn Store) {
    let made = stored(store, 20).await;
    let first = fire(store, made.id, 10, 1, 60).await.expect("the first run");
    assert_eq!(store.run(first.id).await.expect("it exists").tick, first.tick);
    let after = store.recurring_run(made.id).await.expect("it exists");
    assert_eq!((after.fired, after.last_slot, after.error), (1, Some(seconds_later(60)), None));

    // The same run again, one too many, and one of a schedule that may not.
    for index in [1, 3] {
        check_refused(fire(store, made.id, 11, index, 120).await, ErrorKind::Aborted, "not the next one");
    }
    store.set_recurring_run_enabled(made.id, false, NOON).await.expect("disabled");
    check_refused(fire(store, made.id, 11, 2, 120).await, ErrorKind::Aborted, "disabled");
    store.set_recurring_run_enabled(made.id, true, NOON).await.expect("enabled");
    // A run that cannot be stored leaves no tick behind.
    check_refused(fire(store, made.id, 10, 2, 120).await, ErrorKind::AlreadyExists, "run");
    let after = store.recurring_run(made.id).await.expect("it exists");
    assert_eq!((after.fired, after.last_slot), (1, Some(seconds_later(60))));

    // One that a client adds takes no number.
    let added = fire(store, made.id, 12, 0, 120).await.expect("a run of a client");
    assert_eq!(store.recurring_run(made.id).await.expect("it exists").fired, 1);
    store.delete_run(added.id).await.expect("it goes");

    let second = fire(store, made.id, 11, 2, 120).await.expect("the second run");
    let mut unfinished = store.unfinished_runs_of(made.id).await.expect("a list");
    unfinished.sort();
    assert_eq!(unfinished, [first.id, second.id]);
    let update = RunUpdate {
        status: Some(StateChange { at: NOON, state: RunStatus::Succeeded }),
        ..RunUpdate::default()
    };
    let mut end = step(first.id, 1, &[]);
    end.run = Some(update);
    store.commit(end).await.expect("it ends");
    assert_eq!(store.unfinished_runs_of(made.id).await.expect("a list"), [second.id]);
}

pub(crate) async fn enabling_is_noted_when_it_changes_something(store: &dyn Store) {
    let made = stored(store, 20).await;
    for (is_enabled, now, updated_at) in [
        (true, seconds_later(5), made.updated_at),
        (false, seconds_later(6), seconds_later(6)),
        (false, seconds_later(7), seconds_later(6)),
        (true, seconds_later(8), seconds_later(8)),
    ] {
        store.set_recurring_run_enabled(made.id, is_enabled, now).await.expect("changed");
        let found = store.recurring_run(made.id).await.expect("it exists");
        assert_eq!((found.is_enabled, found.updated_at), (is_enabled, updated_at));
        let enabled = store.enabled_recurring_runs().await.expect("a list");
        assert_eq!(enabled.contains(&made.id), is_enabled);
    }
    store.note_recurring_run_error(made.id, Failure::new("no disk")).await.expect("noted");
    let found = store.recurring_run(made.id).await.expect("it exists");
    assert_eq!(found.error, Some(Failure::new("no disk")));
}

pub(crate) async fn experiments_in_the_archive_disable_and_keep_disabled(store: &dyn Store) {
    let made = stored(store, 20).await;
    let enabled = async || store.recurring_run(made.id).await.expect("it exists").is_enabled;
    for (state, expected) in [(StorageState::Archived, false), (StorageState::Available, false)] {
        store.set_experiment_storage(made.experiment_id, state).await.expect("changed");
        assert_eq!(enabled().await, expected);
    }
    store.set_recurring_run_enabled(made.id, true, NOON).await.expect("enabled");
    store.set_experiment_storage(made.experiment_id, StorageState::Available).await.expect("changed");
    assert!(enabled().await);
    store.delete_experiment(made.experiment_id).await.expect("deleted");
    assert!(!enabled().await);
}

pub(crate) async fn runs_outlive_their_recurring_run(store: &dyn Store) {
    let (made, other) = (stored(store, 20).await, stored(store, 21).await);
    let run = fire(store, made.id, 10, 1, 60).await.expect("a run");
    store.delete_recurring_run(made.id).await.expect("deleted");
    check_refused(store.recurring_run(made.id).await, ErrorKind::NotFound, "recurring run");
    check_refused(fire(store, made.id, 11, 2, 120).await, ErrorKind::Aborted, "gone");
    assert_eq!(store.run(run.id).await.expect("it exists").tick, run.tick);
    store.run_spec(run.id).await.expect("its pipeline is kept");
    // The text of the pipeline is shared; each may go without taking it from the other.
    store.delete_run(run.id).await.expect("deleted");
    assert_eq!(store.recurring_run(other.id).await.expect("it exists").source, other.source);
}

fn query(predicates: Vec<Predicate>) -> ListQuery {
    let sort = Sort { key: "created_at".to_owned(), descending: false };
    ListQuery { predicates, sort, page_size: 200, after: None }
}

pub(crate) async fn recurring_runs_are_listed_and_so_are_their_runs(store: &dyn Store) {
    let (first, second) = (stored(store, 20).await, stored(store, 21).await);
    store.create_experiment(experiment(2)).await.expect("a new experiment");
    let elsewhere = recurring_run(22, 2);
    store.create_recurring_run(elsewhere.clone()).await.expect("a new recurring run");
    let page = store.list_recurring_runs(None, query(vec![])).await.expect("a page");
    assert_eq!((page.total, page.items), (3, vec![first.clone(), second.clone(), elsewhere]));
    let here = Some(first.experiment_id);
    let page = store.list_recurring_runs(here, query(vec![])).await.expect("a page");
    assert_eq!(page.items, [first.clone(), second.clone()]);
    let named = |key: &str, value: FilterValue| {
        vec![Predicate { operation: Operation::Equals, key: key.to_owned(), value }]
    };
    for (key, value) in [
        ("name", FilterValue::Text("nightly 21".to_owned())),
        ("display_name", FilterValue::Text("nightly 21".to_owned())),
        ("id", FilterValue::Text(second.id.to_string())),
        ("recurring_run_id", FilterValue::Text(second.id.to_string())),
    ] {
        let page = store.list_recurring_runs(None, query(named(key, value))).await.expect("a page");
        assert_eq!(page.items, std::slice::from_ref(&second), "{key}");
    }
    for key in ["created_at", "updated_at"] {
        let noon = named(key, FilterValue::Seconds(Timestamp::default().as_seconds()));
        assert_eq!(store.list_recurring_runs(None, query(noon)).await.expect("a page").total, 0, "{key}");
    }
    let unknown = query(named("status", FilterValue::Text("ENABLED".to_owned())));
    check_refused(store.list_recurring_runs(None, unknown).await, ErrorKind::InvalidArgument, "status");

    fire(store, first.id, 10, 1, 60).await.expect("a run");
    stored_run(store, 11).await;
    for (id, expected) in [(first.id.to_string(), 10), (String::new(), 11)] {
        let page = store.list_runs(None, query(named("recurring_run_id", FilterValue::Text(id)))).await;
        let ids: Vec<RunId> = page.expect("a page").items.iter().map(|run| run.id).collect();
        assert_eq!(ids, [RunId(uuid(expected))]);
    }
}
