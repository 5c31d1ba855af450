//! What was seen while the body of a pipeline ran: plain data, made by Python.
//!
//! Tasks, groups, channels and components refer to each other by their places in the lists.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A traced pipeline.
#[derive(Debug, Clone, Deserialize)]
pub struct Graph {
    /// What the pipeline takes and gives, with its name.
    pub interface: Interface,
    /// For people; goes into `pipelineInfo`.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Where artifacts are to be kept.
    #[serde(default)]
    pub pipeline_root: Option<String>,
    /// Fields of the platform's `pipelineConfig`.
    #[serde(default)]
    pub config: Map<String, Value>,
    /// Components, each once.
    pub components: Vec<Component>,
    /// Tasks in the order of their calls.
    pub tasks: Vec<Task>,
    /// Groups; the first is the pipeline itself.
    pub groups: Vec<Group>,
    /// Channels that tasks, conditions, loops and outputs use.
    pub channels: Vec<Channel>,
    /// Outputs of the pipeline and their channels.
    #[serde(default)]
    pub outputs: Vec<(String, usize)>,
}

/// What a component takes and gives.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Interface {
    /// Name as KFP writes it.
    pub name: String,
    /// For people.
    #[serde(default)]
    pub description: Option<String>,
    /// Inputs in their order.
    #[serde(default)]
    pub inputs: Vec<Input>,
    /// Outputs in their order.
    #[serde(default)]
    pub outputs: Vec<Output>,
    /// Settings that the component hands on itself: name of the field, and whether they count for the task, too.
    #[serde(default)]
    pub passthroughs: Vec<(String, bool)>,
}

/// An input of a component.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// As Python names it, or `system.Dataset@0.0.1`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Value when none is given.
    #[serde(default)]
    pub default: Option<Value>,
    /// May be left out.
    #[serde(default)]
    pub optional: bool,
    /// A list of artifacts.
    #[serde(default)]
    pub list: bool,
    /// For people.
    #[serde(default)]
    pub description: Option<String>,
}

/// An output of a component.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// As Python names it, or `system.Dataset@0.0.1`.
    #[serde(rename = "type")]
    pub kind: String,
    /// A list of artifacts.
    #[serde(default)]
    pub list: bool,
    /// For people.
    #[serde(default)]
    pub description: Option<String>,
}

/// A component that tasks are made of.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Component {
    /// What it takes and gives.
    pub interface: Interface,
    /// The image of a container component.
    #[serde(default)]
    pub image: String,
    /// How its container is started.
    #[serde(default)]
    pub command: Vec<String>,
    /// Arguments after the command.
    #[serde(default)]
    pub args: Vec<String>,
    /// Variables in their order.
    #[serde(default)]
    pub env: Vec<(String, String)>,
    /// What it imports, if it is an importer.
    #[serde(default)]
    pub importer: Option<Importer>,
    /// Place of the nested pipeline in the list that is handed to `compile`.
    #[serde(default)]
    pub pipeline: Option<usize>,
}

/// A task.
#[derive(Debug, Clone, Deserialize)]
pub struct Task {
    /// Unique in the pipeline.
    pub name: String,
    /// Its component.
    pub component: usize,
    /// Runs after an exit handler, whatever happens there; such a task stands in no group.
    #[serde(default)]
    pub is_exit_task: bool,
    /// Arguments by name of the input.
    #[serde(default)]
    pub inputs: Vec<(String, Argument)>,
    /// Channels that it uses: those of its arguments, and those that platform settings name.
    #[serde(default)]
    pub channels: Vec<usize>,
    /// Names of tasks and groups that it waits for.
    #[serde(default)]
    pub after: Vec<String>,
    /// For people.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Whether results may be used again.
    pub enable_caching: bool,
    /// A key of the author's own.
    #[serde(default)]
    pub cache_key: Option<String>,
    /// How often and when to try again.
    #[serde(default)]
    pub retry: Option<Retry>,
    /// Runs also when tasks before it failed.
    #[serde(default)]
    pub ignore_upstream_failure: bool,
    /// What it says otherwise than its component about the container.
    #[serde(default)]
    pub container: Container,
    /// Settings by platform.
    #[serde(default)]
    pub platform: Map<String, Value>,
    /// Where the author wrote it: `file:line`.
    #[serde(default)]
    pub place: Option<String>,
}

