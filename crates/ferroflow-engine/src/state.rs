//! All that is known of a run at one moment.
//!
//! Task instances stand in one list; the children of a group stand side by side in it, in the order of the plan, so
//! that a parent needs two numbers to find them and a child one. Nothing is ever removed: a retry opens it again.

use std::collections::BTreeMap;
use std::sync::Arc;

use ferroflow_model::record::{
    ArtifactLink, ArtifactRecord, AttemptPhases, AttemptRecord, CacheRecord, Failure, StateChange,
};
use ferroflow_model::{
    Artifact, ArtifactId, AttemptId, ExecutionId, Inputs, Outputs, RunStatus, TaskKind, TaskPath, TaskStatus,
    Timestamp,
};
use ferroflow_spec::ir::TriggerStrategy;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::event::{
    CacheHit, CacheableResult, DeclaredArtifact, IdBlock, RunChange, RunIdentity, RunSettings, TaskAttempt,
};
use crate::fault::EngineFault;
use crate::plan::{Body, ComponentPlan, Plan, TaskPlan};
use crate::semantics::{Semantics, Switch};
use crate::task_config::{self, Settings};
use crate::timer::Timers;

/// Place of a task instance in the list.
pub(crate) type Index = u32;

/// The root's place.
pub(crate) const ROOT: Index = 0;

/// State of one run: see the crate's text.
#[derive(Debug)]
pub struct RunState {
    pub(crate) plan: Arc<Plan>,
    pub(crate) identity: Arc<RunIdentity>,
    pub(crate) arguments: Map<String, Value>,
    pub(crate) caching: bool,
    pub(crate) status: RunStatus,
    pub(crate) semantics: Semantics,
    /// When work began, the last time: the deadline of the run counts from here.
    pub(crate) began_at: Option<Timestamp>,
    /// When the run began to be ended from outside.
    pub(crate) terminated_at: Option<Timestamp>,
    /// Whether that was by its deadline, not by a client.
    pub(crate) is_overdue: bool,
    /// Whether exit tasks are not waited for (any more).
    pub(crate) is_hard_stop: bool,
    /// Numbers that are left of the newest block.
    pub(crate) ids: IdBlock,
    pub(crate) nodes: Vec<Node>,
    /// When tasks that wait for their next attempt are due; follows from the nodes.
    pub(crate) timers: Timers,
    pub(crate) unseen: Unseen,
}

/// What has changed since the last look.
#[derive(Debug, Default)]
pub(crate) struct Unseen {
    pub(crate) run: Option<RunChange>,
    /// Each at most once: see [`Node::is_listed`].
    pub(crate) nodes: Vec<Index>,
    /// Attempts that have ended.
    pub(crate) attempts: Vec<AttemptRecord>,
    pub(crate) artifacts: Vec<ArtifactRecord>,
    pub(crate) links: Vec<ArtifactLink>,
    pub(crate) cacheable: Vec<CacheableResult>,
}

/// A task instance.
#[derive(Debug, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
pub(crate) struct Node {
    pub(crate) id: ExecutionId,
    /// The group that holds it; the root's is itself.
    pub(crate) parent: Index,
    pub(crate) component: u32,
    pub(crate) place: Place,
    pub(crate) kind: TaskKind,
    pub(crate) status: TaskStatus,
    pub(crate) stage: Stage,
    /// Upstream tasks that have not ended.
    pub(crate) waiting: u32,
    /// Whether an upstream task ended without success.
    pub(crate) is_blocked: bool,
    /// Whether a client wants it done again, so that no earlier result will do.
    #[serde(default)]
    pub(crate) is_redone: bool,
    pub(crate) group: Group,
    /// Number of the newest attempt, 0 if none.
    pub(crate) attempt: u32,
    /// Failed attempts that the retry policy counts.
    pub(crate) failures: u32,
    /// Attempts lost with whoever watched them, one after the other.
    pub(crate) losses: u32,
    pub(crate) created_at: Timestamp,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) history: Vec<StateChange<TaskStatus>>,
    pub(crate) inputs: Inputs,
    pub(crate) outputs: Outputs,
    pub(crate) error: Option<Failure>,
    pub(crate) cache: Option<Box<CacheRecord>>,
    pub(crate) cached_from: Option<ExecutionId>,
    /// Of the live attempt.
    pub(crate) phases: Option<Box<AttemptPhases>>,
    #[serde(skip)]
    pub(crate) is_listed: bool,
    /// Whether the live attempt has changed since the last look.
    #[serde(skip)]
    pub(crate) attempt_is_new: bool,
}

