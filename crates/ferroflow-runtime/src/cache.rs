//! Whether an earlier result may be taken over: it must be young enough, and what it refers to must still be there.

use std::sync::Arc;
use std::time::Duration;

use ferroflow_engine::{CacheHit, Switch};
use ferroflow_model::{Artifact, RunId, TaskPath, Timestamp};
use ferroflow_ports::ArtifactStore;
use ferroflow_ports::store::KeptResult;

use crate::options::{RuntimeOptions, RuntimePorts};
use crate::perform::{Call, Done};

/// What the cache says to a question.
pub(crate) enum Answer {
    Nothing,
    Hit(CacheHit),
    /// There is a result, but it will not do, for this reason.
    Refused(String),
}

/// A question to the cache, with all that is needed to ask it.
pub(crate) struct Question {
    pub(crate) pipeline: Arc<str>,
    pub(crate) run: RunId,
    pub(crate) task: TaskPath,
    pub(crate) fingerprint: String,
    /// What importers have brought in is not ours to verify, and does not age.
    pub(crate) is_import: bool,
}

/// Asks the store. A cache that cannot be read is a cache without the result.
pub(crate) fn look_up(
    ports: &RuntimePorts,
    options: &RuntimeOptions,
    now: Timestamp,
    question: Question,
) -> Call {
    let (store, artifacts) = (Arc::clone(&ports.store), Arc::clone(&ports.artifacts));
    let most = options.cache_max_age.filter(|_| !question.is_import);
    let is_verified = !question.is_import && !options.semantics.has(Switch::UnverifiedHits);
    Box::pin(async move {
        let Question { pipeline, run, task, fingerprint, .. } = question;
        let answer = match store.find_cached(&pipeline, &fingerprint).await {
            Ok(None) => Answer::Nothing,
            Ok(Some(found)) => match refusal(&found, now, most, is_verified.then_some(&*artifacts)).await {
                None => Answer::Hit(found.hit),
                Some(reason) => Answer::Refused(reason),
            },
            Err(error) => {
                tracing::warn!(%run, %task, %error, "cannot look into the cache");
                Answer::Nothing
            }
        };
        Done::CacheAnswered { run, task, answer }
    })
}

async fn refusal(
    found: &KeptResult,
    now: Timestamp,
    most: Option<Duration>,
    artifacts: Option<&dyn ArtifactStore>,
) -> Option<String> {
    if let Some(most) = most
        && now.since(found.created_at) > most
    {
        return Some(format!("the earlier result is older than {} s", most.as_secs_f64()));
    }
    let artifacts = artifacts?;
    for uri in &found.contents {
        if !is_there(artifacts, uri).await {
            return Some(format!("the artifact `{uri}` of the earlier result is gone"));
        }
    }
    None
}

/// A store that cannot tell is given the benefit of the doubt: whoever needs the content will say that it is missing.
async fn is_there(artifacts: &dyn ArtifactStore, uri: &str) -> bool {
    match artifacts.local_path(uri) {
        Some(path) => tokio::fs::try_exists(path).await.unwrap_or(true),
        None => artifacts.list(uri).await.map_or(true, |objects| !objects.is_empty()),
    }
}

/// URIs of the artifacts among these that have content. Metrics are all metadata, and other artifacts may be.
pub(crate) fn contents<'a>(
    artifacts: &dyn ArtifactStore,
    outputs: impl Iterator<Item = &'a Arc<Artifact>>,
) -> Vec<String> {
    let has_content = |artifact: &&Arc<Artifact>| match artifacts.local_path(&artifact.uri) {
        Some(path) => path.exists(),
        None => !artifact.schema_title.ends_with("Metrics"),
    };
    outputs.filter(has_content).map(|artifact| artifact.uri.clone()).collect()
}
