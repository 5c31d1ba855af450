//! What a step of a run costs in the store, next to what the disk alone takes.
//!
//! `cargo bench -p ferroflow-store --bench commit [-- FOLDER [STEPS]]`. CPU is that of the whole process; at `relaxed`
//! no step waits for the disk, so its CPU is the store's own work. The shape of a step is that of a chain of tasks: one
//! event, two task rows, two attempt rows, a command put and one done.

#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]
#![expect(clippy::cast_precision_loss, reason = "figures for people need few digits")]

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use ferroflow_model::record::{
    AttemptPhases, AttemptRecord, Experiment, PipelineSource, Run, StateChange, TaskRecord,
};
use ferroflow_model::{
    AttemptId, ExecutionId, ExperimentId, Inputs, Outputs, RunId, RunStatus, StorageState, TaskId, TaskKind,
    TaskPath, TaskStatus, Timestamp,
};
use ferroflow_ports::store::{ExperimentStore, NewRun, RunCommit, RunStore};
use ferroflow_store::{Durability, Options, SqliteStore};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Map, json};
use uuid::Uuid;

/// Tasks of the long run.
const STEPS: u64 = 10_000;

/// Committers at once for group commit.
const CROWD: u128 = 64;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let folder = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let steps = arguments.next().map_or(Ok(STEPS), |text| text.parse())?;
    let folder =
        tempfile::tempdir_in(&folder).with_context(|| format!("no folder in {}", folder.display()))?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;

    println!("fdatasync of 4 KiB       {:>8.1} us", floor(folder.path())?.as_secs_f64() * 1e6);
    for durability in [Durability::Synced, Durability::Relaxed] {
        println!("{durability:?}");
        let path = folder.path().join(format!("{durability:?}.db"));
        runtime.block_on(measure(&path, durability, steps))?;
    }
    Ok(())
}

/// Median time of overwriting a block and waiting for the disk.
fn floor(folder: &Path) -> Result<Duration> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(folder.join("floor"))?;
    file.write_all_at(&vec![1; 1 << 20], 0)?;
    file.sync_all()?;
    let mut times = Vec::new();
    for index in 0..200_u8 {
        let begin = Instant::now();
        file.write_all_at(&[index; 4096], u64::from(index) * 4096)?;
        file.sync_data()?;
        times.push(begin.elapsed());
    }
    times.sort();
    times.get(times.len() / 2).copied().context("nothing measured")
}

async fn measure(path: &Path, durability: Durability, steps: u64) -> Result<()> {
    let begin = Instant::now();
    let store = SqliteStore::open(path, Options { durability })?;
    print_wall("  open an empty database ", begin);
    let begin = Instant::now();
    store.create_experiment(experiment()).await?;
    let run = store.create_run(new_run(10), 1).await?.id;
    print_wall("  first run              ", begin);
    println!("  memory now / at most   {}", memory()?);

    let quarter = steps / 4;
    chain(&store, run, 1, 50, "chain, the first 50    ").await?;
    chain(&store, run, 51, quarter, "chain, first quarter   ").await?;
    chain(&store, run, quarter + 1, steps - quarter, "chain, middle half     ").await?;
    chain(&store, run, steps - quarter + 1, steps, "chain, last quarter    ").await?;
    crowd(&store, steps / 64).await?;

    let begin = Instant::now();
    drop(store);
    print_wall("  close                  ", begin);
    let begin = Instant::now();
    let store = SqliteStore::open(path, Options { durability })?;
    print_wall("  open it again          ", begin);
    let begin = Instant::now();
    let tasks = store.tasks_of(&[run]).await?;
    print_wall("  read all tasks of a run", begin);
    anyhow::ensure!(tasks.len() as u64 == steps + 1, "{} tasks", tasks.len());
    Ok(())
}

fn print_wall(what: &str, begin: Instant) {
    println!("{what}{:>8.2} ms", begin.elapsed().as_secs_f64() * 1e3);
}

/// Steps one after the other, as a chain of tasks makes them.
async fn chain(store: &SqliteStore, run: RunId, first: u64, last: u64, what: &str) -> Result<()> {
    let steps: Vec<_> = (first..=last).map(|seq| step(run, seq, 0)).collect();
    let count = steps.len() as f64;
    let (begin, cpu) = (Instant::now(), cpu_seconds());
    for step in steps {
        store.commit(step).await?;
    }
    print_costs(what, count, begin, cpu);
    Ok(())
}

/// Many runs at once, so that the writer has something to group.
async fn crowd(store: &SqliteStore, steps: u64) -> Result<()> {
    for number in 0..CROWD {
        store.create_run(new_run(100 + number), 1).await?;
    }
    let before = store.statistics();
    let (begin, cpu) = (Instant::now(), cpu_seconds());
    for seq in 1..=steps {
        let answers = (0..CROWD).map(|number| {
            let offset = i64::try_from(number + 1).unwrap_or(i64::MAX) * 1_000_000;
            store.commit(step(RunId(Uuid::from_u128(100 + number)), seq, offset))
        });
        for answer in futures_util::future::join_all(answers).await {
            answer?;
        }
    }
    let after = store.statistics();
    let count = after.requests - before.requests;
    print_costs("64 runs at once        ", count as f64, begin, cpu);
    println!(
        "    steps per transaction {:>7.1}",
        count as f64 / (after.transactions - before.transactions) as f64
    );
    Ok(())
}

