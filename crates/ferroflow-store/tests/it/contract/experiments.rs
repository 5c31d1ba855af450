//! Experiments.

use ferroflow_model::{ExperimentId, RunStatus, StorageState};
use ferroflow_ports::{ErrorKind, Store};

use super::check_refused;
use super::samples::*;

pub(crate) async fn an_experiment_is_read_as_it_was_created(store: &dyn Store) {
    let experiment = experiment(1);
    store.create_experiment(experiment.clone()).await.expect("a new experiment");
    assert_eq!(store.experiment(experiment.id).await.expect("it exists"), experiment);
    assert_eq!(store.experiment_by_name("experiment 1").await.expect("an answer"), Some(experiment));
    assert_eq!(store.experiment_by_name("experiment 2").await.expect("an answer"), None);
}

pub(crate) async fn names_of_experiments_are_unique(store: &dyn Store) {
    store.create_experiment(experiment(1)).await.expect("a new experiment");
    let mut other = experiment(2);
    other.display_name = experiment(1).display_name;
    let refused = store.create_experiment(other.clone()).await;
    check_refused(refused, ErrorKind::AlreadyExists, "Please specify a new name");
    store.delete_experiment(experiment(1).id).await.expect("deleted");
    store.create_experiment(other).await.expect("the name is free again");
}

pub(crate) async fn unknown_experiments_are_not_found(store: &dyn Store) {
    let id = ExperimentId(uuid(404));
    check_refused(store.experiment(id).await, ErrorKind::NotFound, "experiment `");
    check_refused(store.delete_experiment(id).await, ErrorKind::NotFound, "experiment `");
    check_refused(
        store.set_experiment_storage(id, StorageState::Archived).await,
        ErrorKind::NotFound,
        "experiment `",
    );
}

pub(crate) async fn archiving_an_experiment_takes_its_runs_along(store: &dyn Store) {
    let run = stored_run(store, 10).await;
    let experiment = run.experiment_id;
    for (state, of_run) in [
        (StorageState::Archived, StorageState::Archived),
        (StorageState::Archived, StorageState::Archived),
        (StorageState::Available, StorageState::Archived),
    ] {
        store.set_experiment_storage(experiment, state).await.expect("changed");
        assert_eq!(store.experiment(experiment).await.expect("it exists").storage_state, state);
        let run = store.run(run.id).await.expect("it exists");
        assert_eq!((run.storage_state, run.status), (of_run, RunStatus::Pending));
    }
}

pub(crate) async fn runs_outlive_their_experiment(store: &dyn Store) {
    let run = stored_run(store, 10).await;
    store.delete_experiment(run.experiment_id).await.expect("deleted");
    assert_eq!(store.run(run.id).await.expect("it exists"), run);
    store.commit(step(run.id, 1, &["{}"])).await.expect("it goes on");
    store.delete_run(run.id).await.expect("deleted");
}
