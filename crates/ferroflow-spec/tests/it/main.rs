//! Tests of the spec crate through its public face.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod checks;
mod files;
mod fuzz;
mod reference;
mod told;
