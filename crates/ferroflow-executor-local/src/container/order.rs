//! What a container is to be: written by the executor beside the attempt, carried out by `ferroflow contain`.
//!
//! All paths are those of this machine. An order has everything that is needed to run the container and to tell how it
//! ended, so that whoever carries it out knows nothing of pipelines.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use crate::linux::namespace::Mount;

/// One container.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Where the daemon listens, such as `unix:///var/run/docker.sock`.
    pub daemon: String,
    /// The version of its API that is spoken, such as `1.41`; it is asked for if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
    /// File with what registries want to know of the user (`config.json` of the Docker client). Need not exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
    /// The container's name: there is never more than one for an attempt.
    pub name: String,
    /// By which its owner finds it again.
    pub labels: BTreeMap<String, String>,
    /// The image's name.
    pub image: String,
    /// When the image is fetched.
    pub pull: Pull,
    /// Takes the place of the image's entry point, and of its words, unless it is empty.
    pub entrypoint: Vec<String>,
    /// Words behind the entry point; if both are empty, the image's own hold.
    pub words: Vec<String>,
    /// Variables over those of the image.
    pub env: Vec<(String, String)>,
    /// Folders and files of this machine.
    pub mounts: Vec<Mount>,
    /// The network, as the daemon names it; its default if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// User and group, such as `1000:1000`; the image's if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// What it may use.
    #[serde(default)]
    pub resources: Resources,
    /// The packages that it needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<PackagesOrder>,
    /// Where user code tells which artifacts it has written elsewhere (KFP's executor output), if it makes any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_outputs: Option<String>,
    /// Where the files at those paths of the container are copied to: their path below this folder.
    pub copies: String,
    /// Where the end is told.
    pub end: String,
    /// Seconds between TERM and KILL if nobody is there to decide it.
    pub stop_seconds: u32,
}

/// When an image is fetched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pull {
    /// Each time; what is there already is not fetched again.
    Always,
    /// If it is not there.
    #[default]
    IfMissing,
    /// It must be there.
    Never,
}

/// Bounds and wishes; nothing is bounded by what is absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Resources {
    /// Most cores at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_limit: Option<f64>,
    /// Cores that it gets when they are scarce.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_request: Option<f64>,
    /// Most bytes of memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_limit: Option<u64>,
    /// Bytes that it keeps when memory is scarce.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_request: Option<u64>,
    /// Kind of an accelerator, such as `nvidia.com/gpu`, and how many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accelerator: Option<(String, u64)>,
    /// Bytes of `/dev/shm`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_memory: Option<u64>,
}

/// Packages for a Python component, installed once for an image and then shared.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PackagesOrder {
    /// The folder of all environments.
    pub folder: String,
    /// What is to be installed, as JSON; together with the image it says which environment is meant.
    pub wanted: String,
    /// The file that installs it, run by the image's Python.
    pub installer: String,
    /// Variables of that process.
    pub env: Vec<(String, String)>,
    /// What it sees of this machine besides its folder.
    pub mounts: Vec<Mount>,
    /// All environments together may not be larger, in bytes.
    pub limit_bytes: u64,
}

/// How a container ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerEnd {
    /// The exit code of its main process, if that ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// Whether the system killed something in it since its memory was used up.
    #[serde(default)]
    pub out_of_memory: bool,
    /// What went wrong besides user code: a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Label with the data directory that a container belongs to.
pub const DATA_LABEL: &str = "io.ferroflow.data";
/// Label with the run.
pub const RUN_LABEL: &str = "io.ferroflow.run";
/// Label with the task's key.
pub const TASK_LABEL: &str = "io.ferroflow.task";
/// Label with the attempt's id.
pub const ATTEMPT_LABEL: &str = "io.ferroflow.attempt";
