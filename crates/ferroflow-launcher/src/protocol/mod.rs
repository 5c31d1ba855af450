//! KFP's task protocol: what user code is handed and what it hands back.
//!
//! Begin with [`Resolver`]: it turns the words of a component into the words of a process. [`ExecutorInput`] is the
//! document behind `{{$}}`, [`Places`] says where things lie on this machine, and [`read_outputs`] turns what was
//! written into results. Nothing here reads or writes files.

mod error;
mod executor_input;
mod number_text;
mod outputs;
mod path;
mod places;
mod reference;
mod resolver;
mod variables;

pub use error::{OutputProblem, ProtocolError};
pub use executor_input::{ExecutorInput, json_text};
pub use outputs::{ExpectedArtifact, ExpectedOutputs, ExpectedParameter, read_outputs};
pub use places::{MappedRoot, Mapping, Places, ShownUris};
pub use resolver::{Resolver, Uses};
pub use variables::expand_variables;

#[cfg(test)]
mod tests;