/// Where a task instance stands in the pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Place {
    Root,
    /// A task of the group that holds it.
    Task(u32),
    /// A pass of the loop that holds it.
    Iteration(u32),
    /// Nowhere: the task has moved to another place in the list.
    Gone,
}

/// Children of a group.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) first: Index,
    pub(crate) count: u32,
    /// Passes of an earlier time behind them, which the loop has no items for now.
    #[serde(default)]
    pub(crate) spare: u32,
    /// Children that have not ended.
    pub(crate) open: u32,
    /// Loops: the next pass to look at.
    pub(crate) next: u32,
    /// Loops: passes under way.
    pub(crate) running: u32,
    /// The first child that failed.
    pub(crate) failed: Option<Index>,
    pub(crate) has_canceled: bool,
    /// Whether its children were made (there may be none).
    pub(crate) is_made: bool,
    /// Whether its children are those of an earlier time: it is to begin again.
    #[serde(default)]
    pub(crate) is_stale: bool,
}

impl Group {
    pub(crate) fn children(self) -> std::ops::Range<Index> {
        self.first..self.first + self.count
    }
}

/// What a task instance waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// Upstream tasks, or (a pass of a loop) its turn.
    Upstream,
    /// The answer of the store.
    Cache,
    /// A slot.
    Slot,
    /// The end of its attempt.
    Attempt,
    /// The time of its next attempt.
    Backoff(Timestamp),
    /// The end of its children.
    Children,
    /// Nothing: it has ended.
    Nothing,
}

impl Stage {
    /// Whether there is an attempt that has not ended.
    pub(crate) fn has_attempt(self) -> bool {
        matches!(self, Self::Slot | Self::Attempt)
    }
}

impl RunState {
    /// A run of which nothing has happened yet.
    pub fn new(plan: Arc<Plan>, settings: &RunSettings) -> Self {
        Self {
            plan,
            identity: Arc::new(settings.identity.clone()),
            arguments: settings.arguments.clone(),
            caching: settings.caching,
            status: RunStatus::Pending,
            semantics: settings.semantics.clone(),
            began_at: None,
            terminated_at: None,
            is_overdue: false,
            is_hard_stop: false,
            ids: settings.ids,
            nodes: Vec::new(),
            timers: Timers::default(),
            unseen: Unseen::default(),
        }
    }

    /// The run's state.
    pub fn status(&self) -> RunStatus {
        self.status
    }

    /// What tasks may know of their run.
    pub fn identity(&self) -> &RunIdentity {
        &self.identity
    }

    /// Whether exit tasks of a run that is ended from outside still have time.
    pub fn waits_for_exit_tasks(&self) -> bool {
        self.status == RunStatus::Canceling && !self.is_hard_stop && !self.root_has_ended()
    }

    /// Whether the task brings in an artifact.
    pub fn is_importer(&self, task: &TaskPath) -> bool {
        let node = self.find(task).and_then(|index| self.nodes.get(index as usize));
        node.is_some_and(|node| node.kind == TaskKind::Importer)
    }

    /// What was kept under a key since the last look at changes.
    pub fn unseen_result(&self, fingerprint: &str) -> Option<CacheHit> {
        let found = self.unseen.cacheable.iter().find(|result| result.key.fingerprint == fingerprint)?;
        Some(CacheHit { execution_id: found.execution_id, outputs: found.outputs.clone() })
    }

    /// Number of task instances so far, groups included.
    pub fn task_count(&self) -> usize {
        self.nodes.len()
    }

    /// When [`crate::RunEvent::TimeReached`] is due; `None` if no time matters now.
    pub fn next_wake(&self) -> Option<Timestamp> {
        let retry = self.timers.next();
        retry.into_iter().chain(self.next_stop()).min()
    }

    /// When the run is next brought nearer to its end.
    fn next_stop(&self) -> Option<Timestamp> {
        match self.status {
            RunStatus::Running => self.deadline(),
            RunStatus::Canceling if self.root_has_ended() => self.earliest_end(),
            RunStatus::Canceling if !self.is_hard_stop => self.hard_stop_at(),
            _ => None,
        }
    }

