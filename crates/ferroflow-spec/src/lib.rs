//! The checked PipelineSpec.
//!
//! Begin with [`document::read`]: bytes of a file in, a [`document::PipelineDocument`] or all problems out.
//! Knows nothing of runs, stores or the wire API, and does no I/O.

pub mod ir;
