//! The runtime against the real store, with an executor that does as it is told.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod chain;
mod control;
mod crash;
mod fair;
mod garbage;
mod gated_store;
mod machine;
mod schedule;
mod stage;
mod trouble;
