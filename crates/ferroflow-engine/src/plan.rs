//! The pipeline as the machine walks it: names have become indexes, and each task knows who waits for it.
//!
//! Made once for a run; holds nothing that changes.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::BuildHasherDefault;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ferroflow_spec::ir::{
    ArtifactSource, Component, ComponentBody, ContainerSpec, Dag, Executor, ImporterSpec, InputArtifact,
    InputParameter, OutputArtifact, OutputSelector, ParameterOutput, ParameterSource, ParameterType,
    Passthrough, PipelineSpec, Task,
};
use serde_json::Value;

use crate::cache::KeyFrame;
use crate::condition::Condition;
use crate::fault::EngineFault;

/// A pipeline in index form.
#[derive(Debug)]
pub struct Plan {
    components: Vec<ComponentPlan>,
    /// Longest time the run may take.
    pub(crate) deadline: Option<Duration>,
}

/// Index of the root among the components.
pub(crate) const ROOT: u32 = 0;

#[derive(Debug)]
pub(crate) struct ComponentPlan {
    /// Key in the pipeline, empty for the root.
    pub(crate) name: String,
    pub(crate) input_parameters: BTreeMap<String, InputParameter>,
    pub(crate) input_artifacts: BTreeMap<String, InputArtifact>,
    pub(crate) output_parameters: BTreeMap<String, ParameterType>,
    pub(crate) output_artifacts: BTreeMap<String, OutputArtifact>,
    pub(crate) passthroughs: Vec<Passthrough>,
    pub(crate) body: Body,
}

#[derive(Debug)]
pub(crate) enum Body {
    Dag(DagPlan),
    Container(ContainerPlan),
    Importer(ImporterSpec),
}

#[derive(Debug)]
pub(crate) struct ContainerPlan {
    pub(crate) container: Arc<ContainerSpec>,
    pub(crate) kubernetes: Arc<Value>,
    pub(crate) timeout: Option<Duration>,
    /// What is the same in all cache keys of the component; made with the first of them.
    pub(crate) key_frame: OnceLock<KeyFrame>,
}

#[derive(Debug)]
pub(crate) struct DagPlan {
    /// In order of name.
    pub(crate) tasks: Vec<TaskPlan>,
    positions: Positions,
    pub(crate) output_parameters: Vec<(String, Vec<Selector>)>,
    pub(crate) output_artifacts: Vec<(String, Vec<Selector>)>,
}

#[derive(Debug)]
pub(crate) struct TaskPlan {
    pub(crate) name: String,
    pub(crate) task: Task,
    pub(crate) condition: Condition,
    pub(crate) component: u32,
    /// Tasks of the same DAG that must end first.
    pub(crate) upstream: Vec<u32>,
    /// Tasks of the same DAG that wait for this one.
    pub(crate) downstream: Vec<u32>,
}

/// An output of a task of the same DAG.
#[derive(Debug)]
pub(crate) struct Selector {
    pub(crate) task: u32,
    pub(crate) output: String,
}

impl Plan {
    /// From a checked pipeline. A fault if it was not checked.
    pub fn new(spec: Arc<PipelineSpec>) -> Result<Self, EngineFault> {
        let spec = Arc::unwrap_or_clone(spec);
        let deadline = deadline(&spec.pipeline_config);
        // The root comes first: see `ROOT`.
        let index: BTreeMap<String, u32> = spec.components.keys().cloned().zip(1..).collect();
        let mut executors: BTreeMap<String, Executors> = BTreeMap::new();
        for (label, executor) in spec.executors {
            let kubernetes = spec.kubernetes.get(&label).cloned().unwrap_or(Value::Null);
            executors.insert(label, Executors::new(executor, kubernetes));
        }
        let all = std::iter::once((String::new(), spec.root)).chain(spec.components);
        let components: Result<Vec<_>, _> =
            all.map(|(name, component)| component_plan(name, component, &index, &executors)).collect();
        Ok(Self { components: components?, deadline })
    }

