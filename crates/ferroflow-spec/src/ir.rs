//! The typed form of a checked pipeline: what the engine plans from.
//!
//! Mirrors the PipelineSpec messages (schema 2.1.0) with Rust's own types: oneofs are enums, absent means `None`
//! or empty. It holds no text positions; the checker finds problems while those are still at hand.
//! Fields that no backend reads (deprecated twins, lifecycle hooks) are left out; the original bytes keep them.

use std::collections::BTreeMap;

use serde_json::Value;

/// A whole pipeline whose references have been checked.
#[derive(Debug, Clone, PartialEq)]
pub struct PipelineSpec {
    /// `pipelineInfo.name`; not empty.
    pub name: String,
    /// `pipelineInfo.displayName`; empty if not given.
    pub display_name: String,
    /// `pipelineInfo.description`; empty if not given.
    pub description: String,
    /// Writer of the file, such as `kfp-2.17.0`.
    pub sdk_version: String,
    /// The pipeline's own DAG and its inputs and outputs.
    pub root: Component,
    /// Components by key (`comp-…`).
    pub components: BTreeMap<String, Component>,
    /// Executors by label (`exec-…`).
    pub executors: BTreeMap<String, Executor>,
    /// Kubernetes settings by executor label, from the second document; JSON of `KubernetesExecutorConfig`.
    pub kubernetes: BTreeMap<String, Value>,
    /// `platforms.kubernetes.pipelineConfig` of the second document, `Null` if absent.
    pub pipeline_config: Value,
}

/// A reusable step: its signature and what it does.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    /// Input parameters by name.
    pub input_parameters: BTreeMap<String, InputParameter>,
    /// Input artifacts by name.
    pub input_artifacts: BTreeMap<String, InputArtifact>,
    /// Output parameters by name.
    pub output_parameters: BTreeMap<String, ParameterType>,
    /// Output artifacts by name.
    pub output_artifacts: BTreeMap<String, OutputArtifact>,
    /// Settings of its pod that it wants to see in inputs of type `TASK_CONFIG`.
    pub passthroughs: Vec<Passthrough>,
    /// A DAG of tasks, or the label of an executor.
    pub body: ComponentBody,
}

/// A setting of a task's pod that its component wants to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passthrough {
    /// Which.
    pub field: PassthroughField,
    /// Whether the task's own pod has it, too.
    pub applies_to_task: bool,
}

/// Settings that can be handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassthroughField {
    /// `RESOURCES`.
    Resources,
    /// `ENV`.
    Env,
    /// `KUBERNETES_AFFINITY`.
    Affinity,
    /// `KUBERNETES_TOLERATIONS`.
    Tolerations,
    /// `KUBERNETES_NODE_SELECTOR`.
    NodeSelector,
    /// `KUBERNETES_VOLUMES`: volumes and mounts.
    Volumes,
}

/// What a component does.
#[derive(Debug, Clone, PartialEq)]
pub enum ComponentBody {
    /// Runs tasks.
    Dag(Dag),
    /// Runs the executor with this label.
    Executor(String),
}

/// Kinds of parameter values; numbers are IEEE doubles on the wire whatever the kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterType {
    /// Not given: a value of any kind passes.
    Unspecified,
    /// `NUMBER_DOUBLE`.
    NumberDouble,
    /// `NUMBER_INTEGER`.
    NumberInteger,
    /// `STRING`.
    String,
    /// `BOOLEAN`.
    Boolean,
    /// `LIST`.
    List,
    /// `STRUCT`.
    Struct,
    /// `TASK_FINAL_STATUS`: a struct that the engine fills.
    TaskFinalStatus,
    /// `TASK_CONFIG`: a struct that the executor fills.
    TaskConfig,
}

impl ParameterType {
    /// The wire name, such as `NUMBER_DOUBLE`.
    pub fn wire_name(self) -> &'static str {
        match self {
            Self::Unspecified => "PARAMETER_TYPE_ENUM_UNSPECIFIED",
            Self::NumberDouble => "NUMBER_DOUBLE",
            Self::NumberInteger => "NUMBER_INTEGER",
            Self::String => "STRING",
            Self::Boolean => "BOOLEAN",
            Self::List => "LIST",
            Self::Struct => "STRUCT",
            Self::TaskFinalStatus => "TASK_FINAL_STATUS",
            Self::TaskConfig => "TASK_CONFIG",
        }
    }
}

/// Signature of one input parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct InputParameter {
    /// Kind of value.
    pub parameter_type: ParameterType,
    /// Used when no value arrives.
    pub default_value: Option<Value>,
    /// Whether the value may be missing.
    pub is_optional: bool,
    /// Allowed values; empty means any.
    pub literals: Vec<Value>,
}

/// Signature of one input artifact.
#[derive(Debug, Clone, PartialEq)]
pub struct InputArtifact {
    /// Declared type.
    pub artifact_type: ArtifactType,
    /// Whether it is a list of artifacts.
    pub is_list: bool,
    /// Whether it may be missing.
    pub is_optional: bool,
}

/// Signature of one output artifact.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputArtifact {
    /// Declared type.
    pub artifact_type: ArtifactType,
    /// Whether it is a list of artifacts.
    pub is_list: bool,
    /// Metadata that the component declares; an object.
    pub metadata: serde_json::Map<String, Value>,
}

