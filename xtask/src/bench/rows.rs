//! The rows of the table.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};

use super::floors::{Floors, millis};
use super::pipelines::{Body, chain, fan, loops};
use super::process::{self, Cost, Server};
use super::{Bench, Figure, docker, median};

pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) measure: fn(&Bench, usize) -> anyhow::Result<Vec<Figure>>,
}

pub(super) const ALL: &[Row] = &[
    Row { name: "chain", measure: chain_synced },
    Row { name: "chain-relaxed", measure: chain_relaxed },
    Row { name: "fan", measure: fan_against_make },
    Row { name: "python", measure: python },
    Row { name: "warm", measure: warm },
    Row { name: "hello", measure: hello },
    Row { name: "start", measure: start },
    Row { name: "scale", measure: scale },
    Row { name: "loops", measure: loops_against_fans },
    Row { name: "flat", measure: flat },
    Row { name: "memory", measure: memory },
    Row { name: "idle", measure: idle },
    Row { name: "docker", measure: docker::containers },
];

const CHAIN: usize = 50;
const FAN: usize = 200;
const LARGE: usize = 10_000;

#[expect(clippy::cast_precision_loss, reason = "counts of tasks are small")]
pub(super) fn per(value: f64, tasks: usize) -> f64 {
    value / tasks as f64
}

/// `ferroflow run` of a file in a data folder of its own.
fn run(bench: &Bench, file: &Path, data: &Path, words: &[&str]) -> anyhow::Result<Cost> {
    let mut command = Command::new(&bench.binary);
    command.arg("run").arg(file).arg("--data-dir").arg(data).args(words);
    process::measure(&mut command)
}

/// The same in a folder that is new each time.
pub(super) fn run_anew(bench: &Bench, file: &Path, words: &[&str]) -> anyhow::Result<Cost> {
    let data = tempfile::tempdir_in(bench.folder.path())?;
    run(bench, file, data.path(), words)
}

/// Repeats a measurement, each time with the floors of that moment.
fn repeat(
    bench: &Bench,
    times: usize,
    python_runs: usize,
    mut once: impl FnMut() -> anyhow::Result<Cost>,
) -> anyhow::Result<Vec<(Floors, Cost)>> {
    (0..times).map(|_| Ok((Floors::measure(bench, python_runs)?, once()?))).collect()
}

fn medians(measured: &[(Floors, Cost)], value: impl Fn(&(Floors, Cost)) -> f64) -> f64 {
    median(measured.iter().map(value).collect())
}

fn chain_synced(bench: &Bench, times: usize) -> anyhow::Result<Vec<Figure>> {
    let file = chain(bench.folder.path(), CHAIN, Body::True)?;
    let measured = repeat(bench, times, 0, || run_anew(bench, &file, &[]))?;
    let wall = medians(&measured, |(_, cost)| per(millis(cost.wall), CHAIN));
    let bound = medians(&measured, |(floors, _)| floors.spawn + 1.5 * floors.sync + 0.5);
    let on_top = medians(&measured, |(floors, cost)| per(millis(cost.cpu), CHAIN) - floors.spawn_cpu);
    let on_top_bound = medians(&measured, |(floors, _)| 0.6 * floors.spawn);
    Ok(vec![
        figure("chain of 50, synced: wall a task", "ms", wall, bound, "S + 1.5 F + 0.5 ms".to_owned()),
        figure("chain of 50: CPU a task above S", "ms", on_top, on_top_bound, "0.6 S".to_owned()),
    ])
}

fn chain_relaxed(bench: &Bench, times: usize) -> anyhow::Result<Vec<Figure>> {
    let file = chain(bench.folder.path(), CHAIN, Body::True)?;
    let measured = repeat(bench, times, 0, || run_anew(bench, &file, &["--durability", "relaxed"]))?;
    let wall = medians(&measured, |(_, cost)| per(millis(cost.wall), CHAIN));
    let bound = medians(&measured, |(floors, _)| 2.0 * floors.spawn);
    Ok(vec![figure("chain of 50, relaxed: wall a task", "ms", wall, bound, "2 S".to_owned())])
}

fn fan_against_make(bench: &Bench, times: usize) -> anyhow::Result<Vec<Figure>> {
    let file = fan(bench.folder.path(), FAN, Body::True)?;
    let makefile = makefile(bench)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..times {
        ours.push(1e3 / per(millis(run_anew(bench, &file, &["--parallelism", "2"])?.wall), FAN + 1));
        let mut make = Command::new("make");
        let cost = process::measure(make.args(["-s", "-j2", "-f"]).arg(&makefile).arg("join"))?;
        theirs.push(1e3 / per(millis(cost.wall), FAN + 1));
    }
    let (ours, theirs) = (median(ours), median(theirs));
    let formula = format!("0.6 of `make -j2`, which does {theirs:.0}/s");
    let figure = figure("fan of 200 and join: tasks a second", "/s", ours, 0.6 * theirs, formula);
    Ok(vec![Figure { more_is_better: true, ..figure }])
}

