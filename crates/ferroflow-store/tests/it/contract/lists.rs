//! Lists: filters, order, pages.

use ferroflow_model::list::{FilterValue, ListQuery, Operation, Predicate, Sort};
use ferroflow_model::record::PipelineVersion;
use ferroflow_model::{RunId, RunStatus, StorageState, Timestamp};
use ferroflow_ports::store::RunCommit;
use ferroflow_ports::{ErrorKind, Store};

use super::check_refused;
use super::samples::*;

/// The whole list in the order of a key; `-key` is descending.
pub(crate) fn by(key: &str) -> ListQuery {
    let (key, descending) = key.strip_prefix('-').map_or((key, false), |key| (key, true));
    ListQuery {
        predicates: Vec::new(),
        sort: Sort { key: key.to_owned(), descending },
        page_size: 200,
        after: None,
    }
}

fn text(value: &str) -> FilterValue {
    FilterValue::Text(value.to_owned())
}

fn texts(values: &[&str]) -> FilterValue {
    FilterValue::Texts(values.iter().map(|&value| value.to_owned()).collect())
}

/// Key, comparison, value.
type Condition<'a> = (&'a str, Operation, FilterValue);

fn filtered(predicates: &[Condition<'_>]) -> ListQuery {
    let predicates = predicates.iter().map(|(key, operation, value)| Predicate {
        key: (*key).to_owned(),
        operation: *operation,
        value: value.clone(),
    });
    ListQuery { predicates: predicates.collect(), ..by("id") }
}

/// Five runs: their numbers, seconds after noon, names.
const RUNS: [(u128, i64, &str); 5] = [
    (14, 0, "Alpha"),
    (11, 10, "beta"),
    (13, 10, "100% gamma"),
    (12, 5, "it's \"delta\""),
    (15, 99, "épsilon"),
];

async fn store_runs(store: &dyn Store) {
    store.create_experiment(experiment(1)).await.expect("a new experiment");
    store.create_experiment(experiment(2)).await.expect("a new experiment");
    for (number, seconds, name) in RUNS {
        let mut run = run(number, if number == 15 { 2 } else { 1 });
        run.created_at = seconds_later(seconds);
        // Within one second ids decide, not fractions.
        if number == 11 {
            run.created_at = Timestamp::from_micros(run.created_at.as_micros() + 7);
        }
        run.display_name = name.to_owned();
        store.create_run(new_run(run), 1).await.expect("a new run");
    }
    let end = ferroflow_ports::store::RunUpdate {
        status: Some(ferroflow_model::record::StateChange { at: NOON, state: RunStatus::Succeeded }),
        finished_at: Some(Some(seconds_later(1000))),
        ..ferroflow_ports::store::RunUpdate::default()
    };
    let id = RunId(uuid(14));
    store.commit(RunCommit { run: Some(end), ..step(id, 1, &["{}"]) }).await.expect("a step");
    store.set_run_storage(RunId(uuid(12)), StorageState::Archived).await.expect("archived");
}

async fn numbers(store: &dyn Store, query: ListQuery) -> Vec<u128> {
    let page = store.list_runs(None, query).await.expect("a page");
    assert_eq!(page.total, page.items.len() as u64);
    assert_eq!(page.next, None);
    page.items.iter().map(|run| run.id.0.as_u128()).collect()
}

pub(crate) async fn lists_are_sorted_and_ids_break_ties(store: &dyn Store) {
    store_runs(store).await;
    let cases: &[(&str, &[u128])] = &[
        ("id", &[11, 12, 13, 14, 15]),
        ("-run_id", &[15, 14, 13, 12, 11]),
        ("created_at", &[14, 12, 11, 13, 15]),
        ("-created_at", &[15, 13, 11, 12, 14]),
        ("name", &[13, 14, 11, 12, 15]),
        ("-display_name", &[15, 12, 11, 14, 13]),
        ("finished_at", &[11, 12, 13, 15, 14]),
        ("-finished_at", &[14, 15, 13, 12, 11]),
        ("storage_state", &[12, 11, 13, 14, 15]),
        ("state", &[11, 12, 13, 15, 14]),
        ("status", &[11, 12, 13, 15, 14]),
        ("experiment_id", &[11, 12, 13, 14, 15]),
        ("-recurring_run_id", &[15, 14, 13, 12, 11]),
        ("metric:accuracy", &[11, 12, 13, 14, 15]),
        ("-metric:x", &[15, 14, 13, 12, 11]),
    ];
    for (key, expected) in cases {
        assert_eq!(&numbers(store, by(key)).await, expected, "{key}");
    }
}

pub(crate) async fn filters_choose_rows(store: &dyn Store) {
    use Operation::{
        Equals, GreaterThan, GreaterThanEquals, In, IsSubstring, LessThan, LessThanEquals, NotEquals,
    };
    store_runs(store).await;
    let noon = NOON.as_seconds();
    let at = |seconds: i64| FilterValue::Seconds(noon + seconds);
    let cases: &[(&str, Operation, FilterValue, &[u128])] = &[
        ("name", Equals, text("beta"), &[11]),
        ("name", Equals, text("Beta"), &[]),
        ("name", NotEquals, text("beta"), &[12, 13, 14, 15]),
        ("display_name", GreaterThan, text("b"), &[11, 12, 15]),
        ("name", IsSubstring, text("ALPHA"), &[14]),
        ("name", IsSubstring, text("a"), &[11, 12, 13, 14]),
        ("name", IsSubstring, text("0% g"), &[13]),
        ("name", IsSubstring, text("l_h"), &[14]),
        ("name", IsSubstring, text("' OR '1'='1"), &[]),
        ("name", Equals, text("it's \"delta\""), &[12]),
        ("name", In, texts(&["beta", "épsilon", "none"]), &[11, 15]),
        ("name", In, texts(&[]), &[]),
        ("created_at", Equals, at(10), &[11, 13]),
        ("created_at", GreaterThan, at(10), &[15]),
        ("created_at", GreaterThanEquals, at(10), &[11, 13, 15]),
        ("created_at", LessThan, FilterValue::Integer(noon + 5), &[14]),
        ("created_at", LessThanEquals, text(&(noon + 5).to_string()), &[12, 14]),
        ("created_at", GreaterThan, text("2000-01-01T00:00:00Z"), &[11, 12, 13, 14, 15]),
        ("created_at", LessThan, text("2000-01-01T00:00:00+02:00"), &[]),
        ("created_at", In, FilterValue::Integers(vec![noon, noon + 99]), &[14, 15]),
        ("created_at", IsSubstring, text("1700000099"), &[15]),
        ("finished_at", Equals, FilterValue::Seconds(0), &[11, 12, 13, 15]),
        ("scheduled_at", LessThan, at(0), &[11, 12, 13, 14, 15]),
        ("state", Equals, text("SUCCEEDED"), &[14]),
        ("status", Equals, text("Succeeded"), &[14]),
        ("status", In, texts(&["Pending", "Running"]), &[11, 12, 13, 15]),
        ("storage_state", NotEquals, text("ARCHIVED"), &[11, 13, 14, 15]),
        ("experiment_id", Equals, text("00000000-0000-0000-0000-000000000002"), &[15]),
        ("run_id", Equals, text("00000000-0000-0000-0000-00000000000b"), &[11]),
        ("namespace", Equals, text(""), &[11, 12, 13, 14, 15]),
        ("name", Equals, FilterValue::Integer(7), &[]),
        ("description", IsSubstring, text("test"), &[11, 12, 13, 14, 15]),
    ];
    for (key, operation, value, expected) in cases {
        let found = numbers(store, filtered(&[(key, *operation, value.clone())])).await;
        assert_eq!(&found, expected, "{key} {operation:?} {value:?}");
    }
    let both = filtered(&[("created_at", Equals, at(10)), ("name", IsSubstring, text("GAMMA"))]);
    assert_eq!(numbers(store, both).await, [13]);
}

pub(crate) async fn questions_that_make_no_sense_are_refused(store: &dyn Store) {
    use Operation::{Equals, In, IsSubstring};
    store_runs(store).await;
    let long = text(&"x".repeat(2000));
    let many: Vec<_> = (0..200).map(|_| ("name", Equals, text("x"))).collect();
    let cases: &[(&[Condition<'_>], &str)] = &[
        (&[("colour", Equals, text("red"))], "`colour`; use one of id, run_id, name"),
        (&[("", Equals, text("red"))], "``"),
        (&[("name; DROP TABLE runs", Equals, text("red"))], "use one of"),
        (&[("tags.team", Equals, text("red"))], "use one of"),
        (&[("name", Equals, texts(&["a"]))], "lists need IN"),
        (&[("name", In, text("a"))], "needs a list"),
        (&[("name", IsSubstring, FilterValue::Integer(4))], "needs a string"),
        (&[("name", IsSubstring, long)], "at most 1000 bytes"),
        (&[("created_at", Equals, text("yesterday"))], "`yesterday`"),
        (&[("created_at", In, texts(&["1", "x"]))], "`x`"),
        (&many, "at most 100 predicates"),
    ];
    for (predicates, expected) in cases {
        let answer = store.list_runs(None, filtered(predicates)).await;
        check_refused(answer, ErrorKind::InvalidArgument, expected);
    }
    check_refused(
        store.list_runs(None, by("colour")).await,
        ErrorKind::InvalidArgument,
        "cannot be sorted by `colour`",
    );
    check_refused(store.list_experiments(by("metric:x")).await, ErrorKind::InvalidArgument, "use one of id");
    check_refused(store.list_pipelines(by("tags.team")).await, ErrorKind::InvalidArgument, "use one of id");
    let mut crooked = by("created_at");
    crooked.after = Some(ferroflow_model::list::Position { value: text("x"), id: String::new() });
    check_refused(store.list_runs(None, crooked).await, ErrorKind::InvalidArgument, "`x`");
}

/// Whatever the order and the size of a page, all pages together are the list.
pub(crate) async fn pages_together_are_the_whole_list(store: &dyn Store) {
    store_runs(store).await;
    let keys = [
        "created_at",
        "name",
        "finished_at",
        "experiment_id",
        "state_history",
        "metric:x",
        "id",
        "namespace",
    ];
    for key in keys.iter().flat_map(|key| [(*key).to_owned(), format!("-{key}")]) {
        let whole = numbers(store, by(&key)).await;
        for page_size in 1..=6 {
            let mut query = ListQuery { page_size, ..by(&key) };
            let mut found = Vec::new();
            loop {
                let page = store.list_runs(None, query.clone()).await.expect("a page");
                assert_eq!(page.total, 5);
                assert!(page.items.len() <= page_size as usize);
                found.extend(page.items.iter().map(|run| run.id.0.as_u128()));
                match page.next {
                    Some(next) => query.after = Some(next),
                    None => break,
                }
            }
            assert_eq!(found, whole, "{key} by {page_size}");
        }
    }
}

pub(crate) async fn a_full_last_page_has_no_next(store: &dyn Store) {
    store_runs(store).await;
    let page = store.list_runs(None, ListQuery { page_size: 5, ..by("id") }).await.expect("a page");
    assert_eq!((page.items.len(), page.next), (5, None));
    let page = store.list_runs(None, ListQuery { page_size: 4, ..by("id") }).await.expect("a page");
    assert_eq!(page.items.len(), 4);
    assert_eq!(page.next.expect("one more").id, uuid(14).to_string());
}

/// Totals are kept, not counted: they stay right through ends, the archive and removals, for every filter and time.
pub(crate) async fn totals_are_what_pages_hold(store: &dyn Store) {
    use Operation::{
        Equals, GreaterThan, GreaterThanEquals, In, IsSubstring, LessThan, LessThanEquals, NotEquals,
    };
    store_runs(store).await;
    for number in 100..160_u128 {
        let mut run = run(number, if number % 3 == 0 { 2 } else { 1 });
        // Over three hours, some of them on the hour.
        run.created_at = seconds_later(i64::try_from(number - 100).expect("small") * 180);
        run.display_name = format!("night {number} of training");
        store.create_run(new_run(run), 1).await.expect("a new run");
        if number % 4 == 0 {
            store.set_run_storage(RunId(uuid(number)), StorageState::Archived).await.expect("archived");
        }
        if number % 5 == 0 {
            store.delete_run(RunId(uuid(number))).await.expect("removed");
        }
    }
    let seconds = |later| FilterValue::Seconds(seconds_later(later).as_seconds());
    let first = experiment(1).id.to_string();
    let conditions: [Condition<'_>; 14] = [
        ("state", Equals, text("PENDING")),
        ("state", NotEquals, text("PENDING")),
        ("state", In, texts(&["SUCCEEDED", "FAILED"])),
        ("storage_state", Equals, text("ARCHIVED")),
        ("experiment_id", Equals, text(&first)),
        ("created_at", GreaterThanEquals, seconds(3600)),
        ("created_at", GreaterThan, seconds(5000)),
        ("created_at", LessThan, seconds(9000)),
        ("created_at", LessThanEquals, seconds(180)),
        ("created_at", Equals, seconds(360)),
        ("name", IsSubstring, text("of Train")),
        ("name", IsSubstring, text("1%f")),
        ("name", IsSubstring, text("1")),
        ("namespace", Equals, text("")),
    ];
    let orders = ["created_at", "-name", "finished_at", "-scheduled_at", "description"];
    for one in &conditions {
        for other in &conditions {
            let expected = numbers(store, filtered(&[one.clone(), other.clone()])).await;
            for order in orders {
                let query = ListQuery {
                    predicates: filtered(&[one.clone(), other.clone()]).predicates,
                    page_size: 7,
                    ..by(order)
                };
                let page = store.list_runs(None, query).await.expect("a page");
                assert_eq!(page.total, expected.len() as u64, "{one:?} and {other:?} by {order}");
                assert_eq!(page.items.len(), expected.len().min(7), "{one:?} and {other:?} by {order}");
            }
        }
    }
}

pub(crate) async fn runs_are_listed_by_experiment(store: &dyn Store) {
    store_runs(store).await;
    let page = store.list_runs(Some(experiment(2).id), by("created_at")).await.expect("a page");
    assert_eq!((page.total, page.items.len()), (1, 1));
    let query = ListQuery { page_size: 3, ..filtered(&[("name", Operation::NotEquals, text("beta"))]) };
    let page = store.list_runs(Some(experiment(1).id), query).await.expect("a page");
    assert_eq!(page.total, 3);
    assert_eq!(page.items[0], store.run(RunId(uuid(12))).await.expect("items are whole runs"));
}

pub(crate) async fn experiments_are_listed(store: &dyn Store) {
    for number in [3, 1, 2] {
        store.create_experiment(experiment(number)).await.expect("a new experiment");
    }
    store.set_experiment_storage(experiment(2).id, StorageState::Archived).await.expect("archived");
    let page = store.list_experiments(by("-name")).await.expect("a page");
    let names: Vec<_> = page.items.iter().map(|experiment| experiment.display_name.as_str()).collect();
    assert_eq!(names, ["experiment 3", "experiment 2", "experiment 1"]);
    let available = filtered(&[("storage_state", Operation::Equals, text("AVAILABLE"))]);
    let page = store.list_experiments(available).await.expect("a page");
    assert_eq!(page.items, [experiment(1), experiment(3)]);
    for key in ["experiment_id", "created_at", "last_run_created_at", "description", "namespace"] {
        assert_eq!(store.list_experiments(by(key)).await.expect("a page").total, 3, "{key}");
    }
}

pub(crate) async fn pipelines_are_listed_and_found_by_tags(store: &dyn Store) {
    use Operation::{Equals, NotEquals};
    for (number, team) in [(1, "search"), (2, "ads"), (3, "ads")] {
        let mut pipeline = pipeline(number);
        pipeline.tags.insert("team".to_owned(), team.to_owned());
        store.create_pipeline(pipeline, Some(version(number, 10 + number))).await.expect("a new pipeline");
    }
    let cases: &[(&[Condition<'_>], &[u128])] = &[
        (&[("tags.team", Equals, text("ads"))], &[2, 3]),
        (&[("tags.team", Equals, text("ads")), ("name", NotEquals, text("pipeline-2"))], &[3]),
        (&[("tags.team", Equals, text("search")), ("tags.size", Equals, text(""))], &[1]),
        (&[("tags.team", Equals, text("search")), ("tags.team", Equals, text("ads"))], &[2, 3]),
        (&[("tags.other", Equals, text(""))], &[]),
        (&[("pipeline_id", Equals, text(&uuid(1).to_string()))], &[1]),
    ];
    for (predicates, expected) in cases {
        let page = store.list_pipelines(filtered(predicates)).await.expect("a page");
        let numbers: Vec<_> = page.items.iter().map(|pipeline| pipeline.id.0.as_u128()).collect();
        assert_eq!(&numbers, expected, "{predicates:?}");
        assert_eq!(page.total, numbers.len() as u64);
        assert!(page.items.iter().all(|pipeline| pipeline.tags.len() == 2));
    }
    for (operation, value) in [(NotEquals, text("x")), (Equals, FilterValue::Integer(1))] {
        let refused = store.list_pipelines(filtered(&[("tags.team", operation, value)])).await;
        check_refused(refused, ErrorKind::InvalidArgument, "EQUALS with a string");
    }
}

pub(crate) async fn versions_are_listed_by_pipeline(store: &dyn Store) {
    store.create_pipeline(pipeline(1), None).await.expect("a new pipeline");
    store.create_pipeline(pipeline(2), Some(version(2, 20))).await.expect("a new pipeline");
    assert_eq!(store.list_pipeline_versions(pipeline(1).id, by("id")).await.expect("a page").total, 0);
    for number in [12, 11] {
        store.create_pipeline_version(version(1, number)).await.expect("a new version");
    }
    let cases: &[(&str, Operation, FilterValue, u64)] = &[
        ("status", Operation::Equals, text("READY"), 2),
        ("status", Operation::Equals, text("DELETING"), 0),
        ("pipeline_spec", Operation::IsSubstring, text("PIPELINEINFO"), 2),
        ("tags.stage", Operation::Equals, text("test"), 2),
        ("tags.stage", Operation::Equals, text("live"), 0),
        ("pipeline_version_id", Operation::Equals, text(&uuid(11).to_string()), 1),
    ];
    for (key, operation, value, expected) in cases {
        let query = filtered(&[(key, *operation, value.clone())]);
        let page = store.list_pipeline_versions(pipeline(1).id, query).await.expect("a page");
        assert_eq!(page.total, *expected, "{key} {value:?}");
    }
    let page = store.list_pipeline_versions(pipeline(1).id, by("-name")).await.expect("a page");
    assert_eq!(page.items, [version(1, 12), version(1, 11)]);

    // Both within one second: neither pages nor clients that take the first may see the older one first.
    for (number, micros) in [(14, 1), (13, 2), (15, 3)] {
        let created_at = Timestamp::from_micros(NOON.as_micros() + micros);
        store
            .create_pipeline_version(PipelineVersion { created_at, ..version(2, number) })
            .await
            .expect("new");
    }
    let mut query = filtered(&[("created_at", Operation::Equals, FilterValue::Seconds(NOON.as_seconds()))]);
    query.sort = by("-created_at").sort;
    query.page_size = 1;
    let mut seen = Vec::new();
    loop {
        let page = store.list_pipeline_versions(pipeline(2).id, query.clone()).await.expect("a page");
        seen.extend(page.items.into_iter().map(|version| version.name).filter(|name| name != "v20"));
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["v15", "v13", "v14"]);
}
