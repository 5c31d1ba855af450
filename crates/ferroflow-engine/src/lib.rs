//! The run state machine: events in, state changed, commands out.
//!
//! Pure and synchronous: time and numbers are arguments, nothing is read or started here. Begin with [`event`], then
//! [`RunState`] and `machine`. A [`Plan`] is the pipeline as the machine walks it; `inputs` and `outputs` carry values
//! between tasks; `cache` makes the key by which results are found again.

mod audit;
mod cache;
mod changes;
mod condition;
pub mod event;
mod fault;
mod inputs;
mod items;
mod kubernetes;
mod machine;
mod metadata;
mod outputs;
mod placeholder;
mod plan;
pub mod schedule;
mod selector;
mod semantics;
mod snapshot;
mod state;
mod task_config;
mod timer;

pub use event::{
    AttemptOutcome, CacheHit, CacheableResult, Changes, Command, IdBlock, IdSource, ProducedArtifact,
    ProducedOutputs, RunChange, RunEvent, RunIdentity, RunSettings, StoredEvent, TaskAttempt,
};
pub use fault::EngineFault;
pub use plan::Plan;
pub use semantics::{Semantics, Switch, UnknownSwitch};
pub use state::RunState;
