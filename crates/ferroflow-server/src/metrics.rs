//! Figures for Prometheus: what is asked, how long it takes, and how much there is.
//!
//! Calls are counted as they are answered; the rest is read when somebody asks. Names of counters are those of KFP,
//! which carry no `_total`, so the text is written here.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ferroflow_proto::rest::ROUTES;

use crate::Services;
use crate::status::ApiError;

/// Upper ends of the classes of durations, in milliseconds.
const CLASSES_MS: [u64; 12] = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 10_000, 60_000, 300_000];

/// A call of the API, by names that are known before anybody asks.
type Call = (&'static str, &'static str);

/// What was asked so far.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    calls: Mutex<BTreeMap<Call, Tally>>,
}

#[derive(Debug, Default)]
struct Tally {
    classes: [u64; CLASSES_MS.len()],
    count: u64,
    failed: u64,
    seconds: f64,
}

impl Metrics {
    /// Notes an answer. Calls that the protos do not know are left out, so that nobody can make names up.
    pub(crate) fn note(&self, service: &str, rpc: &str, took: Duration, has_failed: bool) {
        let known = ROUTES.iter().find(|route| route.service == service && route.rpc == rpc);
        if let Some(route) = known {
            self.add((route.service, route.rpc), took, has_failed);
        }
    }

    /// Notes an upload, which no proto knows.
    pub(crate) fn note_upload(&self, is_version: bool, took: Duration, has_failed: bool) {
        let rpc = if is_version { "UploadPipelineVersion" } else { "UploadPipeline" };
        self.add(("PipelineUploadService", rpc), took, has_failed);
    }

    fn add(&self, call: Call, took: Duration, has_failed: bool) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let tally = calls.entry(call).or_default();
        tally.count += 1;
        tally.failed += u64::from(has_failed);
        tally.seconds += took.as_secs_f64();
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        for (class, end) in tally.classes.iter_mut().zip(CLASSES_MS) {
            *class += u64::from(millis < end);
        }
    }

    /// The text that Prometheus reads.
    pub(crate) async fn text(&self, services: &Services) -> Result<String, ApiError> {
        let mut text = String::new();
        self.write_calls(&mut text);
        let size = services.store.size().await?;
        let gauges = [
            ("run_server_run_count", "Runs that are stored", size.runs),
            ("pipeline_server_pipeline_count", "Pipelines that are stored", size.pipelines),
            (
                "pipeline_server_pipeline_version_count",
                "Versions of pipelines that are stored",
                size.versions,
            ),
            ("ferroflow_experiments", "Experiments that are stored", size.experiments),
            ("ferroflow_artifacts", "Artifacts that are known", size.artifacts),
            ("ferroflow_cache_entries", "Results that later tasks may take over", size.cache_entries),
            ("ferroflow_unfinished_runs", "Runs that have not ended", size.unfinished_runs),
            ("ferroflow_running_tasks", "Attempts of tasks at work", size.running_attempts),
            ("ferroflow_waiting_tasks", "Attempts of tasks that wait for a slot", size.waiting_attempts),
            ("ferroflow_database_bytes", "Size of the database", size.bytes),
        ];
        for (name, help, value) in gauges {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}");
        }
        write_process(&mut text);
        Ok(text)
    }

    fn write_calls(&self, text: &mut String) {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        for ((service, rpc), tally) in &*calls {
            if let Some(name) = counter(service, rpc) {
                let _ = writeln!(text, "# TYPE {name} counter\n{name} {}", tally.count);
            }
        }
        let name = "ferroflow_call_duration_seconds";
        let _ = writeln!(text, "# HELP {name} Time from a call to its answer\n# TYPE {name} histogram");
        for ((service, rpc), tally) in &*calls {
            let labels = format!("service=\"{service}\",call=\"{rpc}\"");
            for (class, end) in tally.classes.iter().zip(CLASSES_MS) {
                let end = Duration::from_millis(end).as_secs_f64();
                let _ = writeln!(text, "{name}_bucket{{{labels},le=\"{end}\"}} {class}");
            }
            let Tally { count, seconds, .. } = tally;
            let _ = writeln!(text, "{name}_bucket{{{labels},le=\"+Inf\"}} {count}");
            let _ = writeln!(text, "{name}_sum{{{labels}}} {seconds}\n{name}_count{{{labels}}} {count}");
        }
        let name = "ferroflow_failed_calls_total";
        let _ = writeln!(text, "# HELP {name} Calls that were answered with an error\n# TYPE {name} counter");
        for ((service, rpc), tally) in &*calls {
            let _ = writeln!(text, "{name}{{service=\"{service}\",call=\"{rpc}\"}} {}", tally.failed);
        }
    }
}

