//! The run state machine: events in, state changed, commands out.
//!
//! Pure and synchronous: time and ids are arguments, nothing is read or started here.
//! Begin with [`event`], then [`RunState`] and [`RunState::apply`].

pub mod event;

pub use event::{AttemptOutcome, CacheHit, Command, ProducedArtifact, ProducedOutputs, RunEvent, RunIdentity, TaskAttempt};
