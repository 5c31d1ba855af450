//! The only way to learn the time above the pure floors.

use ferroflow_model::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Wall-clock time now.
    fn now(&self) -> Timestamp;
}