/// `ArtifactTypeSchema`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArtifactType {
    /// Such as `system.Model`; empty if the schema is given another way.
    pub schema_title: String,
    /// Schema text, empty if not given.
    pub instance_schema: String,
    /// Such as `0.0.1`.
    pub schema_version: String,
}

/// Tasks and how their results become the DAG's outputs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dag {
    /// Tasks by key.
    pub tasks: BTreeMap<String, Task>,
    /// Output parameters: where each comes from.
    pub output_parameters: BTreeMap<String, ParameterOutput>,
    /// Output artifacts: where each comes from, several selectors meaning OneOf.
    pub output_artifacts: BTreeMap<String, Vec<OutputSelector>>,
}

/// Where an output parameter of a DAG comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParameterOutput {
    /// One task's output.
    From(OutputSelector),
    /// The first of several whose task completed.
    OneOf(Vec<OutputSelector>),
}

/// An output of a task of the same DAG.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputSelector {
    /// Task key.
    pub task: String,
    /// Output name.
    pub output: String,
}

/// One use of a component in a DAG.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// `taskInfo.name`: for display; the map key is the identity.
    pub display_name: String,
    /// Component key.
    pub component: String,
    /// Parameter sources by input name.
    pub parameters: BTreeMap<String, ParameterInput>,
    /// Artifact sources by input name.
    pub artifacts: BTreeMap<String, ArtifactSource>,
    /// `dependentTasks` as written; producers of inputs come on top.
    pub dependencies: Vec<String>,
    /// Caching switch and key.
    pub caching: Caching,
    /// CEL condition, empty if none.
    pub condition: String,
    /// What the upstream tasks must have done.
    pub trigger: TriggerStrategy,
    /// Set if the task is a loop.
    pub iterator: Option<Iterator>,
    /// Most iterations at once; 0 is no limit.
    pub parallelism_limit: u32,
    /// Set if failed attempts are repeated.
    pub retry: Option<RetryPolicy>,
}

/// `cachingOptions`; absent means disabled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caching {
    /// Whether a look-up is made and the result kept.
    pub enabled: bool,
    /// Custom key, empty if none.
    pub key: String,
}

/// `triggerPolicy.strategy`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TriggerStrategy {
    /// Every upstream task succeeded (or was cached).
    #[default]
    AllSucceeded,
    /// Every upstream task ended, however.
    AllCompleted,
}

/// A loop: over what, and under which input name the body sees one item.
#[derive(Debug, Clone, PartialEq)]
pub enum Iterator {
    /// Over parameters.
    Parameter {
        /// What is looped over.
        items: LoopItems,
        /// Input name of the item in the body.
        item_input: String,
    },
    /// Over the members of an artifact list.
    Artifact {
        /// Input artifact that holds the list.
        input: String,
        /// Input name of the item in the body.
        item_input: String,
    },
}

/// What a parameter loop runs over.
#[derive(Debug, Clone, PartialEq)]
pub enum LoopItems {
    /// JSON text of a list.
    Raw(String),
    /// An input parameter of the loop task: a list, or a string with JSON of a list.
    Input(String),
}

/// `retryPolicy`.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    /// Attempts beyond the first.
    pub max_retry_count: u32,
    /// First wait in seconds.
    pub backoff_seconds: f64,
    /// Growth of the wait per attempt; at least 1 acts.
    pub backoff_factor: f64,
    /// Longest wait in seconds.
    pub backoff_max_seconds: f64,
}

/// Source of a task's parameter, with the selector that may pick a part.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterInput {
    /// Where the value comes from.
    pub source: ParameterSource,
    /// `parameterExpressionSelector`, empty if none.
    pub selector: String,
}

/// Where a parameter comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum ParameterSource {
    /// Another task of the same DAG.
    TaskOutput(OutputSelector),
    /// The DAG's own input of this name.
    ComponentInput(String),
    /// A literal; strings may hold placeholders.
    Constant(Value),
    /// How the named task ended.
    TaskFinalStatus(String),
}

/// Where an artifact comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArtifactSource {
    /// Another task of the same DAG.
    TaskOutput(OutputSelector),
    /// The DAG's own input of this name.
    ComponentInput(String),
}

/// What an executor label stands for.
#[derive(Debug, Clone, PartialEq)]
pub enum Executor {
    /// A container (or, on one machine, a process).
    Container(ContainerSpec),
    /// Brings an artifact from outside into the run.
    Importer(ImporterSpec),
}

/// `PipelineContainerSpec`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ContainerSpec {
    /// Image name; may be a placeholder.
    pub image: String,
    /// Program and first words.
    pub command: Vec<String>,
    /// Further words.
    pub args: Vec<String>,
    /// Environment in the order written.
    pub env: Vec<(String, String)>,
    /// `resources` as written (JSON), `Null` if absent.
    pub resources: Value,
}

/// `ImporterSpec`.
#[derive(Debug, Clone, PartialEq)]
pub struct ImporterSpec {
    /// Constant URI, or the name of the input parameter that holds it.
    pub uri: ImportUri,
    /// Type of the imported artifact.
    pub artifact_type: ArtifactType,
    /// Whether a new artifact is made even if one with this URI exists.
    pub reimport: bool,
    /// Metadata of the artifact; an object.
    pub metadata: serde_json::Map<String, Value>,
    /// Whether the data is copied to the workspace.
    pub download_to_workspace: bool,
}

/// Where an importer's URI comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportUri {
    /// Written in the spec.
    Constant(String),
    /// Input parameter of this name.
    Input(String),
}
