//! Asks for the verdict on a bad file: what must be said, and how soon.

use std::time::{Duration, Instant};

use ferroflow_spec::document;

/// Time that the answer to any file may take, in an unoptimised build.
const PATIENCE: Duration = Duration::from_secs(1);

/// Reads a file that must be refused with a text that contains `expected`.
#[track_caller]
pub(crate) fn check(file_name: &str, bytes: &[u8], expected: &str) {
    let (wall, processor) = (Instant::now(), processor_time());
    let problems = document::read(file_name, bytes).expect_err("a bad file was accepted");
    // Other tests share the processors, so the wall clock counts only where nothing better is to be had.
    let took = match (processor, processor_time()) {
        (Some(begin), Some(end)) => end.saturating_sub(begin),
        _ => wall.elapsed(),
    };
    let text = problems.to_string();
    assert!(text.contains(expected), "{file_name}: `{expected}` is not in:\n{text}");
    assert!(took < PATIENCE, "{file_name}: took {took:?}");
}

/// What this thread has used so far.
fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split_whitespace().next()?.parse().ok()?))
}
