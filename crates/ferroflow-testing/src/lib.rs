//! Builders of pipelines and the simulator.
//!
//! For tests and chores only; the product does not know of it. [`pipeline`] writes pipelines, [`simulator`] makes up
//! random ones and runs them through the engine under random circumstances.

pub mod pipeline;
pub mod random;
pub mod simulator;
