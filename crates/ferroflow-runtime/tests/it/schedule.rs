//! Schedules: a clock that the test moves, the real store, and restarts in between.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use ferroflow_engine::schedule::Zone;
use ferroflow_model::list::{FilterValue, ListQuery, Operation, Predicate, Sort};
use ferroflow_model::record::{Pipeline, PipelineVersion, Run};
use ferroflow_model::recurring::{Cadence, RecurringRun, RecurringSource, Trigger};
use ferroflow_model::{PipelineId, PipelineVersionId, RecurringRunId, Timestamp};
use ferroflow_ports::recurring::{RecurringRunStore, ScheduleControl};
use ferroflow_ports::store::{PipelineStore, RunStore};
use ferroflow_ports::{Clock, RunControl};
use ferroflow_runtime::{Runtime, Scheduler, SchedulerOptions, SchedulerPorts};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::stage::{EXPERIMENT, Stage, ended, pipeline};

/// Seconds of the epoch at which schedules are created, on a full minute.
const BEGIN: i64 = 1_767_225_600;

struct SetClock(AtomicI64);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.0.load(Ordering::SeqCst))
    }
}

/// A server without its API: a runtime, and schedules beside it.
struct House {
    runtime: Arc<Runtime>,
    scheduler: Arc<Scheduler>,
}

struct Town {
    stage: Stage,
    clock: Arc<SetClock>,
    house: Mutex<Option<Arc<House>>>,
}

impl Town {
    async fn new() -> Self {
        let mut stage = Stage::new().await;
        let clock = Arc::new(SetClock(AtomicI64::new(BEGIN)));
        stage.clock = Arc::clone(&clock) as _;
        stage.machine.end_all();
        let town = Self { stage, clock, house: Mutex::default() };
        town.restart().await;
        town
    }

    /// As after a crash: what was under way is dropped where it stands.
    async fn restart(&self) {
        let former = self.house.lock().unwrap().take();
        if let Some(former) = former {
            let runtime = Arc::downgrade(&former.runtime);
            drop(former);
            // The task that holds it ends when it would next be at work.
            while runtime.strong_count() > 0 {
                tokio::task::yield_now().await;
            }
        }
        let runtime = self.stage.start().await;
        let store = Arc::clone(&self.stage.disk) as _;
        let ports =
            SchedulerPorts { store, clock: Arc::clone(&self.clock) as _, runtime: Arc::clone(&runtime) };
        let scheduler = Scheduler::start(
            ports,
            SchedulerOptions { zone: Zone::UTC, service_account: "robot".to_owned() },
        );
        *self.house.lock().unwrap() = Some(Arc::new(House { runtime, scheduler }));
    }

    fn house(&self) -> Arc<House> {
        Arc::clone(self.house.lock().unwrap().as_ref().unwrap())
    }

    /// Sets the clock to so many seconds after the beginning, and waits until everything has followed.
    async fn at(&self, seconds: i64) {
        self.clock.0.store(BEGIN + seconds, Ordering::SeqCst);
        self.house().scheduler.settle().await;
    }

    async fn create(&self, recurring_run: RecurringRun) -> RecurringRunId {
        let id = recurring_run.id;
        self.stage.disk.create_recurring_run(recurring_run).await.unwrap();
        self.look_at(id).await;
        id
    }

    async fn look_at(&self, id: RecurringRunId) {
        let house = self.house();
        house.scheduler.look_at(id);
        house.scheduler.settle().await;
    }

    async fn enable(&self, id: RecurringRunId, is_enabled: bool) {
        self.stage.disk.set_recurring_run_enabled(id, is_enabled, self.clock.now()).await.unwrap();
        self.look_at(id).await;
    }

    /// Runs of a schedule in order of slot.
    async fn runs(&self, id: RecurringRunId) -> Vec<Run> {
        let value = FilterValue::Text(id.to_string());
        let mine = Predicate { operation: Operation::Equals, key: "recurring_run_id".to_owned(), value };
        let sort = Sort { key: "scheduled_at".to_owned(), descending: false };
        let query = ListQuery { predicates: vec![mine], sort, page_size: 200, after: None };
        self.stage.disk.list_runs(None, query).await.unwrap().items
    }

