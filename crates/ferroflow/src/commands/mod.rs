//! The verbs of the command line: one file for each.

mod check;
pub(crate) mod contain;
mod doctor;
pub(crate) mod entry;
mod explain_cache;
mod gc;
mod logs;
mod retry;
mod run;
pub(crate) mod supervisor;
mod up;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::data_folder::DataFolder;
use crate::environment;
use crate::exit::{Outcome, UsageError};

/// Runs pipelines compiled by kfp, on this machine.
#[derive(Debug, Parser)]
#[command(name = "ferroflow", version, disable_help_subcommand = true)]
struct CommandLine {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Serve the API and the web page, and run what comes in
    Up(Box<up::Arguments>),
    /// Run a pipeline to its end
    Run(run::Arguments),
    /// Run what failed of a run again, or all from a task on
    Retry(retry::Arguments),
    /// Print the log of a task
    Logs(logs::Arguments),
    /// Tell why results of a task were or were not taken over
    ExplainCache(explain_cache::Arguments),
    /// Remove artifacts that removed runs have left and nothing refers to
    Gc(gc::Arguments),
    /// Check pipeline files without running them
    Check(check::Arguments),
    /// Tell what Ferroflow finds on this machine
    Doctor(doctor::Arguments),
}

/// Reads the command line and does what it says. Help and usage errors end the process here, the latter with code 2.
pub(crate) fn dispatch() -> anyhow::Result<Outcome> {
    match CommandLine::parse().verb {
        Verb::Up(arguments) => up::run(&arguments),
        Verb::Run(arguments) => run::run(&arguments),
        Verb::Retry(arguments) => retry::run(&arguments),
        Verb::Logs(arguments) => logs::run(&arguments),
        Verb::ExplainCache(arguments) => explain_cache::run(&arguments),
        Verb::Gc(arguments) => gc::run(&arguments),
        Verb::Check(arguments) => check::run(&arguments),
        Verb::Doctor(arguments) => doctor::run(&arguments),
    }
}

/// Where data lives.
#[derive(Debug, Args)]
struct DataArguments {
    /// Folder for the database, artifacts, logs and environments [default: ~/.local/share/ferroflow]
    #[arg(long, value_name = "DIR", env = environment::DATA_DIR, hide_env_values = true)]
    data_dir: Option<PathBuf>,
}

impl DataArguments {
    fn folder(&self) -> Result<DataFolder, UsageError> {
        DataFolder::choose(self.data_dir.as_deref())
    }
}