    pub(crate) fn component(&self, index: u32) -> Result<&ComponentPlan, EngineFault> {
        self.components.get(index as usize).ok_or(EngineFault::Inconsistent("a component is missing"))
    }

    /// Whether an output parameter of this group is collected over a loop within it.
    pub(crate) fn collects(&self, component: u32, output: &str) -> Result<bool, EngineFault> {
        let mut left = vec![(component, output)];
        while let Some((component, output)) = left.pop() {
            let Body::Dag(dag) = &self.component(component)?.body else { continue };
            let selectors = dag.output_parameters.iter().filter(|(name, _)| name == output);
            for selector in selectors.flat_map(|(_, selectors)| selectors) {
                let task = self.task(component, selector.task)?;
                if task.task.iterator.is_some() {
                    return Ok(true);
                }
                left.push((task.component, &selector.output));
            }
        }
        Ok(false)
    }

    pub(crate) fn dag(&self, component: u32) -> Result<&DagPlan, EngineFault> {
        match &self.component(component)?.body {
            Body::Dag(dag) => Ok(dag),
            _ => Err(EngineFault::Inconsistent("a group has no tasks")),
        }
    }

    /// A task of the DAG of `component`.
    pub(crate) fn task(&self, component: u32, task: u32) -> Result<&TaskPlan, EngineFault> {
        let task = self.dag(component)?.tasks.get(task as usize);
        task.ok_or(EngineFault::Inconsistent("a task is missing in its group"))
    }
}

/// Where tasks stand, by name. Each event names its task, and a search in a long list misses the caches at each step.
type Positions = HashMap<String, u32, BuildHasherDefault<DefaultHasher>>;

impl DagPlan {
    /// Whether any of its tasks is given the group's own input of this name.
    pub(crate) fn reads(&self, input: &str) -> bool {
        self.tasks.iter().any(|task| {
            let parameters = task.task.parameters.values();
            parameters
                .map(|parameter| &parameter.source)
                .any(|source| matches!(source, ParameterSource::ComponentInput(name) if name == input))
                || task
                    .task
                    .artifacts
                    .values()
                    .any(|source| matches!(source, ArtifactSource::ComponentInput(name) if name == input))
        })
    }

    pub(crate) fn position(&self, name: &str) -> Option<u32> {
        self.positions.get(name).copied()
    }
}

/// An executor shared by the components that name it.
enum Executors {
    Container(Arc<ContainerSpec>, Arc<Value>, Option<Duration>),
    Importer(ImporterSpec),
}

impl Executors {
    fn new(executor: Executor, kubernetes: Value) -> Self {
        match executor {
            Executor::Importer(importer) => Self::Importer(importer),
            Executor::Container(container) => {
                let timeout = deadline(&kubernetes);
                Self::Container(Arc::new(container), Arc::new(kubernetes), timeout)
            }
        }
    }

    fn body(&self) -> Body {
        match self {
            Self::Importer(importer) => Body::Importer(importer.clone()),
            Self::Container(container, kubernetes, timeout) => Body::Container(ContainerPlan {
                container: Arc::clone(container),
                kubernetes: Arc::clone(kubernetes),
                timeout: *timeout,
                key_frame: OnceLock::new(),
            }),
        }
    }
}