    /// Slots of the runs, in seconds after the beginning; numbers and ids must be in order and without double or gap.
    async fn slots(&self, id: RecurringRunId) -> Vec<i64> {
        let runs = self.runs(id).await;
        for (expected, run) in (1..).zip(&runs) {
            let tick = run.tick.unwrap();
            assert_eq!((tick.recurring_run_id, tick.index), (id, expected));
        }
        let record = self.stage.disk.recurring_run(id).await;
        if let Ok(record) = record {
            assert_eq!(
                (record.fired, record.last_slot),
                (runs.len() as u64, runs.last().map(|run| run.scheduled_at))
            );
        }
        runs.iter().map(|run| run.scheduled_at.as_seconds() - BEGIN).collect()
    }

    /// Waits until the runs have ended and their schedule knows it.
    async fn end(&self, runs: &[Run]) {
        let house = self.house();
        for run in runs {
            ended(&house.runtime, run.id).await;
        }
    }
}

fn every(seconds: u64) -> RecurringRun {
    let spec_json = pipeline(&[("a", &[])]).to_string().into();
    RecurringRun {
        id: RecurringRunId(Uuid::new_v4()),
        experiment_id: EXPERIMENT,
        display_name: "nightly".to_owned(),
        description: String::new(),
        namespace: "kubeflow".to_owned(),
        source: RecurringSource::Inline { spec_json },
        arguments: Map::new(),
        pipeline_root: String::new(),
        service_account: String::new(),
        plugins_input: Map::new(),
        max_concurrency: 10,
        trigger: Trigger { cadence: Cadence::Interval { seconds }, start: None, end: None },
        no_catchup: false,
        is_enabled: true,
        created_at: Timestamp::from_seconds(BEGIN),
        updated_at: Timestamp::from_seconds(BEGIN),
        fired: 0,
        last_slot: None,
        error: None,
    }
}

fn cron(expression: &str) -> RecurringRun {
    let cadence = Cadence::Cron { expression: expression.to_owned() };
    RecurringRun { trigger: Trigger { cadence, start: None, end: None }, ..every(1) }
}

#[tokio::test]
async fn a_run_every_second_has_neither_double_nor_gap_whatever_happens_to_the_server() {
    let town = Town::new().await;
    let by_distance = town.create(every(1)).await;
    let by_cron = town.create(cron("* * * * * *")).await;
    for second in 1..=60 {
        match second {
            // Down for a moment, in the middle of making runs.
            20 | 21 => {
                town.clock.0.store(BEGIN + second, Ordering::SeqCst);
                town.house().scheduler.look_at(by_distance);
                town.restart().await;
            }
            // Down for ten seconds.
            31..=39 => {}
            40 => {
                town.clock.0.store(BEGIN + second, Ordering::SeqCst);
                town.restart().await;
            }
            _ => town.at(second).await,
        }
    }
    let expected: Vec<i64> = (1..=60).collect();
    for id in [by_distance, by_cron] {
        // Ten at once were all that was allowed: the last ones may still wait for those before.
        loop {
            let runs = town.runs(id).await;
            town.end(&runs).await;
            if runs.len() >= 60 {
                break;
            }
            town.house().scheduler.settle().await;
        }
        assert_eq!(town.slots(id).await, expected);
    }
}

#[tokio::test]
async fn no_more_runs_are_alive_than_allowed() {
    let town = Town::new().await;
    town.stage.machine.inner().ends_at_once = false;
    let id = town.create(RecurringRun { max_concurrency: 2, ..every(60) }).await;
    town.at(600).await;
    assert_eq!(town.slots(id).await, [60, 120]);
    town.restart().await;
    town.at(600).await;
    assert_eq!(town.slots(id).await, [60, 120], "those that are alive count after a restart, too");
    town.stage.machine.end_all();
    for _ in 0..10 {
        let runs = town.runs(id).await;
        town.end(&runs).await;
        town.house().scheduler.settle().await;
    }
    let expected: Vec<i64> = (1..=10).map(|minute| minute * 60).collect();
    assert_eq!(town.slots(id).await, expected);
}