    /// When the run must have ended by itself.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        Some(self.began_at?.plus(self.plan.deadline?))
    }

    /// When exit tasks are stopped too.
    pub(crate) fn hard_stop_at(&self) -> Option<Timestamp> {
        self.terminated_at.map(|at| at.plus(self.semantics.exit_grace))
    }

    /// When a run that a client wanted to end may have ended.
    pub(crate) fn earliest_end(&self) -> Option<Timestamp> {
        self.terminated_at.filter(|_| !self.is_overdue).map(crate::machine::earliest_end)
    }

    /// Why the run is ended from outside, if it is.
    pub(crate) fn reason_of_end(&self) -> Option<Failure> {
        self.terminated_at?;
        let seconds = self.plan.deadline.map_or(0.0, |deadline| deadline.as_secs_f64());
        Some(Failure::new(if self.is_overdue {
            format!("the run was not done within its deadline of {seconds} s (activeDeadlineSeconds)")
        } else {
            "the run was terminated on request".to_owned()
        }))
    }

    /// Whether a failure of this task is one of the group around it.
    pub(crate) fn counts_for_group(&self, node: &Node) -> bool {
        let is_exit_task = |plan: &TaskPlan| plan.task.trigger == TriggerStrategy::AllCompleted;
        !(self.semantics.has(Switch::ExitFailuresPass)
            && matches!(node.place, Place::Task(_))
            && self.task_plan(node).is_some_and(is_exit_task))
    }

    /// Whether the task runs, or is within something that runs, whatever became of the tasks before it.
    pub(crate) fn is_in_exit_task(&self, index: Index) -> bool {
        let mut node = self.nodes.get(index as usize);
        while let Some(at) = node {
            let is_exit_task = matches!(at.place, Place::Task(_))
                && self.task_plan(at).is_some_and(|plan| plan.task.trigger == TriggerStrategy::AllCompleted);
            if is_exit_task {
                return true;
            }
            if matches!(at.place, Place::Root | Place::Gone) {
                return false;
            }
            node = self.nodes.get(at.parent as usize);
        }
        false
    }

    /// Whether the run is being ended and the task is not to go on.
    pub(crate) fn is_called_off(&self, index: Index) -> bool {
        self.status == RunStatus::Canceling && (self.is_hard_stop || !self.is_in_exit_task(index))
    }

    /// Everything needed to start an attempt; `None` unless it is the live attempt of its task.
    pub fn attempt(&self, id: &AttemptId) -> Option<TaskAttempt> {
        let index = self.find(&id.path)?;
        let node = self.nodes.get(index as usize)?;
        if id.run != self.identity.id || node.attempt != id.attempt || !node.stage.has_attempt() {
            return None;
        }
        let component = self.plan.component(node.component).ok()?;
        let Body::Container(container) = &component.body else { return None };
        let declared = component.output_artifacts.iter().map(|(name, output)| {
            let declared = DeclaredArtifact {
                artifact_type: output.artifact_type.clone(),
                metadata: output.metadata.clone(),
                is_list: output.is_list,
            };
            (name.clone(), declared)
        });
        let mut inputs = self.as_user_code_reads(with_defaults(&node.inputs, component));
        let settings = Settings {
            container: Arc::clone(&container.container),
            // Was found to have a value before the task began.
            kubernetes: crate::inputs::kubernetes(self, index).ok()?.ok()?,
        };
        let settings = task_config::hand_over(component, settings, &mut inputs.parameters);
        let task_name = self.task_plan(node).map_or_else(String::new, |task| task.name.clone());
        Some(TaskAttempt {
            id: id.clone(),
            execution_id: node.id,
            task_root: format!("{}/{task_name}/{}", self.identity.root, id.outputs_id()),
            task_name,
            run: Arc::clone(&self.identity),
            container: settings.container,
            kubernetes: settings.kubernetes,
            inputs: Arc::new(inputs),
            output_parameters: component.output_parameters.clone(),
            output_artifacts: declared.collect(),
            timeout: container.timeout,
        })
    }

    fn as_user_code_reads(&self, mut inputs: Inputs) -> Inputs {
        if self.semantics.has(Switch::WrappedMetadata) {
            for artifact in inputs.artifacts.values_mut().flatten() {
                let metadata = crate::metadata::round_trip(&artifact.metadata);
                *artifact = Arc::new(Artifact { metadata, ..Artifact::clone(artifact) });
            }
        }
        inputs
    }

    /// The plan of a node's task: for passes of loops that of the loop, none for the root.
    pub(crate) fn task_plan(&self, node: &Node) -> Option<&TaskPlan> {
        match node.place {
            Place::Root | Place::Gone => None,
            Place::Task(task) => {
                let parent = self.nodes.get(node.parent as usize)?;
                self.plan.task(parent.component, task).ok()
            }
            Place::Iteration(_) => self.task_plan(self.nodes.get(node.parent as usize)?),
        }
    }

    pub(crate) fn node(&self, index: Index) -> Result<&Node, EngineFault> {
        self.nodes.get(index as usize).ok_or(EngineFault::Inconsistent("a task is missing"))
    }

    /// A node that is about to change.
    pub(crate) fn node_mut(&mut self, index: Index) -> Result<&mut Node, EngineFault> {
        let node =
            self.nodes.get_mut(index as usize).ok_or(EngineFault::Inconsistent("a task is missing"))?;
        if !node.is_listed {
            node.is_listed = true;
            self.unseen.nodes.push(index);
        }
        Ok(node)
    }

    pub(crate) fn root_has_ended(&self) -> bool {
        self.nodes.first().is_none_or(|root| root.status.is_terminal())
    }

    /// The node at a path.
    pub(crate) fn find(&self, path: &TaskPath) -> Option<Index> {
        let mut at = ROOT;
        for segment in path.segments() {
            let node = self.nodes.get(at as usize)?;
            let child = if node.kind == TaskKind::Loop {
                segment.parse().ok()?
            } else {
                self.plan.dag(node.component).ok()?.position(segment)?
            };
            if child >= node.group.count {
                return None;
            }
            at = node.group.first + child;
        }
        (!self.nodes.is_empty()).then_some(at)
    }

    /// The path of a node.
    pub(crate) fn path(&self, index: Index) -> TaskPath {
        let mut segments: Vec<std::borrow::Cow<'_, str>> = Vec::new();
        let mut at = index;
        while let Some(node) = self.nodes.get(at as usize) {
            match node.place {
                Place::Root | Place::Gone => break,
                Place::Iteration(number) => segments.push(number.to_string().into()),
                Place::Task(_) => segments.extend(self.task_plan(node).map(|task| task.name.as_str().into())),
            }
            at = node.parent;
        }
        segments.reverse();
        TaskPath::new(segments.join("/"))
    }

    pub(crate) fn attempt_id(&self, index: Index) -> Result<AttemptId, EngineFault> {
        Ok(AttemptId { run: self.identity.id, path: self.path(index), attempt: self.node(index)?.attempt })
    }

    pub(crate) fn artifact_id(&mut self, ids: &mut dyn crate::event::IdSource) -> ArtifactId {
        ArtifactId(self.next_id(ids))
    }

    pub(crate) fn execution_id(&mut self, ids: &mut dyn crate::event::IdSource) -> ExecutionId {
        ExecutionId(self.next_id(ids))
    }

    fn next_id(&mut self, ids: &mut dyn crate::event::IdSource) -> i64 {
        if self.ids.count <= 0 {
            self.ids = ids.next_block();
        }
        let id = self.ids.first;
        self.ids = IdBlock { first: id + 1, count: self.ids.count - 1 };
        id
    }
}

