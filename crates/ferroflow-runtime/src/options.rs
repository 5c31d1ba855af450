//! What the runtime is given when it starts.

use std::sync::Arc;
use std::time::Duration;

use ferroflow_engine::Semantics;
use ferroflow_ports::store::RunStore;
use ferroflow_ports::{ArtifactStore, Clock, Executor};

/// The outside world.
#[derive(Clone)]
pub struct RuntimePorts {
    /// Keeps records.
    pub store: Arc<dyn RunStore>,
    /// Runs attempts.
    pub executor: Arc<dyn Executor>,
    /// Knows the default pipeline root.
    pub artifacts: Arc<dyn ArtifactStore>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

/// How the runtime behaves.
#[derive(Debug, Clone)]
pub struct RuntimeOptions {
    /// Most attempts at once over all runs; at least 1 acts.
    pub parallelism: usize,
    /// Most attempts at once of one run; `None` is no limit but the one above.
    pub run_parallelism: Option<usize>,
    /// How long a run stays pending before work on it begins.
    pub start_delay: Duration,
    /// Time between the request to end and the kill of an attempt.
    pub stop_grace: Duration,
    /// Whether tasks may take over earlier results at all.
    pub caching: bool,
    /// Age beyond which results are not taken over; `None` is no limit.
    pub cache_max_age: Option<Duration>,
    /// How new runs behave where that can be chosen.
    pub semantics: Semantics,
}

impl Default for RuntimeOptions {
    fn default() -> Self {
        Self {
            parallelism: std::thread::available_parallelism().map_or(1, usize::from),
            run_parallelism: None,
            start_delay: Duration::ZERO,
            stop_grace: Duration::from_secs(30),
            caching: true,
            cache_max_age: None,
            semantics: Semantics::default(),
        }
    }
}
