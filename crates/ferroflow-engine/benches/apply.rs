//! What one task costs the engine: time to apply its events and make its rows, and memory of its state.
//!
//! `cargo bench -p ferroflow-engine`. Each task takes one parameter and gives one. The memory is the growth of the
//! process while the run goes on, so plan and pipeline are not in it. The conditions row is a loop whose passes each
//! evaluate one condition.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for people that fails by panicking")]

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use ferroflow_engine::{
    AttemptOutcome, Command, IdBlock, IdSource, Plan, ProducedOutputs, RunEvent, RunIdentity, RunSettings,
    RunState, Semantics,
};
use ferroflow_model::record::AttemptPhases;
use ferroflow_model::{AttemptId, Timestamp};
use ferroflow_testing::pipeline::{Pipeline, Step, each, input, of, pipeline, task};
use serde_json::{Map, Value, json};

const TASKS: u32 = 100_000;

struct Numbers(i64);

impl IdSource for Numbers {
    fn next_block(&mut self) -> IdBlock {
        self.0 += 1024;
        IdBlock { first: self.0, count: 1024 }
    }
}

fn main() {
    // Each in a process of its own, so that none lives on memory that another has given back.
    match std::env::args().nth(1).as_deref() {
        Some("chain") => {
            let chain = (0..TASKS).map(|number| step(number, number.checked_sub(1)));
            measure("chain", &pipeline(chain), TASKS);
        }
        Some("fan") => {
            let fan = (0..TASKS).map(|number| step(number, (number > 0).then_some(0)));
            measure("fan", &pipeline(fan), TASKS);
        }
        Some("conditions") => measure("conditions", &conditions(), TASKS / 2),
        _ => {
            for row in ["chain", "fan", "conditions"] {
                let bench = std::env::current_exe().unwrap();
                assert!(std::process::Command::new(bench).arg(row).status().unwrap().success());
            }
        }
    }
}

/// A task that takes its parameter from an earlier one.
fn step(number: u32, from: Option<u32>) -> Step {
    let name = |number: u32| format!("task-{number:06}");
    let step = task(&name(number)).gives("o");
    match from {
        None => step,
        Some(from) => step.takes("i", of(&name(from), "o")),
    }
}

fn conditions() -> Pipeline {
    let items: Value = (0..TASKS / 2).collect();
    let body = task("t").takes("i", input("item")).gives("o").when("int(@['i']) >= 0");
    pipeline([each("loop", "item", &items, [body])])
}

fn measure(name: &str, pipeline: &Pipeline, tasks: u32) {
    let plan = Arc::new(Plan::new(Arc::new(pipeline.spec())).unwrap());
    let now = Timestamp::from_seconds(1_700_000_000);
    let identity = RunIdentity {
        id: "6f0e8e5c-6a3c-4b57-8f6e-2d5f3f8c1a01".parse().unwrap(),
        display_name: "bench".to_owned(),
        pipeline_name: "pipeline".to_owned(),
        resource_name: "pipeline-00000".to_owned(),
        root: "mem://root".to_owned(),
        created_at: now,
        scheduled_at: now,
    };
    let ids = IdBlock { first: 1, count: 64 };
    let settings =
        RunSettings { identity, arguments: Map::new(), caching: true, ids, semantics: Semantics::default() };
    let mut state = RunState::new(plan, &settings);
    let mut numbers = Numbers(1024);
    let mut commands = Vec::new();
    let mut waiting: VecDeque<AttemptId> = VecDeque::new();
    let memory_before = memory();
    let started = Instant::now();
    let mut events = 0_u32;
    let mut apply = |state: &mut RunState, event, waiting: &mut VecDeque<AttemptId>| {
        events += 1;
        state.apply(event, now, &mut numbers, &mut commands).unwrap();
        std::hint::black_box(state.take_changes());
        for command in commands.drain(..) {
            if let Command::StartAttempt { id } = command {
                waiting.push_back(id);
            }
        }
    };
    apply(&mut state, RunEvent::Started, &mut waiting);
    while let Some(id) = waiting.pop_front() {
        let (task, attempt) = (id.path, id.attempt);
        apply(&mut state, RunEvent::AttemptAdmitted { task: task.clone(), attempt }, &mut waiting);
        let parameters = [("o".to_owned(), json!(1))].into();
        let outputs = ProducedOutputs { parameters, ..ProducedOutputs::default() };
        let outcome = AttemptOutcome::Succeeded { outputs };
        let phases = AttemptPhases::default();
        apply(&mut state, RunEvent::AttemptEnded { task, attempt, outcome, phases }, &mut waiting);
    }
    let elapsed = started.elapsed().as_secs_f64();
    let memory = memory().saturating_sub(memory_before);
    assert!(state.status().is_terminal());
    let started = Instant::now();
    let snapshot = state.snapshot();
    let snapshot_time = started.elapsed().as_secs_f64();
    println!(
        "{name}: {tasks} tasks, {events} events, {:.2} us/task, {} bytes/task, snapshot {} bytes/task in {:.2} us/task",
        elapsed * 1e6 / f64::from(tasks),
        memory / u64::from(tasks),
        snapshot.len() / tasks as usize,
        snapshot_time * 1e6 / f64::from(tasks),
    );
}

/// Bytes that the process holds now.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() * 1024
}
