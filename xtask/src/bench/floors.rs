//! What the machine allows at best, now.

use std::fmt;
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use super::{Bench, median, process};

/// Milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Floors {
    /// S: posix_spawn and wait of `/bin/true`, wall.
    pub(super) spawn: f64,
    /// The same in CPU.
    pub(super) spawn_cpu: f64,
    /// F: fdatasync of 4 KiB that were written over.
    pub(super) sync: f64,
    /// Q: CPU of `python3 -c "import json; from typing import *"` on the interpreter that tasks use.
    pub(super) python: f64,
}

impl fmt::Display for Floors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { spawn, spawn_cpu, sync, python } = self;
        write!(f, "S {spawn:.3} ms ({spawn_cpu:.3} ms CPU), F {sync:.3} ms, Q {python:.2} ms CPU")
    }
}

impl Floors {
    /// `python_runs` may be 0 where Q does not matter.
    pub(super) fn measure(bench: &Bench, python_runs: usize) -> anyhow::Result<Self> {
        let (spawn, spawn_cpu) = spawn()?;
        let python = if python_runs == 0 { f64::NAN } else { python(&bench.python, python_runs)? };
        Ok(Self { spawn, spawn_cpu, sync: sync(bench.folder.path())?, python })
    }
}

pub(super) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn spawn() -> anyhow::Result<(f64, f64)> {
    const RUNS: u32 = 100;
    let mut walls = Vec::new();
    let cpu = process::cpu_of_children()?;
    let own = own_cpu()?;
    for _ in 0..RUNS {
        let started = Instant::now();
        // The standard library takes posix_spawn here, as the supervisor's does.
        let status = Command::new("/bin/true").stdin(Stdio::null()).status()?;
        ensure!(status.success(), "/bin/true has failed");
        walls.push(millis(started.elapsed()));
    }
    // What the spawning side spends is part of the floor.
    let cpu = process::cpu_of_children()?.saturating_sub(cpu) + own_cpu()?.saturating_sub(own);
    Ok((median(walls), millis(cpu) / f64::from(RUNS)))
}

fn own_cpu() -> anyhow::Result<Duration> {
    use nix::sys::time::TimeValLike;
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF)?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(Duration::from_micros(u64::try_from(micros)?))
}

fn sync(folder: &Path) -> anyhow::Result<f64> {
    const RUNS: usize = 200;
    let path = folder.join("fdatasync");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
    let block = [7; 4096];
    file.write_all_at(&block, 0)?;
    file.sync_all()?;
    let mut walls = Vec::new();
    for _ in 0..RUNS {
        let started = Instant::now();
        file.write_all_at(&block, 0)?;
        file.sync_data()?;
        walls.push(millis(started.elapsed()));
    }
    Ok(median(walls))
}

fn python(interpreter: &Path, runs: usize) -> anyhow::Result<f64> {
    let mut cpus = Vec::new();
    for _ in 0..runs {
        let mut command = Command::new(interpreter);
        cpus.push(millis(process::measure(command.args(["-c", "import json; from typing import *"]))?.cpu));
    }
    Ok(median(cpus))
}

/// The interpreter behind `python3`, whatever shims stand before it.
pub(super) fn interpreter() -> anyhow::Result<PathBuf> {
    let output = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
    let output = output.context("python3 is needed for this")?;
    Ok(PathBuf::from(String::from_utf8(output.stdout)?.trim()))
}