fn makefile(bench: &Bench) -> anyhow::Result<PathBuf> {
    let mut text = String::from("TASKS :=");
    for task in 0..FAN {
        write!(text, " t{task}")?;
    }
    text.push_str("\n.PHONY: join $(TASKS)\njoin: $(TASKS)\n\t/bin/true\n$(TASKS):\n\t/bin/true\n");
    let path = bench.folder.path().join("Makefile");
    std::fs::write(&path, text)?;
    Ok(path)
}

fn python(bench: &Bench, times: usize) -> anyhow::Result<Vec<Figure>> {
    const TASKS: usize = 20;
    let plain = chain(bench.folder.path(), TASKS, Body::Python { package: None })?;
    // The data folder stays: unpacking the slim runtime is no part of a task.
    let data = tempfile::tempdir_in(bench.folder.path())?;
    run(bench, &plain, data.path(), &["--no-cache"])?;
    let measured = repeat(bench, times, 5, || run(bench, &plain, data.path(), &["--no-cache"]))?;
    let cpu = medians(&measured, |(_, cost)| per(millis(cost.cpu), TASKS));
    let bound = medians(&measured, |(floors, _)| 1.3 * floors.python);
    let first = figure("Python component: CPU a task", "ms", cpu, bound, "1.3 Q".to_owned());
    let folder = tempfile::tempdir_in(bench.folder.path())?;
    let own = chain(folder.path(), TASKS, Body::Python { package: Some("six") })?;
    run(bench, &own, data.path(), &["--no-cache"]).context("the package `six` cannot be installed")?;
    let mut pairs = Vec::new();
    for _ in 0..times {
        let without = run(bench, &plain, data.path(), &["--no-cache"])?;
        let with = run(bench, &own, data.path(), &["--no-cache"])?;
        pairs.push(per(millis(with.cpu) - millis(without.cpu), TASKS));
    }
    let formula = "2 ms above the row before".to_owned();
    Ok(vec![first, figure("the same with own packages: more CPU", "ms", median(pairs), 2.0, formula)])
}

fn warm(bench: &Bench, times: usize) -> anyhow::Result<Vec<Figure>> {
    // The interpreter that waits, and the first tasks, which do not wait for it, are shared by all.
    const TASKS: usize = 200;
    let file = chain(bench.folder.path(), TASKS, Body::Python { package: None })?;
    let data = tempfile::tempdir_in(bench.folder.path())?;
    let words = ["--no-cache", "--warm"];
    run(bench, &file, data.path(), &words)?;
    let measured = repeat(bench, times, 5, || run(bench, &file, data.path(), &words))?;
    let cpu = medians(&measured, |(_, cost)| per(millis(cost.cpu), TASKS));
    let bound = medians(&measured, |(floors, _)| 0.3 * floors.python);
    Ok(vec![figure("Python component, warm: CPU a task", "ms", cpu, bound, "0.3 Q".to_owned())])
}

fn hello(bench: &Bench, times: usize) -> anyhow::Result<Vec<Figure>> {
    let file = chain(bench.folder.path(), 1, Body::Python { package: None })?;
    let measured = repeat(bench, times, 3, || run_anew(bench, &file, &[]))?;
    let wall = medians(&measured, |(_, cost)| millis(cost.wall));
    let bound = medians(&measured, |(floors, _)| 4.0 * floors.python + 10.0 * floors.sync);
    Ok(vec![figure("hello world, empty folder: wall", "ms", wall, bound, "4 Q + 10 F".to_owned())])
}

fn start(bench: &Bench, times: usize) -> anyhow::Result<Vec<Figure>> {
    let (mut walls, mut bounds) = (Vec::new(), Vec::new());
    for _ in 0..times {
        bounds.push(10.0 * Floors::measure(bench, 0)?.sync + 50.0);
        let data = tempfile::tempdir_in(bench.folder.path())?;
        let (server, until_answer) = Server::start(&bench.binary, data.path())?;
        drop(server);
        walls.push(millis(until_answer));
    }
    let formula = "10 F + 50 ms".to_owned();
    Ok(vec![figure("server start to first answer: wall", "ms", median(walls), median(bounds), formula)])
}

fn scale(bench: &Bench, times: usize) -> anyhow::Result<Vec<Figure>> {
    let folder = bench.folder.path();
    let mut figures = Vec::new();
    for (names, small, large, small_tasks) in [
        (
            ["chain of 10,000: CPU a task", "chain of 10,000: wall a task"],
            chain(folder, CHAIN, Body::True)?,
            chain(folder, LARGE, Body::True)?,
            CHAIN,
        ),
        (
            ["fan of 10,000: CPU a task", "fan of 10,000: wall a task"],
            fan(folder, FAN, Body::True)?,
            fan(folder, LARGE, Body::True)?,
            FAN,
        ),
    ] {
        // The large one takes a minute; it is its own average.
        let small: Vec<Cost> = (0..times).map(|_| run_anew(bench, &small, &[])).collect::<Result<_, _>>()?;
        let large = run_anew(bench, &large, &[])?;
        let [cpu_name, wall_name] = names;
        for (name, get) in [(cpu_name, cpu as fn(&Cost) -> Duration), (wall_name, wall)] {
            let small = median(small.iter().map(|cost| per(millis(get(cost)), small_tasks)).collect());
            let large = per(millis(get(&large)), LARGE);
            let formula = format!("1.2 × {small:.3} ms at {small_tasks}");
            figures.push(figure(name, "ms", large, 1.2 * small, formula));
        }
    }
    Ok(figures)
}

