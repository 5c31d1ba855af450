//! Pipelines for tests, written as they read:
//!
//! ```
//! use ferroflow_testing::pipeline::{of, pipeline, task, value};
//!
//! let load = task("load").takes("year", value(2024)).gives("rows");
//! let train = task("train").takes("rows", of("load", "rows")).retries(2, 10.0);
//! let spec = pipeline([load, train]).spec();
//! assert_eq!(spec.root_tasks(), 2);
//! # trait Tasks { fn root_tasks(&self) -> usize; }
//! # impl Tasks for ferroflow_spec::ir::PipelineSpec {
//! #     fn root_tasks(&self) -> usize {
//! #         match &self.root.body { ferroflow_spec::ir::ComponentBody::Dag(dag) => dag.tasks.len(), _ => 0 }
//! #     }
//! # }
//! ```
//!
//! What is declared about an input (`typed`, `or`, `optional`, `allowing`, `picking`) is about the one named last.
//! Nothing is checked here: a pipeline that no compiler would write can be built too.

mod text;

use std::collections::BTreeMap;

use ferroflow_spec::ir::{
    ArtifactSource, ArtifactType, Component, ComponentBody, ContainerSpec, Dag, Executor, ImportUri,
    ImporterSpec, InputArtifact, InputParameter, Iterator as LoopOver, LoopItems, OutputArtifact,
    OutputSelector, ParameterInput, ParameterOutput, ParameterSource, ParameterType, PipelineSpec,
    RetryPolicy, Task, TriggerStrategy,
};
use serde_json::{Map, Value};

/// Where a task's input comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// Output of a task beside it.
    Output(OutputSelector),
    /// Input of the group that holds it.
    Input(String),
    /// A constant.
    Value(Value),
    /// How a task beside it ended.
    Status(String),
}

/// Output `output` of the task `task` in the same group.
pub fn of(task: &str, output: &str) -> Source {
    Source::Output(OutputSelector { task: task.to_owned(), output: output.to_owned() })
}

/// The input of this name of the group (or pipeline) around the task.
pub fn input(name: &str) -> Source {
    Source::Input(name.to_owned())
}

/// A constant.
pub fn value(value: impl Into<Value>) -> Source {
    Source::Value(value.into())
}

/// How the task beside this one ended.
pub fn status(task: &str) -> Source {
    Source::Status(task.to_owned())
}

/// A pipeline being written.
#[derive(Debug, Clone)]
pub struct Pipeline(Step);

/// A task of a pipeline being written: a container, an importer, a group or a loop.
#[derive(Debug, Clone)]
pub struct Step {
    name: String,
    task: Task,
    component: Component,
    body: Body,
    /// Name of the input that was mentioned last.
    last: String,
}

#[derive(Debug, Clone)]
enum Body {
    /// With its Kubernetes settings.
    Container(ContainerSpec, Value),
    Importer(ImporterSpec),
    Group(Vec<Step>, Dag),
}

/// A pipeline of these tasks.
pub fn pipeline(steps: impl IntoIterator<Item = Step>) -> Pipeline {
    Pipeline(group("", steps))
}

/// A container task. Its only argument is its name, see [`Step::runs`].
pub fn task(name: &str) -> Step {
    let container = ContainerSpec {
        image: "image".to_owned(),
        command: vec!["run".to_owned()],
        args: vec![name.to_owned()],
        ..ContainerSpec::default()
    };
    Step::new(name, Body::Container(container, Value::Null))
}

/// A group of tasks: a sub-pipeline, a condition, an exit handler.
pub fn group(name: &str, steps: impl IntoIterator<Item = Step>) -> Step {
    Step::new(name, Body::Group(steps.into_iter().collect(), Dag::default()))
}

/// A loop over a constant list; the tasks in it see the present one as input `item`.
pub fn each(name: &str, item: &str, items: &Value, steps: impl IntoIterator<Item = Step>) -> Step {
    let items = LoopItems::Raw(items.to_string());
    group(name, steps).looping(LoopOver::Parameter { items, item_input: item.to_owned() })
}

/// A loop over its own input `list`.
pub fn each_of(name: &str, item: &str, list: &str, steps: impl IntoIterator<Item = Step>) -> Step {
    let items = LoopItems::Input(list.to_owned());
    group(name, steps).looping(LoopOver::Parameter { items, item_input: item.to_owned() })
}

/// A loop over its own input artifacts `list`.
pub fn each_artifact(name: &str, item: &str, list: &str, steps: impl IntoIterator<Item = Step>) -> Step {
    group(name, steps).looping(LoopOver::Artifact { input: list.to_owned(), item_input: item.to_owned() })
}

