//! What `/apis/ferroflow/v1` answers with, as it goes over the wire.
//!
//! `cargo xtask codegen` reads these files and writes the web page's types from them, so they use plain shapes only:
//! fields are snake case, every field is always there (`null` where there is nothing), times are whole milliseconds
//! since the epoch ([`Millis`]), a task's `path` is its names and iteration indexes from the pipeline down
//! (`for-loop-2/0/train`; the pipeline itself is the empty path). Nothing here knows stores or HTTP.

mod artifact;
mod compare;
mod event;
mod graph;
mod log;
mod overview;
mod pipeline;
mod run;
mod task;
mod timeline;

pub(crate) use artifact::*;
pub(crate) use compare::*;
pub(crate) use event::*;
pub(crate) use graph::*;
pub(crate) use log::*;
pub(crate) use overview::*;
pub(crate) use pipeline::*;
pub(crate) use run::*;
pub(crate) use task::*;
pub(crate) use timeline::*;

/// Milliseconds since the epoch, or between two times.
pub(crate) type Millis = i64;