fn print_costs(what: &str, count: f64, begin: Instant, cpu: f64) {
    let wall = begin.elapsed().as_secs_f64() * 1e6 / count;
    let cpu = (cpu_seconds() - cpu) * 1e6 / count;
    println!("  {what}{wall:>8.1} us wall {cpu:>8.1} us CPU per step");
}

fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn memory() -> Result<String> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let value =
        |key: &str| status.lines().find_map(|line| line.strip_prefix(key)).unwrap_or("?").trim().to_owned();
    Ok(format!("{} / {}", value("VmRSS:"), value("VmHWM:")))
}

fn experiment() -> Experiment {
    Experiment {
        id: ExperimentId(Uuid::from_u128(1)),
        display_name: "Default".to_owned(),
        description: String::new(),
        created_at: Timestamp::from_seconds(1_700_000_000),
        last_run_created_at: Timestamp::default(),
        storage_state: StorageState::Available,
    }
}

fn new_run(number: u128) -> NewRun {
    let at = Timestamp::from_seconds(1_700_000_000);
    let run = Run {
        id: RunId(Uuid::from_u128(number)),
        experiment_id: experiment().id,
        display_name: format!("run {number}"),
        description: String::new(),
        source: PipelineSource::Inline,
        tick: None,
        pipeline_name: "chain".to_owned(),
        resource_name: "chain-abcde".to_owned(),
        arguments: Map::new(),
        pipeline_root: String::new(),
        service_account: "pipeline-runner".to_owned(),
        plugins_input: serde_json::Map::new(),
        created_at: at,
        scheduled_at: at,
        finished_at: None,
        status: RunStatus::Pending,
        history: vec![StateChange { at, state: RunStatus::Pending }],
        storage_state: StorageState::Available,
        error: None,
        pipeline_context_id: 0,
        run_context_id: 0,
        outputs: Outputs::default(),
    };
    NewRun { run, spec_json: Arc::from("x".repeat(20_000)), settings: "{}".to_owned() }
}

/// Task `seq` ends and task `seq + 1` begins. Executions are numbered from `offset`.
fn step(run: RunId, seq: u64, offset: i64) -> RunCommit {
    let number = offset + seq.cast_signed();
    let start = |number: i64| format!("start:task-{number}#1");
    let event = json!({"event": "attempt_ended", "task": format!("task-{number}"), "attempt": 1,
        "outcome": {"outcome": "succeeded", "outputs": {"parameters": {"Output": "some value"}}}});
    RunCommit {
        run_id: run,
        first_seq: seq,
        events: vec![event.to_string()],
        run: None,
        tasks: vec![task(run, number, TaskStatus::Succeeded), task(run, number + 1, TaskStatus::Running)],
        attempts: vec![
            attempt(run, number, TaskStatus::Succeeded),
            attempt(run, number + 1, TaskStatus::Running),
        ],
        artifacts: Vec::new(),
        links: Vec::new(),
        cache_entries: Vec::new(),
        outbox_put: vec![(
            start(number + 1),
            json!({"command": "start_attempt", "id": start(number)}).to_string(),
        )],
        outbox_done: vec![start(number)],
        snapshot: None,
        ids_taken_below: None,
    }
}

fn task(run: RunId, number: i64, status: TaskStatus) -> TaskRecord {
    let at = Timestamp::from_micros(1_700_000_000_000_000 + number);
    let path = TaskPath::new(format!("task-{number}"));
    let parameter = |name: &str| (name.to_owned(), Arc::new(json!("some value")));
    let values = Inputs { parameters: [parameter("text")].into(), ..Inputs::default() };
    let is_over = status.is_terminal();
    let mut history =
        vec![StateChange { at, state: TaskStatus::Pending }, StateChange { at, state: TaskStatus::Running }];
    history.extend(is_over.then_some(StateChange { at, state: status }));
    TaskRecord {
        execution_id: ExecutionId(number),
        id: TaskId::derive(run, &path),
        run_id: run,
        name: path.to_string(),
        display_name: path.to_string(),
        path,
        parent: Some(ExecutionId(0)),
        kind: TaskKind::Container,
        iteration_index: None,
        iteration_count: None,
        status,
        history,
        created_at: at,
        started_at: Some(at),
        ended_at: is_over.then_some(at),
        inputs: values.clone(),
        outputs: if is_over { values } else { Outputs::default() },
        error: None,
        cache: None,
        cached_from: None,
        attempt: 1,
    }
}

fn attempt(run: RunId, number: i64, status: TaskStatus) -> AttemptRecord {
    let at = Some(Timestamp::from_micros(1_700_000_000_000_000 + number));
    let end = at.filter(|_| status.is_terminal());
    AttemptRecord {
        id: AttemptId { run, path: TaskPath::new(format!("task-{number}")), attempt: 1 },
        execution_id: ExecutionId(number),
        status,
        phases: AttemptPhases {
            created: at,
            ready: at,
            admitted: at,
            started: at,
            installed: end,
            user_code_finished: end,
            uploaded: end,
            finished: end,
        },
        error: None,
    }
}
