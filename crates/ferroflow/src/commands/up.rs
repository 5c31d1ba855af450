//! `ferroflow up`: serves the API and the web page of a data directory, and runs what comes in.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use ferroflow_artifacts::{WebFetcher, WebRules};
use ferroflow_executor_local::python::PythonTasks;
use ferroflow_metadata::Metadata;
use ferroflow_runtime::{
    GarbageCollector, GarbageOptions, GarbagePorts, Retention, RetentionOptions, RetentionPorts, Scheduler,
    SchedulerOptions, SchedulerPorts, UnknownZone, Zone, parse_go_duration,
};
use ferroflow_server::{
    BuildInfo, PluginLimits, ServerOptions, ServiceSettings, Services, Tls, check_listen,
    ensure_default_experiment, serve,
};
use tokio::net::TcpListener;

use super::gc::GraceArguments;
use super::{DataArguments, TaskArguments};
use crate::data_folder::{DataFolder, Holder, Lock, LockAttempt};
use crate::exit::{Outcome, UsageError};
use crate::installation::Installation;
use crate::signals::EndRequests;
use crate::wiring::{self, House, Settings};
use crate::{page_key, pinned_tls, printing, samples, tracing_setup};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Address and port to serve on
    #[arg(
        long,
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8080",
        env = "FERROFLOW_LISTEN",
        hide_env_values = true
    )]
    listen: SocketAddr,
    /// Serve on an address that other machines reach, although nobody is asked who they are
    #[arg(long)]
    allow_unauthenticated: bool,
    /// Another name that clients may call this server by (repeatable)
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,
    /// File with the server's certificate in PEM form: speak TLS, and nothing else
    #[arg(
        long,
        value_name = "FILE",
        env = "FERROFLOW_TLS_CERT",
        hide_env_values = true,
        requires = "tls_key"
    )]
    tls_cert: Option<PathBuf>,
    /// File with the private key of the certificate
    #[arg(
        long,
        value_name = "FILE",
        env = "FERROFLOW_TLS_KEY",
        hide_env_values = true,
        requires = "tls_cert"
    )]
    tls_key: Option<PathBuf>,
    /// Seconds that a run stays pending before work on it begins
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = parse_seconds)]
    start_delay: Duration,
    /// Most tasks of one run at once [default: no limit but --parallelism]
    #[arg(long, value_name = "N")]
    run_parallelism: Option<NonZeroUsize>,
    /// Time zone of cron expressions that do not name their own by `CRON_TZ=`
    #[arg(
        long,
        value_name = "ZONE",
        default_value = "UTC",
        env = "CRON_SCHEDULE_TIMEZONE",
        hide_env_values = true,
        value_parser = parse_zone
    )]
    schedule_time_zone: Zone,
    #[command(flatten)]
    service: ServiceArguments,
    #[command(flatten)]
    packages: PackageArguments,
    #[command(flatten)]
    retention: RetentionArguments,
    /// Remove what removed runs have left and nothing refers to, this often, such as `24h` [default: never]
    #[arg(long, value_name = "DURATION", env = "FERROFLOW_GC_INTERVAL", hide_env_values = true, value_parser = parse_duration)]
    gc_interval: Option<Duration>,
    #[command(flatten)]
    grace: GraceArguments,
    #[command(flatten)]
    data: DataArguments,
    #[command(flatten)]
    tasks: TaskArguments,
}