#[tokio::test]
async fn a_disabled_schedule_makes_no_runs_and_catches_up_as_it_says() {
    let town = Town::new().await;
    let off = town.create(RecurringRun { is_enabled: false, ..every(60) }).await;
    let all = town.create(every(60)).await;
    let last = town.create(RecurringRun { no_catchup: true, ..cron("0 * * * * ?") }).await;
    let gone = town.create(every(60)).await;
    town.at(60).await;
    for id in [all, last] {
        town.enable(id, false).await;
    }
    town.stage.disk.delete_recurring_run(gone).await.unwrap();
    town.look_at(gone).await;
    town.at(330).await;
    for (id, expected) in [(off, &[][..]), (all, &[60]), (last, &[60]), (gone, &[60])] {
        assert_eq!(town.slots(id).await, expected);
    }
    for id in [off, all, last] {
        town.enable(id, true).await;
    }
    assert_eq!(town.slots(off).await, [60, 120, 180, 240, 300]);
    assert_eq!(town.slots(all).await, [60, 120, 180, 240, 300]);
    assert_eq!(town.slots(last).await, [60, 300]);
}

#[tokio::test]
async fn a_schedule_that_was_disabled_without_a_word_makes_no_run() {
    let town = Town::new().await;
    let id = town.create(every(60)).await;
    town.stage.disk.set_recurring_run_enabled(id, false, town.clock.now()).await.unwrap();
    town.at(60).await;
    assert_eq!(town.slots(id).await, [0_i64; 0]);
}

#[tokio::test]
async fn without_a_trigger_there_is_one_run_at_once() {
    let town = Town::new().await;
    town.at(5).await;
    let once = Trigger { cadence: Cadence::Once, start: None, end: None };
    let id = town.create(RecurringRun { trigger: once.clone(), ..every(1) }).await;
    let off = town.create(RecurringRun { trigger: once, is_enabled: false, ..every(1) }).await;
    town.restart().await;
    town.at(1000).await;
    assert_eq!(town.slots(id).await, [0]);
    assert_eq!(town.slots(off).await, [0_i64; 0]);
    town.enable(off, true).await;
    assert_eq!(town.slots(off).await, [0]);
}

#[tokio::test]
async fn names_and_arguments_say_which_run_it_is() {
    let town = Town::new().await;
    let mut spec = pipeline(&[("a", &[])]);
    spec["root"]["inputDefinitions"] = json!({"parameters": {
        "day": {"parameterType": "STRING"}, "count": {"parameterType": "NUMBER_INTEGER"},
    }});
    let arguments =
        json!({"day": "[[ScheduledTime.2006-01-02 15:04]] no. [[Index]] of [[RunUUID]]", "count": 3});
    let plain = RecurringRun {
        source: RecurringSource::Inline { spec_json: spec.to_string().into() },
        arguments: arguments.as_object().unwrap().clone(),
        ..every(3600)
    };
    let named = RecurringRun {
        id: RecurringRunId(Uuid::new_v4()),
        display_name: "day [[ScheduledTime.2006-01-02]] ([[Index]])".to_owned(),
        ..plain.clone()
    };
    let (plain, named) = (town.create(plain).await, town.create(named).await);
    town.at(2 * 3600).await;
    let runs = town.runs(plain).await;
    let names: Vec<&str> = runs.iter().map(|run| run.display_name.as_str()).collect();
    let (first, second) = (names[0].split_once("-1-").unwrap(), names[1].split_once("-2-").unwrap());
    assert!(first.0.starts_with("nightly") && first.0.len() == 12 && first.0 == second.0, "{names:?}");
    assert_eq!(town.runs(named).await[1].display_name, "day 2026-01-01 (2)");
    let run = &runs[1];
    assert_eq!(Value::Object(run.arguments.clone()), arguments, "answers show them as they were sent");
    assert_eq!(run.service_account, "robot");
    let settings: Value =
        serde_json::from_str(&town.stage.disk.load_run(run.id).await.unwrap().settings).unwrap();
    assert_eq!(settings["arguments"]["day"], format!("2026-01-01 02:00 no. 2 of {}", run.id));
    assert_eq!(settings["arguments"]["count"], 3);
}