impl Task {
    /// Its name for messages, with the place where the author wrote it.
    #[must_use]
    pub fn shown(&self) -> String {
        match self.place.as_deref().map(|place| place.rsplit(['/', '\\']).next().unwrap_or(place)) {
            Some(place) => format!("'{}' ({place})", self.name),
            None => format!("'{}'", self.name),
        }
    }

    /// A task without arguments.
    #[must_use]
    pub fn new(name: &str, component: usize, enable_caching: bool) -> Self {
        Self {
            name: name.to_owned(),
            component,
            is_exit_task: false,
            inputs: Vec::new(),
            channels: Vec::new(),
            after: Vec::new(),
            display_name: None,
            enable_caching,
            cache_key: None,
            retry: None,
            ignore_upstream_failure: false,
            container: Container::default(),
            platform: Map::new(),
            place: None,
        }
    }
}

/// The value of an input.
#[derive(Debug, Clone, Deserialize)]
pub enum Argument {
    /// What comes out of a channel.
    #[serde(rename = "c")]
    Channel(usize),
    /// A constant; marks of channels may stand in it.
    #[serde(rename = "v")]
    Constant(Value),
}

/// When a failed task is tried again; durations as authors write them: `30s`, `2 hours`.
#[derive(Debug, Clone, Deserialize)]
pub struct Retry {
    /// How often.
    #[serde(default)]
    pub count: i64,
    /// Wait before the first retry.
    #[serde(default)]
    pub backoff_duration: Option<String>,
    /// Growth of the wait.
    #[serde(default)]
    pub backoff_factor: Option<f64>,
    /// Longest wait.
    #[serde(default)]
    pub backoff_max_duration: Option<String>,
}

/// What a task says about its container; what is not said is as the component has it.
#[derive(Debug, Clone, Default, Deserialize)]
#[expect(missing_docs, reason = "they are those of the component")]
pub struct Container {
    #[serde(default)]
    pub image: Option<String>,
    #[serde(default)]
    pub command: Option<Vec<String>>,
    #[serde(default)]
    pub args: Option<Vec<String>>,
    #[serde(default)]
    pub env: Option<Vec<(String, String)>>,
    #[serde(default)]
    pub resources: Option<Resources>,
}

/// Resources as text.
#[derive(Debug, Clone, Default, Deserialize)]
#[expect(missing_docs, reason = "they are named as KFP names them")]
pub struct Resources {
    #[serde(default)]
    pub cpu_request: Option<String>,
    #[serde(default)]
    pub cpu_limit: Option<String>,
    #[serde(default)]
    pub memory_request: Option<String>,
    #[serde(default)]
    pub memory_limit: Option<String>,
    #[serde(default)]
    pub accelerator_type: Option<String>,
    #[serde(default)]
    pub accelerator_count: Option<String>,
}

/// What an importer brings.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Importer {
    /// `system.Dataset@0.0.1`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Import again what was imported before.
    #[serde(default)]
    pub reimport: bool,
    /// Properties of the artifact.
    #[serde(default)]
    pub metadata: Option<Map<String, Value>>,
    /// Copy it to the workspace.
    #[serde(default)]
    pub download_to_workspace: bool,
}

/// A group of tasks and groups.
#[derive(Debug, Clone, Deserialize)]
pub struct Group {
    /// Unique in the pipeline.
    pub name: String,
    /// For people.
    #[serde(default)]
    pub display_name: Option<String>,
    /// The group around it.
    #[serde(default)]
    pub parent: Option<usize>,
    /// Groups in it, in their order.
    #[serde(default)]
    pub groups: Vec<usize>,
    /// Tasks in it, in their order.
    #[serde(default)]
    pub tasks: Vec<usize>,
    /// What it does.
    pub kind: GroupKind,
}

