//! Pipelines and versions.

use ferroflow_model::{PipelineId, PipelineVersionId};
use ferroflow_ports::{ErrorKind, Store};

use super::check_refused;
use super::lists::by;
use super::samples::*;

async fn stored_pipeline(store: &dyn Store, number: u128) {
    store.create_pipeline(pipeline(number), None).await.expect("a new pipeline");
}

pub(crate) async fn a_pipeline_is_read_as_it_was_created(store: &dyn Store) {
    store.create_pipeline(pipeline(1), Some(version(1, 5))).await.expect("a new pipeline");
    assert_eq!(store.pipeline(pipeline(1).id).await.expect("it exists"), pipeline(1));
    assert_eq!(store.pipeline_by_name("pipeline-1").await.expect("an answer"), Some(pipeline(1)));
    assert_eq!(store.pipeline_by_name("pipeline-2").await.expect("an answer"), None);
    assert_eq!(store.pipeline_version(version(1, 5).id).await.expect("it exists"), version(1, 5));
}

pub(crate) async fn names_of_pipelines_and_versions_are_unique(store: &dyn Store) {
    store.create_pipeline(pipeline(1), Some(version(1, 5))).await.expect("a new pipeline");
    let mut other = pipeline(2);
    other.name = pipeline(1).name;
    let refused = store.create_pipeline(other, Some(version(2, 6))).await;
    check_refused(refused, ErrorKind::AlreadyExists, "pipeline-1");
    let refused = store.pipeline_version(version(2, 6).id).await;
    check_refused(refused, ErrorKind::NotFound, "pipeline version");

    let mut twin = version(1, 7);
    twin.name = version(1, 5).name;
    check_refused(store.create_pipeline_version(twin.clone()).await, ErrorKind::AlreadyExists, "v5");
    stored_pipeline(store, 2).await;
    twin.pipeline_id = pipeline(2).id;
    store.create_pipeline_version(twin).await.expect("the name is free in the other pipeline");
}

pub(crate) async fn a_pipeline_comes_with_its_version_or_not_at_all(store: &dyn Store) {
    store.create_pipeline(pipeline(1), Some(version(1, 5))).await.expect("a new pipeline");
    let mut broken = version(2, 5);
    broken.name = "other".to_owned();
    check_refused(store.create_pipeline(pipeline(2), Some(broken)).await, ErrorKind::AlreadyExists, "");
    assert_eq!(store.pipeline_by_name("pipeline-2").await.expect("an answer"), None);
}

pub(crate) async fn unknown_pipelines_are_not_found(store: &dyn Store) {
    let (id, version_id) = (PipelineId(uuid(404)), PipelineVersionId(uuid(405)));
    let name = Some("x".to_owned());
    check_refused(store.pipeline(id).await, ErrorKind::NotFound, "pipeline `");
    check_refused(store.update_pipeline(id, name.clone(), None).await, ErrorKind::NotFound, "pipeline `");
    check_refused(store.delete_pipeline(id, true).await, ErrorKind::NotFound, "pipeline `");
    check_refused(store.latest_pipeline_version(id).await, ErrorKind::NotFound, "pipeline `");
    check_refused(store.list_pipeline_versions(id, by("id")).await, ErrorKind::NotFound, "pipeline `");
    check_refused(store.create_pipeline_version(version(404, 1)).await, ErrorKind::NotFound, "pipeline `");
    check_refused(store.pipeline_version(version_id).await, ErrorKind::NotFound, "version `");
    check_refused(
        store.update_pipeline_version(version_id, name, None).await,
        ErrorKind::NotFound,
        "version `",
    );
    check_refused(store.delete_pipeline_version(version_id).await, ErrorKind::NotFound, "version `");
}

pub(crate) async fn the_latest_version_is_the_newest_then_the_greatest_id(store: &dyn Store) {
    stored_pipeline(store, 1).await;
    stored_pipeline(store, 2).await;
    check_refused(store.latest_pipeline_version(pipeline(1).id).await, ErrorKind::NotFound, "no version");
    for (number, seconds, expected) in [(5, 10, 5), (4, 10, 5), (9, 3, 9), (2, 11, 2)] {
        let mut version = version(1, number);
        version.created_at = seconds_later(if number == 9 { 10 } else { seconds });
        store.create_pipeline_version(version).await.expect("a new version");
        let latest = store.latest_pipeline_version(pipeline(1).id).await.expect("it has versions");
        assert_eq!(latest.id, PipelineVersionId(uuid(expected)));
        assert_eq!(latest.tags, tags(&[("stage", "test")]));
    }
}

pub(crate) async fn names_and_tags_change_where_given(store: &dyn Store) {
    store.create_pipeline(pipeline(1), Some(version(1, 5))).await.expect("a new pipeline");
    let new_tags = tags(&[("team", "ads")]);
    let (id, version_id) = (pipeline(1).id, version(1, 5).id);

    let changed = store.update_pipeline(id, Some("New".to_owned()), None).await.expect("changed");
    assert_eq!((changed.display_name.as_str(), &changed.tags), ("New", &pipeline(1).tags));
    let changed = store.update_pipeline(id, None, Some(new_tags.clone())).await.expect("changed");
    assert_eq!((changed.display_name.as_str(), &changed.tags), ("New", &new_tags));
    assert_eq!(store.pipeline(id).await.expect("it exists"), changed);
    let cleared = store.update_pipeline(id, None, Some(tags(&[]))).await.expect("changed");
    assert_eq!(cleared.tags, tags(&[]));

    let changed =
        store.update_pipeline_version(version_id, Some("V".to_owned()), Some(new_tags.clone())).await;
    let changed = changed.expect("changed");
    assert_eq!((changed.display_name.as_str(), &changed.tags), ("V", &new_tags));
    assert_eq!(store.pipeline_version(version_id).await.expect("it exists"), changed);
}

pub(crate) async fn a_pipeline_with_versions_needs_cascade(store: &dyn Store) {
    store.create_pipeline(pipeline(1), Some(version(1, 5))).await.expect("a new pipeline");
    store.create_pipeline(pipeline(2), Some(version(2, 6))).await.expect("a new pipeline");
    let refused = store.delete_pipeline(pipeline(1).id, false).await;
    check_refused(refused, ErrorKind::FailedPrecondition, "1 versions");
    store.delete_pipeline(pipeline(1).id, true).await.expect("deleted");
    check_refused(store.pipeline_version(version(1, 5).id).await, ErrorKind::NotFound, "");
    store.pipeline_version(version(2, 6).id).await.expect("the other stays");
    store.delete_pipeline_version(version(2, 6).id).await.expect("deleted");
    store.delete_pipeline(pipeline(2).id, false).await.expect("it has no versions any more");

    let mut again = pipeline(1);
    again.tags.clear();
    store.create_pipeline(again.clone(), None).await.expect("a new pipeline");
    assert_eq!(store.pipeline(again.id).await.expect("it exists"), again);
}
