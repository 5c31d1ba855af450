//! One run from the command line: where it takes place, what is seen of it meanwhile, and what is told at its end.
//!
//! Begin with [`place`]; `commands/run.rs` leads through all of it.

pub(crate) mod place;
pub(crate) mod progress;
pub(crate) mod records;
pub(crate) mod report;
