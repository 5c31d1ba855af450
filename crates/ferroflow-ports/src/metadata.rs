//! Keeps what clients of ML Metadata write, beside the rows of runs that the same clients read.
//!
//! A run's tasks are executions, its artifacts are artifacts, pipelines and runs are contexts: those rows are shown,
//! never copied. What a client adds is kept in rows of its own, under numbers from [`FIRST_WRITTEN_ID`] on. What a
//! client writes about a row of a run (a property, an edge) is kept under that row's number.
//!
//! Work on metadata is a function over [`MetadataTables`], so that several looks and writes make one transaction.

use async_trait::async_trait;
use ferroflow_model::record::{ArtifactRecord, LinkDirection, TaskRecord};
use ferroflow_model::{RunId, RunStatus, Timestamp};

use crate::error::PortError;

type Result<T> = std::result::Result<T, PortError>;

/// Numbers of written nodes begin here; smaller ones belong to rows of runs.
pub const FIRST_WRITTEN_ID: i64 = 1 << 40;

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NodeKind {
    /// Used or made by executions.
    Artifact,
    /// Something that ran.
    Execution,
    /// A group of the other two.
    Context,
}

/// A type that a client registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenType {
    /// Its number.
    pub id: i64,
    /// Name, unique together with the version.
    pub name: String,
    /// Version, empty if it has none.
    pub version: String,
    /// Name that another system knows it by.
    pub external_id: Option<String>,
    /// The message, encoded.
    pub body: Vec<u8>,
}

/// A node that a client wrote, or what a client wrote about a row of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenNode {
    /// Its number.
    pub id: i64,
    /// Its type.
    pub type_id: i64,
    /// Name, unique among nodes of the type.
    pub name: Option<String>,
    /// Name that another system knows it by, unique among nodes of the kind.
    pub external_id: Option<String>,
    /// Where an artifact's bytes are.
    pub uri: Option<String>,
    /// Creation.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
    /// The message, encoded.
    pub body: Vec<u8>,
}

/// A context that is a pipeline or a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RowContext {
    /// Its number.
    pub id: i64,
    /// Name of the pipeline, or id of the run.
    pub name: String,
    /// What is known of a run; `None` for pipelines and for runs that were removed.
    pub run: Option<RowRun>,
    /// Whether it is a run.
    pub is_run: bool,
    /// Creation, of a pipeline that of its first run; `None` if nothing is left.
    pub created_at: Option<Timestamp>,
}

/// What metadata shows of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RowRun {
    /// Identity.
    pub id: RunId,
    /// Number of the pipeline's context.
    pub pipeline_context_id: i64,
    /// State.
    pub status: RunStatus,
    /// Root of its artifacts as the request named it, empty if it named none.
    pub pipeline_root: String,
}

/// An execution used or made an artifact.
#[derive(Debug, Clone, PartialEq)]
pub enum MetadataEvent {
    /// A row of a run.
    Row {
        /// The execution.
        execution_id: i64,
        /// The artifact.
        artifact_id: i64,
        /// Used or made.
        direction: LinkDirection,
        /// Input or output name.
        name: String,
        /// Place in the list of this name.
        index: u32,
        /// When the execution began (used) or ended (made).
        at: Timestamp,
    },
    /// The message of a client, encoded.
    Written(WrittenEvent),
}

/// An event that a client wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenEvent {
    /// The artifact.
    pub artifact_id: i64,
    /// The execution.
    pub execution_id: i64,
    /// Number of its type; one event of each type between two nodes.
    pub event_type: i32,
    /// The message, encoded.
    pub body: Vec<u8>,
}

/// What an edge between a node and a context says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// Artifact to context.
    Attribution,
    /// Execution to context.
    Association,
    /// Child context to parent context.
    Parent,
}

/// Which end of an edge is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkEnd {
    /// The artifact, the execution, the child.
    Node,
    /// The context, the parent.
    Context,
}

