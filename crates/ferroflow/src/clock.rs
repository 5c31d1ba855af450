//! The clock of this machine.

use std::time::{SystemTime, UNIX_EPOCH};

use ferroflow_model::Timestamp;
use ferroflow_ports::Clock;

/// Wall-clock time. Before 1970 it is 1970.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
    }
}
