//! Tasks in containers: which ones, and what their containers are to be.
//!
//! An attempt that runs in a container is a process all the same: `ferroflow contain FILE`, which carries out an
//! [`order::Order`], writes what the container says to its own output, and ends with its exit code. So journal, logs,
//! timeouts, reports and adoption are those of processes. Nothing here speaks to a daemon; who carries orders out is
//! `ferroflow-executor-docker`.
//!
//! All folders of an attempt are seen in its container at the same paths as on this machine. So placeholders, executor
//! input and results are those of processes, too. Paths that KFP fixes are there as well.

pub mod order;
mod plan;
pub(crate) mod resources;

use ferroflow_model::AttemptId;

use crate::python;

/// First word of the command line by which this program carries out an order.
pub const WORD: &str = "contain";

/// How tasks run in containers.
#[derive(Debug, Clone)]
pub struct ContainerOptions {
    /// Which ones do.
    pub scope: ContainerScope,
    /// Where the daemon listens.
    pub daemon: String,
    /// The version of its API that is spoken. Asking for it takes a daemon 10 ms, so it is not done for each task.
    pub api: Option<String>,
    /// The configuration file of the Docker client, with what registries want to know of the user.
    pub credentials: Option<String>,
    /// The network of containers; the daemon's default if there is none.
    pub network: Option<String>,
    /// Who user code is if neither image nor pipeline should decide it: user and group.
    pub user: Option<String>,
    /// Folders and files of this machine that all containers see at the same path, and may write to.
    pub shared: Vec<String>,
}

/// Which tasks run in containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContainerScope {
    /// All.
    All,
    /// All but lightweight Python components whose image is a plain Python.
    AllButPlainPython,
}

impl ContainerOptions {
    /// Whether a task runs in a container. `is_python` says whether it is a lightweight Python component.
    pub(crate) fn cover(&self, image: &str, is_python: bool) -> bool {
        match self.scope {
            ContainerScope::All => true,
            ContainerScope::AllButPlainPython => !(is_python && python::is_plain_image(image)),
        }
    }
}

/// The name of the container of an attempt; unique among all data directories.
pub fn container_name(data_dir: &str, id: &AttemptId) -> String {
    let hash = blake3::hash(data_dir.as_bytes()).to_hex();
    format!("ferroflow-{}-{}-{}", hash.get(..8).unwrap_or_default(), id.task_id(), id.attempt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_python_stays_out_of_containers() {
        let options = |scope| ContainerOptions {
            scope,
            daemon: String::new(),
            api: None,
            credentials: None,
            network: None,
            user: None,
            shared: Vec::new(),
        };
        let (all, most) = (options(ContainerScope::All), options(ContainerScope::AllButPlainPython));
        for (image, is_python, expected) in [
            ("python:3.11", true, false),
            ("python", true, false),
            ("python:3.11", false, true),
            ("public.ecr.aws/docker/library/python:3.12", true, false),
            ("registry.access.redhat.com/ubi9/python-311:latest", true, false),
            ("python@sha256:00", true, false),
            ("python-helpers:1", true, true),
            ("tensorflow/tensorflow:2", true, true),
            ("alpine", false, true),
        ] {
            assert_eq!(most.cover(image, is_python), expected, "{image}");
            assert!(all.cover(image, is_python), "{image}");
        }
    }
}
