//! What Ctrl-C and `kill` mean to a command that runs for long.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Requests to end: SIGINT (Ctrl-C) and SIGTERM. From the moment this exists they no longer kill the process.
pub(crate) struct EndRequests {
    interrupt: Signal,
    terminate: Signal,
}

impl EndRequests {
    /// Must be called inside a runtime.
    pub(crate) fn listen() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// The next request.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
