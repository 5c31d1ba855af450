//! The executor with real processes: its supervisor is the program beside, in a folder of its own for each test.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../attempt.rs"]
mod attempt;
mod crash;
mod ends;
#[path = "../folder.rs"]
mod folder;
mod house;
mod logs;
mod platform;
mod tasks;
