//! From a traced pipeline to the PipelineSpec that KFP's own compiler writes.
//!
//! Begin with [`graph::Graph`]: what Python saw while it ran a pipeline's body, as plain data. [`compile`] turns it
//! into a [`Compiled`], which prints itself as KFP prints it. What comes out is meant to be equal to what kfp 2.17
//! writes, so that it runs on any KFP server. It does no I/O, and knows nothing of Python's objects.

mod cel;
pub mod command;
mod compiled;
mod deployment;
mod docstring;
mod flow;
pub mod graph;
mod header;
mod interface;
mod load;
mod lower;
pub mod marks;
mod merge;
pub mod names;
mod number;
mod platform;
mod task;
pub mod types;
mod yaml;

pub use compiled::{Compiled, ManifestOptions};
pub use docstring::{Docstring, parse as parse_docstring};
pub use load::{Loaded, load};
pub use lower::{compile, compile_component};
pub use yaml::dump as dump_yaml;

/// The version of KFP's SDK whose output this is.
pub const SDK_VERSION: &str = "kfp-2.17.0";

/// Why a pipeline cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// Tasks depend on each other across the borders of loops, conditions or exit handlers.
    #[error("{0}")]
    Topology(String),
    /// Types do not fit.
    #[error("{0}")]
    Type(String),
    /// A value, name or option is not possible.
    #[error("{0}")]
    Value(String),
}