fn loops_against_fans(bench: &Bench, times: usize) -> anyhow::Result<Vec<Figure>> {
    let folder = bench.folder.path();
    let mut figures = Vec::new();
    for (name, file, tasks) in [
        ("loop of 1,000, 50 at once: wall a task", loops(folder, &[1000], Some(50))?, 1000),
        ("loops of 30 in 30: wall a task", loops(folder, &[30, 30], None)?, 900),
    ] {
        let flat = fan(folder, tasks, Body::True)?;
        let (mut ours, mut floor) = (Vec::new(), Vec::new());
        for _ in 0..times {
            floor.push(per(millis(run_anew(bench, &flat, &[])?.wall), tasks));
            ours.push(per(millis(run_anew(bench, &file, &[])?.wall), tasks));
        }
        let floor = median(floor);
        let formula = format!("1.3 × a flat fan of as many, {floor:.3} ms");
        figures.push(figure(name, "ms", median(ours), 1.3 * floor, formula));
    }
    Ok(figures)
}

/// Each size is a fan; the large ones take minutes and are their own average.
fn flat(bench: &Bench, times: usize) -> anyhow::Result<Vec<Figure>> {
    let folder = bench.folder.path();
    let mut small = f64::NAN;
    let mut figures = Vec::new();
    for (name, tasks) in [
        ("size 100, a fan: CPU a task", 100),
        ("size 1,000, a fan: CPU a task", 1_000),
        ("size 10,000, a fan: CPU a task", LARGE),
        ("size 100,000, a fan: CPU a task", 10 * LARGE),
    ] {
        let file = fan(folder, tasks, Body::True)?;
        let repeats = if tasks < LARGE { times } else { 1 };
        let costs: Vec<f64> = (0..repeats)
            .map(|_| Ok(per(millis(run_anew(bench, &file, &[])?.cpu), tasks)))
            .collect::<anyhow::Result<_>>()?;
        let cost = median(costs);
        if small.is_nan() {
            small = cost;
        }
        figures.push(figure(name, "ms", cost, 1.3 * small, format!("1.3 × {small:.3} ms at 100")));
    }
    Ok(figures)
}

fn cpu(cost: &Cost) -> Duration {
    cost.cpu
}

fn wall(cost: &Cost) -> Duration {
    cost.wall
}

fn memory(bench: &Bench, _times: usize) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (name, file) in [
        ("memory, chain of 10,000", chain(bench.folder.path(), LARGE, Body::True)?),
        ("memory, fan of 10,000", fan(bench.folder.path(), LARGE, Body::True)?),
    ] {
        let data = tempfile::tempdir_in(bench.folder.path())?;
        let mut command = Command::new(&bench.binary);
        command.arg("run").arg(file).arg("--data-dir").arg(data.path());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let mut most = 0.0_f64;
        let status = loop {
            most = most.max(process::memory_kib(child.id(), "VmHWM").unwrap_or(0.0));
            match child.try_wait()? {
                Some(status) => break status,
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        };
        ensure!(status.success(), "the run has failed");
        process::wait_for_all()?;
        let formula = "30 MB + 6 KB a task".to_owned();
        figures.push(figure(name, "MB", most / 1024.0, 30.0 + 60_000.0 / 1024.0, formula));
    }
    Ok(figures)
}

fn idle(bench: &Bench, _times: usize) -> anyhow::Result<Vec<Figure>> {
    const SECONDS: u64 = 20;
    let data = tempfile::tempdir_in(bench.folder.path())?;
    let (server, _) = Server::start(&bench.binary, data.path())?;
    let before = process::cpu_ticks(server.pid())?;
    std::thread::sleep(Duration::from_secs(SECONDS));
    let ticks = process::cpu_ticks(server.pid())? - before;
    let memory = process::memory_kib(server.pid(), "VmRSS").context("the server has gone")?;
    let cores = ticks / 100.0 / Duration::from_secs(SECONDS).as_secs_f64();
    Ok(vec![
        figure("idle server: memory", "MB", memory / 1024.0, 30.0, "30 MB".to_owned()),
        figure("idle server: cores", "", cores, 0.001, "0.001".to_owned()),
    ])
}

pub(super) fn figure(
    name: &'static str,
    unit: &'static str,
    value: f64,
    bound: f64,
    formula: String,
) -> Figure {
    Figure { name, value, bound, unit, more_is_better: false, formula }
}