/// What answers show, and what they accept, as KFP's server is set up; the variables are KFP's.
#[derive(Debug, clap::Args)]
struct ServiceArguments {
    /// Pipelines to load at the first start: KFP's sample configuration, a JSON file
    #[arg(long = "sampleconfig", value_name = "FILE")]
    samples: Option<PathBuf>,
    /// Namespace that answers show where a request names none
    #[arg(
        long,
        value_name = "NAME",
        default_value = "kubeflow",
        env = "POD_NAMESPACE",
        hide_env_values = true
    )]
    namespace: String,
    /// Service account that answers show where a request names none
    #[arg(
        long,
        value_name = "NAME",
        default_value = "pipeline-runner",
        env = "DEFAULTPIPELINERUNNERSERVICEACCOUNT",
        hide_env_values = true
    )]
    default_service_account: String,
    /// Most entries of `plugins_input`
    #[arg(long, value_name = "N", default_value = "16", env = "PLUGIN_MAX_KEYS", hide = true)]
    plugin_max_keys: NonZeroUsize,
    /// Most bytes of one entry of it
    #[arg(long, value_name = "N", default_value = "65536", env = "PLUGIN_MAX_PAYLOAD_BYTES", hide = true)]
    plugin_max_payload_bytes: NonZeroUsize,
    /// Most bytes of all
    #[arg(
        long,
        value_name = "N",
        default_value = "262144",
        env = "PLUGIN_MAX_TOTAL_PAYLOAD_BYTES",
        hide = true
    )]
    plugin_max_total_payload_bytes: NonZeroUsize,
    /// Most levels of objects and lists in it
    #[arg(long, value_name = "N", default_value = "10", env = "PLUGIN_MAX_NESTING_DEPTH", hide = true)]
    plugin_max_nesting_depth: NonZeroUsize,
}

impl ServiceArguments {
    fn settings(&self) -> ServiceSettings {
        ServiceSettings {
            namespace: self.namespace.clone(),
            service_account: self.default_service_account.clone(),
            plugins: PluginLimits {
                keys: self.plugin_max_keys.get(),
                entry_bytes: self.plugin_max_payload_bytes.get(),
                total_bytes: self.plugin_max_total_payload_bytes.get(),
                depth: self.plugin_max_nesting_depth.get(),
            },
        }
    }
}

/// How long runs are kept; names, meaning and variables are KFP's.
#[derive(Debug, clap::Args)]
struct RetentionArguments {
    /// Archive runs that ended longer ago, such as `720h` [default: keep them]
    #[arg(
        long = "runs-retention-time",
        value_name = "DURATION",
        default_value = "0",
        env = "RUNS_RETENTION_TIME",
        hide_env_values = true,
        hide_default_value = true,
        value_parser = parse_duration
    )]
    runs: Duration,
    /// Remove runs that have been in the archive longer, such as `2160h` [default: keep them]
    #[arg(
        long = "archived-runs-retention-time",
        value_name = "DURATION",
        default_value = "0",
        env = "ARCHIVED_RUNS_RETENTION_TIME",
        hide_env_values = true,
        hide_default_value = true,
        value_parser = parse_duration
    )]
    archived: Duration,
    /// How often old runs are looked for
    #[arg(
        long = "runs-gc-interval",
        value_name = "DURATION",
        default_value = "6h",
        env = "RUNS_GC_INTERVAL",
        hide_env_values = true,
        value_parser = parse_duration
    )]
    interval: Duration,
    /// How many runs are dealt with at once, 1 to 1000
    #[arg(
        long = "runs-gc-batch-size",
        value_name = "N",
        default_value_t = 100,
        env = "RUNS_GC_BATCH_SIZE",
        hide_env_values = true,
        value_parser = clap::value_parser!(u32).range(1..=1000)
    )]
    batch: u32,
}

impl RetentionArguments {
    fn options(&self) -> RetentionOptions {
        RetentionOptions {
            keep_runs: self.runs,
            keep_archived_runs: self.archived,
            // Nobody wants to look more often, whatever was typed.
            interval: self.interval.max(Duration::from_secs(1)),
            batch: self.batch,
        }
    }
}

/// As Go writes durations: `1h30m`, `90s`, `0`.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let nanos = parse_go_duration(text).and_then(|nanos| u64::try_from(nanos).ok());
    nanos.map(Duration::from_nanos).ok_or_else(|| "write a duration such as `720h` or `1h30m`".to_owned())
}