impl Group {
    /// The pipeline itself, with these tasks.
    #[must_use]
    pub fn pipeline(tasks: Vec<usize>) -> Self {
        Self {
            name: String::new(),
            display_name: None,
            parent: None,
            groups: Vec::new(),
            tasks,
            kind: GroupKind::Pipeline,
        }
    }
}

/// What a group does.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroupKind {
    /// The pipeline itself.
    Pipeline,
    /// One branch: all comparisons must hold. `class` is the name that authors know.
    Condition {
        /// `If`, `Elif`, `Else` or `Condition`.
        class: String,
        /// Joined by *and*.
        comparisons: Vec<Comparison>,
    },
    /// The branches of one decision.
    ConditionBranches,
    /// A loop.
    ForLoop {
        /// The channel of its item.
        item: usize,
        /// Constant items as JSON; none if they come from a channel.
        #[serde(default)]
        raw: Option<String>,
        /// At most so many at a time; 0 is no limit.
        #[serde(default)]
        parallelism: i64,
    },
    /// What is in it is followed by a task in any case.
    ExitHandler {
        /// That task.
        exit_task: usize,
    },
}

/// A comparison of two values.
#[derive(Debug, Clone, Deserialize)]
pub struct Comparison {
    /// `==`, `<`, …
    pub operator: String,
    /// What stands left.
    pub left: Operand,
    /// What stands right.
    pub right: Operand,
    /// Whether the opposite is meant.
    #[serde(default)]
    pub negate: bool,
}

/// A side of a comparison.
#[derive(Debug, Clone, Deserialize)]
pub enum Operand {
    /// What comes out of a channel.
    #[serde(rename = "c")]
    Channel(usize),
    /// A constant: name of its Python type, and its text as Python prints it.
    #[serde(rename = "v")]
    Constant(String, String),
}

/// A value that will be there when the pipeline runs.
#[derive(Debug, Clone, Deserialize)]
pub struct Channel {
    /// Its name at its producer.
    pub name: String,
    /// As Python names it, or `system.Dataset@0.0.1`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Name of the task or group that makes it; none for inputs of the pipeline and items of constant loops.
    #[serde(default)]
    pub producer: Option<String>,
    /// A list of artifacts.
    #[serde(default)]
    pub list: bool,
    /// What sort of channel it is.
    pub form: Form,
}

/// Sorts of channels.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// A parameter.
    Parameter,
    /// An artifact.
    Artifact,
    /// The item of a loop over constants or parameters; with the channel of the items, if any.
    LoopItem(Option<usize>),
    /// The item of a loop over artifacts, with the channel of the items.
    LoopArtifact(usize),
    /// A key of the item of a loop: the item's channel, and the key.
    LoopKey(usize, String),
    /// All results of a task in loops; `true` for artifacts.
    Collected(bool),
    /// Whichever branch ran: the channels, the group of the branches, and `true` for artifacts.
    OneOf(Vec<usize>, usize, bool),
}

impl Channel {
    /// The name that nothing else in the pipeline has.
    #[must_use]
    pub fn full_name(&self) -> String {
        match &self.producer {
            Some(producer) => format!("{producer}-{}", self.name),
            None => self.name.clone(),
        }
    }

    /// The mark by which it stands in text.
    #[must_use]
    pub fn mark(&self) -> String {
        crate::marks::mark(self.producer.as_deref().unwrap_or_default(), &self.name, &self.kind)
    }

    /// The name of the input that brings it into a group or a task.
    #[must_use]
    pub fn input_name(&self) -> String {
        format!("{}{}", crate::names::INJECTED, self.full_name())
    }

    /// Whether artifacts come out of it.
    #[must_use]
    pub fn is_artifact(&self) -> bool {
        matches!(
            self.form,
            Form::Artifact | Form::LoopArtifact(_) | Form::Collected(true) | Form::OneOf(_, _, true)
        )
    }
}
