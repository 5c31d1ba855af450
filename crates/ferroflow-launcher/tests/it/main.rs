//! Tests against texts that kfp SDKs compiled.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod installer;