/// An importer of a constant URI; its output is `artifact`.
pub fn importer(name: &str, uri: &str) -> Step {
    imports(name, ImportUri::Constant(uri.to_owned()))
}

/// An importer of the URI in its own input `uri`; its output is `artifact`.
pub fn importer_of_input(name: &str) -> Step {
    imports(name, ImportUri::Input("uri".to_owned()))
}

fn imports(name: &str, uri: ImportUri) -> Step {
    let importer = ImporterSpec {
        uri,
        artifact_type: dataset(),
        reimport: true,
        metadata: Map::new(),
        download_to_workspace: false,
    };
    Step::new(name, Body::Importer(importer)).makes("artifact")
}

fn dataset() -> ArtifactType {
    ArtifactType {
        schema_title: "system.Dataset".to_owned(),
        schema_version: "0.0.1".to_owned(),
        ..ArtifactType::default()
    }
}

impl Step {
    fn new(name: &str, body: Body) -> Self {
        let component = Component {
            input_parameters: BTreeMap::new(),
            input_artifacts: BTreeMap::new(),
            output_parameters: BTreeMap::new(),
            output_artifacts: BTreeMap::new(),
            passthroughs: Vec::new(),
            body: ComponentBody::Executor(String::new()),
        };
        let task = Task {
            display_name: String::new(),
            component: String::new(),
            parameters: BTreeMap::new(),
            artifacts: BTreeMap::new(),
            dependencies: Vec::new(),
            caching: ferroflow_spec::ir::Caching::default(),
            condition: String::new(),
            trigger: TriggerStrategy::AllSucceeded,
            iterator: None,
            parallelism_limit: 0,
            retry: None,
        };
        Self { name: name.to_owned(), task, component, body, last: String::new() }
    }

    fn looping(mut self, iterator: LoopOver) -> Self {
        self.task.iterator = Some(iterator);
        self
    }

    /// Its key in the group.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Waits for another task without taking anything from it.
    #[must_use]
    pub fn after(mut self, task: &str) -> Self {
        self.task.dependencies.push(task.to_owned());
        self
    }

    /// Takes a parameter: required and of any type, unless said otherwise.
    #[must_use]
    pub fn takes(self, name: &str, source: Source) -> Self {
        self.declares(name).passes(name, source)
    }

    /// Has an input parameter that is given nothing.
    #[must_use]
    pub fn declares(mut self, name: &str) -> Self {
        name.clone_into(&mut self.last);
        let declared = InputParameter {
            parameter_type: ParameterType::Unspecified,
            default_value: None,
            is_optional: false,
            literals: Vec::new(),
        };
        self.component.input_parameters.insert(name.to_owned(), declared);
        self
    }

    /// Is given a parameter that its component does not have, as texts that refer to others are.
    #[must_use]
    pub fn passes(mut self, name: &str, source: Source) -> Self {
        name.clone_into(&mut self.last);
        let source = match source {
            Source::Output(selector) => ParameterSource::TaskOutput(selector),
            Source::Input(name) => ParameterSource::ComponentInput(name),
            Source::Value(value) => ParameterSource::Constant(value),
            Source::Status(task) => ParameterSource::TaskFinalStatus(task),
        };
        let input = ParameterInput { source, selector: String::new() };
        self.task.parameters.insert(name.to_owned(), input);
        self
    }

    fn with_last(mut self, change: impl FnOnce(&mut InputParameter)) -> Self {
        if let Some(input) = self.component.input_parameters.get_mut(&self.last) {
            change(input);
        }
        self
    }

    /// The last input has this type.
    #[must_use]
    pub fn typed(self, parameter_type: ParameterType) -> Self {
        self.with_last(|input| input.parameter_type = parameter_type)
    }

    /// The last input has this default; as the compiler does, it is optional then.
    #[must_use]
    pub fn or(self, default: impl Into<Value>) -> Self {
        self.optional().with_last(|input| input.default_value = Some(default.into()))
    }

    /// The last input takes these values only.
    #[must_use]
    pub fn allowing(self, literals: impl IntoIterator<Item = Value>) -> Self {
        self.with_last(|input| input.literals = literals.into_iter().collect())
    }

    /// The last input may be missing.
    #[must_use]
    pub fn optional(mut self) -> Self {
        if let Some(artifact) = self.component.input_artifacts.get_mut(&self.last) {
            artifact.is_optional = true;
        }
        self.with_last(|input| input.is_optional = true)
    }

