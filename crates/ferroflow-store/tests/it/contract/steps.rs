//! Steps of a run: whole or not at all, in order, and found again.

use ferroflow_engine::CacheHit;
use ferroflow_model::ExecutionId;
use ferroflow_model::record::StateChange;
use ferroflow_model::{RunStatus, TaskPath, TaskStatus};
use ferroflow_ports::store::{RunCommit, RunUpdate};
use ferroflow_ports::{ErrorKind, Store};
use futures_util::future::join_all;

use super::check_refused;
use super::samples::*;

pub(crate) async fn rows_are_read_as_they_were_written(store: &dyn Store) {
    let run = stored_run(store, 10).await;
    let mut step = step(run.id, 1, &["{\"a\":1}"]);
    step.tasks = vec![task(run.id, 21, "loop/3/train"), task(run.id, 20, "train")];
    step.attempts = vec![attempt(run.id, 20, "train", 2), attempt(run.id, 20, "train", 1)];
    step.artifacts = vec![artifact_record(run.id, 31), artifact_record(run.id, 30)];
    step.links = vec![link(20, 30)];
    store.commit(step).await.expect("a step");
    let expected = [task(run.id, 20, "train"), task(run.id, 21, "loop/3/train")];
    assert_eq!(store.tasks_of(&[run.id]).await.expect("a list"), expected);
    let expected = [attempt(run.id, 20, "train", 1), attempt(run.id, 20, "train", 2)];
    assert_eq!(store.attempts_of(run.id).await.expect("a list"), expected);
    let expected = [artifact_record(run.id, 30), artifact_record(run.id, 31)];
    assert_eq!(store.artifacts_of(run.id).await.expect("a list"), expected);
}

pub(crate) async fn a_later_row_replaces_the_earlier_one(store: &dyn Store) {
    let run = stored_run(store, 10).await;
    let mut first = step(run.id, 1, &["{}"]);
    first.tasks = vec![task(run.id, 20, "train")];
    first.attempts = vec![attempt(run.id, 20, "train", 1)];
    store.commit(first).await.expect("a step");
    let mut changed = task(run.id, 20, "train");
    changed.status = TaskStatus::Succeeded;
    changed.error = None;
    changed.cache = None;
    changed.cached_from = None;
    changed.ended_at = None;
    changed.outputs = outputs(9);
    let mut attempt = attempt(run.id, 20, "train", 1);
    attempt.status = TaskStatus::Succeeded;
    attempt.error = None;
    let mut second = step(run.id, 2, &["{}"]);
    second.tasks = vec![changed.clone()];
    second.attempts = vec![attempt.clone()];
    store.commit(second).await.expect("a step");
    assert_eq!(store.tasks_of(&[run.id]).await.expect("a list"), [changed]);
    assert_eq!(store.attempts_of(run.id).await.expect("a list"), [attempt]);
}

pub(crate) async fn tasks_of_many_runs_come_in_order_of_number(store: &dyn Store) {
    let (first, second) = (stored_run(store, 10).await, stored_run(store, 11).await);
    for (run, number) in [(&first, 30), (&second, 20), (&first, 10), (&second, 40)] {
        let seq = store.load_run(run.id).await.expect("it exists").events.len() as u64 + 1;
        let tasks = vec![task(run.id, number, &format!("t{number}"))];
        store.commit(RunCommit { tasks, ..step(run.id, seq, &["{}"]) }).await.expect("a step");
    }
    let tasks = store.tasks_of(&[second.id, first.id]).await.expect("a list");
    let numbers: Vec<_> = tasks.iter().map(|task| (task.execution_id.0, task.run_id)).collect();
    assert_eq!(numbers, [(10, first.id), (20, second.id), (30, first.id), (40, second.id)]);
    assert_eq!(store.tasks_of(&[]).await.expect("a list"), []);
}