/// What narrows a list down before anything else is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Narrowing {
    /// Nothing.
    All,
    /// These numbers.
    Ids(Vec<i64>),
    /// Written nodes of these types, and rows with one of these type names.
    Types {
        /// Numbers of types.
        ids: Vec<i64>,
        /// Schema titles of artifacts, or kinds of tasks by their names, or `RUN` and `PIPELINE`.
        rows: Vec<String>,
    },
    /// This name.
    Name(String),
    /// One of these places.
    Uris(Vec<String>),
    /// One of these external names.
    ExternalIds(Vec<String>),
    /// Members of this context.
    Context(i64),
}

/// By what a list is sorted; equal values follow their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeOrder {
    /// Number.
    Id,
    /// Creation.
    Created,
    /// Last change.
    Updated,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeQuery {
    /// Which nodes.
    pub narrowing: Narrowing,
    /// In which order.
    pub order: NodeOrder,
    /// From the smallest on.
    pub ascending: bool,
    /// Only what follows this key: the value sorted by (microseconds, or the number again) and the number.
    pub after: Option<(i64, i64)>,
    /// Most wanted.
    pub limit: u32,
}

/// The tables as one piece of work sees them.
pub trait MetadataTables {
    /// All types of a kind, in order of number.
    fn types(&self, kind: NodeKind) -> Result<Vec<WrittenType>>;
    /// Types by number.
    fn types_by_id(&self, kind: NodeKind, ids: &[i64]) -> Result<Vec<WrittenType>>;
    /// The type of this name and version.
    fn type_by_name(&self, kind: NodeKind, name: &str, version: &str) -> Result<Option<WrittenType>>;
    /// Adds a type or writes it anew.
    fn put_type(&mut self, kind: NodeKind, row: &WrittenType) -> Result<()>;
    /// Schema titles of the artifacts of runs, each once.
    fn schema_titles(&self) -> Result<Vec<String>>;
    /// A number that no written type has been given.
    fn next_type_id(&mut self) -> Result<i64>;
    /// A number that no node has been given.
    fn next_node_id(&mut self, kind: NodeKind) -> Result<i64>;
    /// What clients wrote under these numbers, in no particular order.
    fn written(&self, kind: NodeKind, ids: &[i64]) -> Result<Vec<WrittenNode>>;
    /// Adds a node or writes it anew. `AlreadyExists` if its name or external name is taken.
    fn put_node(&mut self, kind: NodeKind, row: &WrittenNode) -> Result<()>;
    /// Tasks by number; the input and output artifacts in them have no metadata of their own here.
    fn tasks(&self, ids: &[i64]) -> Result<Vec<TaskRecord>>;
    /// Artifacts of runs by number.
    fn artifacts(&self, ids: &[i64]) -> Result<Vec<ArtifactRecord>>;
    /// Pipelines and runs by number.
    fn contexts(&self, ids: &[i64]) -> Result<Vec<RowContext>>;
    /// Key and number of what fits, in order.
    fn list(&self, kind: NodeKind, query: &NodeQuery) -> Result<Vec<(i64, i64)>>;
    /// Events at these nodes, which are artifacts or executions.
    fn events(&self, kind: NodeKind, ids: &[i64]) -> Result<Vec<MetadataEvent>>;
    /// Adds an event. `AlreadyExists` if there is one of its type between the two.
    fn put_event(&mut self, event: &WrittenEvent) -> Result<()>;
    /// Edges (node, context) with one end among `ids`, in order.
    fn links(&self, kind: LinkKind, end: LinkEnd, ids: &[i64]) -> Result<Vec<(i64, i64)>>;
    /// Adds an edge; false if there was one.
    fn put_link(&mut self, kind: LinkKind, node: i64, context: i64) -> Result<bool>;
}

/// A piece of work; it may be called twice, and then the first call is undone.
pub type MetadataWork = Box<dyn FnMut(&mut dyn MetadataTables) -> Result<()> + Send>;

/// Where metadata is.
#[async_trait]
pub trait MetadataStore: Send + Sync {
    /// Looks without changing anything; calls that write answer `Internal`.
    async fn read_metadata(&self, work: MetadataWork) -> Result<()>;
    /// Changes all or nothing, durably.
    async fn write_metadata(&self, work: MetadataWork) -> Result<()>;
}