    /// The last input is only the field `key` of what it is given.
    #[must_use]
    pub fn picking(mut self, key: &str) -> Self {
        if let Some(input) = self.task.parameters.get_mut(&self.last) {
            input.selector = format!("parseJson(string_value)[{}]", Value::from(key));
        }
        self
    }

    /// Takes an artifact (constants and states are no artifacts).
    #[must_use]
    pub fn uses(mut self, name: &str, source: Source) -> Self {
        name.clone_into(&mut self.last);
        let declared = InputArtifact { artifact_type: dataset(), is_list: false, is_optional: false };
        self.component.input_artifacts.insert(name.to_owned(), declared);
        let source = match source {
            Source::Output(selector) => ArtifactSource::TaskOutput(selector),
            Source::Input(name) => ArtifactSource::ComponentInput(name),
            Source::Value(_) | Source::Status(_) => return self,
        };
        self.task.artifacts.insert(name.to_owned(), source);
        self
    }

    /// Has an output parameter.
    #[must_use]
    pub fn gives(mut self, name: &str) -> Self {
        self.component.output_parameters.insert(name.to_owned(), ParameterType::Unspecified);
        self
    }

    /// Has an output artifact.
    #[must_use]
    pub fn makes(mut self, name: &str) -> Self {
        let output = OutputArtifact { artifact_type: dataset(), is_list: false, metadata: Map::new() };
        self.component.output_artifacts.insert(name.to_owned(), output);
        self
    }

    /// The output parameter `name` of this group is what a task in it gives. Said twice: of the first that ran.
    #[must_use]
    pub fn returns(mut self, name: &str, task: &str, output: &str) -> Self {
        let selector = OutputSelector { task: task.to_owned(), output: output.to_owned() };
        if let Body::Group(_, dag) = &mut self.body {
            let merged = match dag.output_parameters.remove(name) {
                None => ParameterOutput::From(selector),
                Some(ParameterOutput::From(first)) => ParameterOutput::OneOf(vec![first, selector]),
                Some(ParameterOutput::OneOf(mut selectors)) => {
                    selectors.push(selector);
                    ParameterOutput::OneOf(selectors)
                }
            };
            dag.output_parameters.insert(name.to_owned(), merged);
        }
        self.gives(name)
    }

    /// As [`Self::returns`] for artifacts.
    #[must_use]
    pub fn returns_artifact(mut self, name: &str, task: &str, output: &str) -> Self {
        let selector = OutputSelector { task: task.to_owned(), output: output.to_owned() };
        if let Body::Group(_, dag) = &mut self.body {
            dag.output_artifacts.entry(name.to_owned()).or_default().push(selector);
        }
        self.makes(name)
    }

    /// Runs only if this CEL expression is true; `@` stands for `inputs.parameter_values`.
    #[must_use]
    pub fn when(mut self, condition: &str) -> Self {
        self.task.condition = condition.replace('@', "inputs.parameter_values");
        self
    }

    /// Runs however the tasks before it ended.
    #[must_use]
    pub fn always(mut self) -> Self {
        self.task.trigger = TriggerStrategy::AllCompleted;
        self
    }

    /// Whether it runs however the tasks before it ended.
    pub fn is_always(&self) -> bool {
        self.task.trigger == TriggerStrategy::AllCompleted
    }

    /// Whether an input of it comes from a task beside it.
    pub fn takes_outputs(&self) -> bool {
        self.task.parameters.values().any(is_of_task)
            || self.task.artifacts.values().any(|source| matches!(source, ArtifactSource::TaskOutput(_)))
    }

    /// Without the inputs that come from tasks beside it.
    #[must_use]
    pub fn without_outputs(mut self) -> Self {
        let Self { task, component, .. } = &mut self;
        task.parameters.retain(|name, input| {
            let stays = !is_of_task(input);
            if !stays {
                component.input_parameters.remove(name);
            }
            stays
        });
        task.artifacts.retain(|name, source| {
            let stays = !matches!(source, ArtifactSource::TaskOutput(_));
            if !stays {
                component.input_artifacts.remove(name);
            }
            stays
        });
        self
    }

    /// Is tried again after failures, the first time after so many seconds, then after twice as long.
    #[must_use]
    pub fn retries(mut self, count: u32, seconds: f64) -> Self {
        self.task.retry = Some(RetryPolicy {
            max_retry_count: count,
            backoff_seconds: seconds,
            backoff_factor: 2.0,
            backoff_max_seconds: 3600.0,
        });
        self
    }

