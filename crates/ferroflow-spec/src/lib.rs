//! The checked PipelineSpec.
//!
//! Begin with [`document::read`]: bytes of a file in, a [`document::PipelineDocument`] or all problems out.
//! Knows nothing of runs, stores or the wire API, and does no I/O.

pub mod check;
mod convert;
pub mod document;
mod duration;
pub mod ir;
pub mod number;
mod package;
pub mod problem;
mod suggest;
mod tree;
mod yaml;

pub use package::SIZE_LIMIT;
