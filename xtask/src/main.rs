//! Chores of the project: `cargo xtask <verb>`. One file for each verb; nothing of this is part of the product.

#![expect(clippy::print_stdout, reason = "a tool for the terminal")]

mod bench;
mod check;
mod codegen;
mod floors;
mod sim;

use std::path::Path;

use anyhow::Context;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Chores of the project")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Measures speed against floors and peers
    Bench(bench::Options),
    /// Checks everything that CI checks, except the end-to-end tests
    Check {
        /// Leave out the tests of the crates
        #[arg(long)]
        without_tests: bool,
    },
    /// Writes the code that follows from `proto/`
    Codegen {
        /// Write nothing, fail if something would change
        #[arg(long)]
        check: bool,
    },
    /// Checks that crates import only what ARCHITECTURE.md allows
    Floors,
    /// Runs the simulator over many seeds, or one large run
    Sim(sim::Options),
}

fn main() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask is not inside the workspace")?;
    match Arguments::parse().verb {
        Verb::Bench(options) => bench::run(root, &options),
        Verb::Check { without_tests } => check::run(root, !without_tests),
        Verb::Codegen { check } => codegen::run(root, check),
        Verb::Floors => floors::run(root),
        Verb::Sim(options) => sim::run(&options),
    }
}