    /// May take over earlier results.
    #[must_use]
    pub fn caches(mut self) -> Self {
        self.task.caching.enabled = true;
        self
    }

    /// May take over earlier results found under this key.
    #[must_use]
    pub fn caches_as(mut self, key: &str) -> Self {
        key.clone_into(&mut self.task.caching.key);
        self.caches()
    }

    /// Runs so many passes of the loop at once at most.
    #[must_use]
    pub fn limit(mut self, passes: u32) -> Self {
        self.task.parallelism_limit = passes;
        self
    }

    /// Arguments of the container instead of the task's name.
    #[must_use]
    pub fn runs(mut self, arguments: &[&str]) -> Self {
        if let Body::Container(container, _) = &mut self.body {
            container.args = arguments.iter().map(|&word| word.to_owned()).collect();
        }
        self
    }

    /// The container's image.
    #[must_use]
    pub fn image(mut self, image: &str) -> Self {
        if let Body::Container(container, _) = &mut self.body {
            image.clone_into(&mut container.image);
        }
        self
    }

    /// Kubernetes settings of the container, as `KubernetesExecutorConfig` in JSON.
    #[must_use]
    pub fn on_kubernetes(mut self, settings: Value) -> Self {
        if let Body::Container(_, kubernetes) = &mut self.body {
            *kubernetes = settings;
        }
        self
    }

    /// Metadata of what the importer brings in, which it does not bring in twice.
    #[must_use]
    pub fn once(mut self, metadata: &Value) -> Self {
        if let Body::Importer(importer) = &mut self.body {
            importer.reimport = false;
            importer.metadata = metadata.as_object().cloned().unwrap_or_default();
        }
        self
    }

    fn lower(self, spec: &mut PipelineSpec) -> (String, Task) {
        let Self { name, mut task, mut component, body, .. } = self;
        let mut key = format!("comp-{name}");
        // Reserved before its children take names of their own.
        for number in 2.. {
            if !spec.components.contains_key(&key) {
                break;
            }
            key = format!("comp-{name}-{number}");
        }
        spec.components.insert(key.clone(), component.clone());
        component.body = body.lower(&key, spec);
        spec.components.insert(key.clone(), component);
        task.component = key;
        (name, task)
    }
}

impl Body {
    fn lower(self, label: &str, spec: &mut PipelineSpec) -> ComponentBody {
        let executor = match self {
            Self::Group(steps, mut dag) => {
                dag.tasks = steps.into_iter().map(|step| step.lower(spec)).collect();
                return ComponentBody::Dag(dag);
            }
            Self::Container(container, kubernetes) => {
                if !kubernetes.is_null() {
                    spec.kubernetes.insert(label.to_owned(), kubernetes);
                }
                Executor::Container(container)
            }
            Self::Importer(importer) => Executor::Importer(importer),
        };
        spec.executors.insert(label.to_owned(), executor);
        ComponentBody::Executor(label.to_owned())
    }
}

impl Pipeline {
    /// Has an input parameter; what is said of a task's inputs can be said of it by `with`.
    #[must_use]
    pub fn accepts(self, name: &str, with: impl FnOnce(Step) -> Step) -> Self {
        Self(with(self.0.declares(name)))
    }

    /// The output parameter `name` of the pipeline, see [`Step::returns`].
    #[must_use]
    pub fn returns(self, name: &str, task: &str, output: &str) -> Self {
        Self(self.0.returns(name, task, output))
    }

    /// As [`Self::returns`] for artifacts.
    #[must_use]
    pub fn returns_artifact(self, name: &str, task: &str, output: &str) -> Self {
        Self(self.0.returns_artifact(name, task, output))
    }

    /// The checked form, as the engine takes it. The components are `comp-<task>`, or `comp-<task>-2` and so on.
    pub fn spec(&self) -> PipelineSpec {
        let Step { component, body, .. } = self.0.clone();
        let mut spec = PipelineSpec {
            name: "pipeline".to_owned(),
            display_name: String::new(),
            description: String::new(),
            sdk_version: String::new(),
            root: component,
            components: BTreeMap::new(),
            executors: BTreeMap::new(),
            kubernetes: BTreeMap::new(),
            pipeline_config: Value::Null,
        };
        spec.root.body = body.lower("", &mut spec);
        spec
    }
}

fn is_of_task(input: &ParameterInput) -> bool {
    matches!(input.source, ParameterSource::TaskOutput(_) | ParameterSource::TaskFinalStatus(_))
}
