//! Runs and their rows.

use ferroflow_model::record::{Failure, PipelineSource, StateChange};
use ferroflow_model::{ExperimentId, RunId, RunStatus, StorageState};
use ferroflow_ports::store::{RunUpdate, WholeRun};
use ferroflow_ports::{ErrorKind, Store};

use super::check_refused;
use super::samples::*;

pub(crate) async fn a_run_is_read_as_it_was_created(store: &dyn Store) {
    let run = stored_run(store, 10).await;
    assert!(run.pipeline_context_id > 0);
    assert!(run.run_context_id > 0);
    assert_ne!(run.pipeline_context_id, run.run_context_id);
    assert_eq!(store.run(run.id).await.expect("it exists"), run);
    assert_eq!(&*store.run_spec(run.id).await.expect("it exists"), r#"{"pipelineInfo":{"name":"train"}}"#);
    let by_version = WholeRun { run: run.clone(), tasks: vec![], spec_json: None };
    assert_eq!(store.whole_run(run.id).await.expect("it exists"), by_version);
    assert_eq!(store.unfinished_runs().await.expect("a list"), [run.id]);

    let loaded = store.load_run(run.id).await.expect("it exists");
    assert_eq!(loaded.run, run);
    assert_eq!(loaded.settings, new_run(super::samples::run(10, 1)).settings);
    assert_eq!((loaded.snapshot, loaded.events, loaded.outbox), (None, vec![], vec![]));
}

pub(crate) async fn whole_runs_are_those_that_are_there(store: &dyn Store) {
    let by_version = stored_run(store, 10).await;
    let mut inline = new_run(super::samples::run(11, 1));
    inline.run.source = PipelineSource::Inline;
    let inline = store.create_run(inline, 100).await.expect("a new run");
    let mut gone = inline.clone();
    (gone.id, gone.run_context_id) = (RunId(uuid(404)), 404);
    let expected = [
        WholeRun { run: by_version.clone(), tasks: vec![], spec_json: None },
        WholeRun {
            run: inline.clone(),
            tasks: vec![],
            spec_json: Some(r#"{"pipelineInfo":{"name":"train"}}"#.into()),
        },
    ];
    let found = store.whole_runs(vec![by_version, gone, inline]).await.expect("a list");
    assert_eq!(found, expected);
}

pub(crate) async fn runs_of_one_pipeline_share_its_context(store: &dyn Store) {
    let (first, second) = (stored_run(store, 10).await, stored_run(store, 11).await);
    assert_eq!(first.pipeline_context_id, second.pipeline_context_id);
    assert_ne!(first.run_context_id, second.run_context_id);
}

pub(crate) async fn a_run_needs_its_experiment_and_a_new_id(store: &dyn Store) {
    check_refused(store.create_run(new_run(run(10, 99)), 1).await, ErrorKind::NotFound, "experiment");
    stored_run(store, 10).await;
    check_refused(store.create_run(new_run(run(10, 1)), 1).await, ErrorKind::AlreadyExists, "run");
}

pub(crate) async fn a_new_run_touches_its_experiment(store: &dyn Store) {
    store.create_experiment(experiment(1)).await.expect("a new experiment");
    for (number, seconds) in [(10, 50), (11, 20)] {
        let mut run = run(number, 1);
        run.created_at = seconds_later(seconds);
        store.create_run(new_run(run), 1).await.expect("a new run");
    }
    let experiment = store.experiment(ExperimentId(uuid(1))).await.expect("it exists");
    assert_eq!(experiment.last_run_created_at, seconds_later(50));
}

pub(crate) async fn unknown_runs_are_not_found(store: &dyn Store) {
    let id = RunId(uuid(404));
    check_refused(store.run(id).await, ErrorKind::NotFound, "run");
    check_refused(store.whole_run(id).await, ErrorKind::NotFound, "run");
    check_refused(store.run_spec(id).await, ErrorKind::NotFound, "run");
    check_refused(store.load_run(id).await, ErrorKind::NotFound, "run");
    check_refused(store.delete_run(id).await, ErrorKind::NotFound, "run");
    check_refused(store.set_run_storage(id, StorageState::Archived).await, ErrorKind::NotFound, "run");
    check_refused(store.commit(step(id, 1, &["{}"])).await, ErrorKind::NotFound, "run");
    assert_eq!(store.tasks_of(&[id]).await.expect("a list"), []);
    assert_eq!(store.attempts_of(id).await.expect("a list"), []);
    assert_eq!(store.artifacts_of(id).await.expect("a list"), []);
}

pub(crate) async fn the_history_grows_when_the_state_differs(store: &dyn Store) {
    let run = stored_run(store, 10).await;
    let states = [RunStatus::Running, RunStatus::Running, RunStatus::Failed, RunStatus::Running];
    for (seq, state) in (1..).zip(states) {
        let mut step = step(run.id, seq, &["{}"]);
        let at = seconds_later(seq.cast_signed());
        step.run = Some(RunUpdate { status: Some(StateChange { at, state }), ..RunUpdate::default() });
        store.commit(step).await.expect("a step");
    }
    let run = store.run(run.id).await.expect("it exists");
    assert_eq!(run.status, RunStatus::Running);
    let history: Vec<_> = run.history.iter().map(|entry| (entry.state, entry.at)).collect();
    assert_eq!(
        history,
        [
            (RunStatus::Pending, NOON),
            (RunStatus::Running, seconds_later(1)),
            (RunStatus::Failed, seconds_later(3)),
            (RunStatus::Running, seconds_later(4)),
        ]
    );
}

pub(crate) async fn a_run_ends_and_is_taken_up_again(store: &dyn Store) {
    let run = stored_run(store, 10).await;
    let end = RunUpdate {
        status: Some(StateChange { at: NOON, state: RunStatus::Failed }),
        finished_at: Some(Some(seconds_later(9))),
        error: Some(Some(Failure::new("a task failed"))),
        outputs: Some(outputs(3)),
    };
    store
        .commit(ferroflow_ports::store::RunCommit { run: Some(end), ..step(run.id, 1, &["{}"]) })
        .await
        .expect("end");
    assert_eq!(store.unfinished_runs().await.expect("a list"), []);
    let ended = store.run(run.id).await.expect("it exists");
    assert_eq!(ended.finished_at, Some(seconds_later(9)));
    assert_eq!(ended.error, Some(Failure::new("a task failed")));
    assert_eq!(ended.outputs, outputs(3));

    let retry = RunUpdate {
        status: Some(StateChange { at: NOON, state: RunStatus::Running }),
        finished_at: Some(None),
        error: Some(None),
        outputs: None,
    };
    let again = ferroflow_ports::store::RunCommit { run: Some(retry), ..step(run.id, 2, &["{}"]) };
    store.commit(again).await.expect("retry");
    assert_eq!(store.unfinished_runs().await.expect("a list"), [run.id]);
    let again = store.run(run.id).await.expect("it exists");
    assert_eq!((again.finished_at, again.error, again.outputs), (None, None, outputs(3)));
}

pub(crate) async fn archiving_a_run_leaves_its_state_alone(store: &dyn Store) {
    let run = stored_run(store, 10).await;
    for _ in 0..2 {
        store.set_run_storage(run.id, StorageState::Archived).await.expect("archived");
    }
    let archived = store.run(run.id).await.expect("it exists");
    assert_eq!((archived.storage_state, archived.status), (StorageState::Archived, RunStatus::Pending));
    store.set_run_storage(run.id, StorageState::Available).await.expect("unarchived");

    store.set_experiment_storage(run.experiment_id, StorageState::Archived).await.expect("archived");
    let refused = store.set_run_storage(run.id, StorageState::Available).await;
    check_refused(refused, ErrorKind::FailedPrecondition, "archived experiment");

    store.delete_experiment(run.experiment_id).await.expect("deleted");
    store.set_run_storage(run.id, StorageState::Available).await.expect("runs stay operable");
}

pub(crate) async fn a_removed_run_leaves_artifacts_and_cached_results(store: &dyn Store) {
    let (run, other) = (stored_run(store, 10).await, stored_run(store, 11).await);
    for id in [run.id, other.id] {
        let mut step = step(id, 1, &["{}"]);
        let number = if id == run.id { 20 } else { 40 };
        step.tasks = vec![task(id, number, "train")];
        step.attempts = vec![attempt(id, number, "train", 1)];
        step.artifacts = vec![artifact_record(id, number)];
        step.links = vec![link(number, number)];
        step.cache_entries = vec![cache_entry(20, NOON)];
        step.outbox_put = vec![("start".to_owned(), "{}".to_owned())];
        step.snapshot = Some(b"state".to_vec());
        store.commit(step).await.expect("a step");
    }
    store.delete_run(run.id).await.expect("deleted");
    check_refused(store.load_run(run.id).await, ErrorKind::NotFound, "run");
    check_refused(store.commit(step(run.id, 2, &["{}"])).await, ErrorKind::NotFound, "run");
    assert_eq!(store.tasks_of(&[run.id, other.id]).await.expect("a list").len(), 1);
    assert_eq!(store.attempts_of(run.id).await.expect("a list"), []);
    assert_eq!(store.artifacts_of(run.id).await.expect("a list"), [artifact_record(run.id, 20)]);
    assert!(store.find_cached("train", &"ab".repeat(32)).await.expect("an answer").is_some());

    let kept = store.load_run(other.id).await.expect("the other run stays");
    assert_eq!(&*kept.spec_json, r#"{"pipelineInfo":{"name":"train"}}"#);
    assert_eq!(kept.outbox.len(), 1);
    assert_eq!(store.attempts_of(other.id).await.expect("a list").len(), 1);

    let again = stored_run(store, 10).await;
    assert_eq!(again.run_context_id, run.run_context_id);
    assert_eq!(store.load_run(run.id).await.expect("a fresh run").events, []);
    store.commit(step(run.id, 1, &["{}"])).await.expect("numbers begin anew");
}