/// How tasks run; the same for `up` and `run`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct TaskArguments {
    /// Interpreter for Python tasks, a path or a name [default: the active virtual environment's, else python3 on PATH]
    #[arg(long, value_name = "PYTHON", env = "FERROFLOW_PYTHON", hide_env_values = true)]
    pub(crate) python: Option<String>,
    /// Room for environments with the packages that tasks ask for; those not used for longest are removed
    #[arg(long, value_name = "MIB", default_value_t = 20 * 1024, env = "FERROFLOW_ENVIRONMENTS_MIB", hide_env_values = true)]
    pub(crate) environments_limit_mib: u64,
    /// Let Python tasks import the user's own packages (~/.local)
    #[arg(long)]
    pub(crate) system_site_packages: bool,
    /// Fork Python components from interpreters that wait for them, instead of starting one for each
    #[arg(long, env = "FERROFLOW_WARM", hide_env_values = true)]
    pub(crate) warm: bool,
    /// What is on disk when a step is done: `relaxed` may lose the last moments in a power cut, but nothing in a crash
    #[arg(long, value_enum, default_value_t, env = "FERROFLOW_DURABILITY", hide_env_values = true)]
    pub(crate) durability: Durability,
    /// Where runs write their artifacts that do not say so themselves, such as `s3://bucket/folder` [default: artifacts in
    /// the data folder]
    #[arg(long, value_name = "URI", env = "FERROFLOW_PIPELINE_ROOT", hide_env_values = true)]
    pub(crate) pipeline_root: Option<String>,
    /// Folder with a folder for each secret, and in it a file for each key [default: secrets in the data folder]
    #[arg(long, value_name = "DIR", env = "FERROFLOW_SECRETS_DIR", hide_env_values = true)]
    pub(crate) secrets_dir: Option<PathBuf>,
    /// Likewise for config maps [default: config-maps in the data folder]
    #[arg(long, value_name = "DIR", env = "FERROFLOW_CONFIG_MAPS_DIR", hide_env_values = true)]
    pub(crate) config_maps_dir: Option<PathBuf>,
    /// Where tasks run
    #[arg(long, value_enum, default_value_t, env = "FERROFLOW_EXECUTOR", hide_env_values = true)]
    pub(crate) executor: ExecutorKind,
    /// Network of containers, such as `host` or one that was made by `docker network create` [default: Docker's own]
    #[arg(long, value_name = "NETWORK", env = "FERROFLOW_DOCKER_NETWORK", hide_env_values = true)]
    pub(crate) docker_network: Option<String>,
    /// Who user code is in containers: `image` for the image's user, or UID[:GID] [default: whoever runs this, unless
    /// that is root]
    #[arg(long, value_name = "USER", env = "FERROFLOW_DOCKER_USER", hide_env_values = true)]
    pub(crate) docker_user: Option<String>,
    /// Folder or file of this machine that containers see at the same path, and may write to (repeatable)
    #[arg(long = "mount", value_name = "PATH")]
    pub(crate) mounts: Vec<PathBuf>,
    /// Most tasks at once [default: number of cores]
    #[arg(long, value_name = "N", env = "FERROFLOW_PARALLELISM", hide_env_values = true)]
    pub(crate) parallelism: Option<std::num::NonZeroUsize>,
    /// Take over no earlier results and keep none, whatever pipelines say
    #[arg(long)]
    pub(crate) disable_cache: bool,
    /// `false` is the same as `--disable-cache`, in the words of KFP's server
    #[arg(
        long,
        value_name = "BOOL",
        default_value = "true",
        env = "CacheEnabled",
        hide = true,
        hide_env_values = true,
        value_parser = clap::builder::BoolishValueParser::new(),
        action = clap::ArgAction::Set
    )]
    pub(crate) cache_enabled: bool,
    /// Age in seconds beyond which earlier results are not taken over [default: no limit]
    #[arg(long, value_name = "SECONDS", env = "FERROFLOW_CACHE_MAX_AGE", hide_env_values = true, value_parser = up::parse_seconds)]
    pub(crate) cache_max_age: Option<std::time::Duration>,
    /// Share results only with those who say the same text
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        env = "FERROFLOW_CACHE_SCOPE",
        hide_env_values = true
    )]
    pub(crate) cache_scope: String,
    /// Seconds that exit tasks have when a run is terminated or reaches its deadline
    #[arg(long, value_name = "SECONDS", default_value = "60", env = "FERROFLOW_EXIT_GRACE", hide_env_values = true, value_parser = up::parse_seconds)]
    pub(crate) exit_grace: std::time::Duration,
    /// Behave as another part of KFP does where they differ: see docs/semantics.md (repeatable, or with commas)
    #[arg(
        long = "compat",
        value_name = "NAME",
        value_delimiter = ',',
        env = "FERROFLOW_COMPAT",
        hide_env_values = true
    )]
    pub(crate) compat: Vec<ferroflow_runtime::Switch>,
}

/// Where tasks run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExecutorKind {
    /// As processes of this machine, whatever their image
    #[default]
    Process,
    /// In containers of their images
    Docker,
    /// Python components of plain Python images as processes, everything else in containers
    Auto,
}

impl ExecutorKind {
    /// As it is said on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Docker => "docker",
            Self::Auto => "auto",
        }
    }
}

/// What an answer of the store promises.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Durability {
    /// Every step is on disk before it counts
    #[default]
    Synced,
    /// A power cut may take the last moments
    Relaxed,
}

/// A run as people name it.
fn parse_run(text: &str) -> Result<ferroflow_model::RunId, String> {
    text.parse().map_err(|_| "give the id of a run, as the page and the API show it".to_owned())
}

/// Does something that waits a lot, on this thread alone.
fn on_one_thread(work: impl Future<Output = anyhow::Result<Outcome>>) -> anyhow::Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(work)
}
