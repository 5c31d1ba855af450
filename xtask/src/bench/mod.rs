//! `bench`: the figures of speed, as ratios against floors and peers of the same run.
//!
//! Each row starts the release binary as a user would, in an empty data folder, and is repeated; medians are printed.
//! The floors are measured again before each repetition, since disks and neighbours change their minds. CPU is that of
//! the whole tree, the supervisor included: this process adopts what the others leave behind and waits for it.
//! Nothing here fails a build: only a person decides whether a miss has a reason.

mod docker;
mod floors;
mod pipelines;
mod process;
mod rows;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use floors::Floors;

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only rows whose name holds this text
    #[arg(long)]
    row: Option<String>,
    /// How often each row is measured
    #[arg(long, default_value_t = 5)]
    repeat: usize,
    /// Measure this binary instead of building one
    #[arg(long)]
    binary: Option<PathBuf>,
}

/// What rows stand on.
struct Bench {
    binary: PathBuf,
    folder: tempfile::TempDir,
    python: PathBuf,
}

/// One line of the table.
struct Figure {
    name: &'static str,
    /// In the unit of `unit`.
    value: f64,
    bound: f64,
    unit: &'static str,
    /// Whether a larger value is better.
    more_is_better: bool,
    /// How the bound comes about.
    formula: String,
}

impl Figure {
    fn holds(&self) -> bool {
        if self.more_is_better { self.value >= self.bound } else { self.value <= self.bound }
    }
}

/// Prints the table.
pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    ensure!(options.repeat > 0, "`--repeat` must be at least 1");
    let binary = match &options.binary {
        Some(binary) => std::path::absolute(binary)?,
        None => build(root)?,
    };
    process::adopt_orphans()?;
    // On the disk of the project, not in memory: the floors and the figures must meet the same disk.
    let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(root.join("target"))?;
    let bench = Bench { binary, folder, python: floors::interpreter()? };
    let floors = Floors::measure(&bench, 5)?;
    println!("floors now: {floors}");
    println!("{:<34} {:>12} {:>12} {:>7}  bound is", "row", "figure", "bound", "ratio");
    let mut missed = 0;
    for row in rows::ALL {
        if options.row.as_ref().is_some_and(|wanted| !row.name.contains(wanted.as_str())) {
            continue;
        }
        for figure in (row.measure)(&bench, options.repeat).with_context(|| format!("row `{}`", row.name))? {
            let verdict = if figure.holds() { "" } else { "  MISSED" };
            missed += usize::from(!figure.holds());
            println!(
                "{:<34} {:>9.3} {:<2} {:>9.3} {:<2} {:>7.2}  {}{verdict}",
                figure.name,
                figure.value,
                figure.unit,
                figure.bound,
                figure.unit,
                figure.value / figure.bound,
                figure.formula,
            );
        }
    }
    println!("{missed} bounds missed");
    Ok(())
}

fn build(root: &Path) -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status =
        Command::new(cargo).args(["build", "--release", "-p", "ferroflow"]).current_dir(root).status()?;
    ensure!(status.success(), "the binary was not built");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join("release").join("ferroflow"))
}

/// The middle of some values.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
