//! The server over a real socket, on the real store in a temporary folder: rows of request → status and JSON.
//!
//! Runs do not execute here (that is tested elsewhere, with the real client); [`harness`] stores them as they come.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bounds;
mod experiments;
mod grpc;
mod guard;
mod harness;
mod lists;
mod logs;
mod old_ways;
mod own_artifacts;
mod own_bounds;
mod own_logs;
mod own_runs;
mod own_streams;
mod pipelines;
mod recurring_runs;
mod runs;
mod web;