pub(crate) async fn numbers_of_events_leave_no_gap_and_no_double(store: &dyn Store) {
    let run = stored_run(store, 10).await;
    for wrong in [0, 2] {
        check_refused(store.commit(step(run.id, wrong, &["{}"])).await, ErrorKind::Aborted, "has number 1");
    }
    store.commit(step(run.id, 1, &["\"a\"", "\"b\""])).await.expect("the first step");
    for wrong in [1, 2, 4] {
        let mut refused = step(run.id, wrong, &["\"x\""]);
        refused.tasks = vec![task(run.id, 20, "train")];
        refused.outbox_put = vec![("key".to_owned(), "{}".to_owned())];
        check_refused(store.commit(refused).await, ErrorKind::Aborted, "has number 3");
    }
    store.commit(step(run.id, 3, &["\"c\""])).await.expect("the next step");
    let loaded = store.load_run(run.id).await.expect("it exists");
    let expected = [(1, "\"a\""), (2, "\"b\""), (3, "\"c\"")].map(|(seq, text)| (seq, text.to_owned()));
    assert_eq!(loaded.events, expected);
    assert_eq!(loaded.outbox, []);
    assert_eq!(store.tasks_of(&[run.id]).await.expect("a list"), []);
}

pub(crate) async fn a_step_without_events_keeps_the_number(store: &dyn Store) {
    let run = stored_run(store, 10).await;
    for _ in 0..2 {
        store.commit(step(run.id, 1, &[])).await.expect("a step");
    }
    store.commit(step(run.id, 1, &["{}"])).await.expect("a step");
}

pub(crate) async fn a_snapshot_stands_for_the_events_in_it(store: &dyn Store) {
    let run = stored_run(store, 10).await;
    let mut with_snapshot = step(run.id, 1, &["1", "2"]);
    with_snapshot.snapshot = Some(vec![0, 1, 255]);
    store.commit(with_snapshot).await.expect("a step");
    store.commit(step(run.id, 3, &["3", "4"])).await.expect("a step");
    let loaded = store.load_run(run.id).await.expect("it exists");
    assert_eq!(loaded.snapshot, Some((2, vec![0, 1, 255])));
    assert_eq!(loaded.events, [(3, "3".to_owned()), (4, "4".to_owned())]);

    let mut newer = step(run.id, 5, &["5"]);
    newer.snapshot = Some(b"newer".to_vec());
    store.commit(newer).await.expect("a step");
    let loaded = store.load_run(run.id).await.expect("it exists");
    assert_eq!((loaded.snapshot, loaded.events), (Some((5, b"newer".to_vec())), vec![]));
    store.commit(step(run.id, 6, &["6"])).await.expect("a step");
}

pub(crate) async fn commands_stay_until_they_are_done(store: &dyn Store) {
    let run = stored_run(store, 10).await;
    let command = |key: &str, text: &str| (key.to_owned(), text.to_owned());
    let mut first = step(run.id, 1, &["{}"]);
    first.outbox_put = vec![command("z", "1"), command("a", "2"), command("m", "3")];
    store.commit(first).await.expect("a step");
    let mut second = step(run.id, 2, &["{}"]);
    second.outbox_put = vec![command("b", "4")];
    second.outbox_done = vec!["a".to_owned(), "never put".to_owned()];
    store.commit(second).await.expect("a step");
    let loaded = store.load_run(run.id).await.expect("it exists");
    assert_eq!(loaded.outbox, [command("z", "1"), command("m", "3"), command("b", "4")]);

    let mut third = step(run.id, 3, &["{}"]);
    third.outbox_put = vec![command("z", "5")];
    third.outbox_done = vec!["z".to_owned(), "m".to_owned()];
    store.commit(third).await.expect("a step");
    let loaded = store.load_run(run.id).await.expect("it exists");
    assert_eq!(loaded.outbox, [command("b", "4"), command("z", "5")]);
}

pub(crate) async fn the_newest_result_of_a_pipeline_is_found(store: &dyn Store) {
    let run = stored_run(store, 10).await;
    let key = "ab".repeat(32);
    assert_eq!(store.find_cached("train", &key).await.expect("an answer"), None);
    for (seq, number, seconds, expected) in
        [(1, 20, 10, 20), (2, 21, 5, 20), (3, 22, 10, 22), (4, 23, 11, 23)]
    {
        let mut step = step(run.id, seq, &["{}"]);
        step.cache_entries = vec![cache_entry(number, seconds_later(seconds))];
        store.commit(step).await.expect("a step");
        let found = store.find_cached("train", &key).await.expect("an answer").expect("a result");
        let hit = CacheHit { execution_id: ExecutionId(expected), outputs: outputs(expected) };
        assert_eq!((found.hit, found.contents), (hit, vec![format!("/data/{expected}")]));
    }
    assert_eq!(store.find_cached("other", &key).await.expect("an answer"), None);
    assert_eq!(store.find_cached("train", &"cd".repeat(32)).await.expect("an answer"), None);
}