/// From where pipelines may be imported by URL; the variables are KFP's.
#[derive(Debug, clap::Args)]
struct PackageArguments {
    /// Another host that pipelines may be imported from by URL; `*.example.org` for all below it, `*` for all
    #[arg(
        long = "pipeline-url-host",
        value_name = "HOST",
        env = "PIPELINE_URL_ALLOWED_DOMAINS",
        hide_env_values = true,
        value_delimiter = ','
    )]
    hosts: Vec<String>,
    /// Import pipelines by http too, not only by https
    #[arg(long = "pipeline-url-http", env = "PIPELINE_URL_ALLOW_HTTP", hide_env_values = true)]
    http: bool,
    /// Longest time for fetching a pipeline by URL, in seconds
    #[arg(
        long = "pipeline-url-timeout",
        value_name = "SECONDS",
        default_value = "30",
        env = "PIPELINE_URL_TIMEOUT",
        hide_env_values = true,
        value_parser = parse_seconds
    )]
    timeout: Duration,
    /// Check the URLs that pipelines are imported from; with `false` anything that this machine reaches may be fetched
    #[arg(
        long = "pipeline-url-validation",
        value_name = "BOOL",
        default_value = "true",
        env = "PIPELINE_URL_VALIDATION_ENABLED",
        hide_env_values = true,
        action = clap::ArgAction::Set
    )]
    validation: bool,
}

impl PackageArguments {
    fn rules(&self) -> WebRules {
        WebRules {
            is_off: !self.validation,
            allow_http: self.http,
            hosts: self.hosts.clone(),
            timeout: self.timeout,
        }
    }
}

impl Arguments {
    fn tls(&self) -> anyhow::Result<Option<Tls>> {
        let (Some(certificate), Some(key)) = (&self.tls_cert, &self.tls_key) else { return Ok(None) };
        Ok(Some(Tls::read(certificate, key).context("TLS cannot be served")?))
    }
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    tracing_setup::start()?;
    let options = ServerOptions {
        allow_unauthenticated: arguments.allow_unauthenticated,
        allowed_hosts: arguments.allow_host.clone(),
        tls: arguments.tls()?,
    };
    check_listen(arguments.listen, &options).map_err(|error| UsageError(error.to_string()))?;
    let folder = arguments.data.folder()?;
    folder.create()?;
    let lock = take(&folder)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("ferroflow")
        .build()
        .context("cannot start threads")?;
    runtime.block_on(serve_until_asked(arguments, &folder, lock, options))
}

/// The lock of the data directory, or words about who has it.
fn take(folder: &DataFolder) -> anyhow::Result<Lock> {
    let who = match folder.try_lock()? {
        LockAttempt::Ours(lock) => return Ok(lock),
        LockAttempt::Held(Some(Holder { pid, address: Some(address), .. })) => {
            format!("the server at {address} (process {pid})")
        }
        LockAttempt::Held(Some(Holder { pid, address: None, .. })) => format!("process {pid}"),
        LockAttempt::Held(None) => "another process".to_owned(),
    };
    let path = folder.path().display();
    anyhow::bail!("the data directory `{path}` is in use by {who}: stop it, or give another `--data-dir`")
}

async fn serve_until_asked(
    arguments: &Arguments,
    folder: &DataFolder,
    mut lock: Lock,
    options: ServerOptions,
) -> anyhow::Result<Outcome> {
    let mut end_requests = EndRequests::listen().context("cannot listen to signals")?;
    // The port comes first: if it is taken, nothing has been started yet.
    let listener = TcpListener::bind(arguments.listen)
        .await
        .with_context(|| format!("cannot listen on {}", arguments.listen))?;
    let certificate = options.tls.as_ref().map(|tls| pinned_tls::fingerprint(tls.certificate()));
    let scheme = if options.tls.is_some() { "https" } else { "http" };
    let address = local_address(scheme, listener.local_addr().context("the socket has no address")?);
    let settings = Settings {
        tasks: &arguments.tasks,
        start_delay: arguments.start_delay,
        run_parallelism: arguments.run_parallelism,
    };
    let house = wiring::open(folder, &settings).await?;
    ensure_default_experiment(&*house.store, &*house.clock).await?;
    let scheduler = start_schedules(&house, arguments);
    let _retention = start_retention(&house, arguments.retention.options());
    let _collector = start_collector(&house, arguments);
    let services = services(&house, &scheduler, folder, arguments)?;
    if let Some(config) = &arguments.service.samples {
        samples::load(&services, config, folder.path()).await?;
    }
    lock.announce(&address, certificate).context("cannot write the lock file")?;
    // Whoever started the server need not read what it says.
    let _ = printing::line(&format!("ready: {address} (data in {})", folder.path().display()));
    let served = serve(listener, services, options, async { end_requests.next().await }).await;
    scheduler.stop();
    house.close().await;
    served?;
    Ok(Outcome::Success)
}