/// Inputs with the component's defaults in place of what is missing.
fn with_defaults(inputs: &Inputs, component: &ComponentPlan) -> Inputs {
    let mut inputs = inputs.clone();
    for (name, input) in &component.input_parameters {
        if let Some(default) = &input.default_value
            && !inputs.parameters.contains_key(name)
        {
            inputs.parameters.insert(name.clone(), Arc::new(default.clone()));
        }
    }
    inputs
}

impl Node {
    pub(crate) fn new(
        id: ExecutionId,
        parent: Index,
        component: u32,
        place: Place,
        kind: TaskKind,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            parent,
            component,
            place,
            kind,
            status: TaskStatus::Pending,
            stage: Stage::Upstream,
            waiting: 0,
            is_blocked: false,
            is_redone: false,
            group: Group::default(),
            attempt: 0,
            failures: 0,
            losses: 0,
            created_at: now,
            started_at: None,
            ended_at: None,
            history: vec![StateChange { at: now, state: TaskStatus::Pending }],
            inputs: Inputs { parameters: BTreeMap::new(), artifacts: BTreeMap::new() },
            outputs: Outputs::default(),
            error: None,
            cache: None,
            cached_from: None,
            phases: None,
            is_listed: false,
            attempt_is_new: false,
        }
    }

    /// Changes the status and notes when.
    pub(crate) fn set_status(&mut self, status: TaskStatus, now: Timestamp) {
        if self.status != status {
            self.status = status;
            self.history.push(StateChange { at: now, state: status });
        }
    }
}