fn version(pipeline_id: PipelineId, number: u128, tasks: &[(&str, &[&str])]) -> PipelineVersion {
    PipelineVersion {
        id: PipelineVersionId(Uuid::from_u128(number)),
        pipeline_id,
        name: number.to_string(),
        display_name: String::new(),
        description: String::new(),
        created_at: Timestamp::from_seconds(BEGIN + i64::try_from(number).unwrap()),
        code_source_url: String::new(),
        package_url: String::new(),
        tags: std::collections::BTreeMap::new(),
        source: pipeline(tasks).to_string().into_bytes().into(),
    }
}

#[tokio::test]
async fn the_latest_version_is_the_one_at_the_time_of_the_run() {
    let town = Town::new().await;
    let pipeline_id = PipelineId(Uuid::from_u128(5));
    let made = Pipeline {
        id: pipeline_id,
        name: "p".to_owned(),
        display_name: String::new(),
        description: String::new(),
        created_at: Timestamp::from_seconds(BEGIN),
        tags: std::collections::BTreeMap::new(),
    };
    town.stage.disk.create_pipeline(made, Some(version(pipeline_id, 1, &[("a", &[])]))).await.unwrap();
    let version_id = PipelineVersionId(Uuid::from_u128(1));
    let latest =
        town.create(RecurringRun { source: RecurringSource::Latest { pipeline_id }, ..every(60) }).await;
    let source = RecurringSource::Version { pipeline_id, version_id };
    let pinned = town.create(RecurringRun { source, ..every(60) }).await;
    town.at(60).await;
    town.stage.disk.create_pipeline_version(version(pipeline_id, 2, &[("b", &[])])).await.unwrap();
    town.at(120).await;
    let versions = async |id| {
        let runs = town.runs(id).await;
        let source = |run: &Run| match run.source {
            ferroflow_model::record::PipelineSource::Version { version_id, .. } => version_id.0.as_u128(),
            ferroflow_model::record::PipelineSource::Inline => 0,
        };
        runs.iter().map(source).collect::<Vec<_>>()
    };
    assert_eq!(versions(latest).await, [1, 2]);
    assert_eq!(versions(pinned).await, [1, 1]);

    // Without any version the run that is due waits for one, and the record says why.
    for number in [1, 2] {
        town.stage.disk.delete_pipeline_version(PipelineVersionId(Uuid::from_u128(number))).await.unwrap();
    }
    town.at(180).await;
    assert_eq!(versions(latest).await, [1, 2]);
    let error = town.stage.disk.recurring_run(latest).await.unwrap().error.unwrap();
    assert!(error.message.contains("has no version"), "{error:?}");
    town.stage.disk.create_pipeline_version(version(pipeline_id, 3, &[("c", &[])])).await.unwrap();
    town.at(182).await;
    assert_eq!(versions(latest).await, [1, 2, 3]);
    assert_eq!(town.slots(latest).await, [60, 120, 180]);
    assert_eq!(town.stage.disk.recurring_run(latest).await.unwrap().error, None);
}

#[tokio::test]
async fn runs_of_a_schedule_are_runs_like_any_other() {
    let town = Town::new().await;
    let id = town.create(every(60)).await;
    town.at(60).await;
    let runs = town.runs(id).await;
    town.end(&runs).await;
    let run = &runs[0];
    assert_eq!(town.stage.states(run.id).await, ["PENDING", "RUNNING", "SUCCEEDED"]);
    // Removing one does not bring it back.
    town.house().runtime.delete(run.id).await.unwrap();
    town.restart().await;
    town.at(120).await;
    let slots: Vec<i64> =
        town.runs(id).await.iter().map(|run| run.scheduled_at.as_seconds() - BEGIN).collect();
    assert_eq!(slots, [120]);
}
