//! What the engine does, as tables: a pipeline, what its tasks do, and what comes of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod drive;

mod again;
mod caching;
mod conditions;
mod ends;
mod events;
mod flow;
mod fuzz;
mod groups;
mod inputs;
mod loops;
mod platform;
mod requests;
mod retries;
mod stumbles;
mod switches;