/// KFP's name of the counter of a call, such as `run_server_create_requests`.
fn counter(service: &str, rpc: &str) -> Option<String> {
    if service == "PipelineUploadService" {
        let part = if rpc.ends_with("Version") { "pipeline_version" } else { "pipeline" };
        return Some(format!("{part}_upload_requests"));
    }
    let (server, thing) = match service {
        "PipelineService" => ("pipeline_server", "Pipeline"),
        "ExperimentService" => ("experiment_server", "Experiment"),
        "RunService" => ("run_server", "Run"),
        "RecurringRunService" => ("job_server", "RecurringRun"),
        _ => return None,
    };
    let (verb, rest) = rpc.split_once(thing)?;
    let of_version = if rest.trim_start_matches('s').starts_with("Version") { "_version" } else { "" };
    let is_plain = matches!(rest, "" | "s" | "Version" | "Versions");
    is_plain.then(|| format!("{server}_{}{of_version}_requests", verb.to_ascii_lowercase()))
}

/// Memory and CPU of this process, where the system tells.
fn write_process(text: &mut String) {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return };
    let resident = status.lines().find_map(|line| {
        let kibibytes = line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?;
        kibibytes.parse::<u64>().ok()
    });
    if let Some(kibibytes) = resident {
        let name = "process_resident_memory_bytes";
        let _ =
            writeln!(text, "# HELP {name} Memory in use\n# TYPE {name} gauge\n{name} {}", kibibytes * 1024);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_have_the_names_of_kfp() {
        let rows = [
            ("PipelineService", "CreatePipeline", Some("pipeline_server_create_requests")),
            ("PipelineService", "ListPipelines", Some("pipeline_server_list_requests")),
            ("PipelineService", "GetPipelineVersion", Some("pipeline_server_get_version_requests")),
            ("PipelineService", "ListPipelineVersions", Some("pipeline_server_list_version_requests")),
            ("PipelineService", "GetPipelineByName", None),
            ("RunService", "TerminateRun", Some("run_server_terminate_requests")),
            ("RecurringRunService", "EnableRecurringRun", Some("job_server_enable_requests")),
            ("ExperimentService", "UnarchiveExperiment", Some("experiment_server_unarchive_requests")),
            ("PipelineUploadService", "UploadPipelineVersion", Some("pipeline_version_upload_requests")),
            ("HealthzService", "GetHealthz", None),
        ];
        for (service, rpc, expected) in rows {
            assert_eq!(counter(service, rpc).as_deref(), expected, "{service}.{rpc}");
        }
    }

    #[test]
    fn made_up_names_are_not_kept() {
        let metrics = Metrics::default();
        metrics.note("RunService", "GetRun", Duration::from_millis(7), true);
        metrics.note("Evil\"} 1", "GetRun", Duration::from_millis(7), false);
        let mut text = String::new();
        metrics.write_calls(&mut text);
        assert!(text.contains("run_server_get_requests 1"), "{text}");
        assert!(
            text.contains("call=\"GetRun\",le=\"0.005\"} 0") && text.contains("le=\"0.01\"} 1"),
            "{text}"
        );
        assert!(!text.contains("Evil"), "{text}");
    }
}