/// `activeDeadlineSeconds` of the settings of a task or of the pipeline: a number, or its digits as proto JSON writes int64.
fn deadline(settings: &Value) -> Option<Duration> {
    let field = settings.get("activeDeadlineSeconds").or_else(|| settings.get("active_deadline_seconds"))?;
    let seconds = field.as_u64().or_else(|| field.as_str()?.parse().ok())?;
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

fn component_plan(
    name: String,
    component: Component,
    index: &BTreeMap<String, u32>,
    executors: &BTreeMap<String, Executors>,
) -> Result<ComponentPlan, EngineFault> {
    let Component {
        input_parameters,
        input_artifacts,
        output_parameters,
        output_artifacts,
        passthroughs,
        body,
    } = component;
    let body = match body {
        ComponentBody::Dag(dag) => Body::Dag(dag_plan(dag, index)?),
        ComponentBody::Executor(label) => {
            let found = executors.get(&label).map(Executors::body);
            found.ok_or(EngineFault::Dangling { what: "the executor", name: label })?
        }
    };
    Ok(ComponentPlan {
        name,
        input_parameters,
        input_artifacts,
        output_parameters,
        output_artifacts,
        passthroughs,
        body,
    })
}

fn dag_plan(dag: Dag, index: &BTreeMap<String, u32>) -> Result<DagPlan, EngineFault> {
    let positions: Positions = dag.tasks.keys().cloned().zip(0..).collect();
    let find = |name: &str| {
        let found = positions.get(name).copied();
        found.ok_or_else(|| EngineFault::Dangling { what: "the task", name: name.to_owned() })
    };
    let mut tasks = Vec::with_capacity(positions.len());
    for (name, mut task) in dag.tasks {
        let component = index.get(&task.component).copied();
        let component = component
            .ok_or_else(|| EngineFault::Dangling { what: "the component", name: task.component.clone() })?;
        let upstream: Result<BTreeSet<u32>, _> = upstream_names(&task).map(find).collect();
        let upstream = upstream?.into_iter().collect();
        let condition = Condition::new(std::mem::take(&mut task.condition));
        tasks.push(TaskPlan { name, task, condition, component, upstream, downstream: Vec::new() });
    }
    let edges: Vec<(u32, u32)> = (0..)
        .zip(&tasks)
        .flat_map(|(at, task): (u32, &TaskPlan)| task.upstream.iter().map(move |upstream| (*upstream, at)))
        .collect();
    for (upstream, at) in edges {
        if let Some(task) = tasks.get_mut(upstream as usize) {
            task.downstream.push(at);
        }
    }
    let selector = |from: OutputSelector| Ok(Selector { task: find(&from.task)?, output: from.output });
    let selectors =
        |from: Vec<OutputSelector>| from.into_iter().map(selector).collect::<Result<Vec<_>, EngineFault>>();
    let parameter = |(name, output)| {
        let from = match output {
            ParameterOutput::From(selector) => vec![selector],
            ParameterOutput::OneOf(selectors) => selectors,
        };
        Ok((name, selectors(from)?))
    };
    let output_parameters: Result<Vec<_>, EngineFault> =
        dag.output_parameters.into_iter().map(parameter).collect();
    let artifact = |(name, from)| Ok((name, selectors(from)?));
    let output_artifacts: Result<Vec<_>, EngineFault> =
        dag.output_artifacts.into_iter().map(artifact).collect();
    let (output_parameters, output_artifacts) = (output_parameters?, output_artifacts?);
    Ok(DagPlan { tasks, positions, output_parameters, output_artifacts })
}

/// Names of all tasks that must end before this one, explicit or implied.
fn upstream_names(task: &Task) -> impl Iterator<Item = &str> {
    let parameters = task.parameters.values().filter_map(|input| match &input.source {
        ParameterSource::TaskOutput(selector) => Some(selector.task.as_str()),
        ParameterSource::TaskFinalStatus(task) => Some(task.as_str()),
        ParameterSource::ComponentInput(_) | ParameterSource::Constant(_) => None,
    });
    let artifacts = task.artifacts.values().filter_map(|source| match source {
        ArtifactSource::TaskOutput(selector) => Some(selector.task.as_str()),
        ArtifactSource::ComponentInput(_) => None,
    });
    task.dependencies
        .iter()
        .map(String::as_str)
        .chain(parameters)
        .chain(artifacts)
        .filter(|name| !name.is_empty())
}
