//! Attempts of containers: queued, admitted, ended, and perhaps tried again.

use std::sync::Arc;
use std::time::Duration;

use ferroflow_model::record::{ArtifactRecord, AttemptPhases, Failure};
use ferroflow_model::{Artifact, TaskPath, TaskStatus};
use ferroflow_spec::ir::RetryPolicy;
use ferroflow_spec::number::normalise;
use serde_json::Value;

use super::Machine;
use crate::event::{AttemptOutcome, CacheableResult, Command, ProducedArtifact, ProducedOutputs};
use crate::fault::EngineFault;
use crate::semantics::Switch;
use crate::state::{Index, Place, Stage};

/// Attempts that may be lost in a row before the task counts as failed: it may be what kills its supervisor.
const MOST_LOSSES: u32 = 10;

impl Machine<'_> {
    /// Queues the next attempt.
    pub(super) fn start_attempt(&mut self, index: Index) -> Result<(), EngineFault> {
        let now = self.now;
        let node = self.state.node_mut(index)?;
        node.attempt += 1;
        node.stage = Stage::Slot;
        node.attempt_is_new = true;
        let phases =
            AttemptPhases { created: Some(node.created_at), ready: Some(now), ..AttemptPhases::default() };
        node.phases = Some(Box::new(phases));
        node.set_status(TaskStatus::Pending, now);
        self.out.push(Command::StartAttempt { id: self.state.attempt_id(index)? });
        Ok(())
    }

    pub(super) fn attempt_admitted(&mut self, task: &TaskPath, attempt: u32) -> Result<(), EngineFault> {
        let Some(index) = self.state.find(task) else { return Ok(()) };
        let now = self.now;
        let node = self.state.node(index)?;
        if node.attempt != attempt || node.stage != Stage::Slot {
            return Ok(());
        }
        let node = self.state.node_mut(index)?;
        node.stage = Stage::Attempt;
        node.attempt_is_new = true;
        node.started_at.get_or_insert(now);
        if let Some(phases) = &mut node.phases {
            phases.admitted = Some(now);
        }
        node.set_status(TaskStatus::Running, now);
        Ok(())
    }

    pub(super) fn attempt_ended(
        &mut self,
        task: &TaskPath,
        attempt: u32,
        outcome: &AttemptOutcome,
        phases: &AttemptPhases,
    ) -> Result<(), EngineFault> {
        let Some(index) = self.state.find(task) else { return Ok(()) };
        let node = self.state.node(index)?;
        if node.attempt != attempt || !node.stage.has_attempt() {
            return Ok(());
        }
        self.note_phases(index, phases)?;
        match outcome {
            AttemptOutcome::Succeeded { outputs } => self.succeed(index, outputs),
            AttemptOutcome::Failed { error } => self.fail(index, error),
            AttemptOutcome::Stopped => self.stopped(index),
            AttemptOutcome::Lost { reason } => self.lost(index, reason),
        }
    }

    fn note_phases(&mut self, index: Index, reported: &AttemptPhases) -> Result<(), EngineFault> {
        let now = self.now;
        let node = self.state.node_mut(index)?;
        node.started_at.get_or_insert_with(|| reported.started.unwrap_or(now));
        let phases = node.phases.get_or_insert_default();
        phases.started = reported.started.or(phases.started);
        phases.installed = reported.installed;
        phases.user_code_finished = reported.user_code_finished;
        phases.uploaded = reported.uploaded;
        phases.finished = Some(reported.finished.unwrap_or(now));
        Ok(())
    }

    /// Notes the final row of the newest attempt.
    pub(super) fn close_attempt(
        &mut self,
        index: Index,
        status: TaskStatus,
        error: Option<Failure>,
    ) -> Result<(), EngineFault> {
        self.state.node_mut(index)?.attempt_is_new = false;
        let record = self.state.attempt_record(index, status, error);
        self.state.unseen.attempts.extend(record);
        // They are in the row now, and nobody asks again.
        self.state.node_mut(index)?.phases = None;
        Ok(())
    }

    fn succeed(&mut self, index: Index, produced: &ProducedOutputs) -> Result<(), EngineFault> {
        if self.state.semantics.has(Switch::NullOutputsFail)
            && let Some((name, _)) = produced.parameters.iter().find(|(_, value)| value.is_null())
        {
            return self.fail(index, &Failure::new(format!("it gave null as output `{name}`")));
        }
        let parameters = produced.parameters.iter();
        let parameters =
            parameters.map(|(name, value)| (name.clone(), Arc::new(normalise(value.clone())))).collect();
        self.state.node_mut(index)?.outputs.parameters = parameters;
        for (name, list) in &produced.artifacts {
            self.state.node_mut(index)?.outputs.artifacts.insert(name.clone(), Vec::new());
            for made in list {
                let artifact = self.artifact(index, name, made)?;
                self.add_artifact(index, name.clone(), Arc::new(artifact))?;
            }
        }
        self.link_outputs(index)?;
        let node = self.state.node(index)?;
        if let Some(key) = node.cache.as_deref().cloned() {
            let (execution_id, created_at, outputs) = (node.id, self.now, node.outputs.clone());
            self.state.unseen.cacheable.push(CacheableResult { key, execution_id, created_at, outputs });
        }
        self.close_attempt(index, TaskStatus::Succeeded, None)?;
        self.end(index, TaskStatus::Succeeded, None)
    }

    fn artifact(
        &mut self,
        index: Index,
        name: &str,
        made: &ProducedArtifact,
    ) -> Result<Artifact, EngineFault> {
        let component = self.state.plan.component(self.state.node(index)?.component)?;
        let declared = component.output_artifacts.get(name).map(|output| &output.artifact_type);
        let mut artifact_type = declared.cloned().unwrap_or_default();
        if let Some(title) = &made.schema_title
            && *title != artifact_type.schema_title
        {
            artifact_type.schema_title.clone_from(title);
            artifact_type.instance_schema.clear();
        }
        let mut metadata = made.metadata.clone();
        // Upstream's launcher adds this one, and user code downstream may read it.
        metadata.entry("display_name").or_insert_with(|| Value::from(name));
        Ok(Artifact {
            id: self.state.artifact_id(self.ids),
            schema_title: artifact_type.schema_title,
            schema_version: artifact_type.schema_version,
            instance_schema: artifact_type.instance_schema,
            uri: made.uri.clone(),
            metadata,
            custom_path: made.custom_path.clone(),
        })
    }

    /// Adds an artifact to what a task has made.
    pub(super) fn add_artifact(
        &mut self,
        index: Index,
        name: String,
        artifact: Arc<Artifact>,
    ) -> Result<(), EngineFault> {
        self.state.unseen.artifacts.push(ArtifactRecord {
            artifact: Arc::clone(&artifact),
            name: name.clone(),
            created_at: self.now,
            run_id: self.state.identity.id,
        });
        self.state.node_mut(index)?.outputs.artifacts.entry(name).or_default().push(artifact);
        Ok(())
    }

    fn fail(&mut self, index: Index, error: &Failure) -> Result<(), EngineFault> {
        if self.state.is_called_off(index) {
            self.close_attempt(index, TaskStatus::Failed, Some(error.clone()))?;
            return self.end(index, TaskStatus::Canceled, Some(error.clone()));
        }
        self.close_attempt(index, TaskStatus::Failed, Some(error.clone()))?;
        let node = self.state.node_mut(index)?;
        node.failures += 1;
        node.losses = 0;
        let failures = node.failures;
        let Some(wait) = self.retry_policy(index)?.and_then(|policy| wait_before_retry(policy, failures))
        else {
            return self.end(index, TaskStatus::Failed, Some(error.clone()));
        };
        if wait.is_zero() {
            return self.start_attempt(index);
        }
        let at = self.now.plus(wait);
        let now = self.now;
        let node = self.state.node_mut(index)?;
        node.stage = Stage::Backoff(at);
        node.set_status(TaskStatus::Pending, now);
        self.state.timers.add(at, index);
        Ok(())
    }

    fn stopped(&mut self, index: Index) -> Result<(), EngineFault> {
        if self.state.is_called_off(index) {
            self.close_attempt(index, TaskStatus::Canceled, None)?;
            self.end(index, TaskStatus::Canceled, None)
        } else {
            self.fail(index, &Failure::new("it was stopped, though nobody asked for that"))
        }
    }

    /// Nobody saw how it ended: it runs again, whatever the retry policy says.
    fn lost(&mut self, index: Index, reason: &str) -> Result<(), EngineFault> {
        let losses = self.state.node(index)?.losses + 1;
        if losses > MOST_LOSSES {
            let message = format!("{reason}, for the {losses}th time in a row");
            return self.fail(index, &Failure::new(message));
        }
        self.close_attempt(index, TaskStatus::Canceled, Some(Failure::new(reason)))?;
        if self.state.is_called_off(index) {
            return self.end(index, TaskStatus::Canceled, None);
        }
        self.state.node_mut(index)?.losses = losses;
        self.start_attempt(index)
    }

    /// The policy of the task, or of the nearest group around it that has one.
    fn retry_policy(&self, index: Index) -> Result<Option<&RetryPolicy>, EngineFault> {
        let mut node = self.state.node(index)?;
        loop {
            if let Some(policy) = self.state.task_plan(node).and_then(|plan| plan.task.retry.as_ref()) {
                return Ok(Some(policy));
            }
            if node.place == Place::Root {
                return Ok(None);
            }
            node = self.state.node(node.parent)?;
        }
    }
}

