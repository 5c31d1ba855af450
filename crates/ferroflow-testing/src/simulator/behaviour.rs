//! What tasks do, as a function of the seed and their path: the same however often and in what order they run.

use std::collections::HashMap;
use std::sync::Arc;

use ferroflow_engine::{AttemptOutcome, CacheHit, ProducedArtifact, ProducedOutputs, TaskAttempt};
use ferroflow_model::record::Failure;
use ferroflow_model::{Artifact, ArtifactId, ExecutionId, Outputs, TaskPath};
use ferroflow_spec::ir::Component;
use serde_json::{Map, Value, json};

use super::generator::Case;
use super::interpreter::{Behaviour, Script, Values};
use crate::random::{Random, hash};

/// Numbers of artifacts of earlier runs, which stand in the cache.
pub(super) const CACHED_ARTIFACTS: i64 = 1_000_000_000;

/// How often the task fails before it succeeds.
pub(super) fn failures(seed: u64, path: &TaskPath, failing_percent: u32) -> u32 {
    let mut random = Random::new(hash(seed ^ 0xfa11, path.as_str()));
    if !random.chance(failing_percent) {
        return 0;
    }
    random.pick(&[1, 1, 1, 2, 2, 3, 5, 9]).copied().unwrap_or(1)
}

/// A failure for people.
pub(super) fn failed() -> AttemptOutcome {
    AttemptOutcome::Failed { error: Failure { exit_code: Some(3), ..Failure::new("exit code 3") } }
}

/// What the task makes when it succeeds.
pub(super) fn outputs(seed: u64, attempt: &TaskAttempt) -> ProducedOutputs {
    let (parameters, artifacts) = (attempt.output_parameters.keys(), attempt.output_artifacts.keys());
    let Values { parameters, artifacts } = makes(seed, &attempt.id.path, parameters, artifacts);
    let artifact = |uri| ProducedArtifact { uri, ..ProducedArtifact::default() };
    let artifacts = artifacts.into_iter();
    ProducedOutputs {
        parameters: parameters.into_iter().collect(),
        artifacts: artifacts.map(|(name, uris)| (name, uris.into_iter().map(artifact).collect())).collect(),
    }
}

fn makes<'n>(
    seed: u64,
    path: &TaskPath,
    parameters: impl Iterator<Item = &'n String>,
    artifacts: impl Iterator<Item = &'n String>,
) -> Values {
    Values {
        parameters: parameters
            .filter_map(|name| Some((name.clone(), parameter(seed, path, name)?)))
            .collect(),
        artifacts: artifacts.map(|name| (name.clone(), vec![artifact_uri(path, name)])).collect(),
    }
}

fn artifact_uri(path: &TaskPath, name: &str) -> String {
    format!("mem://{path}/{name}")
}

/// `n` is a number, `l` a list of numbers, `z` a number, null or missing.
fn parameter(seed: u64, path: &TaskPath, name: &str) -> Option<Value> {
    let mut random = Random::new(hash(seed ^ 0x0a11, path.as_str()) ^ hash(1, name));
    match name {
        "l" => {
            let length = random.below(4);
            Some((0..length).map(|_| random.below(4)).collect())
        }
        "z" => match random.below(3) {
            0 => None,
            1 => Some(Value::Null),
            _ => Some(json!(random.below(4))),
        },
        // Some user code writes integers with a point.
        _ if random.chance(20) => Some(json!(f64::from(random.below(4)))),
        _ => Some(json!(random.below(4))),
    }
}

/// What the store finds for a task: nothing, all its outputs, or all but one.
pub(super) fn cached(seed: u64, path: &TaskPath, component: &Component) -> Option<CacheHit> {
    let mut random = Random::new(hash(seed ^ 0xcac4e, path.as_str()));
    let roll = random.below(3);
    if roll == 0 {
        return None;
    }
    let mut outputs = Outputs::default();
    for name in component.output_parameters.keys() {
        let value = parameter(seed ^ 1, path, name).unwrap_or(Value::Null);
        outputs.parameters.insert(name.clone(), Arc::new(ferroflow_spec::number::normalise(value)));
    }
    for name in component.output_artifacts.keys() {
        let artifact = Artifact {
            id: ArtifactId(CACHED_ARTIFACTS + i64::from(random.below(1000))),
            schema_title: "system.Dataset".to_owned(),
            schema_version: "0.0.1".to_owned(),
            instance_schema: String::new(),
            uri: format!("cached://{path}/{name}"),
            metadata: Map::new(),
            custom_path: None,
        };
        outputs.artifacts.insert(name.clone(), vec![Arc::new(artifact)]);
    }
    if roll == 1 && outputs.artifacts.pop_last().is_none() {
        outputs.parameters.pop_last();
    }
    Some(CacheHit { execution_id: ExecutionId(CACHED_ARTIFACTS), outputs })
}

/// Whether what was found is all that the component promises.
pub(super) fn is_whole(hit: &CacheHit, component: &Component) -> bool {
    component.output_parameters.keys().all(|name| hit.outputs.parameters.contains_key(name))
        && component.output_artifacts.keys().all(|name| hit.outputs.artifacts.contains_key(name))
}

/// What containers do, as the interpreter is told of it.
pub(super) struct Table<'a> {
    pub(super) case: &'a Case,
    /// How often tasks failed before, when a client has the run run again.
    pub(super) failed: &'a HashMap<TaskPath, u32>,
}

impl Script for Table<'_> {
    fn behaviour(&self, path: &str, component: &Component) -> Behaviour {
        let Case { seed, circumstances, .. } = self.case;
        let path = TaskPath::new(path);
        let failures = failures(*seed, &path, circumstances.failing_percent);
        let hit = cached(*seed, &path, component).filter(|hit| is_whole(hit, component));
        let (parameters, artifacts) = (component.output_parameters.keys(), component.output_artifacts.keys());
        Behaviour {
            failures: failures.saturating_sub(self.failed.get(&path).copied().unwrap_or_default()),
            makes: makes(*seed, &path, parameters, artifacts),
            earlier: hit.filter(|_| circumstances.caching).map(|hit| plain(&hit.outputs)),
        }
    }
}

/// Parameters and URIs alone.
pub(super) fn plain(values: &Outputs) -> Values {
    let parameters = values.parameters.iter();
    let uris = |list: &Vec<Arc<Artifact>>| list.iter().map(|artifact| artifact.uri.clone()).collect();
    Values {
        parameters: parameters.map(|(name, value)| (name.clone(), Value::clone(value))).collect(),
        artifacts: values.artifacts.iter().map(|(name, list)| (name.clone(), uris(list))).collect(),
    }
}