pub(crate) async fn attempts_that_run_are_known_over_all_runs(store: &dyn Store) {
    let (first, second) = (stored_run(store, 10).await, stored_run(store, 11).await);
    for (run, number) in [(&first, 20), (&second, 30)] {
        let mut step = step(run.id, 1, &["{}"]);
        let mut ended = attempt(run.id, number, "a/1/b", 1);
        ended.status = TaskStatus::Failed;
        step.tasks = vec![task(run.id, number, "a/1/b")];
        step.attempts = vec![ended, attempt(run.id, number, "a/1/b", 2)];
        store.commit(step).await.expect("a step");
    }
    let running = store.running_attempts().await.expect("a list");
    let expected = [attempt(first.id, 20, "a/1/b", 2).id, attempt(second.id, 30, "a/1/b", 2).id];
    assert_eq!(running, expected);
}

pub(crate) async fn numbers_are_given_once(store: &dyn Store) {
    assert_eq!(store.next_free_id().await.expect("a number"), 1);
    let run = stored_run(store, 10).await;
    assert_eq!(store.next_free_id().await.expect("a number"), 100);
    for (seq, taken, expected) in [(1, Some(500), 500), (2, Some(300), 500), (3, None, 500)] {
        let ids_taken_below = taken;
        store.commit(RunCommit { ids_taken_below, ..step(run.id, seq, &["{}"]) }).await.expect("a step");
        assert_eq!(store.next_free_id().await.expect("a number"), expected);
    }
}

/// The futures are awaited in the opposite order, which must not matter.
pub(crate) async fn steps_are_stored_in_the_order_of_the_calls(store: &dyn Store) {
    let run = stored_run(store, 10).await;
    let mut answers: Vec<_> = (1..=50).map(|seq| store.commit(step(run.id, seq, &["{}"]))).collect();
    answers.reverse();
    for answer in join_all(answers).await {
        answer.expect("a step");
    }
    drop(store.commit(step(run.id, 51, &["{}"])));
    store.commit(step(run.id, 52, &["{}"])).await.expect("a step that nobody awaits is stored all the same");
}

/// One refused step among many takes no other down, and leaves nothing of itself.
pub(crate) async fn a_refused_step_leaves_the_others_alone(store: &dyn Store) {
    let (good, bad) = (stored_run(store, 10).await, stored_run(store, 11).await);
    let mut answers = Vec::new();
    for seq in 1..=40 {
        answers.push(store.commit(step(good.id, seq, &["{}"])));
        let mut refused = step(bad.id, 1000 + seq, &["{}"]);
        refused.tasks = vec![task(bad.id, 900, "train")];
        answers.push(store.commit(refused));
    }
    for (index, answer) in join_all(answers).await.into_iter().enumerate() {
        assert_eq!(answer.is_ok(), index % 2 == 0, "{answer:?}");
    }
    assert_eq!(store.load_run(good.id).await.expect("it exists").events.len(), 40);
    assert_eq!(store.load_run(bad.id).await.expect("it exists").events.len(), 0);
    assert_eq!(store.tasks_of(&[bad.id]).await.expect("a list"), []);
}

pub(crate) async fn large_texts_come_back_whole(store: &dyn Store) {
    let run = stored_run(store, 10).await;
    let large = format!("\"{}\"", "ö".repeat(1_000_000));
    let mut step = step(run.id, 1, &[&large]);
    let mut task = task(run.id, 20, "train");
    task.display_name = large.clone();
    step.tasks = vec![task.clone()];
    step.snapshot = None;
    step.outbox_put = vec![("key".to_owned(), large.clone())];
    step.run = Some(RunUpdate {
        status: Some(StateChange { at: NOON, state: RunStatus::Running }),
        ..RunUpdate::default()
    });
    store.commit(step).await.expect("a step");
    let loaded = store.load_run(run.id).await.expect("it exists");
    assert!(loaded.events == [(1, large.clone())] && loaded.outbox == [("key".to_owned(), large)]);
    let tasks = store.tasks_of(&[run.id]).await.expect("a list");
    assert!(tasks == [task] && tasks[0].path == TaskPath::new("train"));
}
