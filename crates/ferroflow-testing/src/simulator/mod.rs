//! Runs random pipelines through the engine under random circumstances, and checks after each step what must hold.
//!
//! Everything follows from a seed: the pipeline, what its tasks do, delays, lost and repeated reports, requests of
//! clients, and crashes. Around the engine stand models of the store, the runtime and the executor: what the store
//! holds and what the executor does survive a crash, the state of the run does not. No real I/O, no real time.
//!
//! Begin with [`run_seed`]; `simulation` has the loop, `invariant` the checks after each step, `interpreter` says how a
//! pipeline must end whatever the circumstances, `verdict` compares that with the run, and `large` measures runs of many
//! tasks.

mod behaviour;
mod executor;
mod generator;
mod interpreter;
mod invariant;
mod large;
mod simulation;
mod store;
mod verdict;

use std::fmt;

use ferroflow_engine::RunIdentity;
use ferroflow_model::Timestamp;

pub use large::{LargeReport, Shape, run_large};

/// Schedules for each pipeline. On the last one nobody ends or repeats the run, so that each pipeline is judged.
const SCHEDULES: u32 = 2;

/// What the runs of a seed came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Events that were applied, those lost in crashes counted.
    pub events: u64,
    /// Task instances at the end.
    pub tasks: u64,
    /// How often the run was rebuilt after a crash.
    pub crashes: u64,
    /// How often it ended (retries by clients make several ends).
    pub ends: u64,
}

impl std::ops::AddAssign for Report {
    fn add_assign(&mut self, other: Self) {
        self.events += other.events;
        self.tasks += other.tasks;
        self.crashes += other.crashes;
        self.ends += other.ends;
    }
}

/// Something that must never happen, with all that led to it.
#[derive(Debug, Clone)]
pub struct Violation {
    /// The seed that shows it.
    pub seed: u64,
    /// What does not hold.
    pub invariant: String,
    /// The pipeline and what happened, in lines.
    pub trace: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}\n{}", self.seed, self.trace)?;
        write!(f, "violated: {}", self.invariant)
    }
}

impl std::error::Error for Violation {}

/// A check that failed, in words.
type Check<T = ()> = Result<T, String>;

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Check {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// What tasks may know of the run of a seed.
fn identity(seed: u64, now: Timestamp) -> Check<RunIdentity> {
    let id = format!("00000000-0000-4000-8000-{:012x}", seed & 0xffff_ffff_ffff);
    Ok(RunIdentity {
        id: id.parse().map_err(|_| format!("`{id}` is no id"))?,
        display_name: "simulated".to_owned(),
        pipeline_name: "pipeline".to_owned(),
        resource_name: "pipeline-00000".to_owned(),
        root: "mem://root".to_owned(),
        created_at: now,
        scheduled_at: now,
    })
}

/// Runs the pipeline of this seed on each schedule to its end. A violation is found a second time, to write its trace.
pub fn run_seed(seed: u64) -> Result<Report, Box<Violation>> {
    let mut total = Report::default();
    for schedule in 0..SCHEDULES {
        let case = generator::case(seed, schedule);
        match simulation::Simulation::run(&case, None) {
            Ok(report) => total += report,
            Err(invariant) => return Err(Box::new(traced(&case, invariant))),
        }
    }
    Ok(total)
}

fn traced(case: &generator::Case, invariant: String) -> Violation {
    let mut lines = vec![case.to_string()];
    if simulation::Simulation::run(case, Some(&mut lines)) != Err(invariant.clone()) {
        lines.push(
            "the simulation went another way the second time: something does not follow from the seed"
                .to_owned(),
        );
    }
    Violation { seed: case.seed, invariant, trace: lines.join("\n") }
}
