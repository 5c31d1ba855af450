//! `ferroflow gc`: removes artifacts that removed runs have left and nothing refers to.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use ferroflow_artifacts::Artifacts;
use ferroflow_ports::Clock as _;
use ferroflow_runtime::{Collected, GarbageOptions, GarbagePorts, collect};
use ferroflow_store::{Durability, Options, SqliteStore};

use super::{DataArguments, up};
use crate::clock::SystemClock;
use crate::data_folder::LockAttempt;
use crate::exit::Outcome;
use crate::{printing, stores, tracing_setup};

/// What is garbage, and for how long it stays.
#[derive(Debug, clap::Args)]
pub(super) struct GraceArguments {
    /// Time between noticing that nothing refers to an artifact and removing it, such as `24h`
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = up::parse_duration)]
    pub(super) gc_grace: Duration,
}

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Only tell what would be removed
    #[arg(long)]
    dry_run: bool,
    /// Forget cached results that are older, in seconds; what they name may be removed then [default: keep them]
    #[arg(
        long,
        value_name = "SECONDS",
        env = "FERROFLOW_CACHE_MAX_AGE",
        hide_env_values = true,
        value_parser = up::parse_seconds
    )]
    cache_max_age: Option<Duration>,
    /// Look below this root in a store elsewhere, too, for folders of runs that nobody knows. Nobody else may write there,
    /// for their runs are not known here (repeatable)
    #[arg(long = "own-root", value_name = "URI")]
    own_roots: Vec<String>,
    #[command(flatten)]
    grace: GraceArguments,
    #[command(flatten)]
    data: DataArguments,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    tracing_setup::start()?;
    let folder = arguments.data.folder()?;
    folder.create()?;
    let LockAttempt::Ours(_lock) = folder.try_lock()? else {
        anyhow::bail!(
            "the data directory `{}` is in use: stop who uses it, or let the server collect (`ferroflow up --gc-interval`)",
            folder.path().display()
        );
    };
    let store = SqliteStore::open(&folder.database(), Options { durability: Durability::Synced })
        .context("the database cannot be opened")?;
    let artifacts =
        Artifacts::open(&folder.artifacts(), stores::settings(&folder, None, None)?.access, None)?;
    let ports = GarbagePorts { garbage: Arc::new(store), artifacts: Arc::new(artifacts) };
    let options = GarbageOptions {
        grace: arguments.grace.gc_grace,
        cache_max_age: arguments.cache_max_age,
        own_roots: arguments.own_roots.clone(),
        dry_run: arguments.dry_run,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let collected = runtime.block_on(collect(&ports, &options, SystemClock.now()))?;
    tell(&collected, arguments.dry_run)?;
    Ok(if collected.problems.is_empty() { Outcome::Success } else { Outcome::Failed })
}

fn tell(collected: &Collected, dry_run: bool) -> anyhow::Result<()> {
    let verb = if dry_run { "would be removed" } else { "removed" };
    for garbage in &collected.removed {
        printing::line(&format!("{verb}: {}", garbage.uri))?;
    }
    for folder in &collected.orphans {
        printing::line(&format!("{verb}, of a run that nobody knows: {folder}"))?;
    }
    for garbage in &collected.waiting {
        printing::line(&format!("in its grace time: {}", garbage.uri))?;
    }
    for problem in &collected.problems {
        printing::error_line(&format!("cannot be removed: {problem}"));
    }
    Ok(())
}
