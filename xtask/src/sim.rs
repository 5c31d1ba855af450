//! `sim`: runs the simulator over many seeds, or one large run, and prints how fast that goes.
//!
//! Seeds follow each other from `--seed` on, on all cores. A violation is printed with its trace and fails the verb.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use ferroflow_testing::simulator::{LargeReport, Report, Shape, Violation, run_large, run_seed};

/// Most memory that a run of 100,000 tasks may take, in kilobytes.
const MOST_MEMORY_KB: u64 = 1024 * 1024;

/// How much more a task may cost in a large run than in one of a thousand. A small run lives in the caches of the
/// processor and a large one does not, which is up to twice the time; whatever is not linear is far beyond.
const MOST_GROWTH: f64 = 3.0;

/// The size that a large run is compared with.
const SMALL: u32 = 1000;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many seeds
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Run one chain and one fan of so many tasks instead
    #[arg(long, conflicts_with_all = ["seeds", "seed"])]
    tasks: Option<u32>,
}

/// Does what the options say; fails at a violation, or at a bound that does not hold.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    match options.tasks {
        Some(tasks) => large(tasks),
        None => seeds(options.seed, options.seeds),
    }
}

fn seeds(first: u64, count: u64) -> anyhow::Result<()> {
    let started = Instant::now();
    let next = AtomicU64::new(first);
    let is_broken = AtomicBool::new(false);
    let total = Mutex::new((Report::default(), None::<Box<Violation>>));
    let work = || {
        let mut report = Report::default();
        let mut violation = None;
        while !is_broken.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed - first >= count {
                break;
            }
            match run_seed(seed) {
                Ok(one) => report += one,
                Err(found) => {
                    violation = Some(found);
                    is_broken.store(true, Ordering::Relaxed);
                }
            }
        }
        if let Ok(mut total) = total.lock() {
            total.0 += report;
            // The smallest one, so that the answer does not depend on the number of cores.
            let smallest = total.1.take().into_iter().chain(violation).min_by_key(|found| found.seed);
            total.1 = smallest;
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let (Report { events, tasks, crashes, ends }, violation) =
        total.into_inner().map_err(|_| anyhow::anyhow!("a thread of the simulator panicked"))?;
    if let Some(violation) = violation {
        println!("{violation}");
        bail!("seed {} violates an invariant; again: cargo xtask sim --seeds 1 --seed {0}", violation.seed);
    }
    let seconds = started.elapsed().as_secs_f64();
    let speed = float(count) / seconds;
    println!("{count} seeds from {first} on in {seconds:.1} s: {speed:.0} seeds/s on {threads} threads");
    println!("{events} events, {tasks} tasks, {crashes} crashes, {ends} ends of runs; no violation");
    Ok(())
}

fn large(tasks: u32) -> anyhow::Result<()> {
    ensure!(tasks >= SMALL, "at least {SMALL} tasks, to compare with that many");
    let mut problems = Vec::new();
    for (shape, name) in [(Shape::Chain, "chain"), (Shape::Fan, "fan")] {
        // The same number of tasks altogether, so that both are measured equally well.
        let rounds = tasks.div_ceil(SMALL);
        let mut small = Vec::new();
        for _ in 0..rounds {
            small.push(per_task(&measured(shape, SMALL)?, SMALL));
        }
        small.sort_by(f64::total_cmp);
        let small = small.get(small.len() / 2).copied().unwrap_or_default();
        let mut big = Vec::new();
        for _ in 0..3 {
            big.push(measured(shape, tasks)?);
        }
        big.sort_by_key(|report| report.elapsed);
        let big = *big.get(1).context("no measurement")?;
        let (events, seconds) = (float(big.events), big.elapsed.as_secs_f64());
        let cost = per_task(&big, tasks);
        let growth = cost / small;
        println!(
            "{name} of {tasks}: {seconds:.2} s, {:.0} events/s, {cost:.2} us/task ({SMALL} tasks: {small:.2} us/task, \
             ratio {growth:.2}, bound {MOST_GROWTH})",
            events / seconds
        );
        if growth > MOST_GROWTH {
            problems.push(format!(
                "a task of a {name} of {tasks} costs {growth:.2} times as much as one of {SMALL}"
            ));
        }
    }
    let memory = peak_memory_kb()?;
    println!("peak memory of the process: {} MiB (bound {} MiB)", memory / 1024, MOST_MEMORY_KB / 1024);
    if memory > MOST_MEMORY_KB {
        problems.push(format!("the process took {} MiB", memory / 1024));
    }
    ensure!(problems.is_empty(), "{}", problems.join("; "));
    Ok(())
}

fn measured(shape: Shape, tasks: u32) -> anyhow::Result<LargeReport> {
    run_large(shape, tasks).map_err(anyhow::Error::msg)
}

/// Microseconds.
fn per_task(report: &LargeReport, tasks: u32) -> f64 {
    report.elapsed.as_secs_f64() * 1e6 / f64::from(tasks)
}

#[expect(clippy::cast_precision_loss, reason = "counts of this size have an exact form")]
fn float(count: u64) -> f64 {
    count as f64
}

fn peak_memory_kb() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("cannot read /proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    line.trim().trim_end_matches("kB").trim().parse().context("VmHWM is no number")
}