/// How long to wait after this many failures (at least 1); `None` to give up. The wait starts at the first back-off,
/// grows by the factor, and is capped.
fn wait_before_retry(policy: &RetryPolicy, failures: u32) -> Option<Duration> {
    if failures > policy.max_retry_count {
        return None;
    }
    if policy.backoff_seconds <= 0.0 {
        // Nothing grows to nothing, also where the growth has no end.
        return Some(Duration::ZERO);
    }
    let growth = policy.backoff_factor.max(1.0).powi(i32::try_from(failures - 1).unwrap_or(i32::MAX));
    let mut seconds = policy.backoff_seconds * growth;
    if policy.backoff_max_seconds > 0.0 {
        seconds = seconds.min(policy.backoff_max_seconds);
    }
    // A year is as good as any longer wait, and keeps the arithmetic of times safe.
    Some(Duration::from_secs_f64(seconds.min(31_536_000.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(max: u32, first: f64, factor: f64, cap: f64, expected: &[Option<f64>]) {
        let policy = RetryPolicy {
            max_retry_count: max,
            backoff_seconds: first,
            backoff_factor: factor,
            backoff_max_seconds: cap,
        };
        let waits = (1..).map(|failures| wait_before_retry(&policy, failures).map(|wait| wait.as_secs_f64()));
        assert_eq!(waits.take(expected.len()).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn waits_grow_up_to_the_cap() {
        check(3, 10.0, 2.0, 15.0, &[Some(10.0), Some(15.0), Some(15.0), None]);
        check(2, 0.25, 1.5, 3600.0, &[Some(0.25), Some(0.375), None]);
        check(2, 0.0, 2.0, 3600.0, &[Some(0.0), Some(0.0), None]);
        check(u32::MAX, 0.0, 2.0, 3600.0, &vec![Some(0.0); 2000]);
        check(1, 1.0, 0.0, 0.0, &[Some(1.0), None]);
        check(0, 10.0, 2.0, 15.0, &[None]);
    }
}