/// Only a server makes the runs of schedules: `ferroflow run` ends with its own run.
fn start_schedules(house: &House, arguments: &Arguments) -> Arc<Scheduler> {
    let ports = SchedulerPorts {
        store: house.store.clone(),
        clock: house.clock.clone(),
        runtime: house.runtime.clone(),
    };
    let options = SchedulerOptions {
        zone: arguments.schedule_time_zone.clone(),
        service_account: arguments.service.default_service_account.clone(),
    };
    Scheduler::start(ports, options)
}

/// `None` if runs are kept for ever.
fn start_retention(house: &House, options: RetentionOptions) -> Option<Retention> {
    let ports = RetentionPorts {
        old: house.store.clone(),
        store: house.store.clone(),
        runs: house.runtime.clone(),
        clock: house.clock.clone(),
    };
    options.is_on().then(|| Retention::start(ports, options))
}

/// `None` if nobody asked for it.
fn start_collector(house: &House, arguments: &Arguments) -> Option<GarbageCollector> {
    let interval = arguments.gc_interval?.max(Duration::from_secs(1));
    let ports = GarbagePorts { garbage: house.store.clone(), artifacts: house.artifacts.clone() };
    let options = GarbageOptions {
        grace: arguments.grace.gc_grace,
        cache_max_age: arguments.tasks.cache_max_age,
        // Asked for by hand only.
        own_roots: Vec::new(),
        dry_run: false,
    };
    Some(GarbageCollector::start(ports, Arc::clone(&house.clock), options, interval))
}

fn services(
    house: &House,
    scheduler: &Arc<Scheduler>,
    folder: &DataFolder,
    arguments: &Arguments,
) -> anyhow::Result<Services> {
    let system = Installation {
        folder: folder.clone(),
        python: PythonTasks::new(folder.path(), wiring::python_options(&arguments.tasks)?),
        slots: house.slots,
        executor: arguments.tasks.executor,
    };
    Ok(Services {
        metadata: Metadata::new(house.store.clone(), Arc::clone(&house.clock)),
        store: house.store.clone(),
        artifacts: house.artifacts.clone(),
        packages: Arc::new(WebFetcher::new(arguments.packages.rules())),
        runs: house.runtime.clone(),
        schedules: scheduler.clone(),
        executor: house.executor.clone(),
        clock: house.clock.clone(),
        system: Arc::new(system),
        page_tokens: page_key::load(folder.path())?,
        settings: Arc::new(arguments.service.settings()),
        build: BuildInfo {
            commit_sha: option_env!("FERROFLOW_COMMIT").unwrap_or("unknown").to_owned(),
            tag_name: env!("CARGO_PKG_VERSION").to_owned(),
        },
    })
}

/// How programs on this machine reach a server that listens here.
fn local_address(scheme: &str, listen: SocketAddr) -> String {
    if listen.ip().is_unspecified() {
        let loopback = if listen.is_ipv4() { "127.0.0.1" } else { "[::1]" };
        return format!("{scheme}://{loopback}:{}", listen.port());
    }
    format!("{scheme}://{listen}")
}

/// Nothing is UTC, as it is for KFP.
fn parse_zone(text: &str) -> Result<Zone, UnknownZone> {
    if text.is_empty() { Ok(Zone::UTC) } else { Zone::named(text) }
}

pub(super) fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.trim_end_matches('s').parse().map_err(|_| "give a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_one_that_this_machine_reaches() {
        for (listen, expected) in [
            ("127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("0.0.0.0:80", "http://127.0.0.1:80"),
            ("[::]:80", "http://[::1]:80"),
            ("[::1]:80", "http://[::1]:80"),
        ] {
            assert_eq!(local_address("http", listen.parse().unwrap()), expected);
        }
    }

    #[test]
    fn seconds_have_fractions_and_no_sign() {
        assert_eq!(parse_seconds("1.5"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse_seconds("2s"), Ok(Duration::from_secs(2)));
        assert!(parse_seconds("-1").is_err() && parse_seconds("soon").is_err());
    }
}
