//! Removes what removed runs have left: bytes of artifacts that nothing refers to, and folders of runs that nobody knows.
//!
//! First noticed, removed a grace time later, so that whoever is about to refer to something does so in time. Bytes go
//! before their row: after a crash in between they are removed once more, which does no harm.

use std::sync::Arc;
use std::time::Duration;

use ferroflow_model::{RunId, Timestamp};
use ferroflow_ports::garbage::{Garbage, GarbageStore};
use ferroflow_ports::{ArtifactStore, Clock, PortError};
use tokio::task::JoinHandle;

/// What a collection stands on.
#[derive(Clone)]
pub struct GarbagePorts {
    /// Finds what nothing refers to.
    pub garbage: Arc<dyn GarbageStore>,
    /// Has the bytes.
    pub artifacts: Arc<dyn ArtifactStore>,
}

/// What to collect.
#[derive(Debug, Clone)]
pub struct GarbageOptions {
    /// Time between noticing and removing.
    pub grace: Duration,
    /// Cached results that are older are forgotten; `None` keeps them, and what they name, for ever.
    pub cache_max_age: Option<Duration>,
    /// Roots in stores elsewhere that nobody else uses: folders of unknown runs are looked for there, too.
    pub own_roots: Vec<String>,
    /// Only tell.
    pub dry_run: bool,
}

/// What a collection has come to, or would.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    /// Artifacts that were removed.
    pub removed: Vec<Garbage>,
    /// Artifacts that will be, after their grace.
    pub waiting: Vec<Garbage>,
    /// Folders of unknown runs that were removed.
    pub orphans: Vec<String>,
    /// What could not be removed, and why; it is tried again the next time.
    pub problems: Vec<String>,
}

/// Collects again and again until it is dropped.
pub struct GarbageCollector(JoinHandle<()>);

impl GarbageCollector {
    /// Begins with a collection at once. Must be called inside a tokio runtime with timers.
    pub fn start(
        ports: GarbagePorts,
        clock: Arc<dyn Clock>,
        options: GarbageOptions,
        interval: Duration,
    ) -> Self {
        Self(tokio::spawn(async move {
            loop {
                match collect(&ports, &options, clock.now()).await {
                    Ok(Collected { removed, orphans, problems, .. }) => {
                        tracing::info!(
                            artifacts = removed.len(),
                            folders = orphans.len(),
                            "garbage collected"
                        );
                        for problem in problems {
                            tracing::warn!("garbage that cannot be removed: {problem}");
                        }
                    }
                    Err(error) => tracing::warn!(%error, "garbage cannot be collected"),
                }
                tokio::time::sleep(interval).await;
            }
        }))
    }
}

impl Drop for GarbageCollector {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Collects once.
pub async fn collect(
    ports: &GarbagePorts,
    options: &GarbageOptions,
    now: Timestamp,
) -> Result<Collected, PortError> {
    let found = if options.dry_run {
        ports.garbage.look_for_garbage(now, options.cache_max_age).await?
    } else {
        ports.garbage.notice_garbage(now, options.cache_max_age).await?
    };
    let mut collected = Collected::default();
    for garbage in found {
        if now.since(garbage.noticed_at) < options.grace {
            collected.waiting.push(garbage);
        } else if options.dry_run {
            collected.removed.push(garbage);
        } else {
            match remove(ports, &garbage).await {
                Ok(()) => collected.removed.push(garbage),
                Err(error) => collected.problems.push(format!("`{}`: {error}", garbage.uri)),
            }
        }
    }
    let mut folders = ports.artifacts.folders_of_runs(None, now, options.grace).await?;
    for root in &options.own_roots {
        folders.extend(ports.artifacts.folders_of_runs(Some(root), now, options.grace).await?);
    }
    for (run, uri) in folders {
        if !ports.garbage.unknown_runs(&[run]).await?.is_empty() {
            let removed = if options.dry_run { Ok(()) } else { ports.artifacts.delete(&uri).await };
            match removed {
                Ok(()) => collected.orphans.push(uri),
                Err(error) => collected.problems.push(format!("`{uri}`: {error}")),
            }
        }
    }
    Ok(collected)
}

async fn remove(ports: &GarbagePorts, garbage: &Garbage) -> Result<(), PortError> {
    // Other places, such as what an importer has noted, belong to somebody else.
    if is_of_run(&garbage.uri, garbage.run) {
        ports.artifacts.delete(&garbage.uri).await?;
    }
    ports.garbage.forget_garbage(garbage.id).await
}

/// Whether a run has made the place: then its id is a step of the way there, with more behind it.
fn is_of_run(uri: &str, run: RunId) -> bool {
    let run = run.to_string();
    let mut steps = uri.split('/').skip_while(|step| *step != run).skip(1);
    steps.any(|step| !step.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_runs() {
        let run = RunId(uuid::Uuid::from_u128(7));
        for (uri, expected) in [
            (format!("/data/p/{run}/t/out"), true),
            (format!("s3://b/p/{run}/t/out"), true),
            (format!("s3://b/p/{run}"), false),
            (format!("s3://b/p/{run}/"), false),
            ("/data/imported".to_owned(), false),
            ("s3://b/x".to_owned(), false),
        ] {
            assert_eq!(is_of_run(&uri, run), expected, "{uri}");
        }
    }
}
