//! Runs of many tasks, to measure what one task costs.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ferroflow_engine::{
    AttemptOutcome, Command, IdBlock, Plan, ProducedOutputs, RunEvent, RunSettings, RunState, Semantics,
};
use ferroflow_model::record::AttemptPhases;
use ferroflow_model::{AttemptId, RunStatus, Timestamp};
use ferroflow_spec::ir::{ComponentBody, PipelineSpec};
use serde_json::{Map, json};

use super::store::Numbers;
use crate::pipeline::{of, pipeline, task};

/// How the tasks of a large run depend on each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Each on the one before.
    Chain,
    /// All on the first, and the last on all.
    Fan,
}

/// What a large run took.
#[derive(Debug, Clone, Copy)]
pub struct LargeReport {
    /// Events that were applied.
    pub events: u64,
    /// Time for the events and their rows, without making the pipeline.
    pub elapsed: Duration,
}

/// Runs so many tasks to their end, in the order in which they become ready; rows and stored events are made for each
/// event, as for a commit, and dropped. An error says what went wrong.
pub fn run_large(shape: Shape, tasks: u32) -> Result<LargeReport, String> {
    let spec = pipeline_of(shape, tasks);
    let plan = Arc::new(Plan::new(Arc::new(spec)).map_err(|fault| fault.to_string())?);
    let now = Timestamp::from_seconds(1_700_000_000);
    let identity = super::identity(0, now)?;
    let ids = IdBlock { first: 1, count: 64 };
    let settings =
        RunSettings { identity, arguments: Map::new(), caching: true, ids, semantics: Semantics::default() };
    let mut run = Large {
        state: RunState::new(plan, &settings),
        now,
        numbers: Numbers(1000),
        events: 0,
        waiting: VecDeque::new(),
        commands: Vec::new(),
    };
    let started = Instant::now();
    run.apply(RunEvent::Started)?;
    while let Some(id) = run.waiting.pop_front() {
        run.apply(RunEvent::AttemptAdmitted { task: id.path.clone(), attempt: id.attempt })?;
        let parameters = [("o".to_owned(), json!(1))].into();
        let outputs = ProducedOutputs { parameters, ..ProducedOutputs::default() };
        let outcome = AttemptOutcome::Succeeded { outputs };
        let (task, attempt, phases) = (id.path, id.attempt, AttemptPhases::default());
        run.apply(RunEvent::AttemptEnded { task, attempt, outcome, phases })?;
    }
    let elapsed = started.elapsed();
    let (status, count) = (run.state.status(), run.state.task_count());
    if status != RunStatus::Succeeded || count != tasks as usize + 1 {
        return Err(format!("a run of {tasks} tasks has {count} and is {}", status.as_str()));
    }
    Ok(LargeReport { events: run.events, elapsed })
}

struct Large {
    state: RunState,
    now: Timestamp,
    numbers: Numbers,
    events: u64,
    waiting: VecDeque<AttemptId>,
    commands: Vec<Command>,
}

impl Large {
    fn apply(&mut self, event: RunEvent) -> Result<(), String> {
        self.events += 1;
        let applied = self.state.apply(event, self.now, &mut self.numbers, &mut self.commands);
        let stored = applied.map_err(|fault| fault.to_string())?;
        std::hint::black_box(serde_json::to_string(&stored).map_err(|error| error.to_string())?);
        std::hint::black_box(self.state.take_changes());
        for command in self.commands.drain(..) {
            if let Command::StartAttempt { id } = command {
                self.waiting.push_back(id);
            }
        }
        Ok(())
    }
}

/// The tasks after the first share one component, as the compiler has it when one component is used many times.
fn pipeline_of(shape: Shape, tasks: u32) -> PipelineSpec {
    let name = |number: u32| format!("task-{number:06}");
    let one = |number: u32| {
        let step = task(&name(number)).gives("o");
        match shape {
            _ if number == 0 => step,
            Shape::Chain => step.takes("i", of(&name(number - 1), "o")),
            Shape::Fan if number + 1 < tasks => step.takes("i", of(&name(0), "o")),
            Shape::Fan => {
                let last = step.takes("i", of(&name(0), "o"));
                (1..number).fold(last, |step, before| step.after(&name(before)))
            }
        }
    };
    let mut spec = pipeline((0..tasks).map(one)).spec();
    let shared = format!("comp-{}", name(1));
    if let ComponentBody::Dag(dag) = &mut spec.root.body {
        for task in dag.tasks.values_mut().skip(1) {
            task.component.clone_from(&shared);
        }
    }
    let first = format!("comp-{}", name(0));
    spec.components.retain(|key, _| *key == first || *key == shared);
    spec.executors.retain(|key, _| *key == first || *key == shared);
    spec
}
